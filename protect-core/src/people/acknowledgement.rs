//! Policies and who acknowledged them. Whoever publishes them holds the record; this is a view of it,
//! which says when it is too old to be believed.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use serde_json::json;

use super::role::{PeopleOperation, PeopleRole};
use super::workforce::EmployeeFilter;
use crate::engine::{CONFLICT_RETRIES, Tenant, too_busy};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Acknowledgement, AcknowledgementStatus, Actor, Attributes, Employee, EmployeeId, Policy,
    PolicyStanding, hash_fields,
};
use crate::publisher::PolicyInput;
use crate::store::{Change, Commit, Expect, Put, Query, RecordKind};

impl Tenant {
    /// Takes over what a publisher says of its policies, all of them: one that is not named any more is no
    /// longer shown. A due date that somebody here gave stays with the same version.
    ///
    /// # Errors
    /// `permission_denied`; `invalid_input` for an id or version that is empty; `store`.
    pub async fn take_policies(&self, policies: &[PolicyInput], actor: &Actor) -> Result<()> {
        PeopleRole::need(actor, PeopleOperation::ManagePolicies)?;
        let known = self.known_policies().await?;
        let mut commit = Commit::default();
        let mut named = HashSet::new();
        let mut is_same = true;
        for policy in policies {
            if policy.id.is_empty() || policy.version.is_empty() || !named.insert(&policy.id) {
                return Err(Error::invalid_input(
                    "a policy has an id and a version, and is named once",
                ));
            }
            let before = known.iter().find(|it| it.id == policy.id);
            let same = before.filter(|it| it.version == policy.version);
            let policy = Policy {
                id: policy.id.clone(),
                title: policy.title.clone(),
                version: policy.version.clone(),
                effective_date: policy.effective_date,
                requires_acknowledgment: policy.requires_acknowledgment,
                due_date: policy.due_date.or(same.and_then(|it| it.due_date)),
                seen_at: self.now(),
            };
            is_same &= before.is_some_and(|before| {
                let seen_at = policy.seen_at;
                Policy {
                    seen_at,
                    ..before.clone()
                } == policy
            });
            commit = commit.put(Put::new(RecordKind::Policy, policy.id.as_str(), &policy)?);
        }
        for gone in known.iter().filter(|it| !named.contains(&it.id)) {
            commit.changes.push(Change::Delete {
                kind: RecordKind::Policy,
                key: gone.id.clone(),
                expect: Expect::Anything,
            });
        }
        if !is_same || known.len() != named.len() {
            let mut facts = Attributes::new();
            facts.insert("policies".to_owned(), json!(policies.len()));
            commit = commit.append(self.entry_by("policies.seen", actor, facts).await?);
        }
        self.store().commit(self.id(), commit).await.map(drop)
    }

    /// Keeps that somebody acknowledged a policy. The same acknowledgement twice is one; it may come
    /// before the version that it is about was seen, and after a later one.
    ///
    /// # Errors
    /// `not_found` for an unknown employee; `conflict` where the id stands for another acknowledgement;
    /// `invalid_input`; `store`.
    pub async fn take_acknowledgement(&self, given: &Acknowledgement) -> Result<bool> {
        self.keep_acknowledgement(given, &Actor::engine()).await
    }

    /// The same, told by somebody. What one telling leaves out, the other adds: from where and with which
    /// program.
    pub(super) async fn keep_acknowledgement(
        &self,
        given: &Acknowledgement,
        actor: &Actor,
    ) -> Result<bool> {
        if given.id.is_empty() || given.policy_id.is_empty() || given.version.is_empty() {
            return Err(Error::invalid_input(
                "an acknowledgement has an id, a policy and a version",
            ));
        }
        self.employee(&given.employee).await?;
        let stand_in = seen_id(&given.policy_id, &given.version, &given.employee);
        for _ in 0..CONFLICT_RETRIES {
            let known = self
                .read::<Acknowledgement>(RecordKind::Acknowledgement, &given.id)
                .await?;
            let (kept, expect) = match known {
                None => (given.clone(), Expect::Absent),
                Some(known) => {
                    let Some(more) = known.value.with_what_else(given)? else {
                        return Ok(false);
                    };
                    (more, known.expect())
                }
            };
            let mut facts = Attributes::new();
            facts.insert("acknowledgement".to_owned(), json!(kept.id));
            facts.insert("employee".to_owned(), json!(kept.employee));
            facts.insert("policy".to_owned(), json!(kept.policy_id));
            facts.insert("version".to_owned(), json!(kept.version));
            let is_new = expect == Expect::Absent;
            let put = Put::new(RecordKind::Acknowledgement, kept.id.as_str(), &kept)?
                .group(kept.employee.as_str())
                .expect(expect);
            let mut commit = Commit::default().put(put);
            if kept.id != stand_in
                && let Some(seen) = self
                    .read::<Acknowledgement>(RecordKind::Acknowledgement, &stand_in)
                    .await?
            {
                // It was seen at the publisher before its own id was told: one signature is one record.
                facts.insert("in_place_of".to_owned(), json!(stand_in));
                commit.changes.push(Change::Delete {
                    kind: RecordKind::Acknowledgement,
                    key: stand_in.clone(),
                    expect: seen.expect(),
                });
            }
            let entry = self.entry_by("policy.acknowledged", actor, facts).await?;
            let commit = commit.append(entry);
            match self.store().commit(self.id(), commit).await {
                // The same callback twice at the same moment.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result.map(|_| is_new),
            }
        }
        Err(too_busy())
    }

    /// What somebody acknowledged.
    pub(super) async fn acknowledgements_by(
        &self,
        employee: &EmployeeId,
    ) -> Result<Vec<Acknowledgement>> {
        let query = Query::all(RecordKind::Acknowledgement).in_groups(vec![employee.to_string()]);
        let found = self.read_all(query).await?;
        Ok(found.into_iter().map(|found| found.value).collect())
    }

    /// How far each policy is acknowledged by those who work here.
    ///
    /// # Errors
    /// `store`.
    pub async fn policies(&self) -> Result<Vec<PolicyStanding>> {
        let everybody = self.employees(&EmployeeFilter::default()).await?;
        let all = Query::all(RecordKind::Acknowledgement);
        self.policies_among(&everybody, Some(all)).await
    }

    /// The same of some of them, whose acknowledgements alone are read.
    pub(super) async fn policies_of_some(&self, some: &[Employee]) -> Result<Vec<PolicyStanding>> {
        let ids: Vec<String> = some.iter().map(|it| it.id.to_string()).collect();
        let query = Query::all(RecordKind::Acknowledgement);
        // No group would be every group.
        let theirs = (!ids.is_empty()).then(|| query.in_groups(ids));
        self.policies_among(some, theirs).await
    }

    async fn policies_among(
        &self,
        employees: &[Employee],
        acknowledgements: Option<Query>,
    ) -> Result<Vec<PolicyStanding>> {
        let here = employees.iter().filter(|it| !it.status.has_left());
        let here: Vec<&EmployeeId> = here.map(|it| &it.id).collect();
        let mut done: HashMap<(String, String), HashSet<EmployeeId>> = HashMap::new();
        if let Some(query) = acknowledgements {
            for found in self.read_all::<Acknowledgement>(query).await? {
                let it = found.value;
                done.entry((it.policy_id, it.version))
                    .or_default()
                    .insert(it.employee);
            }
        }
        let (now, today) = (self.now(), self.today());
        let unheard = self.is_publisher_unheard().await?;
        let none = HashSet::new();
        let mut standings = Vec::new();
        for policy in self.known_policies().await? {
            let key = (policy.id.clone(), policy.version.clone());
            let done = done.get(&key).unwrap_or(&none);
            let stale = unheard || policy.is_stale(now);
            standings.push(standing(policy, &here, done, (stale, today)));
        }
        Ok(standings)
    }

    /// Where somebody stands with each policy that must be acknowledged.
    ///
    /// # Errors
    /// `store`.
    pub async fn acknowledgements_of(
        &self,
        employee: &EmployeeId,
    ) -> Result<Vec<(Policy, AcknowledgementStatus)>> {
        let own = self.acknowledgements_by(employee).await?;
        let today = self.today();
        let known = self.known_policies().await?.into_iter();
        let needed = known.filter(|policy| policy.requires_acknowledgment);
        let standing = needed.map(|policy| {
            let is_done = own.iter().any(|it| it.is_of(&policy));
            let status = policy.status_on(today, is_done);
            (policy, status)
        });
        Ok(standing.collect())
    }

    /// In order of their titles.
    pub(super) async fn known_policies(&self) -> Result<Vec<Policy>> {
        let found = self.read_all(Query::all(RecordKind::Policy)).await?;
        let mut policies: Vec<Policy> = found.into_iter().map(|found| found.value).collect();
        policies.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(policies)
    }
}

/// The id of an acknowledgement that was seen at the publisher, which did not say its own.
pub(super) fn seen_id(policy: &str, version: &str, employee: &EmployeeId) -> String {
    hash_fields(
        "seen acknowledgement",
        &[policy, version, employee.as_str()],
    )
}

fn standing(
    policy: Policy,
    here: &[&EmployeeId],
    done: &HashSet<EmployeeId>,
    (stale, today): (bool, Date),
) -> PolicyStanding {
    let required: &[&EmployeeId] = if policy.requires_acknowledgment {
        here
    } else {
        &[]
    };
    let left: Vec<EmployeeId> = required
        .iter()
        .filter(|id| !done.contains(**id))
        .map(|id| (*id).clone())
        .collect();
    let is_late = policy.status_on(today, false) == AcknowledgementStatus::Overdue;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    PolicyStanding {
        required: count(required.len()),
        acknowledged: count(required.len() - left.len()),
        compliant: !stale && left.is_empty(),
        stale,
        pending: if is_late { Vec::new() } else { left.clone() },
        overdue: if is_late { left } else { Vec::new() },
        policy,
    }
}
