//! `run`.

use std::time::Duration;

use protect_connectors::core::Result;
use protect_connectors::core::engine::{Step, TickScan};
use serde::Serialize;

use crate::app::{self, App};
use crate::output::{Answer, Output};
use crate::page::{Page, Text, Tone};
use crate::words;

/// How often to look for what is due.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// One line of the stream.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Started {
        complete: bool,
        tenants: Vec<String>,
    },
    Scanned {
        complete: bool,
        #[serde(flatten)]
        scan: &'a TickScan,
    },
    Acted {
        complete: bool,
        #[serde(flatten)]
        step: &'a Step,
    },
    Stopped {
        complete: bool,
    },
}

/// Scans on schedule and applies what was approved, until stopped.
pub(super) async fn run(app: &App) -> Result<Option<Answer>> {
    let protect = app.open().await?;
    let tenants: Vec<_> = protect
        .tenants()
        .iter()
        .map(|tenant| tenant.id().to_string())
        .collect();
    let mut page = Page::new();
    page.line(format!("Watching {}; Ctrl-C stops.", tenants.join(", ")));
    app.output.item(
        &Event::Started {
            complete: true,
            tenants,
        },
        &page,
    )?;
    let mut stop = std::pin::pin!(app::stopped());
    loop {
        let tick = tokio::select! {
            stopped = &mut stop => {
                stopped?;
                break;
            }
            tick = protect.tick() => tick?,
        };
        for scan in &tick.scans {
            tell_scan(app.output, scan)?;
        }
        for step in &tick.steps {
            tell_step(app.output, step)?;
        }
        tokio::select! {
            stopped = &mut stop => {
                stopped?;
                break;
            }
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
    let mut page = Page::new();
    page.line("Stopped. What was under way is taken up by the next run.");
    app.output.item(&Event::Stopped { complete: true }, &page)?;
    Ok(None)
}

fn tell_scan(output: Output, scan: &TickScan) -> Result<()> {
    let complete = scan
        .summary
        .as_ref()
        .is_some_and(|summary| summary.complete);
    let mut page = Page::new();
    let head = Text::strong(format!("{}/{}", scan.tenant, scan.connector));
    let next = Text::faint(format!(", next at {}", scan.next.strftime("%H:%M:%S UTC")));
    match (&scan.summary, &scan.error) {
        (Some(summary), _) => {
            let found = summary
                .connectors
                .iter()
                .map(|one| one.counts.new + one.counts.reopened);
            let found = words::count(found.sum::<u64>(), "new finding");
            let opened = words::count_of(summary.incidents.opened.len(), "incident");
            let (word, tone) = if complete {
                ("scanned", Tone::Good)
            } else {
                ("incomplete", Tone::Bad)
            };
            let words = format!(": {found}, {opened} opened");
            page.mixed([head, " ".into(), Text::new(word, tone), words.into(), next]);
        }
        (None, Some(error)) => {
            let words = Text::new(format!(" failed: {}", error.message), Tone::Bad);
            page.mixed([head, words, next]);
        }
        (None, None) => return Ok(()),
    }
    output.item(&Event::Scanned { complete, scan }, &page)
}

fn tell_step(output: Output, step: &Step) -> Result<()> {
    let complete = words::exit_of(std::slice::from_ref(step), false).is_complete();
    let mut page = Page::new();
    page.line(step.to_string());
    output.item(&Event::Acted { complete, step }, &page)
}
