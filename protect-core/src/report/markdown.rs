use super::{Block, Line, Report};

/// The report as Markdown.
pub(super) fn render(report: &Report) -> String {
    let mut lines = vec![
        format!("# {}: {}", plain(&report.name), report.month),
        String::new(),
        report.score.total.map_or_else(
            || "Nothing was looked at yet, so there is no score.".to_owned(),
            |total| format!("Protection score: **{total}** of 100."),
        ),
    ];
    for part in &report.score.parts {
        let value = part.value.map(|value| value.to_string());
        let value = value.or_else(|| part.reason.clone()).unwrap_or_default();
        lines.push(format!("- {}: {value}", part.area.title()));
    }
    for section in &report.sections {
        lines.extend([
            String::new(),
            format!("## {}", plain(&section.title)),
            String::new(),
        ]);
        for block in &section.blocks {
            write_block(block, &mut lines);
        }
    }
    if let Some(footer) = &report.branding.footer {
        lines.extend([String::new(), plain(footer)]);
    }
    if !report.attributions.is_empty() {
        lines.extend([String::new(), "## Sources".to_owned(), String::new()]);
    }
    for credit in &report.attributions {
        lines.push(format!(
            "- [{}]({}), {}",
            credit.source, credit.url, credit.licence
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn write_block(block: &Block, lines: &mut Vec<String>) {
    match block {
        Block::Text { text } => lines.push(plain(text)),
        Block::Figures { figures } | Block::Bars { bars: figures } => {
            lines.extend(
                figures
                    .iter()
                    .map(|f| format!("- {}: {}", plain(&f.label), f.value)),
            );
        }
        Block::Lines {
            title,
            along,
            lines: drawn,
        } => {
            lines.extend([plain(title), String::new()]);
            let labels = drawn.iter().map(|line| line.label.clone());
            let columns: Vec<_> = std::iter::once(String::new()).chain(labels).collect();
            lines.push(row(&columns));
            lines.push(format!("|{}", " --- |".repeat(columns.len())));
            for (index, at) in along.iter().enumerate() {
                let cells = drawn.iter().map(|line| percent(line, index));
                let cells: Vec<_> = std::iter::once(at.clone()).chain(cells).collect();
                lines.push(row(&cells));
            }
        }
        Block::Table { columns, rows } => {
            lines.push(row(columns));
            lines.push(format!("|{}", " --- |".repeat(columns.len())));
            lines.extend(rows.iter().map(|cells| row(cells)));
        }
    }
    lines.push(String::new());
}

fn percent(line: &Line, index: usize) -> String {
    let known = line.percent.get(index).copied().flatten();
    known.map_or_else(String::new, |percent| format!("{percent:.1} %"))
}

fn row(cells: &[String]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| plain(cell)).collect();
    format!("| {} |", cells.join(" | "))
}

/// Text that cannot begin any Markdown of its own.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' => plain.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => {
                plain.push('\\');
                plain.push(c);
            }
            _ => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn outside_text_cannot_break_a_table_or_make_a_link() {
        assert_eq!(plain("a|b\n[x](y) <b>"), "a\\|b \\[x\\](y) \\<b\\>");
    }
}
