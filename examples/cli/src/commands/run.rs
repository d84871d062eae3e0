//! `run`.

use std::time::Duration;

use protect_connectors::core::engine::{Step, TickScan};
use protect_connectors::core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::app::App;
use crate::args::OfTenant;
use crate::output::{Answer, Output};
use crate::page::{Page, Text, Tone};
use crate::words;

/// How often to look for what is due.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// One line of the stream.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event<'a> {
    Started { complete: bool, tenants: Vec<String> },
    Scanned { complete: bool, #[serde(flatten)] scan: &'a TickScan },
    Acted { complete: bool, #[serde(flatten)] step: &'a Step },
    Stopped { complete: bool },
}

/// Scans on schedule and applies what was approved, until stopped.
pub(super) async fn run(app: &App, of: OfTenant) -> Result<Option<Answer>> {
    let protect = app.open().await?;
    drop(of);
    let tenants: Vec<_> = protect.tenants().iter().map(|tenant| tenant.id().to_string()).collect();
    let mut page = Page::new();
    page.line(format!("Watching {}; Ctrl-C stops.", tenants.join(", ")));
    app.output.item(&Event::Started { complete: true, tenants }, &page)?;
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let tick = tokio::select! {
            stopped = &mut stop => {
                stopped.map_err(|error| {
                    Error::new(ErrorKind::Unavailable, "cannot listen for Ctrl-C").with_source(error)
                })?;
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
            _ = &mut stop => break,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
    let mut page = Page::new();
    page.line("Stopped. What was under way is taken up by the next run.");
    app.output.item(&Event::Stopped { complete: true }, &page)?;
    Ok(None)
}
