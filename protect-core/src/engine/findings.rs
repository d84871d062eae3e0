//! Findings for people: list, show, and say what one thinks of them. Each word is in the ledger.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Tenant;
use super::observe::{CONFLICT_RETRIES, end_acceptance, too_busy};
use super::records::{put_finding, subject_group};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Acceptance, Actor, Address, Attributes, CheckId, ConnectorName, Finding, FindingId,
    FindingKind, FindingStatus, Incident, IncidentId, Permission, Severity, Subject,
};
use crate::store::{Commit, Query, RecordKind};

/// How many findings one page gives, where nobody says.
const PAGE: usize = 100;

/// Which findings to list; what is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FindingFilter {
    /// In one of these states.
    pub statuses: Vec<FindingStatus>,
    /// Of one of these kinds.
    pub kinds: Vec<FindingKind>,
    /// At least so bad.
    pub min_severity: Option<Severity>,
    /// Seen by this connector.
    pub source: Option<ConnectorName>,
    /// Of this check.
    pub check: Option<CheckId>,
    /// About this subject.
    pub subject: Option<Subject>,
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Behind this finding: [`FindingPage::next`] of the page before.
    pub after: Option<FindingId>,
    /// At most so many; 100 where left out.
    pub limit: Option<usize>,
}

/// Some findings, in order of their ids.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingPage {
    /// The findings.
    pub findings: Vec<Finding>,
    /// Where the next page begins, where there is one.
    pub next: Option<FindingId>,
}

impl Tenant {
    /// Findings, a page at a time.
    ///
    /// # Errors
    /// `store`.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<FindingPage> {
        let limit = filter.limit.unwrap_or(PAGE).max(1);
        let mut query = Query::all(RecordKind::Finding);
        let statuses = filter.statuses.iter().map(|status| status.as_str());
        query.states = statuses.map(str::to_owned).collect();
        query.groups = filter.subject.iter().map(subject_group).collect();
        query.after = filter.after.as_ref().map(|id| id.as_str().to_owned());
        let mut page = FindingPage::default();
        loop {
            let found = self.store().query(self.id(), query.clone()).await?;
            for record in &found.records {
                let finding: Finding = record.read()?;
                if !filter.wants(&finding) {
                    continue;
                }
                if page.findings.len() == limit {
                    page.next = page.findings.last().map(|last| last.id.clone());
                    return Ok(page);
                }
                page.findings.push(finding);
            }
            match found.next {
                Some(next) => query.after = Some(next),
                None => return Ok(page),
            }
        }
    }

    /// One finding.
    ///
    /// # Errors
    /// `not_found`; `store`.
    pub async fn finding(&self, id: &FindingId) -> Result<Finding> {
        let found = self
            .read::<Finding>(RecordKind::Finding, id.as_str())
            .await?;
        found.map(|found| found.value).ok_or_else(|| no_such(id))
    }

    /// Somebody has looked at it.
    ///
    /// # Errors
    /// `conflict` where it is not open; `not_found`; `store`.
    pub async fn acknowledge_finding(&self, id: &FindingId, actor: &Actor) -> Result<Finding> {
        let change = |finding: &mut Finding| match finding.status {
            FindingStatus::Acknowledged => Ok(false),
            FindingStatus::New => {
                finding.status = FindingStatus::Acknowledged;
                Ok(true)
            }
            _ => Err(not_now(finding)),
        };
        self.judge(id, "finding.acknowledged", actor, Attributes::new(), change)
            .await
    }

    /// Somebody put it right. Seen again, it comes back.
    ///
    /// # Errors
    /// `conflict` where it was never wrong; `not_found`; `store`.
    pub async fn resolve_finding(&self, id: &FindingId, actor: &Actor) -> Result<Finding> {
        let now = self.now();
        let change = |finding: &mut Finding| match finding.status {
            FindingStatus::Resolved => Ok(false),
            FindingStatus::FalsePositive => Err(not_now(finding)),
            FindingStatus::New | FindingStatus::Acknowledged | FindingStatus::Accepted => {
                finding.status = FindingStatus::Resolved;
                finding.resolved_at = Some(now);
                finding.acceptance = None;
                Ok(true)
            }
        };
        self.judge(id, "finding.resolved", actor, Attributes::new(), change)
            .await
    }

    /// It is left as it is until a date, for a reason; then it returns to `new`.
    ///
    /// # Errors
    /// `invalid_input` where the date is past, or the reason is empty or holds an address;
    /// `conflict` where the finding is neither open nor accepted; `not_found`; `store`.
    pub async fn accept_finding(
        &self,
        id: &FindingId,
        until: Timestamp,
        reason: &str,
        actor: &Actor,
    ) -> Result<Finding> {
        check_reason(reason)?;
        if until <= self.now() {
            return Err(Error::invalid_input("an acceptance must end in the future"));
        }
        let acceptance = Acceptance {
            until,
            reason: reason.to_owned(),
            author: actor.to_string(),
        };
        let mut facts = Attributes::new();
        facts.insert("until".to_owned(), json!(until));
        facts.insert("reason".to_owned(), json!(reason));
        let change = |finding: &mut Finding| match finding.status {
            FindingStatus::Resolved | FindingStatus::FalsePositive => Err(not_now(finding)),
            _ if finding.acceptance.as_ref() == Some(&acceptance) => Ok(false),
            FindingStatus::New | FindingStatus::Acknowledged | FindingStatus::Accepted => {
                finding.status = FindingStatus::Accepted;
                finding.acceptance = Some(acceptance.clone());
                Ok(true)
            }
        };
        self.judge(id, "finding.accepted", actor, facts, change)
            .await
    }

    /// It was never wrong, and stays so however often it is seen.
    ///
    /// # Errors
    /// `invalid_input` where the reason is empty or holds an address; `not_found`; `store`.
    pub async fn mark_false_positive(
        &self,
        id: &FindingId,
        reason: &str,
        actor: &Actor,
    ) -> Result<Finding> {
        check_reason(reason)?;
        let mut facts = Attributes::new();
        facts.insert("reason".to_owned(), json!(reason));
        let change = |finding: &mut Finding| {
            let changes = finding.status != FindingStatus::FalsePositive;
            finding.status = FindingStatus::FalsePositive;
            finding.acceptance = None;
            finding.resolved_at = None;
            Ok(changes)
        };
        self.judge(id, "finding.false_positive", actor, facts, change)
            .await
    }

    /// Returns findings whose acceptance has ended to `new`; gives how many. A scan does it first.
    ///
    /// # Errors
    /// `store`.
    pub async fn end_acceptances(&self) -> Result<u64> {
        let now = self.now();
        let query = Query::all(RecordKind::Finding)
            .in_states(&[FindingStatus::Accepted.as_str()])
            .due_by(now);
        let mut ended = 0;
        for found in self.read_all::<Finding>(query).await? {
            let change = |finding: &mut Finding| {
                let over = finding.status == FindingStatus::Accepted
                    && finding.acceptance.as_ref().is_none_or(|a| a.until <= now);
                if over {
                    end_acceptance(finding);
                    ended += 1;
                }
                Ok(over)
            };
            let what = "finding.acceptance_ended";
            let facts = Attributes::new();
            self.judge(&found.value.id, what, &Actor::engine(), facts, change)
                .await?;
        }
        Ok(ended)
    }

    /// Changes a finding and says so in the ledger, in one transaction; where it was the last open
    /// one of its incident, that is resolved too.
    async fn judge(
        &self,
        id: &FindingId,
        what: &str,
        actor: &Actor,
        mut facts: Attributes,
        mut change: impl FnMut(&mut Finding) -> Result<bool> + Send,
    ) -> Result<Finding> {
        actor.need(Permission::FindingsManage)?;
        facts.insert("finding".to_owned(), json!(id));
        for _ in 0..CONFLICT_RETRIES {
            let found = self
                .read::<Finding>(RecordKind::Finding, id.as_str())
                .await?
                .ok_or_else(|| no_such(id))?;
            let expect = found.expect();
            let mut finding = found.value;
            if !change(&mut finding)? {
                return Ok(finding);
            }
            let commit = Commit::default()
                .put(put_finding(&finding, expect)?)
                .append(self.entry_by(what, actor, facts.clone()).await?);
            match self.store().commit(self.id(), commit).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    if let Some(incident) = finding
                        .incident
                        .as_ref()
                        .filter(|_| !finding.status.is_open())
                    {
                        self.settle_incident(incident).await?;
                    }
                    return Ok(finding);
                }
            }
        }
        Err(too_busy())
    }

    /// Resolves an incident none of whose findings is open.
    async fn settle_incident(&self, id: &IncidentId) -> Result<()> {
        for _ in 0..CONFLICT_RETRIES {
            let Some(found) = self
                .read::<Incident>(RecordKind::Incident, id.as_str())
                .await?
            else {
                return Ok(());
            };
            let keys = found.value.findings.iter().map(|id| id.as_str().to_owned());
            let query = Query::keys(RecordKind::Finding, keys.collect())
                .in_states(super::triage::OPEN_FINDINGS);
            let open = self.store().query(self.id(), query).await?;
            if !found.value.status.is_open() || !open.records.is_empty() {
                return Ok(());
            }
            match self.resolve_incident(found).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                result => return result,
            }
        }
        Err(too_busy())
    }
}

impl FindingFilter {
    fn wants(&self, finding: &Finding) -> bool {
        let seen = &finding.observation;
        (self.kinds.is_empty() || self.kinds.contains(&seen.kind))
            && self.min_severity.is_none_or(|least| seen.severity >= least)
            && self
                .source
                .as_ref()
                .is_none_or(|source| *source == finding.source)
            && self.check.as_ref().is_none_or(|check| *check == seen.check)
            && self
                .subject
                .as_ref()
                .is_none_or(|subject| *subject == seen.subject)
            && self
                .incident
                .as_ref()
                .is_none_or(|incident| finding.incident.as_ref() == Some(incident))
    }
}

/// A reason goes to the ledger, which forgets nothing.
pub(crate) fn check_reason(reason: &str) -> Result<()> {
    if reason.trim().is_empty() {
        return Err(Error::invalid_input("a reason is needed"));
    }
    let holds_address = reason
        .split(|c: char| c.is_whitespace() || "<>()[],;:\"".contains(c))
        .any(|word| Address::new(word).is_ok());
    if holds_address {
        return Err(Error::invalid_input(
            "a reason must not hold an e-mail address: the ledger keeps it for good",
        ));
    }
    Ok(())
}

fn no_such(id: &FindingId) -> Error {
    Error::new(ErrorKind::NotFound, "no such finding").with_context("finding", id.as_str())
}

fn not_now(finding: &Finding) -> Error {
    Error::new(
        ErrorKind::Conflict,
        format!("the finding is {}", finding.status.as_str()),
    )
    .with_context("finding", finding.id.as_str())
}
