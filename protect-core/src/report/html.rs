use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::Report;
use crate::error::{Error, Result};

/// The report as one HTML page. The template escapes everything that comes from outside.
pub(super) fn render(report: &Report) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment
        .render_str(
            include_str!("page.html"),
            context! { report => Value::from(Serde(report)) },
        )
        .map_err(|error| Error::unexpected("the report page has a defect").with_source(error))
}
