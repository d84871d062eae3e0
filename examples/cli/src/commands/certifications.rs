//! `certifications`.

use std::path::PathBuf;

use clap::Subcommand;
use protect_connectors::core::Result;
use serde_json::json;

use crate::app::{self, App};
use crate::args::{OneActor, OneTenant};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table};
use crate::words;

/// Certifications.
#[derive(Debug, Subcommand)]
pub(crate) enum CertificationCommand {
    /// What people were certified for, the next to end first.
    List {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id.
        #[arg(long)]
        who: Option<String>,
    },
    /// Import certifications from a CSV file; all of it or nothing.
    Import {
        #[command(flatten)]
        actor: OneActor,
        /// The file; `-` is standard input.
        file: PathBuf,
    },
}

/// What people were certified for.
pub(super) async fn run(app: &App, command: CertificationCommand) -> Result<Answer> {
    match command {
        CertificationCommand::List { tenant, who } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let employee = match who {
                Some(who) => Some(tenant.find_employee(&who).await?.id),
                None => None,
            };
            let found = tenant.certifications(employee.as_ref()).await?;
            let names = words::employees(&tenant).await?;
            let mut page = Page::new();
            let mut table = Table::new(["who", "what", "issuer", "last day", "stands"]);
            for it in &found {
                let own = &it.certification;
                let name = names.get(&own.employee).cloned().unwrap_or_default();
                let last = own
                    .expires_on
                    .map(|day| day.to_string())
                    .unwrap_or_default();
                table.row([
                    name.into(),
                    own.name.as_str().into(),
                    own.issuer.as_deref().unwrap_or_default().into(),
                    last.into(),
                    words::state(it.status.as_str(), it.status.counts()),
                ]);
            }
            if table.is_empty() {
                page.line("No certification is known.");
                page.next("protect certifications import FILE", "a CSV list");
            }
            page.table(table);
            Answer::many("certifications", &found, page)
        }
        CertificationCommand::Import { actor, file } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let list = app::read(&file)?;
            let count = tenant
                .import_certifications(&list, &actor.by.actor())
                .await?;
            let mut page = Page::new();
            page.line(format!(
                "{} imported.",
                words::count(count, "certification")
            ));
            page.next("protect findings", "what ended, or is about to");
            Ok(Answer {
                document: json!({ "imported": count }),
                page,
                exit: Exit::OK,
            })
        }
    }
}
