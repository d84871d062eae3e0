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
    /// What others wrote, such as a record in DNS, may hold codes that move the cursor or hide text:
    /// they are shown as unreadable.
    pub(crate) fn new(words: impl Into<String>, tone: Tone) -> Self {
        let mut words = words.into();
        let moves = |c: char| c.is_control() && c != '\n';
        if words.contains(moves) {
            words = words.replace(moves, "\u{fffd}");
        }
        Self { words, tone }
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
    rows: Vec<Row>,
    indent: usize,
}

#[derive(Clone, Debug)]
enum Row {
    Cells(Vec<Text>),
    /// What the rows below have in common.
    Group(Text),
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
        self.rows.push(Row::Cells(cells.into()));
    }

    /// What the rows below have in common.
    pub(crate) fn group(&mut self, text: Text) {
        self.rows.push(Row::Group(text));
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
        self.pieces.push(Piece::Line(texts.into()));
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

/// No column is cut to less than this.
const NARROW: usize = 12;

/// Text that wraps is at least so wide.
const READABLE: usize = 24;

impl Table {
    fn render(&self, look: Look, out: &mut String) {
        let widths = self.widths(look);
        if !self.head.is_empty() {
            let head: Vec<_> = self.head.iter().map(|head| Text::faint(*head)).collect();
            self.render_row(&head, &widths, look, out);
        }
        for row in &self.rows {
            match row {
                Row::Cells(cells) => self.render_row(cells, &widths, look, out),
                Row::Group(text) => {
                    let room = look.width.map_or(usize::MAX, |room| room - self.indent);
                    out.push_str(&" ".repeat(self.indent));
                    let words = truncate_str(&text.words, room, "…");
                    out.push_str(&look.paint(&words, text.tone));
                    out.push('\n');
                }
            }
        }
    }

    fn cells(&self) -> impl Iterator<Item = &Vec<Text>> {
        self.rows.iter().filter_map(|row| match row {
            Row::Cells(cells) => Some(cells),
            Row::Group(_) => None,
        })
    }

    fn render_row(&self, row: &[Text], widths: &[usize], look: Look, out: &mut String) {
        out.push_str(&" ".repeat(self.indent));
        let mut begins = self.indent;
        let last = row.iter().rposition(|text| !text.words.is_empty());
        for (at, (text, width)) in row.iter().zip(widths).enumerate() {
            if at + 1 == widths.len() {
                let lines = wrap(&text.words, *width);
                let lines: Vec<_> = lines
                    .iter()
                    .map(|line| look.paint(line, text.tone))
                    .collect();
                out.push_str(&lines.join(&format!("\n{}", " ".repeat(begins))));
                break;
            }
            let words = truncate_str(&text.words, *width, "…");
            out.push_str(&look.paint(&words, text.tone));
            if last.is_none_or(|last| at >= last) {
                break;
            }
            let padding = width.saturating_sub(measure_text_width(&words)) + GAP;
            out.push_str(&" ".repeat(padding));
            begins += width + GAP;
        }
        out.push('\n');
    }

    /// As wide as the widest cell. Where that is too wide for the terminal, the last column wraps
    /// as far as its words allow, and then the widest of the others are cut.
    fn widths(&self, look: Look) -> Vec<usize> {
        let columns = self.cells().map(Vec::len).max().unwrap_or_default();
        let widest = |column: usize, measure: fn(&str) -> usize| {
            let head = self.head.get(column).map_or(0, |head| head.len());
            let cells = self.cells().filter_map(|row| row.get(column));
            cells
                .map(|text| measure(&text.words))
                .fold(head, usize::max)
        };
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| widest(column, measure_text_width))
            .collect();
        let (Some(room), Some(last)) = (look.width, columns.checked_sub(1)) else {
            return widths;
        };
        let gaps = GAP * last + self.indent;
        let excess = |widths: &[usize]| (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        let least = widest(last, longest_word).max(READABLE).min(widths[last]);
        widths[last] = widths[last].saturating_sub(excess(&widths)).max(least);
        for _ in 0..excess(&widths) {
            let others = widths[..last].iter_mut();
            let Some(widest) = others.max().filter(|widest| **widest > NARROW) else {
                break;
            };
            *widest -= 1;
        }
        widths
    }
}

fn longest_word(text: &str) -> usize {
    let words = text.split(' ').map(measure_text_width);
    words.max().unwrap_or_default()
}

/// Lines no wider than `width`, as far as words allow.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else {
            break;
        };
        if line.is_empty() {
            line.push_str(word);
        } else if measure_text_width(line) + 1 + measure_text_width(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
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

    fn narrow(width: usize) -> Look {
        Look {
            colour: false,
            width: Some(width),
        }
    }

    #[test]
    fn a_narrow_terminal_wraps_the_last_column() {
        let text = page().render(narrow(36));
        let wrapped = "critical  a long line about a\n          password\n";
        assert!(text.contains(wrapped), "{text}");
    }

    #[test]
    fn a_narrow_terminal_cuts_another_column_before_an_id() {
        let id = "0123456789abcdef0123456789abcdef";
        let mut table = Table::new(["what", "id"]);
        table.row(["a long line about a password".into(), id.into()]);
        let mut page = Page::new();
        page.table(table);
        let text = page.render(narrow(50));
        assert!(
            text.contains(&format!("a long line abo…  {id}\n")),
            "{text}"
        );
    }

    #[test]
    fn what_others_wrote_cannot_steer_the_terminal() {
        let text = Text::from("v=spf1\u{1b}[2K\r-all");
        assert_eq!(text.words, "v=spf1\u{fffd}[2K\u{fffd}-all");
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
