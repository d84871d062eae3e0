//! The table that everything ends in.

use std::fmt;

/// One line of the table.
#[derive(Debug, Default, serde::Deserialize)]
pub(crate) struct Row {
    /// What was measured.
    pub(crate) name: String,
    /// What a figure counts, such as `/s`.
    pub(crate) unit: String,
    /// What we do.
    pub(crate) figure: f64,
    /// What a bare loop does beside it, where there is one.
    #[serde(default)]
    pub(crate) bare: Option<f64>,
    /// What is wanted, in words.
    #[serde(default)]
    pub(crate) target: String,
}

/// Lines, and remarks below them.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    remarks: Vec<String>,
}

impl Table {
    /// Adds a line.
    pub(crate) fn row(&mut self, row: Row) {
        println!("  {}: {}", row.name, shown(row.figure, &row.unit));
        self.rows.push(row);
    }

    /// Adds a remark below the lines.
    pub(crate) fn remark(&mut self, remark: impl Into<String>) {
        self.remarks.push(remark.into());
    }
}

const HEADINGS: [&str; 5] = ["name", "figure", "bare", "ratio", "target"];

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<[String; 5]> = std::iter::once(HEADINGS.map(str::to_owned))
            .chain(self.rows.iter().map(Row::cells))
            .collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or(0)).collect();
        for [name, figure, bare, ratio, target] in &lines {
            writeln!(
                f,
                "{name:<0$}  {figure:>1$}  {bare:>2$}  {ratio:>3$}  {target}",
                widths[0], widths[1], widths[2], widths[3],
            )?;
        }
        self.remarks
            .iter()
            .try_for_each(|remark| writeln!(f, "{remark}"))
    }
}

impl Row {
    fn cells(&self) -> [String; 5] {
        let ratio = self.bare.map(|bare| format!("{:.2}", self.figure / bare));
        [
            self.name.clone(),
            shown(self.figure, &self.unit),
            self.bare
                .map_or_else(nothing, |bare| shown(bare, &self.unit)),
            ratio.unwrap_or_else(nothing),
            self.target.clone(),
        ]
    }
}

fn nothing() -> String {
    "-".to_owned()
}

/// Three digits and more in whole thousands' groups, less with the decimals that matter.
fn shown(figure: f64, unit: &str) -> String {
    if figure < 100.0 {
        return format!("{figure:.1} {unit}");
    }
    let digits = format!("{figure:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped_and_ratios_are_of_ours_to_the_bare_one() {
        let row = Row {
            name: "observe".to_owned(),
            unit: "/s".to_owned(),
            figure: 50_000.0,
            bare: Some(1_000_000.0),
            target: "≥ 50,000".to_owned(),
        };
        assert_eq!(
            row.cells(),
            ["observe", "50,000 /s", "1,000,000 /s", "0.05", "≥ 50,000"]
        );
        assert_eq!(shown(9.25, "MiB"), "9.2 MiB");
    }
}
