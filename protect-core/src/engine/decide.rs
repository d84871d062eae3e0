//! Decide: from open incidents and the tenant's rules to a plan. Changes nothing at any vendor.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::attack::Attacks;
use super::people::People;
use super::reach::Those;
use super::records::Versioned;
use super::rule_limits::TRIED_OUT;
use super::{Tenant, guard};
use crate::config::{ApprovalMode, Facts, Rule, RuleAction, TenantConfig};
use crate::connector::Connector;
use crate::error::{Error, Result};
use crate::model::{
    Account, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, Finding, Guard,
    GuardDecision, Incident, IncidentStatus, Intent, IntentState, Mode, OutcomeStatus, Plan,
    PlanId, PlannedAction, Preview, Severity,
};
use crate::store::{Commit, Expect, Put, Query, RecordKind};

/// How often a failed action is planned again before it needs somebody's consent.
const AUTOMATIC_TRIES: u32 = 3;

/// Where plans come from of which only the latest counts.
const REPLACE_EACH_OTHER: [&str; 3] = ["rules", "evidence", "view"];
/// Whether the state now must be known for a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looking {
    /// What cannot be looked at is refused.
    Needed,
    /// What a vendor that is away keeps from being looked at is looked at before the change.
    WherePossible,
    /// No vendor is asked; everything is looked at before the change.
    #[cfg_attr(
        not(feature = "people"),
        expect(dead_code, reason = "the workforce asks so")
    )]
    Later,
}

/// An action a rule or a person asks for, before anybody looked at the vendor.
pub(crate) struct Wanted {
    pub(crate) action: Action,
    pub(crate) account: Option<Account>,
    /// Why it needs consent, where it does.
    pub(crate) consent: Option<String>,
    /// Why it is not done, where whoever asked for it, or what that depends on, keeps it from being.
    pub(crate) refusal: Option<String>,
}

impl Tenant {
    /// What the tenant's rules want done about its open incidents, each action with the state now,
    /// the state after and what the guards say. Reads vendors, changes nothing.
    ///
    /// What was done already, or waits, is left out; what failed or lapsed is planned again.
    ///
    /// # Errors
    /// `store`. A vendor that cannot be read makes its actions `refuse`, with the reason.
    pub async fn plan(&self) -> Result<Plan> {
        let people = self.people().await?;
        let mut wanted = Vec::new();
        let mut attacks = Attacks::default();
        for incident in self.incidents_to_act_on().await? {
            let findings = self.acting_findings(&incident).await?;
            for rule in &self.config().rules {
                wanted.extend(
                    self.apply_rule(rule, &incident, &findings, &people, &mut attacks)
                        .await,
                );
            }
        }
        let wanted = self.without_handled(wanted).await?;
        self.make_plan(wanted, "rules").await
    }

    /// A stored plan.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn plan_by_id(&self, id: &PlanId) -> Result<Plan> {
        let found = self.read::<Plan>(RecordKind::Plan, id.as_str()).await?;
        found.map(|plan| plan.value).ok_or_else(|| {
            Error::new(
                crate::ErrorKind::NotFound,
                "no such plan; `plan` makes one and prints its id",
            )
            .with_context("plan", id.as_str())
        })
    }

    /// The plans that wait for somebody's consent, oldest first.
    ///
    /// # Errors
    /// `store`.
    pub async fn plans_waiting(&self) -> Result<Vec<Plan>> {
        let query = Query::all(RecordKind::Plan).in_states(&["planned"]);
        let mut plans: Vec<Plan> = values(self.read_all(query).await?);
        plans.sort_by_key(|plan| plan.created_at);
        Ok(plans)
    }

    /// Previews and guards what is wanted, and stores the plan.
    pub(crate) async fn make_plan(&self, wanted: Vec<Wanted>, origin: &str) -> Result<Plan> {
        self.make_plan_looking(wanted, origin, Looking::Needed)
            .await
    }

    /// The same; `looking` says whether the state now must be known.
    pub(crate) async fn make_plan_looking(
        &self,
        wanted: Vec<Wanted>,
        origin: &str,
        looking: Looking,
    ) -> Result<Plan> {
        let mut limits = self.blast_radius_to_come().await?;
        let mut actions = Vec::new();
        let mut reversals = Vec::new();
        for wanted in wanted {
            let mut looked = match looking {
                Looking::Later => Ok(Preview::default()),
                Looking::Needed | Looking::WherePossible => self.look(&wanted.action).await,
            };
            if let Ok(preview) = &mut looked {
                let elsewhere = self.protected_elsewhere(wanted.account.as_ref());
                preview.protection = preview.protection.or(elsewhere);
            }
            let mut verdict = match &looked {
                Ok(preview) => {
                    let reversal = self.reversal(&wanted.action, preview).await?;
                    reversals.extend(reversal.new_record()?);
                    let account = wanted.account.as_ref();
                    guard::judge(self.config(), &wanted.action, preview, account, &reversal)
                }
                Err(error) if looking == Looking::WherePossible && error.is_retryable() => {
                    let account = wanted.account.as_ref();
                    guard::not_looked_yet(self.config(), &wanted.action, account, error)
                }
                Err(error) => guard::could_not_look(error),
            };
            verdict = limits.judge(&wanted.action, verdict);
            if let Some(reason) = wanted.consent {
                verdict = guard::strictest(verdict, GuardDecision::NeedsApproval, reason);
            }
            if let Some(reason) = wanted.refusal {
                verdict = guard::strictest(verdict, GuardDecision::Refuse, reason);
            }
            actions.push(PlannedAction {
                action: wanted.action,
                preview: looked.unwrap_or_default(),
                guard: verdict,
            });
        }
        self.store_plan(actions, origin, reversals).await
    }

    async fn look(&self, action: &Action) -> Result<Preview> {
        let connector = self.connector(action.target.connector())?;
        match &action.target {
            ActionTarget::Account(_) | ActionTarget::Setting { .. } => {
                let remediator = connector.as_remediator().ok_or_else(|| {
                    Error::new(
                        crate::ErrorKind::Unsupported,
                        "the connection has no `respond` credential",
                    )
                })?;
                let cx = self.op(action.requested_by.clone(), self.vendor_budget());
                remediator.preview(&cx, action).await
            }
            ActionTarget::Sink { .. } => Ok(Preview::default()),
        }
    }

    async fn store_plan(
        &self,
        actions: Vec<PlannedAction>,
        origin: &str,
        others: Vec<Put>,
    ) -> Result<Plan> {
        let plan = Plan {
            id: plan_id(self, &actions)?,
            tenant: self.id().clone(),
            mode: self.mode(),
            actions,
            created_at: self.now(),
        };
        if plan.actions.is_empty() {
            return Ok(plan);
        }
        if let Some(known) = self
            .read::<Plan>(RecordKind::Plan, plan.id.as_str())
            .await?
        {
            return self.take_up_again(known, origin).await;
        }
        let mut commit = Commit::default()
            .put(put_plan(&plan, "planned", origin)?.expect(Expect::Absent))
            .append(self.entry("plan.made", &Actor::engine(), facts_of(&plan)));
        for put in others {
            commit = commit.put(put);
        }
        if REPLACE_EACH_OTHER.contains(&origin) {
            for old in self.superseded(&plan.id, origin).await? {
                commit = commit.put(old);
            }
        }
        self.store().commit(self.id(), commit).await?;
        Ok(plan)
    }

    /// A plan that was made before is the one that counts again, where another had replaced it since.
    async fn take_up_again(&self, known: Versioned<Plan>, origin: &str) -> Result<Plan> {
        let id = known.value.id.to_string();
        let query = Query::keys(RecordKind::Plan, vec![id]).in_states(&["superseded"]);
        if self.read_all::<Plan>(query).await?.is_empty() {
            return Ok(known.value);
        }
        let put = put_plan(&known.value, "planned", origin)?.expect(known.expect());
        let mut commit = Commit::default().put(put);
        for old in self.superseded(&known.value.id, origin).await? {
            commit = commit.put(old);
        }
        self.store().commit(self.id(), commit).await?;
        Ok(known.value)
    }

    /// Earlier plans of the same origin that nobody consented to: a newer one replaces them.
    async fn superseded(&self, by: &PlanId, origin: &str) -> Result<Vec<Put>> {
        let query = Query::all(RecordKind::Plan)
            .in_states(&["planned"])
            .in_groups(vec![origin.to_owned()]);
        let old: Vec<Versioned<Plan>> = self.read_all(query).await?;
        old.iter()
            .filter(|old| old.value.id != *by)
            .map(|old| Ok(put_plan(&old.value, "superseded", origin)?.expect(old.expect())))
            .collect()
    }

    /// A contained one, too: its account is safe, and a ticket that failed is still to be opened.
    async fn incidents_to_act_on(&self) -> Result<Vec<Incident>> {
        let query = Query::all(RecordKind::Incident).in_states(&[
            IncidentStatus::New.as_str(),
            IncidentStatus::Open.as_str(),
            IncidentStatus::Investigating.as_str(),
            IncidentStatus::Contained.as_str(),
        ]);
        let mut incidents: Vec<Incident> = values(self.read_all(query).await?);
        incidents.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        Ok(incidents)
    }

    /// The findings of an incident that call for action: open, and not known from before.
    async fn acting_findings(&self, incident: &Incident) -> Result<Vec<Finding>> {
        let keys = incident.findings.iter().map(ToString::to_string).collect();
        let findings: Vec<Finding> = values(
            self.read_all(Query::keys(RecordKind::Finding, keys))
                .await?,
        );
        Ok(findings
            .into_iter()
            .filter(|finding| finding.status.is_open() && !finding.baseline)
            .collect())
    }

    async fn apply_rule(
        &self,
        rule: &Rule,
        incident: &Incident,
        findings: &[Finding],
        people: &People,
        attacks: &mut Attacks,
    ) -> Vec<Wanted> {
        let mut those = Those::default();
        let mut matched = BTreeSet::new();
        let mut unsure = None;
        for finding in findings {
            let subject = &finding.observation.subject;
            let accounts = people.accounts_behind(subject);
            let mut candidates: Vec<_> = accounts.into_iter().map(Some).collect();
            if candidates.is_empty() {
                candidates.push(None);
            }
            for account in candidates {
                let facts = Facts {
                    finding,
                    source_kind: self.kind_of(&finding.source),
                    account,
                    department: people.department_of(subject, account),
                    under_attack: None,
                };
                let address = account.and_then(|account| account.address.clone());
                let address = address.or_else(|| people.address_of(subject));
                match self.holds(rule, facts, address.as_ref(), attacks).await {
                    Ok(false) => continue,
                    Ok(true) => {}
                    // Shown with the reason, and not done.
                    Err(error) => unsure = Some(error.message().to_owned()),
                }
                matched.insert(&finding.id);
                match (account, address) {
                    (Some(account), _) => those.add_account(account),
                    (None, Some(address)) => those.add_address(address),
                    (None, None) => {}
                }
            }
        }
        if matched.is_empty() {
            return Vec::new();
        }
        let matched: Vec<_> = findings
            .iter()
            .filter(|f| matched.contains(&f.id))
            .collect();
        let mut wanted = Vec::new();
        for step in &rule.then {
            for (target, account) in self.targets(step, &those, people) {
                let mut want = self.want(rule, step, incident, &matched, target, account);
                want.refusal = want.refusal.or_else(|| unsure.clone());
                wanted.push(want);
            }
        }
        wanted
    }

    /// Where an action of a rule goes: to people's accounts, or to one place.
    fn targets(
        &self,
        step: &RuleAction,
        those: &Those<'_>,
        people: &People,
    ) -> Vec<(ActionTarget, Option<Account>)> {
        if step.kind.changes_an_account() {
            let places = self.places(step.kind, &step.on, those, people);
            let places = places.into_iter();
            return places
                .map(|account| {
                    (
                        ActionTarget::Account(account.reference.clone()),
                        Some(account),
                    )
                })
                .collect();
        }
        let route = routed(self.config(), self.connectors(), step.kind);
        let target = route.first().map(|connector| {
            let connector = connector.info().name.clone();
            if step.kind.changes_a_setting() {
                ActionTarget::Setting { connector }
            } else {
                ActionTarget::Sink { connector }
            }
        });
        target.map(|target| (target, None)).into_iter().collect()
    }

    fn want(
        &self,
        rule: &Rule,
        step: &RuleAction,
        incident: &Incident,
        findings: &[&Finding],
        target: ActionTarget,
        account: Option<Account>,
    ) -> Wanted {
        let consent = match &rule.approval {
            ApprovalMode::Required => Some(format!("the rule `{}` asks for consent", rule.name)),
            ApprovalMode::Auto { .. } => None,
        };
        let action = Action {
            id: ActionId::of(self.id(), &[]),
            kind: step.kind,
            target,
            reason: format!("{} ({})", incident.title, rule.name),
            requested_by: Actor::rule(&rule.name),
            incident: Some(incident.id.clone()),
            undoes: None,
            lasts: step
                .lasts
                .or_else(|| self.ends_by_itself(step.kind, account.as_ref())),
            parameters: with_address(step.parameters.clone(), account.as_ref()),
        };
        let action = with_severity(action, incident.severity);
        let content = match action.target {
            ActionTarget::Account(_) | ActionTarget::Setting { .. } => String::new(),
            // What a sink was told before is not told again; a further finding is.
            ActionTarget::Sink { .. } => {
                let seen = |finding: &&Finding| format!("{}#{}", finding.id, finding.occurrence);
                findings.iter().map(seen).collect::<Vec<_>>().join(" ")
            }
        };
        Wanted {
            action: Action {
                id: rule_action_id(self, incident, &action, &content),
                ..action
            },
            account,
            consent,
            refusal: rule.dry_run.then(|| TRIED_OUT.to_owned()),
        }
    }

    /// After which time an action ends where nobody says and its connector does nothing without an end.
    pub(super) fn ends_by_itself(
        &self,
        kind: ActionKind,
        account: Option<&Account>,
    ) -> Option<Duration> {
        let connector = self.connector(&account?.reference.connector).ok()?;
        let ends = connector.capability().ends_after_seconds;
        ends.get(&kind).copied().map(Duration::from_secs)
    }

    /// Leaves out what two rules both want, and what was done or waits; what failed or lapsed gets
    /// the id of its next try.
    async fn without_handled(&self, wanted: Vec<Wanted>) -> Result<Vec<Wanted>> {
        let mut seen = BTreeSet::new();
        let mut left = Vec::new();
        for mut wanted in wanted {
            if !seen.insert(wanted.action.id.clone()) {
                continue;
            }
            let first = wanted.action.id.clone();
            let mut tries = 0;
            let again = loop {
                let id = wanted.action.id.as_str();
                match self.read::<Intent>(RecordKind::Intent, id).await? {
                    None => break true,
                    Some(intent) if is_worth_another_try(&intent.value) => {
                        tries += 1;
                        wanted.action.id =
                            ActionId::of(self.id(), &["try", first.as_str(), &tries.to_string()]);
                    }
                    Some(_) => break false,
                }
            };
            if !again {
                continue;
            }
            if tries >= AUTOMATIC_TRIES {
                wanted.consent = Some(format!("it failed {tries} times"));
            }
            left.push(wanted);
        }
        Ok(left)
    }

    pub(crate) fn kind_of(&self, connector: &crate::model::ConnectorName) -> &str {
        self.connector(connector)
            .map_or("", |connector| connector.info().kind.as_str())
    }

    /// Whether anything may be changed.
    pub(crate) fn mode(&self) -> Mode {
        self.shared.config.mode
    }
}

/// The connectors that can do an action that goes to one place, in the order to try them.
pub(crate) fn routed<'a>(
    config: &TenantConfig,
    connectors: &'a [Arc<dyn Connector>],
    kind: ActionKind,
) -> Vec<&'a Arc<dyn Connector>> {
    let able: Vec<_> = connectors
        .iter()
        .filter(|connector| connector.capability().actions.contains_key(&kind))
        .collect();
    let Some(names) = config.route.get(&kind) else {
        return able;
    };
    let find = |name: &String| {
        able.iter()
            .find(|c| c.info().name.as_str() == name || c.info().kind == *name)
            .copied()
    };
    names.iter().filter_map(find).collect()
}

/// The id that binds a plan to its content.
pub(crate) fn plan_id(tenant: &Tenant, actions: &[PlannedAction]) -> Result<PlanId> {
    let canonical = serde_json_canonicalizer::to_string(&(tenant.mode(), actions))
        .map_err(|error| Error::unexpected("a plan has no canonical form").with_source(error))?;
    Ok(PlanId::of(tenant.id(), &canonical))
}

/// A plan by its id; its group says whether rules or a request made it.
pub(crate) fn put_plan(plan: &Plan, state: &str, origin: &str) -> Result<Put> {
    Ok(Put::new(RecordKind::Plan, plan.id.as_str(), plan)?
        .state(state)
        .group(origin))
}

/// Adds the address that the account had when the plan was made: a remediator that finds another
/// one behind the same id refuses.
pub(crate) fn with_address(mut parameters: Attributes, account: Option<&Account>) -> Attributes {
    if let Some(address) = account.and_then(|account| account.address.as_ref()) {
        parameters.insert("address".to_owned(), address.as_str().into());
    }
    parameters
}

/// Adds how bad it is to what changes an account, where the rule says nothing else: a remediator may tell
/// whoever works there.
fn with_severity(mut action: Action, severity: Severity) -> Action {
    if action.kind.changes_an_account() {
        let known = action.parameters.entry("severity".to_owned());
        known.or_insert_with(|| severity.as_str().into());
    }
    action
}

/// A failed action, or one whose approval lapsed, is planned again; everything else is settled.
fn is_worth_another_try(intent: &Intent) -> bool {
    intent.state == IntentState::Done
        && intent.outcome.as_ref().is_some_and(|outcome| {
            matches!(
                outcome.status,
                OutcomeStatus::Failed | OutcomeStatus::Expired
            )
        })
}

fn rule_action_id(
    tenant: &Tenant,
    incident: &Incident,
    action: &Action,
    content: &str,
) -> ActionId {
    let account = match &action.target {
        ActionTarget::Account(account) => account.id.as_str(),
        ActionTarget::Setting { .. } | ActionTarget::Sink { .. } => "",
    };
    ActionId::of(
        tenant.id(),
        &[
            incident.id.as_str(),
            action.kind.as_str(),
            action.target.connector().as_str(),
            account,
            content,
        ],
    )
}

fn facts_of(plan: &Plan) -> Attributes {
    let mut facts = Attributes::new();
    facts.insert("plan".to_owned(), plan.id.as_str().into());
    facts.insert("mode".to_owned(), serde_json::json!(plan.mode));
    let actions = plan.actions.iter().map(|planned| {
        serde_json::json!({
            "action": planned.action.id,
            "kind": planned.action.kind,
            "incident": planned.action.incident,
            "guard": guard_name(&planned.guard),
        })
    });
    facts.insert("actions".to_owned(), actions.collect());
    facts
}

fn guard_name(guard: &Guard) -> serde_json::Value {
    serde_json::json!(guard.decision)
}

fn values<T>(read: Vec<Versioned<T>>) -> Vec<T> {
    read.into_iter().map(|versioned| versioned.value).collect()
}
