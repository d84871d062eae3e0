//! What every step appends to the ledger. Findings and incidents stand there by id, people not at
//! all.
//!
//! | Kind | When | Facts |
//! |---|---|---|
//! | `scan.page` | a page was committed | connector, run, page, counts, digest of the finding ids, ids of new ones of high severity |
//! | `scan.completed` | a run came to its end | connector, run, counts |
//! | `scan.failed` | a run ended incomplete | connector, run, counts, error kind, operation |
//! | `findings.observed` | observations came from outside a scan | connector, counts, digest, ids as above |
//! | `directory.refreshed`, `directory.failed` | a directory was read, or not to its end | connector, counts, error kind |
//! | `monitor.added`, `monitor.imported`, `monitor.removed` | who is watched changed | how many addresses |
//! | `incident.opened`, `incident.updated`, `incident.resolved` | triage | incident, kind, severity, number of findings |
//! | `incident.status_changed` | somebody said where it stands | incident, from, to |
//! | `finding.acknowledged`, `finding.accepted`, `finding.resolved`, `finding.false_positive` | somebody judged it | finding, reason, until |
//! | `finding.acceptance_ended` | its date came | finding |

use super::Tenant;
use crate::error::Result;
use crate::model::{
    AccountRef, ActionTarget, Actor, ActorKind, Attributes, EvidenceEntry, Incident,
    IncidentStatus, Intent, OutcomeStatus, Subject,
};
use crate::store::{Change, NewEntry, Query, RecordKind};

impl Tenant {
    /// Entries of the ledger behind a place in it, in order; at most `limit`. People stand there as
    /// pseudonyms.
    ///
    /// # Errors
    /// `store`.
    pub async fn ledger_after(&self, place: u64, limit: usize) -> Result<Vec<EvidenceEntry>> {
        let query = Query::ledger().after(format!("{place:020}")).limit(limit);
        Ok(self.store().query(self.id(), query).await?.entries)
    }

    /// The last entry of the ledger, where there is one.
    ///
    /// # Errors
    /// `store`.
    pub async fn ledger_head(&self) -> Result<Option<EvidenceEntry>> {
        let page = self.store().query(self.id(), Query::ledger_head()).await?;
        Ok(page.entries.into_iter().next())
    }

    /// An entry about something that happens now, done by a rule or the engine.
    pub(crate) fn entry(&self, kind: &str, actor: &Actor, data: Attributes) -> NewEntry {
        self.entry_named(kind, actor.to_string(), data)
    }

    /// An entry about something that happens now; a person stands in it as a pseudonym.
    pub(crate) async fn entry_by(
        &self,
        kind: &str,
        actor: &Actor,
        data: Attributes,
    ) -> Result<NewEntry> {
        let name = match actor.kind {
            ActorKind::Person => {
                let pseudonym = self.pseudonym(&format!("actor:{}", actor.id)).await?;
                format!("{pseudonym} ({})", actor.authenticated_by)
            }
            _ => actor.to_string(),
        };
        Ok(self.entry_named(kind, name, data))
    }

    /// The facts of an action: what, where, about whom (as a pseudonym), and how it stands.
    pub(crate) async fn action_facts(&self, intent: &Intent) -> Result<Attributes> {
        let action = &intent.action;
        let mut facts = Attributes::new();
        facts.insert("action".to_owned(), action.id.as_str().into());
        facts.insert("kind".to_owned(), action.kind.as_str().into());
        facts.insert(
            "connector".to_owned(),
            action.target.connector().as_str().into(),
        );
        if let ActionTarget::Account(account) = &action.target {
            facts.insert(
                "account".to_owned(),
                self.account_pseudonym(account).await?.into(),
            );
        }
        if let Some(incident) = &action.incident {
            facts.insert("incident".to_owned(), incident.as_str().into());
        }
        if let Some(undoes) = &action.undoes {
            facts.insert("undoes".to_owned(), undoes.as_str().into());
        }
        facts.insert("plan".to_owned(), intent.plan.as_str().into());
        facts.insert("attempts".to_owned(), intent.attempts.into());
        if let Some(error) = &intent.last_error {
            facts.insert("error".to_owned(), error.as_str().into());
        }
        if let Some(outcome) = &intent.outcome {
            facts.insert("outcome".to_owned(), outcome.status.as_str().into());
            facts.insert("reason".to_owned(), outcome.reason.as_str().into());
            let reference = outcome.vendor_reference.as_deref();
            facts.insert("vendor_reference".to_owned(), reference.into());
        }
        Ok(facts)
    }

    /// An incident whose account could be kept from harm is contained.
    pub(crate) async fn incident_contained(&self, intent: &Intent) -> Result<Option<Change>> {
        let contains = intent.action.kind.acts_everywhere()
            && intent.action.undoes.is_none()
            && intent.outcome.as_ref().is_some_and(|outcome| {
                matches!(
                    outcome.status,
                    OutcomeStatus::Applied | OutcomeStatus::AlreadySo
                )
            });
        let Some(id) = intent.action.incident.as_ref().filter(|_| contains) else {
            return Ok(None);
        };
        let Some(found) = self
            .read::<Incident>(RecordKind::Incident, id.as_str())
            .await?
        else {
            return Ok(None);
        };
        let before_containment = matches!(
            found.value.status,
            IncidentStatus::New | IncidentStatus::Open | IncidentStatus::Investigating
        );
        if !before_containment {
            return Ok(None);
        }
        let expect = found.expect();
        let incident = Incident {
            status: IncidentStatus::Contained,
            updated_at: self.now(),
            ..found.value
        };
        Ok(Some(Change::Put(super::records::put_incident(
            &incident, expect,
        )?)))
    }

    /// How the ledger names somebody.
    pub(crate) async fn pseudonym(&self, subject: &str) -> Result<String> {
        let random = &*self.context().random;
        crate::ledger::pseudonym(&**self.store(), random, self.id(), subject).await
    }

    async fn account_pseudonym(&self, account: &AccountRef) -> Result<String> {
        let provider = self.connector(&account.connector)?.info().kind.clone();
        let subject = Subject::account(provider, account.id.as_str());
        self.pseudonym(&super::records::subject_group(&subject))
            .await
    }

    fn entry_named(&self, kind: &str, actor: String, data: Attributes) -> NewEntry {
        NewEntry {
            kind: kind.to_owned(),
            actor,
            at: self.now(),
            data,
        }
    }
}
