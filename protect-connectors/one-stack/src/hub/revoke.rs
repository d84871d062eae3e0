//! Access taken away and given back. It counts as done when Hub says so of every product, one by one.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::authenticate::Authenticator;
use protect_core::connector::{
    Applied, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe, Remediator, Scanner,
};
use protect_core::errand::{self, Begun, Errand, Stage};
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, CheckId, EffectClass, Preview,
    Protection,
};
use protect_core::{Error, ErrorKind, Result};
use serde_json::Value;

use super::access::{AccessChange, Hub, NewRestoration, NewRevocation};
use super::scan::NOT_REVOKED;
use crate::config::Common;
use crate::sso::SignIn;

/// The actions: Hub is asked by our reference what came of each before it is asked for it.
const ACTIONS: [(ActionKind, EffectClass); 2] = [
    (ActionKind::RevokeAccess, EffectClass::SearchBeforeCreate),
    (ActionKind::RestoreAccess, EffectClass::SearchBeforeCreate),
];

/// How often it is looked who is gone and still has access: six hours.
const SCAN_EVERY: u64 = 6 * 60 * 60;

/// The parameter that says on which moment access ends.
const EFFECTIVE_AT: &str = "effective_at";

/// Hub as a tenant's connector.
#[derive(Debug)]
pub(crate) struct HubConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Hub,
    pub(super) common: Common,
    pub(super) owners: Vec<Address>,
    /// Whether it is looked who is gone and still has access.
    pub(super) watches: bool,
    pub(super) sign_in: Option<SignIn>,
}

#[async_trait]
impl Connector for HubConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: ACTIONS.into(),
            checks: self.checks(),
            scan_every_seconds: self.watches.then_some(SCAN_EVERY),
            reaches_by_address: true,
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = self.client.diagnose(cx).await;
        if let Some(sign_in) = &self.sign_in {
            diagnosis.credentials.push(sign_in.diagnose().await);
        }
        Ok(diagnosis)
    }

    fn as_authenticator(&self) -> Option<&dyn Authenticator> {
        let sign_in = self.sign_in.as_ref()?;
        Some(sign_in)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        Some(self)
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        self.watches.then_some(self)
    }
}

#[async_trait]
impl Remediator for HubConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        errand::preview(&self.change(cx, action)?, cx).await
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(cx, action)?;
        errand::apply(&change, cx, &*self.client.platform.context().clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        errand::probe(&self.change(cx, action)?, cx).await
    }
}

/// One change of one person's access.
struct Change<'a> {
    connector: &'a HubConnector,
    client: Hub,
    action: &'a Action,
    takes: bool,
    email: Address,
    reference: String,
}

#[async_trait]
impl Errand for Change<'_> {
    type Known = Vec<AccessChange>;
    type Asked = AccessChange;

    async fn look(&self, _: &OpContext) -> Result<Vec<AccessChange>> {
        self.client.changes_of(self.email.as_str()).await
    }

    async fn find(&self, _: &OpContext) -> Result<Option<AccessChange>> {
        let source = &self.connector.common.source;
        let found = self.client.changes_under(source, &self.reference).await?;
        Ok(found.into_iter().next())
    }

    fn own(&self, known: &Vec<AccessChange>) -> Option<AccessChange> {
        let is_own = |it: &&AccessChange| it.source_ref.as_deref() == Some(&self.reference);
        known.iter().find(is_own).cloned()
    }

    fn before(&self, known: &Vec<AccessChange>) -> Attributes {
        Standing::of(known).facts()
    }

    fn wanted(&self) -> Attributes {
        self.end().facts()
    }

    fn already_so(&self, known: &Vec<AccessChange>) -> Option<&'static str> {
        (Standing::of(known) == self.end()).then_some("")
    }

    /// Giving back harms no owner.
    fn protection(&self) -> Option<Protection> {
        let is_owner = self.connector.owners.contains(&self.email);
        (self.takes && is_owner).then_some(Protection::Administrator)
    }

    fn words(&self) -> &'static str {
        "it is an owner of the organisation"
    }

    async fn ask(&self, _: &OpContext, known: &Vec<AccessChange>) -> Result<Begun<AccessChange>> {
        if !self.takes && called_off(&self.client, known).await? {
            let reason = "the revocation had not been carried out and was called off";
            return Ok(Begun::Done(reason.to_owned()));
        }
        self.request().await.map(Begun::Asked)
    }

    async fn again(&self, _: &OpContext, asked: AccessChange) -> Result<AccessChange> {
        self.client.get_access_change(&asked.id).await
    }

    fn stage(&self, asked: &AccessChange) -> Stage {
        stage(asked)
    }

    fn facts(&self, asked: &AccessChange) -> Attributes {
        asked_facts(asked)
    }

    fn failure(&self, asked: &AccessChange) -> Error {
        not_everywhere(asked)
    }

    fn called_off(&self) -> &'static str {
        "somebody called it off at Hub"
    }
}

impl Change<'_> {
    fn end(&self) -> Standing {
        if self.takes {
            Standing::Taken
        } else {
            Standing::Given
        }
    }

    async fn request(&self) -> Result<AccessChange> {
        let action = self.action;
        let source = Some(self.connector.common.source.clone());
        let source_ref = self.reference.clone();
        let email = self.email.as_str().to_owned();
        let given = action.parameters.get("reason").and_then(Value::as_str);
        let reason = given.unwrap_or(if action.incident.is_some() {
            "incident"
        } else {
            "request"
        });
        let reason = reason.to_owned();
        if !self.takes {
            let restoration = NewRestoration {
                email,
                reason,
                source,
                source_ref,
            };
            return self.client.restore_access(restoration).await;
        }
        let revocation = NewRevocation {
            email,
            hub_user_id: None,
            effective_at: effective_at(action)?,
            reason,
            source,
            source_ref,
        };
        self.client.revoke_access(revocation).await
    }
}

/// Whether somebody has access, as Hub's list shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Given,
    Scheduled,
    Taken,
    /// Taken at some products and not at others.
    Partly,
}

impl Standing {
    /// The latest change that was carried out, or is to be.
    fn of(known: &[AccessChange]) -> Self {
        let counts = |it: &&AccessChange| !matches!(stage(it), Stage::Cancelled);
        let last = known.iter().filter(counts).max_by_key(|it| it.created_at);
        let Some(last) = last else { return Self::Given };
        let takes = last.action.as_deref() != Some("restore");
        match (stage(last), takes) {
            (Stage::Completed, true) => Self::Taken,
            (Stage::Completed, false) => Self::Given,
            (Stage::Underway(_), true) => Self::Scheduled,
            _ => Self::Partly,
        }
    }

    fn facts(self) -> Attributes {
        let word = match self {
            Self::Given => "has_access",
            Self::Scheduled => "ends_on_a_day",
            Self::Taken => "no_access",
            Self::Partly => "access_to_some_products",
        };
        let mut facts = Attributes::new();
        facts.insert("access".to_owned(), word.into());
        facts
    }
}

/// Where a change stands. "Success only when completed for every product": a change that says so of
/// itself and names a product that is not, or names none, is not believed.
fn stage(change: &AccessChange) -> Stage {
    let failed = change.products.iter().any(|it| it.status == "failed");
    match change.status.as_deref().unwrap_or_default() {
        "cancelled" => Stage::Cancelled,
        "failed" => Stage::Failed,
        _ if failed => Stage::Failed,
        "completed" if change.products.is_empty() => {
            Stage::Underway("Hub does not say of which products".to_owned())
        }
        "completed" if change.not_completed().is_empty() => Stage::Completed,
        "scheduled" => Stage::Underway("its day has not come".to_owned()),
        _ => Stage::Underway(format!("not yet at: {}", names(&change.not_completed()))),
    }
}

impl HubConnector {
    fn checks(&self) -> BTreeSet<CheckId> {
        let check = CheckId::new(NOT_REVOKED).ok();
        check.into_iter().filter(|_| self.watches).collect()
    }

    fn change<'a>(&'a self, cx: &OpContext, action: &'a Action) -> Result<Change<'a>> {
        let takes = match action.kind {
            ActionKind::RevokeAccess => true,
            ActionKind::RestoreAccess => false,
            other => {
                let message = format!("Hub cannot do {other}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        Ok(Change {
            connector: self,
            client: self.client.within(cx),
            action,
            takes,
            email: Address::new(&account.id)?,
            reference: format!("{}:{}:{}", self.common.source, cx.tenant, action.id),
        })
    }
}

/// Calls off whatever is only scheduled; false where nothing is.
async fn called_off(client: &Hub, known: &[AccessChange]) -> Result<bool> {
    if Standing::of(known) != Standing::Scheduled {
        return Ok(false);
    }
    let waits = |it: &&AccessChange| it.status.as_deref() == Some("scheduled");
    for change in known.iter().filter(waits) {
        client.cancel_revocation(&change.id).await?;
    }
    Ok(true)
}

/// # Errors
/// `invalid_input` for what is no moment: access would end at once where it was to end on a day.
fn effective_at(action: &Action) -> Result<Option<Timestamp>> {
    let Some(given) = action.parameters.get(EFFECTIVE_AT) else {
        return Ok(None);
    };
    let moment = given.as_str().and_then(|given| given.parse().ok());
    moment.map(Some).ok_or_else(|| {
        Error::invalid_input("`effective_at` is no moment; write it as 2026-11-30T17:00:00Z")
    })
}

fn not_everywhere(change: &AccessChange) -> Error {
    let left = change.not_completed();
    let message = if left.is_empty() {
        "Hub could not take the access away".to_owned()
    } else {
        format!("the access was not changed at: {}", names(&left))
    };
    Error::new(ErrorKind::Conflict, message)
}

fn names(products: &[&str]) -> String {
    let is_word = |it: &&&str| {
        it.len() <= 40
            && it
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "_- ".contains(c))
    };
    let names: Vec<_> = products.iter().filter(is_word).copied().collect();
    names.join(", ")
}

/// What Hub calls the change, and how it stands at each product.
fn asked_facts(change: &AccessChange) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("change".to_owned(), change.id.as_str().into());
    let products = change
        .products
        .iter()
        .map(|it| (it.product.clone(), Value::from(it.status.as_str())));
    facts.insert("products".to_owned(), Value::Object(products.collect()));
    facts
}
