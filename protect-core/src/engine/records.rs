//! How the engine's things become records: the only place that knows keys, states and groups.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::task::JoinSet;

use super::Tenant;
use super::scan::StoredVerdict;
use crate::error::{Error, Result};
use crate::model::{
    Account, AccountRef, Action, ActionKind, ActionTarget, ConnectorName, Finding, Incident,
    Intent, IntentState, PersonId, Signal, Subject, hash_fields,
};
use crate::store::{Expect, Page, Put, Query, RecordKind};

/// A thing as it was read, with the version to expect when it is written again.
#[derive(Clone, Debug)]
pub(crate) struct Versioned<T> {
    pub(crate) value: T,
    pub(crate) version: u64,
}

impl<T> Versioned<T> {
    /// What a write of a changed value must find.
    pub(crate) fn expect(&self) -> Expect {
        Expect::Version(self.version)
    }
}

impl Tenant {
    /// One thing by its key.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        kind: RecordKind,
        key: &str,
    ) -> Result<Option<Versioned<T>>> {
        let found = self
            .read_all(Query::keys(kind, vec![key.to_owned()]))
            .await?;
        Ok(found.into_iter().next())
    }

    /// Everything a query selects. While a page is made into things, the next one is read.
    pub(crate) async fn read_all<T: DeserializeOwned>(
        &self,
        mut query: Query,
    ) -> Result<Vec<Versioned<T>>> {
        let mut things = Vec::new();
        let mut page = self.store().query(self.id(), query.clone()).await?;
        loop {
            let next = page.next.take().map(|next| {
                query.after = Some(next);
                self.read_ahead(query.clone())
            });
            for record in &page.records {
                things.push(Versioned {
                    value: record.read()?,
                    version: record.version,
                });
            }
            match next {
                Some(next) => page = read(next).await?,
                None => return Ok(things),
            }
        }
    }

    /// A page that is read beside other work; who lets go of it stops that.
    fn read_ahead(&self, query: Query) -> JoinSet<Result<Page>> {
        let (store, id) = (Arc::clone(self.store()), self.id().clone());
        let mut reading = JoinSet::new();
        reading.spawn(async move { store.query(&id, query).await });
        reading
    }
}

async fn read(mut ahead: JoinSet<Result<Page>>) -> Result<Page> {
    match ahead.join_next().await {
        Some(Ok(page)) => page,
        _ => Err(Error::unexpected("the store broke off while it read")),
    }
}

impl Tenant {
    /// What a scanner stored with its pages, by its own keys that begin with `prefix`: for sections
    /// of the report that belong to its connector.
    ///
    /// # Errors
    /// `store`.
    pub async fn scanner_state(
        &self,
        connector: &ConnectorName,
        prefix: &str,
    ) -> Result<BTreeMap<String, Value>> {
        let own = scan_state_key(connector, "");
        let mut query = Query::prefix(RecordKind::ScanState, format!("{own}{prefix}"));
        let mut state = BTreeMap::new();
        loop {
            let page = self.store().query(self.id(), query.clone()).await?;
            for record in &page.records {
                let key = record.key.strip_prefix(&own).unwrap_or(&record.key);
                state.insert(key.to_owned(), record.read()?);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(state),
            }
        }
    }
}

/// A finding by its id; its group is its subject.
pub(crate) fn put_finding(finding: &Finding, expect: Expect) -> Result<Put> {
    Ok(Put::new(RecordKind::Finding, &finding.id, finding)?
        .state(finding.status.as_str())
        .group(subject_group(&finding.observation.subject))
        .due(
            finding
                .acceptance
                .as_ref()
                .map(|acceptance| acceptance.until),
        )
        .expect(expect))
}

/// An incident by its id; its group is its cause.
pub(crate) fn put_incident(incident: &Incident, expect: Expect) -> Result<Put> {
    Ok(Put::new(RecordKind::Incident, &incident.id, incident)?
        .state(incident.status.as_str())
        .group(incident.cause.as_str())
        .expect(expect))
}

/// An intent by its action's id; its group is what it changes. It is due at once while it is to be
/// attempted, and at the end of what it changed once that ends by itself.
pub(crate) fn put_intent(intent: &Intent, expect: Expect) -> Result<Put> {
    Ok(Put::new(RecordKind::Intent, &intent.action.id, intent)?
        .state(intent.state.as_str())
        .group(group_of(&intent.action))
        .due(match intent.state {
            IntentState::Done => intent.undo_at,
            _ => Some(intent.begins_at()),
        })
        .expect(expect))
}

/// What intents about one target have in common.
pub(crate) fn group_of(action: &Action) -> String {
    match &action.target {
        ActionTarget::Account(account) => target_group(account),
        ActionTarget::Setting { connector } => connector.to_string(),
        ActionTarget::Sink { connector } => message_group(connector, &message_about(action)),
    }
}

/// What intents about one account have in common.
pub(crate) fn target_group(account: &AccountRef) -> String {
    format!("{}/{}", account.connector, account.id)
}

/// What a message is about: evidence about its artifact, everything else about its incident.
pub(crate) fn message_about(action: &Action) -> String {
    match action.kind {
        ActionKind::SubmitEvidence => super::submit::reference(action),
        ActionKind::PublishView => "view".to_owned(),
        _ => action.about().to_owned(),
    }
}

/// What messages to one receiver about one thing have in common.
pub(crate) fn message_group(connector: &ConnectorName, about: &str) -> String {
    format!("{connector}/{about}")
}

/// What findings about one subject have in common.
pub(crate) fn subject_group(subject: &Subject) -> String {
    [subject.kind.as_str(), &subject.provider, &subject.id].join(":")
}

/// A signal, kept until `due`; its group is its connector and subject, its state its kind.
pub(crate) fn put_signal(
    connector: &ConnectorName,
    key: &str,
    signal: &Signal,
    due: Timestamp,
) -> Result<Put> {
    Ok(Put::new(RecordKind::Signal, key, signal)?
        .state(signal.kind.as_str())
        .group(signal_group(connector, &signal.subject))
        .due(Some(due)))
}

/// The same event of one connector has the same key, however often it arrives.
pub(crate) fn signal_key(connector: &ConnectorName, signal: &Signal) -> String {
    hash_fields("signal", &[connector.as_str(), &signal.kind, &signal.id])
}

/// What the signals of one connector about one subject have in common.
pub(crate) fn signal_group(connector: &ConnectorName, subject: &Subject) -> String {
    format!("{connector}/{}", subject_group(subject))
}

/// An account by connector and id; its group is its person.
pub(crate) fn put_account(account: &Account, person: Option<&PersonId>) -> Result<Put> {
    let reference = &account.reference;
    let key = account_key(&reference.connector, &reference.id);
    Ok(Put::new(RecordKind::Account, key, account)?
        .state(account.state.as_str())
        .group(person.map_or("", PersonId::as_str)))
}

/// The key of an account.
pub(crate) fn account_key(connector: &ConnectorName, id: &str) -> String {
    format!("{connector}/{id}")
}

/// A check's last verdict by connector; its group is the connector.
pub(crate) fn put_verdict(verdict: &StoredVerdict) -> Result<Put> {
    let key = format!("{}/{}", verdict.connector, verdict.result.check);
    Ok(Put::new(RecordKind::Verdict, key, verdict)?.group(verdict.connector.as_str()))
}

/// The key of what a scanner remembers.
pub(crate) fn scan_state_key(connector: &ConnectorName, key: &str) -> String {
    format!("{connector}/{key}")
}
