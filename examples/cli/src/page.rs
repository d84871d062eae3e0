//! What people read: headings, lines and aligned tables. How they look is decided where they are
//! printed.

use console::{Style, measure_text_width, truncate_str};

/// What a piece of text says beside its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing.
    #[default]
    Plain,
    /// Look here first.
    Strong,
    /// Beside the point.
    Faint,
    /// As it should be.
    Good,
    /// Somebody should look.
    Warn,
    /// Wrong.
    Bad,
}

/// A piece of text in one tone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text {
    words: String,
    tone: Tone,
}

impl Text {
    pub(crate) fn new(words: impl Into<String>, tone: Tone) -> Self {
        Self {
            words: words.into(),
            tone,
        }
    }

    pub(crate) fn strong(words: impl Into<String>) -> Self {
        Self::new(words, Tone::Strong)
    }

    pub(crate) fn faint(words: impl Into<String>) -> Self {
        Self::new(words, Tone::Faint)
    }
}

impl From<String> for Text {
    fn from(words: String) -> Self {
        Self::new(words, Tone::Plain)
    }
}

impl From<&str> for Text {
    fn from(words: &str) -> Self {
        Self::new(words, Tone::Plain)
    }
}

/// Rows under headings; or, without headings, rows that are only aligned.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<Text>>,
    indent: usize,
}

impl Table {
    pub(crate) fn new<const N: usize>(head: [&'static str; N]) -> Self {
        Self {
            head: head.to_vec(),
            ..Self::default()
        }
    }

    /// Rows without headings.
    pub(crate) fn bare() -> Self {
        Self::default()
    }

    pub(crate) fn indent(mut self, by: usize) -> Self {
        self.indent = by;
        self
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [Text; N]) {
        self.rows.push(cells.to_vec());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Heading(String),
    Line(Vec<Text>),
    Table(Table),
    Gap,
}

/// Text for people, piece by piece.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pieces: Vec<Piece>,
}

impl Page {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A title above what follows.
    pub(crate) fn heading(&mut self, words: impl Into<String>) -> &mut Self {
        self.gap();
        self.pieces.push(Piece::Heading(words.into()));
        self
    }

    /// One line.
    pub(crate) fn line(&mut self, text: impl Into<Text>) -> &mut Self {
        self.pieces.push(Piece::Line(vec![text.into()]));
        self
    }

    /// One line of several tones.
    pub(crate) fn mixed<const N: usize>(&mut self, texts: [Text; N]) -> &mut Self {
        self.pieces.push(Piece::Line(texts.to_vec()));
        self
    }

    pub(crate) fn table(&mut self, table: Table) -> &mut Self {
        if !table.is_empty() {
            self.pieces.push(Piece::Table(table));
        }
        self
    }

    /// An empty line, unless there is one or nothing is above it.
    pub(crate) fn gap(&mut self) -> &mut Self {
        if !matches!(self.pieces.last(), None | Some(Piece::Gap)) {
            self.pieces.push(Piece::Gap);
        }
        self
    }

    /// An empty line, whatever is above it.
    pub(crate) fn blank(&mut self) -> &mut Self {
        self.pieces.push(Piece::Gap);
        self
    }

    /// What one would type next.
    pub(crate) fn next(&mut self, command: impl AsRef<str>, why: &str) -> &mut Self {
        self.gap();
        self.mixed([
            Text::faint("next: "),
            Text::strong(command.as_ref()),
            Text::faint(format!("   {why}")),
        ])
    }

    /// The text as a terminal of this look shows it.
    pub(crate) fn render(&self, look: Look) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Heading(words) => {
                    out.push_str(&look.paint(words, Tone::Strong));
                    out.push('\n');
                }
                Piece::Line(texts) => {
                    for text in texts {
                        out.push_str(&look.paint(&text.words, text.tone));
                    }
                    out.push('\n');
                }
                Piece::Table(table) => table.render(look, &mut out),
                Piece::Gap => out.push('\n'),
            }
        }
        out
    }
}

/// What the reader's terminal can show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Whether to colour.
    pub(crate) colour: bool,
    /// Where lines of a table end; `None` where nobody looks.
    pub(crate) width: Option<usize>,
}

impl Look {
    fn paint(self, words: &str, tone: Tone) -> String {
        if !self.colour || tone == Tone::Plain || words.is_empty() {
            return words.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match tone {
            Tone::Plain => style,
            Tone::Strong => style.bold(),
            Tone::Faint => style.dim(),
            Tone::Good => style.green(),
            Tone::Warn => style.yellow(),
            Tone::Bad => style.red().bold(),
        };
        style.apply_to(words).to_string()
    }
}

/// Between two columns.
const GAP: usize = 2;

/// No column gets narrower than this.
const NARROW: usize = 12;

impl Table {
    fn render(&self, look: Look, out: &mut String) {
        let widths = self.widths(look);
        if !self.head.is_empty() {
            let head: Vec<_> = self.head.iter().map(|head| Text::faint(*head)).collect();
            self.render_row(&head, &widths, look, out);
        }
        for row in &self.rows {
            self.render_row(row, &widths, look, out);
        }
    }

    fn render_row(&self, row: &[Text], widths: &[usize], look: Look, out: &mut String) {
        out.push_str(&" ".repeat(self.indent));
        let last = row.iter().rposition(|text| !text.words.is_empty());
        for (at, (text, width)) in row.iter().zip(widths).enumerate() {
            let words = truncate_str(&text.words, *width, "…");
            out.push_str(&look.paint(&words, text.tone));
            if last.is_none_or(|last| at >= last) {
                break;
            }
            let padding = width.saturating_sub(measure_text_width(&words)) + GAP;
            out.push_str(&" ".repeat(padding));
        }
        out.push('\n');
    }

    /// As wide as the widest cell; where that is too wide for the terminal, the widest gives way.
    fn widths(&self, look: Look) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or_default();
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| {
                let head = self.head.get(column).map_or(0, |head| head.len());
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells
                    .map(|text| measure_text_width(&text.words))
                    .fold(head, usize::max)
            })
            .collect();
        let Some(room) = look.width else {
            return widths;
        };
        let gaps = GAP * columns.saturating_sub(1) + self.indent;
        let mut excess = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        while excess > 0 {
            let Some(widest) = widths.iter_mut().max().filter(|widest| **widest > NARROW) else {
                break;
            };
            *widest -= 1;
            excess -= 1;
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut table = Table::new(["severity", "title"]);
        table.row([
            Text::new("critical", Tone::Bad),
            "a long line about a password".into(),
        ]);
        table.row(["low".into(), "ä".into()]);
        let mut page = Page::new();
        page.heading("Findings").table(table);
        page.next("protect plan", "what would be done");
        page
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_cut_where_nobody_looks() {
        let text = page().render(Look::default());
        assert_eq!(
            text,
            "Findings\nseverity  title\ncritical  a long line about a password\nlow       ä\n\n\
             next: protect plan   what would be done\n"
        );
    }

    #[test]
    fn a_narrow_terminal_cuts_the_widest_column() {
        let look = Look {
            colour: false,
            width: Some(26),
        };
        assert!(page().render(look).contains("critical  a long line abo…\n"));
    }

    #[test]
    fn only_a_coloured_page_holds_escapes() {
        let look = Look {
            colour: true,
            width: None,
        };
        assert!(page().render(look).contains("\u{1b}[31m"));
        assert!(!page().render(Look::default()).contains('\u{1b}'));
    }
}
