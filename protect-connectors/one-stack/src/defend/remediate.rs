//! Closer watching begun and ended, read back from Defend's list. It is bound to the offboarding that
//! asked for it, so that the end of one does not end what another began.

use std::sync::Arc;

use async_trait::async_trait;
use protect_core::clock::Clock;
use protect_core::connector::{
    Applied, Capability, Connector, ConnectorInfo, Diagnosis, OpContext, Probe, Remediator,
};
use protect_core::inbound::Inbound;
use protect_core::model::{
    Action, ActionKind, ActionTarget, Address, Attributes, EffectClass, Preview,
};
use protect_core::remedy::{self, Remedy, Sent};
use protect_core::{Error, ErrorKind, Result};
use serde_json::{Value, json};

use super::client::{Defend, Elevation, NewElevation};
use crate::hr::KeyHolder;

/// The actions: somebody is watched for a workflow, or is not.
const ACTIONS: [(ActionKind, EffectClass); 2] = [
    (ActionKind::ElevateMonitoring, EffectClass::StateIdempotent),
    (ActionKind::EndMonitoring, EffectClass::StateIdempotent),
];

/// Defend as a tenant's connector.
#[derive(Debug)]
pub(crate) struct DefendConnector {
    pub(super) info: ConnectorInfo,
    pub(super) keys: Option<KeyHolder>,
    pub(super) watch: Option<Watch>,
}

/// What watches.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) client: Defend,
    /// Who decided that people are watched; `None` while nobody is.
    pub(super) enabled_by: Option<String>,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Connector for DefendConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        if self.enabled().is_none() {
            return Capability::default();
        }
        Capability {
            actions: ACTIONS.into(),
            reaches_by_address: true,
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = match &self.watch {
            Some(watch) => watch.client.diagnose(cx).await,
            None => Diagnosis {
                reachable: true,
                ..Diagnosis::default()
            },
        };
        if self.keys.is_some() {
            diagnosis.notes.push(KeyHolder::note());
        }
        if self.enabled().is_none() {
            let off = "nobody is watched more closely: `elevated_monitoring` is off";
            diagnosis.notes.push(off.to_owned());
        }
        Ok(diagnosis)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.enabled().map(|_| self as &dyn Remediator)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        let keys = self.keys.as_ref()?;
        Some(keys)
    }
}

#[async_trait]
impl Remediator for DefendConnector {
    async fn preview(&self, cx: &OpContext, action: &Action) -> Result<Preview> {
        remedy::preview(&self.change(cx, action)?, cx).await
    }

    async fn apply(&self, cx: &OpContext, action: &Action) -> Result<Applied> {
        let change = self.change(cx, action)?;
        remedy::apply(&change, cx, change.clock).await
    }

    async fn probe(&self, cx: &OpContext, action: &Action) -> Result<Probe> {
        remedy::probe(&self.change(cx, action)?, cx).await
    }
}

impl DefendConnector {
    fn enabled(&self) -> Option<(&Watch, &str)> {
        let watch = self.watch.as_ref()?;
        Some((watch, watch.enabled_by.as_deref()?))
    }

    fn change<'a>(&'a self, cx: &OpContext, action: &'a Action) -> Result<Change<'a>> {
        let (watch, enabled_by) = self.enabled().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "closer watching is switched off: set `elevated_monitoring` and `enabled_by`",
            )
        })?;
        let begins = match action.kind {
            ActionKind::ElevateMonitoring => true,
            ActionKind::EndMonitoring => false,
            other => {
                let message = format!("Defend cannot do {other}");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let ActionTarget::Account(account) = &action.target else {
            return Err(Error::invalid_input("the target is no account"));
        };
        Ok(Change {
            client: watch.client.within(cx),
            clock: &*watch.clock,
            enabled_by,
            begins,
            email: Address::new(&account.id)?,
            workflow: action.workflow(),
            action,
        })
    }
}

/// Closer watching of one person, to be begun or ended.
struct Change<'a> {
    client: Defend,
    clock: &'a dyn Clock,
    enabled_by: &'a str,
    begins: bool,
    email: Address,
    workflow: Option<&'a str>,
    action: &'a Action,
}

impl Change<'_> {
    /// What it is asked for with at Defend: the workflow, or else the action that begins it.
    fn reference(&self) -> &str {
        let begun_by = self.action.undoes.as_ref().unwrap_or(&self.action.id);
        self.workflow.unwrap_or(begun_by.as_str())
    }

    /// Whether it is what this action is about. A person who asks for an end by hand means all of it.
    fn concerns(&self, elevation: &Elevation) -> bool {
        let any = self.workflow.is_none() && self.action.undoes.is_none();
        any || elevation.workflow_id == self.reference()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.action.parameters.get(name).and_then(Value::as_str)
    }

    fn said(&self, workflows: &[&str]) -> Attributes {
        let word = if workflows.is_empty() {
            "usual"
        } else {
            "elevated"
        };
        let mut facts = Attributes::new();
        facts.insert("monitoring".to_owned(), word.into());
        facts.insert("workflows".to_owned(), json!(workflows));
        facts.insert("enabled_by".to_owned(), self.enabled_by.into());
        facts
    }
}

#[async_trait]
impl Remedy for Change<'_> {
    /// Everything that watches the person now.
    type Looked = Vec<Elevation>;

    async fn look(&self, cx: &OpContext) -> Result<Vec<Elevation>> {
        let client = self.client.within(cx);
        let mut all = client.elevations(self.email.as_str()).await?;
        all.retain(Elevation::is_active);
        all.sort_by(|a, b| a.workflow_id.cmp(&b.workflow_id));
        Ok(all)
    }

    fn facts(&self, looked: &Vec<Elevation>) -> Attributes {
        let workflows: Vec<_> = looked.iter().map(|it| it.workflow_id.as_str()).collect();
        self.said(&workflows)
    }

    fn wanted(&self, now: &Vec<Elevation>) -> Attributes {
        let stays = |it: &&Elevation| self.begins || !self.concerns(it);
        let mut workflows: Vec<_> = now
            .iter()
            .filter(stays)
            .map(|it| it.workflow_id.as_str())
            .collect();
        if self.begins && !self.is_so(now) {
            workflows.push(self.reference());
        }
        self.said(&workflows)
    }

    fn is_so(&self, now: &Vec<Elevation>) -> bool {
        now.iter().any(|it| self.concerns(it)) == self.begins
    }

    async fn send(&self, cx: &OpContext, before: &Vec<Elevation>) -> Result<Sent<Vec<Elevation>>> {
        let client = self.client.within(cx);
        if self.begins {
            let last_day = self.parameter("last_day").and_then(|day| day.parse().ok());
            let elevation = NewElevation {
                email: self.email.as_str().to_owned(),
                workflow_id: self.reference().to_owned(),
                reason: if self.workflow.is_some() {
                    "offboarding"
                } else {
                    "request"
                }
                .to_owned(),
                employee_id: self.parameter("employee_id").map(str::to_owned),
                last_day,
            };
            client.elevate_monitoring(elevation).await?;
            return Ok(Sent::Accepted);
        }
        for elevation in before.iter().filter(|it| self.concerns(it)) {
            match client.end_monitoring(&elevation.workflow_id).await {
                // Somebody else ended it between looking and sending.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                ended => ended?,
            }
        }
        Ok(Sent::Accepted)
    }

    fn unconfirmed(&self) -> &'static str {
        if self.begins {
            "Defend accepted it, and its list does not show that the person is watched"
        } else {
            "Defend accepted it, and its list shows that the person is still watched"
        }
    }
}
