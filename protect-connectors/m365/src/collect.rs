//! A collection from its beginning to a snapshot: three rounds of questions, since what single
//! objects there are to ask about is known only by then.

use std::collections::BTreeSet;
use std::path::Path;

use async_trait::async_trait;
use protect_core::connector::OpContext;
use protect_core::posture::{Collecting, Collection, Question, Snapshot};
use protect_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value, json};

use crate::FORMAT;
use crate::api::Graph;
use crate::config::Place;
use crate::objects;
use crate::questions::{Collector, about_the_tenant};

/// A collection under way.
#[derive(Debug)]
pub(crate) struct Running {
    graph: Graph,
    place: Place,
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
        place: &Place,
        folder: Option<&Path>,
        run: &str,
    ) -> Result<Self> {
        let granted = graph.granted(cx).await?;
        if granted.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(nothing_granted());
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
            graph: graph.clone(),
            place: place.clone(),
            run: run.to_owned(),
            collection,
            round: Round::Tenant,
            questions: about_the_tenant(granted.as_ref()),
            named: Vec::new(),
            granted,
            collected_at: graph.http.context().clock.now(),
        })
    }

    fn next_round(&mut self) -> Result<()> {
        let snapshot = self.snapshot()?;
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

#[async_trait]
impl Collecting for Running {
    fn run(&self) -> &str {
        &self.run
    }

    fn pages(&self) -> u64 {
        self.collection.pages()
    }

    async fn advance(&mut self, cx: &OpContext) -> Result<bool> {
        let collector = Collector {
            graph: &self.graph,
            granted: self.granted.as_ref(),
            named: &self.named,
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
        let place = &self.place;
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
}

/// An application that may do nothing signs in all the same, and every question would be refused.
fn nothing_granted() -> Error {
    Error::new(
        ErrorKind::PermissionDenied,
        "the application signs in and has no permission at all; add the application permissions to it and have an administrator grant consent",
    )
    .with_operation("m365.collect")
}
