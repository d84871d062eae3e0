//! Reading back: what the vendors, the report and the ledger say afterwards.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use jiff::Timestamp;
use protect_connectors::core::connector::OpContext;
use protect_connectors::core::ledger::{self, Checkpoint, LedgerPublicKey, VerifyReport};
use protect_connectors::core::model::{ActionKind, ActionTarget, Actor, IncidentId};
use protect_connectors::core::report::Month;
use protect_connectors::core::secret::SecretRef;
use protect_connectors::core::{ErrorEnvelope, Result};
use protect_connectors::onepassword::OnePassword;
use protect_connectors::webhook::{Item, Webhook};
use serde::Serialize;

use super::road::Done;
use super::stage::Stage;
use crate::app;
use crate::commands::evidence;
use crate::exit::Exit;

/// What was read back.
#[derive(Serialize)]
pub(super) struct Proof {
    pub(super) accounts: Vec<AccountNow>,
    pub(super) tickets: Vec<TicketNow>,
    pub(super) report: Vec<PathBuf>,
    pub(super) evidence: EvidenceNow,
    /// Requests that a correct client would not have sent.
    pub(super) violations: usize,
}

/// An account, as 1Password's own API gives it.
#[derive(Serialize)]
pub(super) struct AccountNow {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) address: String,
    pub(super) state: Option<String>,
    pub(super) error: Option<ErrorEnvelope>,
}

/// The tickets of an incident, as the desk gives them.
#[derive(Serialize)]
pub(super) struct TicketNow {
    pub(super) incident: IncidentId,
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
    pub(super) file: PathBuf,
    pub(super) checkpoint: PathBuf,
    pub(super) public_key: String,
    pub(super) verified: VerifyReport,
}

/// Asks everybody how things are now.
pub(super) async fn read_back(stage: &Stage, done: &Done) -> Result<Proof> {
    Ok(Proof {
        accounts: accounts(stage, done).await?,
        tickets: tickets(stage, done).await?,
        report: write_report(stage).await?,
        evidence: prove(stage).await?,
        violations: stage.sandbox.violations().len(),
    })
}

/// Every account that an action was about, by the vendor's own client.
async fn accounts(stage: &Stage, done: &Done) -> Result<Vec<AccountNow>> {
    let credentials = stage.sandbox.credentials();
    let client = OnePassword::builder()
        .context(stage.protect.context().clone())
        .account(credentials.account_id)
        .credentials(credentials.scan_client_id, credentials.scan_client_secret)
        .base_url(stage.sandbox.onepassword_api_url())
        .build()?;
    let ids: BTreeSet<_> = done
        .steps
        .iter()
        .filter_map(|step| match &step.action.target {
            ActionTarget::Account(account) => Some(account.id.clone()),
            ActionTarget::Sink { .. } => None,
        })
        .collect();
    let mut accounts = Vec::new();
    for id in ids {
        let user = client.get_user(&id).await;
        let error = user
            .as_ref()
            .err()
            .map(protect_connectors::core::Error::envelope);
        let user = user.ok();
        accounts.push(AccountNow {
            id,
            name: user
                .as_ref()
                .map(|user| user.display_name.clone())
                .unwrap_or_default(),
            address: user
                .as_ref()
                .and_then(|user| user.email.clone())
                .unwrap_or_default(),
            state: user.map(|user| user.state.as_str().to_owned()),
            error,
        });
    }
    Ok(accounts)
}

/// What the desk has for every incident that a ticket was wanted for.
async fn tickets(stage: &Stage, done: &Done) -> Result<Vec<TicketNow>> {
    let path = stage.folder.path().join("desk.secret");
    let secret = SecretRef::File { file: path };
    let desk = Webhook::new(
        &stage.sandbox.webhook_url(),
        secret,
        stage.protect.context(),
    )?;
    let cx = OpContext::new(
        stage.tenant.id().clone(),
        "demo",
        Actor::unverified("alice"),
    );
    let wanted = done
        .steps
        .iter()
        .filter(|step| step.action.kind == ActionKind::OpenTicket);
    let incidents: BTreeSet<_> = wanted
        .filter_map(|step| step.action.incident.clone())
        .collect();
    let mut tickets = Vec::new();
    for incident in incidents {
        // What the sink's documentation says our tickets are found by.
        let reference = format!("protect:{}:{incident}", stage.tenant.id());
        let items = desk.items(&cx, &reference).await;
        tickets.push(TicketNow {
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

impl TicketItem {
    fn of(item: Item) -> Self {
        Self {
            id: item.id,
            status: item.status,
        }
    }
}

/// Writes the month's report for people, in two forms.
async fn write_report(stage: &Stage) -> Result<Vec<PathBuf>> {
    let report = stage
        .tenant
        .report(Month::of(Timestamp::now()), &[])
        .await?;
    let html = stage.folder.path().join("report.html");
    let markdown = stage.folder.path().join("report.md");
    app::write(&html, &report.to_html()?)?;
    app::write(&markdown, &report.to_markdown())?;
    Ok(vec![html, markdown])
}

/// Exports the ledger, signs its head, and checks the files as an auditor would: without us.
async fn prove(stage: &Stage) -> Result<EvidenceNow> {
    let file = stage.folder.path().join("evidence.ndjson");
    let signed = stage.folder.path().join("evidence.checkpoint");
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
        file,
        checkpoint: signed,
        public_key,
        verified,
    })
}

impl Proof {
    pub(super) fn exit(&self) -> Exit {
        let unread = self.accounts.iter().any(|account| account.error.is_some())
            || self.tickets.iter().any(|ticket| ticket.error.is_some());
        Exit::trouble(unread || !self.evidence.verified.valid || self.violations > 0)
    }
}
