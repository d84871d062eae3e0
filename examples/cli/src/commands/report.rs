//! `score` and `report`.

use std::collections::BTreeMap;

use protect_connectors::core::Result;
use protect_connectors::core::report::{Month, ReportFormat, Score};
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
    match (score.total, score.rating) {
        (Some(total), Some(rating)) => page.mixed([
            Text::strong(total.to_string()),
            format!(" of 100: {}", rating.as_str()).into(),
        ]),
        _ => page.line("No score: nothing was looked at yet."),
    };
    if let (Some(change), Some(before)) = (score.change, &score.month_before) {
        page.line(format!("{change:+} since {}.", before.day));
    }
    page.gap().table(parts(&score));
    page.gap().line(Text::faint(weights(&score)));
    if score.total.is_none() {
        page.next("protect scan", "look for the first time");
    }
    Answer::one(&score, page)
}

/// Each part, and each application and domain below it.
fn parts(score: &Score) -> Table {
    let mut table = Table::new(["part", "score", "counts", "open findings"]).indent(2);
    let shown = |value: Option<u32>, reason: &Option<String>| {
        let value = value.map(|value| value.to_string());
        value.or_else(|| reason.clone()).unwrap_or_default()
    };
    for part in &score.parts {
        let open = part.open.iter();
        let open: Vec<_> = open
            .map(|(severity, n)| format!("{n} {severity}"))
            .collect();
        table.row([
            part.area.title().into(),
            shown(part.value, &part.reason).into(),
            format!("{} %", part.percent).into(),
            open.join(", ").into(),
        ]);
        for member in &part.members {
            table.row([
                format!("  {}", member.name).into(),
                shown(member.value, &member.reason).into(),
                "".into(),
                "".into(),
            ]);
        }
    }
    table
}

/// What counts how much, in words.
fn weights(score: &Score) -> String {
    let list = |weights: &BTreeMap<String, u32>| {
        let weights = weights.iter().filter(|(_, weight)| **weight > 0);
        let mut weights: Vec<_> = weights.collect();
        weights.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let words = weights
            .iter()
            .map(|(name, weight)| format!("{name} {weight}"));
        words.collect::<Vec<_>>().join(", ")
    };
    format!(
        "Parts count in percent: {}. Checks count: {}. An exposure takes away: {}.",
        list(&score.weights.areas),
        list(&score.weights.checks),
        list(&score.weights.exposures),
    )
}

/// The report of a month; as it is where it goes to standard output.
pub(super) async fn report(app: &App, wanted: Report) -> Result<Option<Answer>> {
    let protect = app.open().await?;
    let tenant = app::choose(&protect, wanted.tenant.tenant.as_deref())?;
    let now = protect.context().clock.now();
    let month = wanted.month.unwrap_or_else(|| Month::of(now));
    let format = format_of(wanted.format);
    let Some(path) = &wanted.output else {
        let is_stream = matches!(format, ReportFormat::Ocsf | ReportFormat::CloudEvents);
        let as_data = app.output.is_json() && !is_stream;
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
        Format::Cloudevents => ReportFormat::CloudEvents,
    }
}

fn as_json(text: &str) -> Page {
    let mut page = Page::new();
    page.line(text);
    page
}
