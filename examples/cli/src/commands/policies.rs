//! `policies`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::{AcknowledgementStatus, Actor, PolicyStanding};
use protect_connectors::core::people::PolicyInput;
use protect_connectors::core::{Error, Result};
use serde_json::json;

use crate::app::{self, App};
use crate::args::By;
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::words;

/// Policies; without a command, how far each is acknowledged.
#[derive(Debug, Args)]
pub(crate) struct Policies {
    /// The tenant; needed where the configuration has several.
    #[arg(long, short, global = true)]
    tenant: Option<String>,
    #[command(subcommand)]
    command: Option<PolicyCommand>,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Ask the publisher for its policies now.
    Sync {
        #[command(flatten)]
        by: By,
    },
    /// Take over what a publisher that is no connector says: every policy that is in force.
    Take {
        #[command(flatten)]
        by: By,
        /// A JSON list of `{"id", "title", "version", "effective_date", "requires_acknowledgment",
        /// "due_date"}`, of which the last three may be left out; `-` is standard input.
        file: PathBuf,
    },
    /// Where somebody stands with each policy, asked of the publisher.
    Of {
        /// An address, a number or an id.
        who: String,
    },
    /// Remind those who did not acknowledge a policy; at most once a day.
    Remind {
        #[command(flatten)]
        by: By,
        /// The publisher's id of the policy.
        policy: String,
        /// Only these: addresses, numbers or ids.
        who: Vec<String>,
    },
}

/// How far each policy is acknowledged.
pub(super) async fn run(app: &App, given: Policies) -> Result<Answer> {
    let tenant = app.tenant(given.tenant.as_deref()).await?;
    match given.command {
        None => shown(&tenant.policies().await?),
        Some(PolicyCommand::Sync { by }) => shown(&tenant.sync_policies(&by.actor()).await?),
        Some(PolicyCommand::Take { by, file }) => {
            let policies = listed(&app::read(&file)?)?;
            tenant.take_policies(&policies, &by.actor()).await?;
            shown(&tenant.policies().await?)
        }
        Some(PolicyCommand::Of { who }) => of(&tenant, &who).await,
        Some(PolicyCommand::Remind { by, policy, who }) => {
            let mut employees = Vec::new();
            for who in &who {
                employees.push(tenant.find_employee(who).await?.id);
            }
            let only = Some(employees.as_slice()).filter(|only| !only.is_empty());
            let count = tenant.remind_of_policy(&policy, only, &by.actor()).await?;
            let mut page = Page::new();
            page.line(format!("{} to go out.", words::count(count, "reminder")));
            page.next("protect apply", "send what waits");
            Ok(Answer {
                document: json!({ "reminders": count }),
                page,
                exit: Exit::OK,
            })
        }
    }
}

/// # Errors
/// `invalid_input` with the place.
fn listed(text: &[u8]) -> Result<Vec<PolicyInput>> {
    serde_json::from_slice(text).map_err(|error| {
        Error::invalid_input(format!("not a JSON list of policies: {error}"))
            .with_context("line", error.line().to_string())
    })
}

fn shown(policies: &[PolicyStanding]) -> Result<Answer> {
    let mut page = Page::new();
    let mut table = Table::new([
        "policy",
        "id",
        "version",
        "acknowledged",
        "pending",
        "overdue",
        "stands",
    ]);
    for it in policies {
        let stands = match (it.stale, it.compliant) {
            (true, _) => Text::new("not known: the publisher is not heard of", Tone::Warn),
            (false, true) => Text::faint("compliant"),
            (false, false) => Text::new("not yet", Tone::Plain),
        };
        table.row([
            it.policy.title.as_str().into(),
            it.policy.id.as_str().into(),
            it.policy.version.as_str().into(),
            format!("{} of {}", it.acknowledged, it.required).into(),
            it.pending.len().to_string().into(),
            it.overdue.len().to_string().into(),
            stands,
        ]);
    }
    if table.is_empty() {
        page.line("No policy is known.");
        page.next("protect policies sync", "ask the publisher");
    }
    page.table(table);
    Answer::many("policies", policies, page)
}

async fn of(tenant: &Tenant, who: &str) -> Result<Answer> {
    let employee = tenant.find_employee(who).await?;
    // Whoever may read the store may read all of it.
    let found = tenant.policies_of(&employee.id, &Actor::engine()).await?;
    let mut page = Page::new();
    let mut table = Table::new(["policy", "version", "due", "stands"]);
    for it in &found {
        let due = it.policy.due_date.map(|day| day.to_string());
        let (word, tone) = match it.status {
            AcknowledgementStatus::Acknowledged => ("acknowledged", Tone::Faint),
            AcknowledgementStatus::Pending => ("pending", Tone::Plain),
            AcknowledgementStatus::Overdue => ("overdue", Tone::Warn),
        };
        let stands = if it.stale {
            let old = format!("{word} when last heard of: the publisher is not heard of");
            Text::new(old, Tone::Warn)
        } else {
            Text::new(word, tone)
        };
        table.row([
            it.policy.title.as_str().into(),
            it.policy.version.as_str().into(),
            due.unwrap_or_default().into(),
            stands,
        ]);
    }
    if table.is_empty() {
        page.line("There is no policy that must be acknowledged.");
    }
    page.table(table);
    Answer::many("policies", &found, page)
}
