//! Auto-actions: what is done about exposed credentials without a rule of the tenant's. Each is one
//! rule, off until somebody switches it on and is named for it.

use std::collections::BTreeMap;
use std::time::Duration;

use protect_core::config::{ApprovalMode, Condition, Rule, RuleAction, SeverityBound, When};
use protect_core::model::{
    ActionKind, Actor, Address, Attributes, ConnectorName, FindingKind, Severity,
};
use protect_core::registry::ConnectorSetup;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

/// The actions that may be switched on.
const KNOWN: [ActionKind; 3] = [
    ActionKind::ForcePasswordReset,
    ActionKind::SuspendAccount,
    ActionKind::EnrollMfa,
];

/// What is switched on.
#[derive(Clone, Debug, Default)]
pub(super) struct AutoActions(BTreeMap<ActionKind, AutoAction>);

/// `auto_actions.NAME` of the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AutoAction {
    enabled: bool,
    min_severity: Severity,
    require_approval: Option<bool>,
    enabled_by: Option<String>,
    exclude_accounts: Vec<String>,
    max_per_hour: Option<u32>,
    dry_run: bool,
    #[serde(skip)]
    excluded: Vec<Address>,
}

impl Default for AutoAction {
    fn default() -> Self {
        Self {
            enabled: false,
            min_severity: Severity::High,
            require_approval: None,
            enabled_by: None,
            exclude_accounts: Vec::new(),
            max_per_hour: None,
            dry_run: false,
            excluded: Vec::new(),
        }
    }
}

impl AutoActions {
    pub(super) fn parse(setup: &ConnectorSetup) -> Result<Self> {
        let mut all = BTreeMap::new();
        let given = setup
            .settings
            .get("auto_actions")
            .and_then(Value::as_object);
        for (name, given) in given.into_iter().flatten() {
            let place = format!("auto_actions.{name}");
            let kind = name.parse().ok().filter(|kind| KNOWN.contains(kind));
            let kind: ActionKind = kind.ok_or_else(|| {
                let known = KNOWN.map(ActionKind::as_str).join(", ");
                setup.error(
                    &place,
                    format!("nothing that RMM does by itself; it may do: {known}"),
                )
            })?;
            let action = AutoAction::read(kind, given).map_err(setup.at(&place))?;
            all.insert(kind, action);
        }
        Ok(Self(all))
    }

    /// What they stand for.
    pub(super) fn rules(&self, connector: &ConnectorName, lockout: Duration) -> Vec<Rule> {
        let on = self.0.iter().filter(|(_, action)| action.enabled);
        on.map(|(kind, action)| action.rule(*kind, connector, lockout))
            .collect()
    }

    /// Whether an auto-action asks for what must not be done to this account.
    pub(super) fn excludes(
        &self,
        connector: &ConnectorName,
        kind: ActionKind,
        requested_by: &Actor,
        address: &Address,
    ) -> bool {
        *requested_by == Actor::rule(&name(connector, kind))
            && self
                .0
                .get(&kind)
                .is_some_and(|action| action.excluded.contains(address))
    }
}

impl AutoAction {
    fn read(kind: ActionKind, given: &Value) -> Result<Self> {
        let mut action =
            Self::deserialize(given).map_err(|error| Error::invalid_input(error.to_string()))?;
        if action.max_per_hour == Some(0) {
            return Err(Error::invalid_input(
                "`max_per_hour = 0` would do nothing; `enabled = false` says so",
            ));
        }
        // A lockout needs consent unless somebody says in so many words that it does not.
        let is_lockout = kind == ActionKind::SuspendAccount;
        let needs_consent = *action.require_approval.get_or_insert(is_lockout);
        let is_named = action
            .enabled_by
            .as_ref()
            .is_some_and(|name| !name.trim().is_empty());
        if action.enabled && !needs_consent && !is_named {
            return Err(Error::invalid_input(
                "say in `enabled_by` who decided that this needs nobody's consent, or set `require_approval`",
            ));
        }
        action.excluded = action
            .exclude_accounts
            .iter()
            .map(Address::new)
            .collect::<Result<_>>()?;
        Ok(action)
    }

    fn rule(&self, kind: ActionKind, connector: &ConnectorName, lockout: Duration) -> Rule {
        let is_lockout = kind == ActionKind::SuspendAccount;
        let mut when = vec![
            When::Is(Condition::Kind(vec![FindingKind::CredentialExposure])),
            When::Is(Condition::Severity(SeverityBound::AtLeast(
                self.min_severity,
            ))),
        ];
        if is_lockout {
            // A leak alone locks nobody out: somebody must be trying the door as well.
            when.push(When::Is(Condition::UnderAttack(true)));
        }
        let approval = match &self.enabled_by {
            Some(enabled_by) if self.require_approval == Some(false) => ApprovalMode::Auto {
                enabled_by: enabled_by.clone(),
            },
            _ => ApprovalMode::Required,
        };
        Rule {
            name: name(connector, kind),
            when: When::All(when),
            then: vec![RuleAction {
                kind,
                on: vec![connector.to_string()],
                lasts: is_lockout.then_some(lockout),
                parameters: Attributes::new(),
            }],
            approval,
            max_per_hour: self.max_per_hour,
            dry_run: self.dry_run,
        }
    }
}

/// The name of the rule that an auto-action stands for.
fn name(connector: &ConnectorName, kind: ActionKind) -> String {
    format!("auto-action {kind} of {connector}")
}
