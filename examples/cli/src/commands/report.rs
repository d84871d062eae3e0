//! `score` and `report`.

use protect_connectors::core::Result;
use protect_connectors::core::report::{Month, ReportFormat};
use protect_connectors::report::sections;
use serde_json::json;

use crate::app::{self, App};
use crate::args::{Format, OneTenant, Report};
use crate::exit::Exit;
use crate::output::{self, Answer};
use crate::page::{Page, Table, Text};

/// The score now, with everything that made it.
pub(super) async fn score(app: &App, of: OneTenant) -> Result<Answer> {
    let tenant = app.tenant(of.tenant.as_deref()).await?;
    let score = tenant.score().await?;
    let mut page = Page::new();
    match score.total {
        Some(total) => page.mixed([Text::strong(total.to_string()), " of 100".into()]),
        None => page.line("No score: nothing was looked at yet."),
    };
    let mut table = Table::new(["part", "score", "open findings"]).indent(2);
    for part in &score.parts {
        let open: Vec<_> = part
            .open
            .iter()
            .map(|(severity, n)| format!("{n} {severity}"))
            .collect();
        table.row([
            part.kind.as_str().replace('_', " ").into(),
            part.value.to_string().into(),
            open.join(", ").into(),
        ]);
    }
    if !table.is_empty() {
        page.gap().table(table);
        page.gap().line(Text::faint(
            "The lowest part counts: a chain is as strong as its weakest link.",
        ));
    }
    if score.total.is_none() {
        page.next("protect scan", "look for the first time");
    }
    Answer::one(&score, page)
}

/// The report of a month; as it is where it goes to standard output.
pub(super) async fn report(app: &App, wanted: Report) -> Result<Option<Answer>> {
    let protect = app.open().await?;
    let tenant = app::choose(&protect, wanted.tenant.tenant.as_deref())?;
    let now = protect.context().clock.now();
    let month = wanted.month.unwrap_or_else(|| Month::of(now));
    let format = format_of(wanted.format);
    let Some(path) = &wanted.output else {
        let as_data = app.output.is_json() && format != ReportFormat::Ocsf;
        if as_data || format == ReportFormat::Json {
            let report = tenant.report(month, &sections()).await?;
            return Answer::one(&report, as_json(&report.to_json()?)).map(Some);
        }
        output::raw(&tenant.report_as(month, format, &sections()).await?)?;
        return Ok(None);
    };
    app::write(path, &tenant.report_as(month, format, &sections()).await?)?;
    let mut page = Page::new();
    page.line(format!("Written: {}", path.display()));
    Ok(Some(Answer {
        document: json!({ "written": path }),
        page,
        exit: Exit::OK,
    }))
}

const fn format_of(format: Format) -> ReportFormat {
    match format {
        Format::Html => ReportFormat::Html,
        Format::Md => ReportFormat::Md,
        Format::Json => ReportFormat::Json,
        Format::Ocsf => ReportFormat::Ocsf,
    }
}

fn as_json(text: &str) -> Page {
    let mut page = Page::new();
    page.line(text);
    page
}
