//! `policies`.

use clap::{Args, Subcommand};
use protect_connectors::core::Result;
use protect_connectors::core::engine::Tenant;
use protect_connectors::core::model::{AcknowledgementStatus, Actor, PolicyStanding};
use serde_json::json;

use crate::app::App;
use crate::args::{OneActor, OneTenant};
use crate::exit::Exit;
use crate::output::Answer;
use crate::page::{Page, Table, Text, Tone};
use crate::words;

/// Policies; without a command, how far each is acknowledged.
#[derive(Debug, Args)]
pub(crate) struct Policies {
    #[command(flatten)]
    tenant: OneTenant,
    #[command(subcommand)]
    command: Option<PolicyCommand>,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Ask the publisher for its policies now.
    Sync {
        #[command(flatten)]
        actor: OneActor,
    },
    /// Where somebody stands with each policy, asked of the publisher.
    Of {
        #[command(flatten)]
        tenant: OneTenant,
        /// An address, a number or an id.
        who: String,
    },
    /// Remind those who did not acknowledge a policy; at most once a day.
    Remind {
        #[command(flatten)]
        actor: OneActor,
        /// The publisher's id of the policy.
        policy: String,
        /// Only these: addresses, numbers or ids.
        who: Vec<String>,
    },
}

/// How far each policy is acknowledged.
pub(super) async fn run(app: &App, given: Policies) -> Result<Answer> {
    match given.command {
        None => {
            let tenant = app.tenant(given.tenant.tenant.as_deref()).await?;
            shown(&tenant.policies().await?)
        }
        Some(PolicyCommand::Sync { actor }) => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            shown(&tenant.sync_policies(&actor.by.actor()).await?)
        }
        Some(PolicyCommand::Of { tenant, who }) => {
            let tenant = app.tenant(tenant.tenant.as_deref()).await?;
            of(&tenant, &who).await
        }
        Some(PolicyCommand::Remind { actor, policy, who }) => {
            let tenant = app.tenant(actor.tenant.tenant.as_deref()).await?;
            let mut employees = Vec::new();
            for who in &who {
                employees.push(tenant.find_employee(who).await?.id);
            }
            let only = Some(employees.as_slice()).filter(|only| !only.is_empty());
            let count = tenant
                .remind_of_policy(&policy, only, &actor.by.actor())
                .await?;
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

fn shown(policies: &[PolicyStanding]) -> Result<Answer> {
    let mut page = Page::new();
    let mut table = Table::new([
        "policy",
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
        let stands = match (it.stale, it.status) {
            (true, _) => Text::new("not known: the publisher is not heard of", Tone::Warn),
            (false, AcknowledgementStatus::Acknowledged) => Text::faint("acknowledged"),
            (false, AcknowledgementStatus::Pending) => Text::new("pending", Tone::Plain),
            (false, AcknowledgementStatus::Overdue) => Text::new("overdue", Tone::Warn),
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
