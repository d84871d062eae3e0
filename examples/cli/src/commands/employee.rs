//! `employee`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protect_connectors::core::Result;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::{Employee, EmploymentStatus, PersonnelKind};
use protect_connectors::core::people::{EmployeeFilter, ImportOptions};
use serde_json::json;

use crate::app::{self, App};
use crate::args::{OneActor, OneTenant, typed};
use crate::exit::Exit;
use crate::output::{self, Answer, data};
use crate::page::{Page, Table, Text};
use crate::words;

/// The workforce.
#[derive(Debug, Subcommand)]
pub(crate) enum EmployeeCommand {
    /// Who works here.
    List(Which),
    /// One employee, with their accounts.
    Show {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id.
        who: String,
    },
    /// Who leads whom.
    Chart {
        #[command(flatten)]
        tenant: OneTenant,
        /// Below this employee alone.
        #[arg(long)]
        below: Option<String>,
    },
    /// Enter and update everybody on a CSV list; all of it or nothing.
    Import {
        #[command(flatten)]
        actor: OneActor,
        /// Somebody on the list who left before comes back.
        #[arg(long)]
        rehire: bool,
        /// Say what would happen, and do nothing.
        #[arg(long)]
        check: bool,
        /// The file; `-` is standard input.
        file: PathBuf,
    },
    /// The list as CSV.
    Export {
        #[command(flatten)]
        which: Which,
        /// With what only Human Resources may see.
        #[arg(long)]
        private: bool,
    },
    /// Take the accounts of a connector's directory into the workforce.
    Sync {
        #[command(flatten)]
        actor: OneActor,
        /// The connector.
        connector: String,
    },
    /// Reviews, trainings and documents to be signed, as other systems keep them.
    Records {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id; everybody's where it is left out.
        who: Option<String>,
        /// Only `review`, `training` or `document`.
        #[arg(long, value_parser = typed::<PersonnelKind>)]
        kind: Option<PersonnelKind>,
    },
    /// Import reviews, trainings or documents to be signed from a CSV list; all of it or nothing.
    ImportRecords {
        #[command(flatten)]
        actor: OneActor,
        /// `review`, `training` or `document`.
        #[arg(value_parser = typed::<PersonnelKind>)]
        kind: PersonnelKind,
        /// The file; `-` is standard input.
        file: PathBuf,
    },
    /// Say where somebody stands: `active`, `on_leave`, `suspended`; leaving is an offboarding.
    Set {
        #[command(flatten)]
        actor: OneActor,
        /// An address, a number or an id.
        who: String,
        /// Where they stand.
        #[arg(value_parser = typed::<EmploymentStatus>)]
        status: EmploymentStatus,
        /// Let them leave without an offboarding, for this reason. Access stays.
        #[arg(long, value_name = "REASON")]
        force: Option<String>,
    },
}

/// Which employees.
#[derive(Debug, Args)]
pub(crate) struct Which {
    #[command(flatten)]
    tenant: OneTenant,
    /// Only those who stand there; everybody where it is left out.
    #[arg(long, value_delimiter = ',')]
    status: Vec<String>,
    /// Only this department.
    #[arg(long)]
    department: Option<String>,
    /// Only those whose name or address holds this.
    #[arg(long)]
    text: Option<String>,
}

impl Which {
    fn filter(&self) -> EmployeeFilter {
        EmployeeFilter {
            status: self.status.clone(),
            department: self.department.clone(),
            text: self.text.clone(),
        }
    }
}

async fn records(
    tenant: &Tenant,
    who: Option<&str>,
    kind: Option<PersonnelKind>,
) -> Result<Answer> {
    let employee = match who {
        Some(who) => Some(tenant.find_employee(who).await?.id),
        None => None,
    };
    let found = tenant.personnel_records(employee.as_ref(), kind).await?;
    let names = words::employees(tenant).await?;
    let mut page = Page::new();
    let mut table = Table::new(["who", "sort", "what", "by", "due", "stands"]);
    for it in &found {
        let due = it.due_on.map(|day| day.to_string()).unwrap_or_default();
        table.row([
            names.get(&it.employee).cloned().unwrap_or_default().into(),
            it.kind.as_str().into(),
            it.title.as_str().into(),
            it.by.as_deref().unwrap_or_default().into(),
            due.into(),
            words::state(&it.status, it.is_open()),
        ]);
    }
    if table.is_empty() {
        page.line("Nothing was imported.");
        page.next("protect employee import-records KIND FILE", "a CSV list");
    }
    page.table(table);
    Answer::many("records", &found, page)
}

/// Who works here. `None` where everything was printed on the way.
pub(super) async fn run(app: &App, command: EmployeeCommand) -> Result<Option<Answer>> {
    let answer = match command {
        EmployeeCommand::List(which) => {
            let tenant = app.tenant(which.tenant.tenant.as_deref()).await?;
            list(&tenant, &which.filter()).await?
        }
        EmployeeCommand::Show { tenant, who } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            show(&tenant, &tenant.find_employee(&who).await?).await?
        }
        EmployeeCommand::Chart { tenant, below } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            chart(&tenant, below.as_deref()).await?
        }
        EmployeeCommand::Import {
            actor,
            rehire,
            check,
            file,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let list = app::read(&file)?;
            let options = ImportOptions {
                rehire,
                check_only: check,
            };
            let by = actor.by.actor();
            let imported = tenant.import_employees(&list, options, &by).await?;
            let mut page = Page::new();
            let how = if check { "would be" } else { "were" };
            page.line(format!(
                "{} {how} hired, {} rehired, {} updated; {} said nothing new.",
                imported.hired, imported.rehired, imported.updated, imported.unchanged
            ));
            Answer::one(&imported, page)?
        }
        EmployeeCommand::Records { tenant, who, kind } => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            records(&tenant, who.as_deref(), kind).await?
        }
        EmployeeCommand::ImportRecords { actor, kind, file } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let (list, by) = (app::read(&file)?, actor.by.actor());
            let count = tenant.import_personnel_records(kind, &list, &by).await?;
            let mut page = Page::new();
            page.line(format!("{} imported.", words::count(count, kind.as_str())));
            page.next("protect employee records", "what there is to do");
            Answer {
                document: json!({ "imported": count }),
                page,
                exit: Exit::OK,
            }
        }
        EmployeeCommand::Export { which, private } => {
            let tenant = app.tenant(which.tenant.tenant.as_deref()).await?;
            let list = tenant.export_employees(&which.filter(), private).await?;
            output::raw(&list)?;
            return Ok(None);
        }
        EmployeeCommand::Sync { actor, connector } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let connector = connector.parse()?;
            let read = tenant.refresh_accounts(&connector).await?;
            let synced = tenant.sync_employees(&connector, &actor.by.actor()).await?;
            let mut page = Page::new();
            page.line(format!(
                "{} hired, {} updated; {} said nothing new; {} are nobody's; {} belong to people who left.",
                synced.hired, synced.updated, synced.unchanged, synced.left_out, synced.of_leavers
            ));
            if let Some(error) = &read.error {
                page.line(words::error(error));
            }
            let exit = read.error.as_ref().map_or(Exit::OK, Exit::of_envelope);
            Answer::one(&synced, page)?.exit(exit)
        }
        EmployeeCommand::Set {
            actor,
            who,
            status,
            force,
        } => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let id = tenant.find_employee(&who).await?.id;
            let by = actor.by.actor();
            let force = force.as_deref();
            let employee = tenant.set_employee_status(&id, &status, force, &by).await?;
            show(&tenant, &employee).await?
        }
    };
    Ok(Some(answer))
}

async fn list(tenant: &Tenant, filter: &EmployeeFilter) -> Result<Answer> {
    let employees = tenant.employees(filter).await?;
    let mut page = Page::new();
    let mut table = Table::new(["name", "address", "job", "department", "stands"]);
    for employee in &employees {
        table.row([
            employee.display_name().into(),
            employee.work_email.as_str().into(),
            employee.job_title.as_deref().unwrap_or_default().into(),
            employee.department.as_deref().unwrap_or_default().into(),
            words::state(employee.status.as_str(), !employee.status.has_left()),
        ]);
    }
    if table.is_empty() {
        page.line("Nobody works here as far as is known.");
        page.next("protect employee import FILE", "a CSV list");
        page.next("protect employee sync CONNECTOR", "a directory");
    }
    page.table(table);
    Answer::many("employees", &employees, page)
}

async fn show(tenant: &Tenant, employee: &Employee) -> Result<Answer> {
    let mut page = Page::new();
    page.heading(employee.display_name());
    let mut table = Table::bare().indent(2);
    let day = |day: Option<jiff::civil::Date>| day.map(|day| day.to_string());
    for (name, value) in [
        ("id", Some(employee.id.to_string())),
        ("stands", Some(employee.status.as_str().to_owned())),
        ("address", Some(employee.work_email.to_string())),
        ("job", employee.job_title.clone()),
        ("department", employee.department.clone()),
        ("hired", day(employee.hire_date)),
        ("last day", day(employee.last_day)),
    ] {
        if let Some(value) = value {
            table.row([Text::faint(name), value.into()]);
        }
    }
    page.table(table);
    let mut accounts = Table::new(["account at", "id", "state"]);
    for account in tenant.accounts_of_employee(employee).await? {
        let open = account.state.as_str() == "active";
        accounts.row([
            account.reference.connector.as_str().into(),
            account.reference.id.as_str().into(),
            words::state(account.state.as_str(), open),
        ]);
    }
    if !accounts.is_empty() {
        page.gap().table(accounts);
    }
    if !employee.status.has_left() {
        let command = format!(
            "protect offboard start {} --last-day DAY --reason R",
            employee.work_email
        );
        page.next(command, "they leave");
    }
    Ok(Answer {
        document: data(employee)?,
        page,
        exit: Exit::OK,
    })
}

async fn chart(tenant: &Tenant, below: Option<&str>) -> Result<Answer> {
    let top = match below {
        Some(who) => Some(tenant.find_employee(who).await?.id),
        None => None,
    };
    let chart = tenant.org_chart(top.as_ref()).await?;
    let mut page = Page::new();
    for place in &chart.people {
        let indent = "  ".repeat(place.depth as usize);
        let job = place.job_title.as_deref().unwrap_or_default();
        page.mixed([format!("{indent}{}  ", place.name).into(), Text::faint(job)]);
    }
    Answer::one(&chart, page)
}
