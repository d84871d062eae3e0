//! A CSV text with a header, whose every mistake is told with line and column.

use crate::error::{Error, ErrorKind, Result};

/// A CSV text, read whole: UTF-8, separated by commas, semicolons or tabs.
pub(crate) struct CsvTable {
    /// The header's names, in lower case.
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<CsvRow>,
}

/// A row and where it stands.
pub(crate) struct CsvRow {
    pub(crate) line: u64,
    fields: csv::StringRecord,
}

impl CsvTable {
    /// Reads every row.
    ///
    /// # Errors
    /// `invalid_input` with `line` and `column` (of fields, from 1; of characters where the encoding
    /// is wrong), never with what stands there.
    pub(crate) fn parse(csv: &[u8]) -> Result<Self> {
        let text = as_text(csv)?;
        let header = text.lines().next().unwrap_or_default();
        let separator = [b',', b';', b'\t']
            .into_iter()
            .max_by_key(|separator| header.bytes().filter(|byte| byte == separator).count());
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator.unwrap_or(b','))
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| broken_row(&error))?;
        let header = header.iter().map(str::to_lowercase).collect();
        let mut rows = Vec::new();
        for row in reader.records() {
            let fields = row.map_err(|error| broken_row(&error))?;
            let line = fields.position().map_or(0, csv::Position::line);
            rows.push(CsvRow { line, fields });
        }
        Ok(Self { header, rows })
    }

    /// The place of the first column with one of these names.
    pub(crate) fn column(&self, names: &[&str]) -> Option<usize> {
        self.header
            .iter()
            .position(|name| names.contains(&name.as_str()))
    }
}

impl CsvRow {
    /// What stands in a column; nothing where it is empty.
    pub(crate) fn text(&self, column: usize) -> &str {
        self.fields.get(column).unwrap_or_default()
    }

    /// An error about a column of this row.
    pub(crate) fn wrong(&self, column: usize, message: &str) -> Error {
        at(message, self.line, column as u64 + 1)
    }
}

/// An error about a place.
pub(crate) fn at(message: &str, line: u64, column: u64) -> Error {
    Error::new(ErrorKind::InvalidInput, message)
        .with_context("line", line.to_string())
        .with_context("column", column.to_string())
}

fn as_text(csv: &[u8]) -> Result<&str> {
    if csv.starts_with(&[0xff, 0xfe]) || csv.starts_with(&[0xfe, 0xff]) {
        return Err(at("the text is UTF-16; save it as UTF-8", 1, 1));
    }
    let text = std::str::from_utf8(csv).map_err(|error| {
        let good = String::from_utf8_lossy(&csv[..error.valid_up_to()]).into_owned();
        let line = good.matches('\n').count() as u64 + 1;
        let last = good.rsplit('\n').next().unwrap_or_default();
        let column = last.chars().count() as u64 + 1;
        at("the text is not UTF-8; save it as UTF-8", line, column)
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn broken_row(error: &csv::Error) -> Error {
    let line = error.position().map_or(1, csv::Position::line);
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => at(
            "the row has another number of columns than the header",
            line,
            (*expected_len).min(*len) + 1,
        ),
        _ => at("the row cannot be read", line, 1),
    }
}
