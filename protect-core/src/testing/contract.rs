//! What every connector promises, as tests that any connector can run against itself.
//!
//! Each function asserts, so that a failure reads like any failed test. They call the connector
//! and therefore its vendor: give them a simulated one.

#![expect(
    clippy::panic,
    reason = "a contract that does not hold fails the test that runs it"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::connector::{
    AppliedStatus, Connector, Cursor, Delivery, Evaluated, OpContext, Probe, ScanPage, ScanRequest,
    ScanState,
};
use crate::error::{ErrorKind, Result};
use crate::model::{Account, Action, ActionKind, EffectClass, Observation, WatchList};

/// More pages than any simulated vendor has.
const MANY_PAGES: usize = 10_000;

/// Whatever a connector is: it knows its name, its roles fit what it says it can do, and neither it
/// nor its diagnosis shows one of `secrets`.
pub async fn connector(connector: &dyn Connector, cx: &OpContext, secrets: &[&str]) {
    let info = connector.info();
    assert_eq!(info.tenant, cx.tenant, "a connector belongs to its tenant");
    let capability = connector.capability();
    let changes = capability.actions.keys().any(|kind| !kind.tells());
    assert_eq!(
        connector.as_remediator().is_some(),
        changes,
        "a connector is a remediator just where it says that it changes something"
    );
    let tells = capability.actions.keys().any(|kind| kind.tells());
    assert_eq!(
        connector.as_sink().is_some(),
        tells,
        "a connector is a sink just where it says that it is told things"
    );
    let diagnosis = connector.diagnose(cx).await;
    let shown = format!("{connector:?} {diagnosis:?}");
    for secret in secrets {
        assert!(!shown.contains(secret), "a secret is shown");
    }
}

/// A directory ends, names nobody twice, gives each account again by its id, and nobody for an id
/// that is not there. Gives the accounts.
pub async fn directory(connector: &dyn Connector, cx: &OpContext) -> Vec<Account> {
    let Some(directory) = connector.as_directory() else {
        panic!("not a directory");
    };
    let mut accounts = Vec::new();
    let mut cursor: Option<Cursor> = None;
    for page in 0.. {
        assert!(page < MANY_PAGES, "the directory does not end");
        let page = directory
            .list(cx, cursor.as_ref())
            .await
            .unwrap_or_else(fails);
        accounts.extend(page.accounts);
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let ids: BTreeSet<_> = accounts
        .iter()
        .map(|account| &account.reference.id)
        .collect();
    assert_eq!(ids.len(), accounts.len(), "an account is listed twice");
    for account in accounts.iter().take(5) {
        assert_eq!(account.reference.connector, connector.info().name);
        let again = directory
            .get(cx, &account.reference.id)
            .await
            .unwrap_or_else(fails);
        assert_eq!(
            again.as_ref(),
            Some(account),
            "an account differs from its listing"
        );
    }
    let nobody = directory.get(cx, "NOSUCHACCOUNTNOSUCHACCOUNT").await;
    assert_eq!(
        nobody.unwrap_or_else(fails),
        None,
        "an unknown id is nobody, not an error"
    );
    accounts
}

/// A remediator looks without changing anything, changes once, says `already_so` the second time,
/// and knows afterwards that it happened. `undo`, where given, is run at the end.
pub async fn remediator(
    connector: &dyn Connector,
    cx: &OpContext,
    action: &Action,
    undo: Option<&Action>,
) {
    let Some(remediator) = connector.as_remediator() else {
        panic!("not a remediator");
    };
    let class = connector.capability().actions.get(&action.kind).copied();
    assert!(
        class.is_some(),
        "the connector does not say that it does this"
    );
    let first = remediator.preview(cx, action).await.unwrap_or_else(fails);
    let second = remediator.preview(cx, action).await.unwrap_or_else(fails);
    assert_eq!(first, second, "looking changed something");
    assert!(
        !first.already_so,
        "give the contract an action that is still to be done"
    );
    let before = remediator.probe(cx, action).await.unwrap_or_else(fails);
    assert!(
        !matches!(before, Probe::Happened(_)),
        "it has not happened yet"
    );

    let applied = remediator.apply(cx, action).await.unwrap_or_else(fails);
    assert_eq!(applied.status, AppliedStatus::Applied);
    assert_ne!(
        applied.before, applied.after,
        "the change shows in what was read back"
    );
    if class == Some(EffectClass::StateIdempotent) {
        let again = remediator.apply(cx, action).await.unwrap_or_else(fails);
        assert_eq!(again.status, AppliedStatus::AlreadySo);
        let probe = remediator.probe(cx, action).await.unwrap_or_else(fails);
        assert!(
            matches!(probe, Probe::Happened(_)),
            "a probe sees what was done"
        );
        let now = remediator.preview(cx, action).await.unwrap_or_else(fails);
        assert!(now.already_so, "a preview sees what was done");
    }
    if let Some(undo) = undo {
        let undone = remediator.apply(cx, undo).await.unwrap_or_else(fails);
        assert_eq!(undone.status, AppliedStatus::Applied);
        let now = remediator.preview(cx, action).await.unwrap_or_else(fails);
        assert_eq!(now.before, first.before, "undo gives back what was there");
    }
}

/// A scanner's run ends; two runs over the same vendor see the same; what it sees belongs to its
/// checks, shows no address in a title, and, where a subject was evaluated on a page, stands on that
/// page. Gives what the first run saw.
pub async fn scanner(
    connector: &dyn Connector,
    cx: &OpContext,
    watched: &Arc<WatchList>,
) -> Vec<Observation> {
    let first = run(connector, cx, watched).await;
    let second = run(connector, cx, watched).await;
    let names = |pages: &[ScanPage]| -> BTreeSet<String> {
        let seen = pages.iter().flat_map(|page| &page.observations);
        seen.map(|o| format!("{} {:?} {}", o.check, o.subject, o.discriminator))
            .collect()
    };
    assert_eq!(
        names(&first),
        names(&second),
        "two runs from the beginning differ"
    );
    let checks = connector.capability().checks;
    for page in &first {
        for seen in &page.observations {
            assert!(
                checks.contains(&seen.check),
                "{} is not in `capability`",
                seen.check
            );
            assert!(!seen.title.contains('@'), "a title shows an address");
        }
        for verdict in &page.verdicts {
            assert!(
                checks.contains(&verdict.check),
                "{} is not in `capability`",
                verdict.check
            );
        }
        stands_where_it_was_evaluated(page, &first);
    }
    first
        .into_iter()
        .flat_map(|page| page.observations)
        .collect()
}

/// A sink acts once for a delivery, however often it arrives, and finds what it made. What it says
/// must never be sent again is sent once.
pub async fn sink(connector: &dyn Connector, cx: &OpContext, delivery: &Delivery) {
    let Some(sink) = connector.as_sink() else {
        panic!("not a sink");
    };
    let class = connector.capability().actions.get(&delivery.kind).copied();
    let first = sink.deliver(cx, delivery).await.unwrap_or_else(fails);
    if class == Some(EffectClass::NonIdempotent) {
        return;
    }
    let again = sink.deliver(cx, delivery).await.unwrap_or_else(fails);
    assert_eq!(first.id, again.id, "one delivery made two things");
    if class == Some(EffectClass::SearchBeforeCreate) {
        let found = sink
            .find(cx, delivery.kind, &delivery.source_reference)
            .await;
        let found = found.unwrap_or_else(fails);
        assert_eq!(
            found.map(|item| item.id),
            Some(first.id),
            "what was made is found"
        );
        let other = sink.find(cx, delivery.kind, "protect:nobody:nothing").await;
        assert_eq!(
            other.unwrap_or_else(fails),
            None,
            "what was never made is not found"
        );
    }
}

/// An action that a connector does not do is refused as unsupported, not tried.
pub async fn does_nothing_else(connector: &dyn Connector, cx: &OpContext, action: &Action) {
    let Some(remediator) = connector.as_remediator() else {
        panic!("not a remediator");
    };
    let done = connector.capability().actions;
    let other = ActionKind::ALL
        .iter()
        .find(|kind| !done.contains_key(*kind));
    let Some(kind) = other.copied() else { return };
    let action = Action {
        kind,
        ..action.clone()
    };
    let error = remediator.apply(cx, &action).await.err();
    assert_eq!(
        error.map(|error| error.kind()),
        Some(ErrorKind::Unsupported)
    );
}

async fn run(connector: &dyn Connector, cx: &OpContext, watched: &Arc<WatchList>) -> Vec<ScanPage> {
    let Some(scanner) = connector.as_scanner() else {
        panic!("not a scanner");
    };
    let mut pages: Vec<ScanPage> = Vec::new();
    loop {
        assert!(pages.len() < MANY_PAGES, "the run does not end");
        let request = ScanRequest {
            cursor: pages.last().and_then(|page| page.cursor.as_ref()),
            starts_run: pages.is_empty(),
            watched,
            others: &[],
            state: &Forgetful,
            forced: true,
        };
        let page = scanner.scan(cx, request).await.unwrap_or_else(fails);
        let more = page.more;
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

fn stands_where_it_was_evaluated(page: &ScanPage, run: &[ScanPage]) {
    for Evaluated { check, subject } in &page.evaluated {
        let Some(subject) = subject else { continue };
        let is_it = |o: &&Observation| o.check == *check && o.subject == *subject;
        let here = page.observations.iter().filter(is_it).count();
        let anywhere = run
            .iter()
            .flat_map(|page| &page.observations)
            .filter(is_it)
            .count();
        assert_eq!(here, anywhere, "{check}: a subject is spread over pages");
    }
}

/// A scanner that begins anew remembers nothing.
#[derive(Debug)]
struct Forgetful;

#[async_trait]
impl ScanState for Forgetful {
    async fn get(&self, _: &[String]) -> Result<std::collections::BTreeMap<String, Value>> {
        Ok(std::collections::BTreeMap::new())
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is handed to `unwrap_or_else`"
)]
fn fails<T>(error: crate::Error) -> T {
    panic!("the connector failed: {error}")
}
