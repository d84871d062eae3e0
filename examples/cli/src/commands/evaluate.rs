//! `evaluate`.

use protect_connectors::core::{Error, Result};
use protect_connectors::hibp::severity::{self, Policy};

use crate::app;
use crate::args::Evaluate;
use crate::exit::Exit;
use crate::output::{Answer, data};
use crate::page::{Page, Table, Text};
use crate::words;

/// The pure checks, over files.
pub(super) fn run(command: Evaluate) -> Result<Answer> {
    let Evaluate::Hibp { breaches: path } = command;
    let breaches = severity::evaluate(&app::read_text(&path)?, &Policy::default())
        .map_err(|error: Error| error.with_context("file", path.display().to_string()))?;
    let mut table = Table::new(["severity", "form", "confidence", "breach", "because"]);
    for breach in &breaches {
        table.row([
            words::severity(breach.severity),
            breach.form.as_str().into(),
            breach.confidence.as_str().into(),
            breach.name.as_str().into(),
            Text::faint(breach.reasons.join("; ")),
        ]);
    }
    let mut page = Page::new();
    page.table(table).gap();
    page.line(Text::faint(
        "Source: Have I Been Pwned (https://haveibeenpwned.com), CC BY 4.0",
    ));
    Ok(Answer {
        document: data(&breaches)?,
        page,
        exit: Exit::OK,
    })
}
