//! `monitor`.

use protect_connectors::core::Result;
use serde_json::json;

use crate::app::{self, App};
use crate::args::Monitor;
use crate::exit::Exit;
use crate::output::{Answer, data};
use crate::page::{Page, Table, Text};

/// Who is watched.
pub(super) async fn run(app: &App, command: Monitor) -> Result<Answer> {
    match command {
        Monitor::List(of) => {
            let tenant = app.tenant(of.tenant.as_deref()).await?;
            let watched = tenant.watch_list().await?;
            let mut page = Page::new();
            let mut table = Table::new(["address", "because of", "privileged"]);
            for domain in &watched.domains {
                table.row([format!("*@{domain}").into(), "domains".into(), "".into()]);
            }
            for address in &watched.addresses {
                let privileged = if address.privileged { "yes" } else { "" };
                table.row([
                    address.address.as_str().into(),
                    Text::faint(&address.source),
                    privileged.into(),
                ]);
            }
            if table.is_empty() {
                page.line("Nobody is watched.");
                page.next(
                    "protect monitor add ADDRESS...",
                    "or `monitor` in the configuration",
                );
            }
            page.table(table);
            Ok(Answer {
                document: data(&watched)?,
                page,
                exit: Exit::OK,
            })
        }
        Monitor::Add { actor, addresses } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let mut added = 0_u64;
            for address in &addresses {
                added += u64::from(tenant.monitor_add(address, &actor.by.actor()).await?);
            }
            Ok(changed("added", added))
        }
        Monitor::Remove { actor, addresses } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let mut removed = 0_u64;
            for address in &addresses {
                removed += u64::from(tenant.monitor_remove(address, &actor.by.actor()).await?);
            }
            Ok(changed("removed", removed))
        }
        Monitor::Import { actor, file } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let csv = app::read(&file)?;
            let added = tenant.monitor_import(&csv, &actor.by.actor()).await?;
            Ok(changed("added", added))
        }
    }
}

fn changed(how: &str, number: u64) -> Answer {
    let mut page = Page::new();
    let noun = if number == 1 { "address" } else { "addresses" };
    page.line(format!("{number} {noun} {how}."));
    page.next("protect scan", "look at them now");
    Answer {
        document: json!({ how: number }),
        page,
        exit: Exit::OK,
    }
}
