//! Requests by people: one guarded action, or the undoing of one. Each is a plan like any other.

use std::time::Duration;

use serde_json::Value;

use super::Tenant;
use super::apply::Step;
use super::decide::{Wanted, routed, with_address};
use super::reach::Those;
use crate::config::{built_in_parameters, unknown_name};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Account, AccountRef, Action, ActionId, ActionKind, ActionTarget, Actor, Address, Attributes,
    Intent, OutcomeStatus, Permission, Plan,
};
use crate::store::{Query, RecordKind};

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// What to do.
    pub kind: ActionKind,
    /// To whom: an address (every account of it that the action can reach), or
    /// `connector:vendor-id` for exactly one account. For a setting, the connector's name.
    pub account: String,
    /// Why; it goes into the evidence.
    pub reason: String,
    /// Who asks.
    pub by: Actor,
    /// After which time the engine undoes it by itself.
    pub lasts: Option<Duration>,
    /// What else the action needs, such as the `last_day` of `start_offboarding`.
    pub parameters: Attributes,
}

/// The parameter of an action that gives back what was there before, with the state before.
const BEFORE: &str = "before";

impl Tenant {
    /// Plans one action on one person's accounts, or on a setting; approve and apply the plan to have
    /// it done.
    ///
    /// # Errors
    /// `permission_denied` where the role of who asks does not allow it; `not_found` where no connector
    /// knows such an account; `unsupported` where none can do the
    /// action; `invalid_input` for an action that changes nothing, and for a parameter that it does not take.
    pub async fn request(&self, request: Request) -> Result<Plan> {
        request.by.need(Permission::RemediationsRequest)?;
        if request.kind.tells() {
            return Err(Error::invalid_input(
                "only actions on accounts and settings can be requested",
            )
            .with_context("action", request.kind.as_str()));
        }
        takes_parameters(&request)?;
        if request.kind.changes_a_setting() {
            return self.request_setting(&request).await;
        }
        let able = self.requested_accounts(&request).await?;
        if able.is_empty() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "no connector that has this account can do this; a connection needs a `respond` credential to act",
            )
            .with_context("action", request.kind.as_str())
            .with_context("tenant", self.id().as_str()));
        }
        let wanted = able.into_iter().map(|account| {
            let target = ActionTarget::Account(account.reference.clone());
            self.requested(&request, target, Some(account))
        });
        self.make_plan(wanted.collect(), "request").await
    }

    /// Plans the change of a setting, by the connector that is named.
    async fn request_setting(&self, request: &Request) -> Result<Plan> {
        let able = routed(self.config(), self.connectors(), request.kind);
        let named = able.iter().find(|connector| {
            let info = connector.info();
            info.name.as_str() == request.account || info.kind == request.account
        });
        let connector = named.ok_or_else(|| {
            let names: Vec<_> = able.iter().map(|it| it.info().name.as_str()).collect();
            let message = if names.is_empty() {
                "no connector of this tenant can do this; a connection needs a `respond` credential to act".to_owned()
            } else {
                format!("give the connector whose setting it is: {}", names.join(", "))
            };
            Error::new(ErrorKind::Unsupported, message)
                .with_context("action", request.kind.as_str())
                .with_context("tenant", self.id().as_str())
        })?;
        let target = ActionTarget::Setting {
            connector: connector.info().name.clone(),
        };
        let wanted = self.requested(request, target, None);
        self.make_plan(vec![wanted], "request").await
    }

    /// Every action that was approved, the earliest first, with what came of it.
    ///
    /// # Errors
    /// `store`.
    pub async fn actions(&self) -> Result<Vec<Step>> {
        let found = self
            .read_all::<Intent>(Query::all(RecordKind::Intent))
            .await?;
        let mut intents: Vec<Intent> = found.into_iter().map(|intent| intent.value).collect();
        intents.sort_by(|a, b| {
            let key = |intent: &Intent| (intent.created_at, intent.action.id.clone());
            key(a).cmp(&key(b))
        });
        let step = |intent: Intent| Step {
            action: intent.action,
            waits: intent.last_error.filter(|_| intent.outcome.is_none()),
            outcome: intent.outcome,
        };
        Ok(intents.into_iter().map(step).collect())
    }

    /// Plans the undoing of an applied action.
    ///
    /// # Errors
    /// `not_found`; `unsupported` where the action has no undo; `conflict` where it was not applied.
    pub async fn undo(&self, action: &ActionId, actor: &Actor, reason: &str) -> Result<Plan> {
        actor.need(Permission::RemediationsRequest)?;
        let found = self
            .read::<Intent>(RecordKind::Intent, action.as_str())
            .await?;
        let intent = found.map(|intent| intent.value).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "no such action; `protect status` lists those that can be taken back",
            )
            .with_context("action", action.as_str())
        })?;
        let status = intent.outcome.as_ref().map(|outcome| outcome.status);
        if status != Some(OutcomeStatus::Applied) {
            let status = status.map_or("not attempted", OutcomeStatus::as_str);
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("only an applied action can be undone; this one is {status}"),
            )
            .with_context("action", action.as_str()));
        }
        let undo = self.undoing(&intent, actor.clone(), reason)?;
        let wanted = Wanted {
            account: self.account_of(&undo.target).await?,
            action: undo,
            consent: Some("somebody asked for it by hand".to_owned()),
            refusal: None,
        };
        self.make_plan(vec![wanted], "request").await
    }

    /// The action that takes back another.
    pub(crate) fn undoing(&self, intent: &Intent, by: Actor, reason: &str) -> Result<Action> {
        let done = &intent.action;
        let kind = done.kind.undo().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "this action has no undo")
                .with_context("action", done.kind.as_str())
        })?;
        Ok(Action {
            id: ActionId::of(self.id(), &["undo", done.id.as_str(), &by.id]),
            kind,
            target: done.target.clone(),
            reason: reason.to_owned(),
            requested_by: by,
            incident: done.incident.clone(),
            undoes: Some(done.id.clone()),
            lasts: None,
            parameters: with_before(intent, kind),
        })
    }

    fn requested(
        &self,
        request: &Request,
        target: ActionTarget,
        account: Option<Account>,
    ) -> Wanted {
        let mut random = [0; 16];
        self.context().random.fill(&mut random);
        let nonce = format!("{:032x}", u128::from_le_bytes(random));
        let action = Action {
            id: ActionId::of(self.id(), &["request", &nonce]),
            kind: request.kind,
            target,
            reason: request.reason.clone(),
            requested_by: request.by.clone(),
            incident: None,
            undoes: None,
            lasts: request
                .lasts
                .or_else(|| self.ends_by_itself(request.kind, account.as_ref())),
            parameters: with_address(request.parameters.clone(), account.as_ref()),
        };
        Wanted {
            action,
            account,
            consent: Some("somebody asked for it by hand".to_owned()),
            refusal: None,
        }
    }

    /// The accounts that a request means and that can be acted on.
    async fn requested_accounts(&self, request: &Request) -> Result<Vec<Account>> {
        let name = request.account.as_str();
        let unknown = || {
            Error::new(
                ErrorKind::NotFound,
                "no connector of this tenant knows such an account; give its address, or `connector:vendor-id`",
            )
            .with_context("tenant", self.id().as_str())
        };
        if let Some((connector, id)) = name.split_once(':')
            && let Ok(connector) = connector.parse()
        {
            let reference = AccountRef {
                connector,
                id: id.to_owned(),
            };
            let does = self.connector(&reference.connector)?.capability().actions;
            let target = ActionTarget::Account(reference);
            let account = self.account_of(&target).await?.ok_or_else(unknown)?;
            return Ok(vec![account]
                .into_iter()
                .filter(|_| does.contains_key(&request.kind))
                .collect());
        }
        let address = Address::new(name)?;
        let mut people = self.people().await?;
        if people.accounts_at(&address).is_empty() {
            self.refresh_directories(self.connectors()).await?;
            people = self.people().await?;
        }
        let mut those = Those::default();
        let known = people.accounts_at(&address);
        let nobody = known.is_empty();
        for account in known {
            those.add_account(account);
        }
        those.add_address(address);
        let places = self.places(request.kind, &[], &those, &people);
        if nobody && places.is_empty() {
            return Err(unknown());
        }
        Ok(places)
    }

    /// The account an action is about, as its directory gives it now.
    async fn account_of(&self, target: &ActionTarget) -> Result<Option<Account>> {
        let ActionTarget::Account(reference) = target else {
            return Ok(None);
        };
        let Some(directory) = self.connector(&reference.connector)?.as_directory() else {
            return Ok(self.known_account(&self.people().await?, reference));
        };
        let cx = self.op(Actor::engine(), self.vendor_budget());
        directory.get(&cx, &reference.id).await
    }
}

/// Refuses a misspelt parameter: nobody would see that it was left out.
fn takes_parameters(request: &Request) -> Result<()> {
    let known = built_in_parameters(request.kind);
    let is_known = |name: &&String| known.iter().any(|it| it.name == **name);
    let Some(other) = request.parameters.keys().find(|name| !is_known(name)) else {
        return Ok(());
    };
    let names = known.iter().map(|it| it.name.as_str());
    let error = unknown_name("parameter", other, names);
    Err(Error::invalid_input(error.message()).with_context("action", request.kind.as_str()))
}

/// What was done is taken back with the same parameters; where the state before is to come back, and
/// not just the opposite, it goes along.
fn with_before(intent: &Intent, undo: ActionKind) -> Attributes {
    let mut parameters = intent.action.parameters.clone();
    if matches!(
        undo,
        ActionKind::RestoreRoles | ActionKind::RestoreAppConsent
    ) && let Some(outcome) = &intent.outcome
    {
        parameters.insert(BEFORE.to_owned(), Value::Object(outcome.before.clone()));
    }
    parameters
}
