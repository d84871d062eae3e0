//! Access taken away and given back. It counts as done when Hub says so of every product, one by one.

use std::collections::BTreeSet;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::authenticate::Authenticator;
use protect_core::connector::{
    Applied, AppliedStatus, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe,
    Remediator, Scanner,
};
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
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let standing = Standing::of(&client.changes_of(change.email.as_str()).await?);
        let protection = self
            .owners
            .contains(&change.email)
            .then_some(Protection::Administrator);
        Ok(Preview {
            before: standing.facts(),
            after: change.wanted().facts(),
            already_so: standing == change.wanted(),
            protection,
        })
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let known = client.changes_of(change.email.as_str()).await?;
        let before = Standing::of(&known);
        let applied = |status, reason: String, after: Attributes| Applied {
            status,
            reason,
            before: before.facts(),
            after,
        };
        if change.takes && self.owners.contains(&change.email) {
            let reason = "it is an owner of the organisation".to_owned();
            return Ok(applied(AppliedStatus::Refused, reason, before.facts()));
        }
        let is_own = |it: &&AccessChange| it.source_ref.as_deref() == Some(&change.reference);
        let asked = match known.iter().find(is_own) {
            Some(own) => own.clone(),
            None if before == change.wanted() => {
                return Ok(applied(
                    AppliedStatus::AlreadySo,
                    String::new(),
                    before.facts(),
                ));
            }
            None if !change.takes && Self::called_off(&client, &known).await? => {
                let reason =
                    "the revocation had not been carried out and was called off".to_owned();
                let after = change.wanted().facts();
                return Ok(applied(AppliedStatus::Applied, reason, after));
            }
            None => self.ask(&client, action, &change).await?,
        };
        match Stage::of(&asked) {
            Stage::Completed => Ok(applied(
                AppliedStatus::Applied,
                String::new(),
                change.wanted().facts(),
            )),
            Stage::Cancelled => {
                let reason = "somebody called it off at Hub".to_owned();
                Ok(applied(AppliedStatus::Refused, reason, before.facts()))
            }
            Stage::Failed => Err(not_everywhere(&asked)),
            Stage::Underway(reason) => Ok(applied(
                AppliedStatus::NotConfirmed,
                reason,
                asked_facts(&asked),
            )),
        }
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        let change = self.change(cx, action)?;
        let client = self.client.within(cx);
        let source = &self.common.source;
        let found = client.changes_under(source, &change.reference).await?;
        let Some(asked) = found.first() else {
            return Ok(Probe::DidNotHappen(Attributes::new()));
        };
        let state = asked_facts(asked);
        Ok(match Stage::of(asked) {
            Stage::Completed => Probe::Happened(state),
            Stage::Failed => Probe::DidNotHappen(state),
            Stage::Cancelled => Probe::CalledOff(state),
            Stage::Underway(reason) => Probe::Underway { reason, state },
        })
    }
}

/// One change of one person's access.
struct Change {
    takes: bool,
    email: Address,
    reference: String,
}

impl Change {
    fn wanted(&self) -> Standing {
        if self.takes {
            Standing::Taken
        } else {
            Standing::Given
        }
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
        let counts = |it: &&AccessChange| !matches!(Stage::of(it), Stage::Cancelled);
        let last = known.iter().filter(counts).max_by_key(|it| it.created_at);
        let Some(last) = last else { return Self::Given };
        let takes = last.action.as_deref() != Some("restore");
        match (Stage::of(last), takes) {
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

/// Where a change stands. A word that Hub invented later is one that is not over.
enum Stage {
    Completed,
    Failed,
    Cancelled,
    Underway(String),
}

impl Stage {
    /// "Success only when completed for every product": a change that says so of itself and names a
    /// product that is not, or names none, is not believed.
    fn of(change: &AccessChange) -> Self {
        let failed = change.products.iter().any(|it| it.status == "failed");
        match change.status.as_deref().unwrap_or_default() {
            "cancelled" => Self::Cancelled,
            "failed" => Self::Failed,
            _ if failed => Self::Failed,
            "completed" if change.products.is_empty() => {
                Self::Underway("Hub does not say of which products".to_owned())
            }
            "completed" if change.not_completed().is_empty() => Self::Completed,
            "scheduled" => Self::Underway("its day has not come".to_owned()),
            _ => Self::Underway(format!("not yet at: {}", names(&change.not_completed()))),
        }
    }
}

impl HubConnector {
    fn checks(&self) -> BTreeSet<CheckId> {
        let check = CheckId::new(NOT_REVOKED).ok();
        check.into_iter().filter(|_| self.watches).collect()
    }

    fn change(&self, cx: &OpContext, action: &Action) -> Result<Change> {
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
            takes,
            email: Address::new(&account.id)?,
            reference: format!("{}:{}:{}", self.common.source, cx.tenant, action.id),
        })
    }

    async fn ask(&self, client: &Hub, action: &Action, change: &Change) -> Result<AccessChange> {
        let (source, source_ref) = (Some(self.common.source.clone()), change.reference.clone());
        let email = change.email.as_str().to_owned();
        let given = action.parameters.get("reason").and_then(Value::as_str);
        let reason = given.unwrap_or(if action.incident.is_some() {
            "incident"
        } else {
            "request"
        });
        if !change.takes {
            let restoration = NewRestoration {
                email,
                reason: reason.to_owned(),
                source,
                source_ref,
            };
            return client.restore_access(restoration).await;
        }
        let revocation = NewRevocation {
            email,
            hub_user_id: None,
            effective_at: effective_at(action)?,
            reason: reason.to_owned(),
            source,
            source_ref,
        };
        client.revoke_access(revocation).await
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
