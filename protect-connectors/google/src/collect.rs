//! A collection from its beginning to a snapshot: the customer first, then DNS about its domains, name
//! by name, since an SPF record may send the reader on.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::OpContext;
use protect_core::posture::{Collecting, Collection, Evaluation, Profile, Question, Snapshot};
use protect_core::{Error, Result};
use serde_json::{Map, Value, json};

use crate::api::Workspace;
use crate::checks::wanted_names;
use crate::config::MY_CUSTOMER;
use crate::questions::{Collector, about_names, about_the_customer};
use crate::scope::Scope;
use crate::workspace::{DNS, DOMAIN_ALIASES, DOMAINS, HISTORY};
use crate::{CATALOGUE, FORMAT};

/// A collection under way.
#[derive(Debug)]
pub(crate) struct Running {
    workspace: Workspace,
    run: String,
    collection: Collection,
    round: Round,
    questions: Vec<Question>,
    customer: String,
    granted: BTreeSet<Scope>,
    beside: Beside,
    collected_at: Timestamp,
}

/// What a collection is told besides whom to ask.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    /// Where keys for signing mail are looked for.
    pub(crate) selectors: String,
    /// What was seen of settings before, as a part of the snapshot.
    pub(crate) history: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Customer,
    /// The names of the domains, then where their records send the reader on.
    Names(usize),
    Done,
}

/// The reach of Google's logs, less what passes until a request arrives.
pub(crate) const LOG_REACH: SignedDuration = SignedDuration::from_hours(180 * 24 - 1);

/// An SPF record may send the reader on so many times (RFC 7208 section 4.6.4).
const ROUNDS: usize = 11;

impl Running {
    /// Takes up the run's collection that an earlier process left in the folder, or begins anew.
    pub(crate) async fn take_up(
        workspace: &Workspace,
        cx: &OpContext,
        folder: Option<&Path>,
        run: &str,
        beside: Beside,
    ) -> Result<Self> {
        let access = workspace.access(cx, Scope::SCAN).await?;
        if access.granted.is_empty() {
            let refused = access.refused.into_values().next();
            return Err(refused.unwrap_or_else(|| Error::unexpected("no scope was asked for")));
        }
        let left = match folder {
            Some(folder) => Collection::resume(folder, run, &FORMAT)?,
            None => None,
        };
        let collection = match left {
            Some(collection) => collection,
            None => Collection::begin(folder, run, &FORMAT)?,
        };
        Ok(Self {
            customer: customer(workspace, cx, &access.granted).await?,
            collected_at: workspace.context().clock.now(),
            workspace: workspace.clone(),
            run: run.to_owned(),
            collection,
            round: Round::Customer,
            questions: questions(&access.granted, &beside),
            granted: access.granted,
            beside,
        })
    }

    fn next_round(&mut self) -> Result<()> {
        self.round = match self.round {
            Round::Customer => Round::Names(0),
            Round::Names(round) if round < ROUNDS => Round::Names(round + 1),
            Round::Names(_) | Round::Done => Round::Done,
        };
        if let Round::Names(_) = self.round {
            let names = self.open_names()?;
            if names.is_empty() {
                self.round = Round::Done;
            }
            self.questions = about_names(names);
        }
        Ok(())
    }

    /// The names that nobody asked DNS about yet.
    fn open_names(&self) -> Result<BTreeSet<String>> {
        let snapshot = self.snapshot()?;
        let profile = Profile::default();
        let evaluation = Evaluation::new(&CATALOGUE, &snapshot, &profile);
        let read = evaluation.reader(&[DOMAINS, DOMAIN_ALIASES, DNS]);
        Ok(wanted_names(&read, &self.beside.selectors))
    }
}

/// The first questions: what was seen before is put to ourselves.
fn questions(granted: &BTreeSet<Scope>, beside: &Beside) -> Vec<Question> {
    let past = beside.history.iter().map(|_| Question::of(HISTORY));
    past.chain(about_the_customer(granted)).collect()
}

/// The customer's own id. Where nobody may read accounts it is called as it was asked about.
async fn customer(
    workspace: &Workspace,
    cx: &OpContext,
    granted: &BTreeSet<Scope>,
) -> Result<String> {
    let asked = workspace.customer();
    if asked != MY_CUSTOMER || !granted.contains(&Scope::Users) {
        return Ok(asked.to_owned());
    }
    match workspace.look(cx, Scope::Users).await {
        Ok((customer, _)) => Ok(customer.unwrap_or_else(|| asked.to_owned())),
        // That accounts cannot be read shows where they are asked for.
        Err(error) if error.http_status().is_some() => Ok(asked.to_owned()),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Collecting for Running {
    fn run(&self) -> &str {
        &self.run
    }

    fn pages(&self) -> u64 {
        self.collection.pages()
    }

    async fn advance(&mut self, cx: &OpContext) -> Result<bool> {
        let from = self.collected_at.checked_sub(LOG_REACH);
        let collector = Collector {
            workspace: &self.workspace,
            log_from: from.unwrap_or(Timestamp::UNIX_EPOCH),
            history: self.beside.history.as_deref().unwrap_or_default(),
        };
        let asked = self
            .collection
            .advance(cx, &collector, &self.questions)
            .await?;
        if !asked && self.round != Round::Done {
            self.next_round()?;
        }
        Ok(self.round == Round::Done)
    }

    fn snapshot(&self) -> Result<Snapshot> {
        let granted: Vec<_> = self.granted.iter().map(|scope| scope.url()).collect();
        let mut manifest = Map::new();
        let mut put = |name: &str, value: Value| manifest.insert(name.to_owned(), value);
        put("customer_id", self.customer.as_str().into());
        put("collected_at", json!(self.collected_at));
        put("granted", json!(granted));
        self.collection.snapshot(manifest)
    }
}
