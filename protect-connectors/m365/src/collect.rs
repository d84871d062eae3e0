//! A collection from its beginning to a snapshot: three rounds of questions, since what single
//! objects there are to ask about is known only by then.

use std::collections::BTreeSet;
use std::path::Path;

use protect_core::Result;
use protect_core::connector::OpContext;
use protect_core::posture::{Collection, Question, Snapshot};
use serde_json::{Map, Value, json};

use crate::FORMAT;
use crate::api::Graph;
use crate::config::Place;
use crate::objects;
use crate::questions::{Collector, about_the_tenant};

/// A collection under way.
#[derive(Debug)]
pub(crate) struct Running {
    run: String,
    collection: Collection,
    round: Round,
    questions: Vec<Question>,
    named: Vec<String>,
    granted: Option<BTreeSet<String>>,
    collected_at: jiff::Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    Tenant,
    Objects,
    Owners,
    Done,
}

impl Running {
    /// Takes up the run's collection that an earlier process left in the folder, or begins anew.
    pub(crate) async fn take_up(
        graph: &Graph,
        cx: &OpContext,
        folder: Option<&Path>,
        run: &str,
    ) -> Result<Self> {
        let granted = graph.granted(cx).await?;
        let left = match folder {
            Some(folder) => Collection::resume(folder, run, &FORMAT)?,
            None => None,
        };
        let collection = match left {
            Some(collection) => collection,
            None => Collection::begin(folder, run, &FORMAT)?,
        };
        Ok(Self {
            run: run.to_owned(),
            collection,
            round: Round::Tenant,
            questions: about_the_tenant(granted.as_ref()),
            named: Vec::new(),
            granted,
            collected_at: graph.http.context().clock.now(),
        })
    }

    /// Of which run it is.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// Pages so far.
    pub(crate) fn pages(&self) -> u64 {
        self.collection.pages()
    }

    /// Asks for one more page, or begins the next round. Whether there is nothing left.
    pub(crate) async fn advance(
        &mut self,
        graph: &Graph,
        cx: &OpContext,
        place: &Place,
    ) -> Result<bool> {
        let collector = Collector {
            graph,
            granted: self.granted.as_ref(),
            named: &self.named,
        };
        let asked = self
            .collection
            .advance(cx, &collector, &self.questions)
            .await?;
        if !asked && self.round != Round::Done {
            self.next_round(place)?;
        }
        Ok(self.round == Round::Done)
    }

    /// What was collected, as a snapshot.
    pub(crate) fn snapshot(&self, place: &Place) -> Result<Snapshot> {
        let mut manifest = Map::new();
        let mut put = |name: &str, value: Value| manifest.insert(name.to_owned(), value);
        put("cloud", place.cloud.as_str().into());
        put("tenant_id", place.tenant.as_str().into());
        put("collected_at", json!(self.collected_at));
        if let Some(granted) = &self.granted {
            put("granted", json!(granted));
        }
        self.collection.snapshot(manifest)
    }

    fn next_round(&mut self, place: &Place) -> Result<()> {
        let snapshot = self.snapshot(place)?;
        self.round = match self.round {
            Round::Tenant => {
                self.named = objects::named(&snapshot);
                self.questions = objects::second_round(&snapshot);
                Round::Objects
            }
            Round::Objects => {
                self.questions = objects::third_round(&snapshot);
                Round::Owners
            }
            Round::Owners | Round::Done => Round::Done,
        };
        Ok(())
    }
}
