use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::{Block, Report, Section, lines};
use crate::error::{Error, Result};

/// The report as one HTML page. The template escapes everything that comes from outside.
pub(super) fn render(report: &Report) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let drawings: Vec<_> = report.sections.iter().map(drawings).collect();
    let parts = report.score.parts.iter();
    let areas: Vec<_> = parts.map(|part| part.area.title()).collect();
    environment
        .render_str(
            include_str!("page.html"),
            context! { report => Value::from(Serde(report)), drawings => drawings, areas => areas },
        )
        .map_err(|error| Error::unexpected("the report page has a defect").with_source(error))
}

/// The drawing of each block; nothing where it is not drawn.
fn drawings(section: &Section) -> Vec<Value> {
    let drawing = |block: &Block| match block {
        Block::Lines { along, lines, .. } => lines::drawing(along, lines),
        _ => Value::UNDEFINED,
    };
    section.blocks.iter().map(drawing).collect()
}
