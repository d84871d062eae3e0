//! Reading back: what the vendors, the report and the ledger say afterwards.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;

use protect_connectors::core::ledger::{self, Checkpoint, LedgerPublicKey, VerifyReport};
use protect_connectors::core::model::{AccountRef, ActionKind, IncidentId};
use protect_connectors::core::report::{Month, Score};
use protect_connectors::core::secret::SecretRef;
use protect_connectors::core::{ErrorEnvelope, Result};
use protect_connectors::m365::{self, M365};
use protect_connectors::one_stack::psa::Ticket;
use protect_connectors::one_stack::{Access, Credential, Psa, Rmm};
use protect_connectors::onepassword::{self, OnePassword};
use serde::Serialize;

use super::road::{self, Done};
use super::stage::Stage;
use crate::app;
use crate::commands::evidence;
use crate::exit::Exit;
use crate::vendors;

/// What was read back.
#[derive(Serialize)]
pub(super) struct Proof {
    pub(super) accounts: Vec<AccountNow>,
    pub(super) tickets: Vec<TicketNow>,
    pub(super) resets: Vec<ResetNow>,
    /// The protection score, now that somebody looked.
    pub(super) score: Score,
    /// The report's files, in the folder of the demo.
    pub(super) report: [&'static str; 2],
    pub(super) evidence: EvidenceNow,
    /// Requests that a correct client would not have sent.
    pub(super) violations: usize,
}

/// An account, as its vendor's own API gives it.
#[derive(Serialize)]
pub(super) struct AccountNow {
    pub(super) vendor: &'static str,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) state: Option<String>,
    pub(super) error: Option<ErrorEnvelope>,
}

/// A password that was to be reset, as RMM gives it.
#[derive(Serialize)]
pub(super) struct ResetNow {
    pub(super) address: String,
    pub(super) status: Option<String>,
    pub(super) error: Option<ErrorEnvelope>,
}

/// The tickets of an incident, as PSA gives them.
#[derive(Serialize)]
pub(super) struct TicketNow {
    pub(super) incident: IncidentId,
    pub(super) title: String,
    pub(super) items: Vec<TicketItem>,
    pub(super) error: Option<ErrorEnvelope>,
}

/// One ticket.
#[derive(Serialize)]
pub(super) struct TicketItem {
    pub(super) id: String,
    pub(super) status: String,
}

/// The ledger: exported, signed, and checked from the file alone.
#[derive(Serialize)]
pub(super) struct EvidenceNow {
    /// In the folder of the demo.
    pub(super) file: &'static str,
    /// In the folder of the demo.
    pub(super) checkpoint: &'static str,
    pub(super) public_key: String,
    pub(super) verified: VerifyReport,
}

/// Asks everybody how things are now.
pub(super) async fn read_back(stage: &Stage, done: &Done) -> Result<Proof> {
    Ok(Proof {
        accounts: accounts(stage, done).await?,
        tickets: tickets(stage, done).await?,
        resets: resets(stage, done).await?,
        score: stage.tenant.score().await?,
        report: write_report(stage).await?,
        evidence: prove(stage).await?,
        violations: stage.sandbox.violations().len(),
    })
}

/// Every account that an action was about.
async fn accounts(stage: &Stage, done: &Done) -> Result<Vec<AccountNow>> {
    let targets = done.steps.iter().filter_map(road::account_of).cloned();
    // RMM knows people by address and keeps no accounts to look at.
    let targets = targets.filter(|account| account.connector.as_str() != "rmm");
    let mut accounts = Vec::new();
    for account in each_once(targets) {
        accounts.push(look_at(stage, &account).await?);
    }
    Ok(accounts)
}

/// An account, by its vendor's own client.
pub(super) async fn look_at(stage: &Stage, account: &AccountRef) -> Result<AccountNow> {
    let id = &account.id;
    let (vendor, looked) = if account.connector.as_str() == vendors::MICROSOFT {
        let user = microsoft(stage)?.get_user(id).await;
        ("Microsoft 365", user.map(AccountNow::of_microsoft))
    } else {
        let user = passwords(stage)?.get_user(id).await;
        ("1Password", user.map(AccountNow::of_onepassword))
    };
    Ok(looked.unwrap_or_else(|error| AccountNow {
        error: Some(error.envelope()),
        ..AccountNow::unread(vendor, id.clone())
    }))
}

/// 1Password's own client, which may read.
fn passwords(stage: &Stage) -> Result<OnePassword> {
    let credentials = stage.sandbox.credentials();
    OnePassword::builder()
        .context(stage.protect.context().clone())
        .account(credentials.account_id)
        .credentials(credentials.scan_client_id, credentials.scan_client_secret)
        .base_url(stage.sandbox.onepassword_api_url())
        .build()
}

/// Microsoft 365's own client, which may read.
fn microsoft(stage: &Stage) -> Result<M365> {
    let credentials = stage.sandbox.credentials();
    M365::builder()
        .context(stage.protect.context().clone())
        .tenant(credentials.m365_tenant_id)
        .credentials(
            credentials.m365_scan_client_id,
            credentials.m365_scan_client_secret,
        )
        .login_url(stage.sandbox.m365_login_url())
        .graph_url(stage.sandbox.m365_graph_url())
        .build()
}

impl AccountNow {
    fn of_onepassword(user: onepassword::User) -> Self {
        Self {
            name: user.display_name,
            address: user.email.unwrap_or_default(),
            state: Some(user.state.as_str().to_owned()),
            ..Self::unread("1Password", user.id)
        }
    }

    fn of_microsoft(user: m365::User) -> Self {
        let state = user
            .account_enabled
            .map(|enabled| if enabled { "active" } else { "suspended" });
        Self {
            name: user.display_name.unwrap_or_default(),
            address: user.user_principal_name.unwrap_or_default(),
            state: state.map(str::to_owned),
            ..Self::unread("Microsoft 365", user.id)
        }
    }

    fn unread(vendor: &'static str, id: String) -> Self {
        Self {
            vendor,
            id,
            name: String::new(),
            address: String::new(),
            state: None,
            error: None,
        }
    }
}

/// The organisation's keys at The One Stack, as one of its products takes them.
pub(super) fn access(
    stage: &Stage,
    product: &str,
    key: fn(SecretRef) -> Credential,
    file: &str,
) -> Access {
    let file = stage.folder.path().join(file);
    let credential = key(SecretRef::File { file });
    Access::new(vendors::one_stack(&stage.sandbox).id, credential)
        .base_url(stage.sandbox.one_stack_url(product))
}

/// What PSA has for every incident that a ticket was wanted for.
async fn tickets(stage: &Stage, done: &Done) -> Result<Vec<TicketNow>> {
    let access = access(stage, "psa", Credential::ApiKey, vendors::PSA_KEY);
    let psa = Psa::new(access, stage.protect.context())?;
    let wanted = done
        .steps
        .iter()
        .filter(|step| step.action.kind == ActionKind::OpenTicket);
    let incidents = each_once(wanted.filter_map(|step| step.action.incident.clone()));
    let mut tickets = Vec::new();
    for incident in incidents {
        // What the sink's documentation says our tickets are found by.
        let reference = format!("protect:{}:{incident}", stage.tenant.id());
        let items = psa.find_tickets(&reference).await;
        tickets.push(TicketNow {
            title: stage.tenant.incident(&incident).await?.title,
            incident,
            error: items
                .as_ref()
                .err()
                .map(protect_connectors::core::Error::envelope),
            items: items
                .unwrap_or_default()
                .into_iter()
                .map(TicketItem::of)
                .collect(),
        });
    }
    Ok(tickets)
}

/// What RMM has for every reset that was wanted.
async fn resets(stage: &Stage, done: &Done) -> Result<Vec<ResetNow>> {
    let access = access(stage, "rmm", Credential::IntegrationKey, vendors::RMM_KEY);
    let rmm = Rmm::new(access, stage.protect.context())?;
    let wanted = done
        .steps
        .iter()
        .filter(|step| step.action.kind == ActionKind::ForcePasswordReset);
    let mut resets = Vec::new();
    for step in wanted {
        let reference = format!("protect:{}:{}", stage.tenant.id(), step.action.id);
        let found = rmm.find_remediations(&reference).await;
        let address = road::account_of(step).map(|account| account.id.clone());
        resets.push(ResetNow {
            address: address.unwrap_or_default(),
            error: found
                .as_ref()
                .err()
                .map(protect_connectors::core::Error::envelope),
            status: found
                .ok()
                .and_then(|found| found.into_iter().next())
                .and_then(|it| it.status),
        });
    }
    Ok(resets)
}

/// Each of them once, in the order in which they came.
fn each_once<T: Ord + Clone>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut known = BTreeSet::new();
    all.filter(|one| known.insert(one.clone())).collect()
}

impl TicketItem {
    fn of(ticket: Ticket) -> Self {
        Self {
            id: ticket.number.unwrap_or(ticket.id),
            status: ticket.status.unwrap_or_default(),
        }
    }
}

const REPORT: [&str; 2] = ["report.html", "report.md"];
const EVIDENCE: &str = "evidence.ndjson";
const CHECKPOINT: &str = "evidence.checkpoint";

/// Writes the month's report for people, in two forms.
async fn write_report(stage: &Stage) -> Result<[&'static str; 2]> {
    let report = stage
        .tenant
        .report(Month::of(stage.protect.context().clock.now()), &[])
        .await?;
    let [html, markdown] = REPORT.map(|name| stage.folder.path().join(name));
    app::write(&html, &report.to_html()?)?;
    app::write(&markdown, &report.to_markdown())?;
    Ok(REPORT)
}

/// Exports the ledger, signs its head, and checks the files as an auditor would: without us.
pub(super) async fn prove(stage: &Stage) -> Result<EvidenceNow> {
    let file = stage.folder.path().join(EVIDENCE);
    let signed = stage.folder.path().join(CHECKPOINT);
    let tenant = stage.tenant.id();
    evidence::export(&stage.protect, tenant, &file).await?;
    let (checkpoint, key) = evidence::checkpoint(&stage.protect, tenant).await?;
    app::write(&signed, &checkpoint.to_string())?;
    let public_key = key.to_string();

    let checkpoint: Checkpoint = app::read_text(&signed)?.parse()?;
    let key: LedgerPublicKey = public_key.parse()?;
    let exported = File::open(&file).map_err(|error| app::about(&file, "cannot be read", error))?;
    let verified = ledger::verify(BufReader::new(exported), Some(&checkpoint), Some(&key))?;
    Ok(EvidenceNow {
        file: EVIDENCE,
        checkpoint: CHECKPOINT,
        public_key,
        verified,
    })
}

impl Proof {
    pub(super) fn exit(&self) -> Exit {
        let unread = self.accounts.iter().any(|account| account.error.is_some())
            || self.tickets.iter().any(|ticket| ticket.error.is_some())
            || self.resets.iter().any(|reset| reset.error.is_some());
        Exit::trouble(unread || !self.evidence.verified.valid || self.violations > 0)
    }
}
