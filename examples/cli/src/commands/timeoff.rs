//! `timeoff`.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::civil::Date;
use protect_connectors::core::Result;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::{EmployeeId, LeaveType, TimeOff, TimeOffId, TimeOffStatus};
use protect_connectors::core::people::{NewTimeOff, TimeOffFilter};
use serde_json::json;

use crate::app::{self, App};
use crate::args::{OneActor, OneTenant, day, typed};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text};
use crate::words;

/// Time off.
#[derive(Debug, Subcommand)]
pub(crate) enum TimeoffCommand {
    /// Who is away, or asks to be.
    List {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id.
        #[arg(long)]
        who: Option<String>,
        /// Of which some lies on this day or later.
        #[arg(long, value_parser = day)]
        from: Option<Date>,
        /// Of which some lies on this day or earlier.
        #[arg(long, value_parser = day)]
        to: Option<Date>,
        /// `pending`, `approved`, `denied`, `cancelled`.
        #[arg(long, value_delimiter = ',', value_parser = typed::<TimeOffStatus>)]
        status: Vec<TimeOffStatus>,
    },
    /// Ask for time off.
    Request {
        #[command(flatten)]
        actor: OneActor,
        /// An address, a number or an id.
        who: String,
        /// `vacation`, `sick`, `personal`, ...
        #[arg(value_parser = typed::<LeaveType>)]
        leave_type: LeaveType,
        /// The first day.
        #[arg(value_parser = day)]
        from: Date,
        /// The last day.
        #[arg(value_parser = day)]
        to: Date,
        /// The first day begins at noon.
        #[arg(long)]
        from_noon: bool,
        /// The last day ends at noon.
        #[arg(long)]
        until_noon: bool,
        /// How many hours of the balance it takes.
        #[arg(long)]
        hours: Option<f64>,
    },
    /// Let them be away.
    Approve(Decide),
    /// Do not.
    Deny(Decide),
    /// Call it off.
    Cancel {
        #[command(flatten)]
        actor: OneActor,
        /// Its id.
        #[arg(value_parser = typed::<TimeOffId>)]
        id: TimeOffId,
    },
    /// How much somebody has left, as it was last imported.
    Balance {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id.
        who: String,
    },
    /// Import balances from a CSV file; all of it or nothing.
    Import {
        #[command(flatten)]
        actor: OneActor,
        /// The file; `-` is standard input.
        file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    actor: OneActor,
    /// Its id.
    #[arg(value_parser = typed::<TimeOffId>)]
    id: TimeOffId,
    /// What else there is to say.
    #[arg(long)]
    note: Option<String>,
}

/// Who is away.
pub(super) async fn run(app: &App, command: TimeoffCommand) -> Result<Answer> {
    match command {
        TimeoffCommand::List {
            tenant,
            who,
            from,
            to,
            status,
        } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let employee = match who {
                Some(who) => Some(tenant.find_employee(&who).await?.id),
                None => None,
            };
            let filter = TimeOffFilter {
                employee,
                status,
                from,
                to,
            };
            list(&tenant, &tenant.time_off(&filter).await?).await
        }
        TimeoffCommand::Request {
            actor,
            who,
            leave_type,
            from,
            to,
            from_noon,
            until_noon,
            hours,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let employee = tenant.find_employee(&who).await?.id;
            let new = NewTimeOff {
                leave_type,
                start_date: from,
                end_date: to,
                from_noon,
                until_noon,
                hours,
                note: None,
            };
            let by = actor.by.actor();
            one(&tenant.request_time_off(&employee, &new, &by).await?)
        }
        TimeoffCommand::Approve(decide) => decided(app, decide, true).await,
        TimeoffCommand::Deny(decide) => decided(app, decide, false).await,
        TimeoffCommand::Cancel { actor, id } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            one(&tenant.cancel_time_off(&id, &actor.by.actor()).await?)
        }
        TimeoffCommand::Balance { tenant, who } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            let employee = tenant.find_employee(&who).await?.id;
            balances(&tenant, &employee).await
        }
        TimeoffCommand::Import { actor, file } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let list = app::read(&file)?;
            let count = tenant
                .import_time_off_balances(&list, &actor.by.actor())
                .await?;
            let mut page = Page::new();
            page.line(format!("{} imported.", words::count(count, "balance")));
            Ok(Answer {
                document: json!({ "imported": count }),
                page,
                exit: Exit::OK,
            })
        }
    }
}

async fn decided(app: &App, decide: Decide, approve: bool) -> Result<Answer> {
    let tenant = app.tenant(decide.actor.tenant.tenant.as_deref()).await?;
    let (note, by) = (decide.note.as_deref(), decide.actor.by.actor());
    one(&tenant
        .decide_time_off(&decide.id, approve, note, &by)
        .await?)
}

fn one(time_off: &TimeOff) -> Result<Answer> {
    let mut page = Page::new();
    page.line(format!(
        "{} to {}: {}.",
        time_off.start_date,
        time_off.end_date,
        time_off.status.as_str()
    ));
    if time_off.status == TimeOffStatus::Pending {
        page.next(
            format!("protect timeoff approve {}", time_off.id),
            "let them be away",
        );
    }
    Answer::one(time_off, page)
}

async fn list(tenant: &Tenant, all: &[TimeOff]) -> Result<Answer> {
    let names = words::employees(tenant).await?;
    let mut page = Page::new();
    let mut table = Table::new(["who", "from", "to", "sort", "stands", "id"]);
    for it in all {
        let name = names.get(&it.employee).cloned().unwrap_or_default();
        table.row([
            name.into(),
            it.start_date.to_string().into(),
            it.end_date.to_string().into(),
            it.leave_type.as_str().into(),
            words::state(it.status.as_str(), it.status.counts()),
            Text::faint(it.id.as_str()),
        ]);
    }
    if table.is_empty() {
        page.line("Nobody is away.");
    }
    page.table(table);
    Answer::many("time_off", all, page)
}

async fn balances(tenant: &Tenant, employee: &EmployeeId) -> Result<Answer> {
    let balances = tenant.time_off_balances(employee).await?;
    let mut page = Page::new();
    let mut table = Table::new(["sort", "accrued", "used", "pending", "left"]);
    for it in &balances {
        table.row([
            it.leave_type.as_str().into(),
            it.accrued.to_string().into(),
            it.used.to_string().into(),
            it.pending.to_string().into(),
            it.available().to_string().into(),
        ]);
    }
    if table.is_empty() {
        page.line("No balance was imported.");
        page.next("protect timeoff import FILE", "a CSV list");
    }
    page.table(table);
    Answer::many("balances", &balances, page)
}
