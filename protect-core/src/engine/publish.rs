//! What clients may see, published where it changed: planned and consented to like any other action.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Tenant;
use super::decide::Wanted;
use super::records::{message_about, message_group};
use crate::error::{Error, Result};
use crate::model::{
    Action, ActionId, ActionKind, ActionTarget, Actor, Attributes, ConnectorName, Intent, Month,
    OutcomeStatus, Plan, hex,
};
use crate::report::{AccessLevel, Viewer};
use crate::store::{Query, RecordKind};

/// The parameter that says what is published.
const DIGEST: &str = "sha256";

impl Tenant {
    /// Plans to publish what clients may see, where it changed since it was published last; `None` where
    /// it did not, where it waits to be, or where nothing publishes it. Changes nothing anywhere.
    ///
    /// # Errors
    /// `store`.
    pub(super) async fn plan_view(&self) -> Result<Option<(Plan, ConnectorName)>> {
        let Some(receiver) = self.receiver(ActionKind::PublishView) else {
            return Ok(None);
        };
        let Some(action) = self.publication(&receiver).await? else {
            return Ok(None);
        };
        let wanted = Wanted {
            action,
            account: None,
            consent: Some("it leaves the organisation".to_owned()),
            refusal: None,
        };
        let plan = self.make_plan(vec![wanted], "view").await?;
        Ok(Some((plan, receiver)))
    }

    async fn publication(&self, receiver: &ConnectorName) -> Result<Option<Action>> {
        let digest = digest(self.published_view(receiver).await?)?;
        let mut action = Action {
            id: ActionId::of(self.id(), &[]),
            kind: ActionKind::PublishView,
            target: ActionTarget::Sink {
                connector: receiver.clone(),
            },
            reason: "what clients may see changed".to_owned(),
            requested_by: Actor::engine(),
            incident: None,
            undoes: None,
            lasts: None,
            parameters: Attributes::new(),
        };
        let group = message_group(receiver, &message_about(&action));
        let query = Query::all(RecordKind::Intent).in_groups(vec![group]);
        let mut earlier: Vec<Intent> = self
            .read_all(query)
            .await?
            .into_iter()
            .map(|intent| intent.value)
            .collect();
        earlier.sort_by_key(|intent| intent.created_at);
        // What waits publishes what there is when it goes out.
        if earlier.iter().any(|intent| intent.outcome.is_none()) {
            return Ok(None);
        }
        let last = earlier.iter().rfind(|intent| {
            let status = intent.outcome.as_ref().map(|outcome| outcome.status);
            status == Some(OutcomeStatus::Applied)
        });
        let told = last.and_then(|last| last.action.parameters.get(DIGEST));
        if told.is_some_and(|told| *told == digest) {
            return Ok(None);
        }
        let number = earlier.len().to_string();
        action.id = ActionId::of(self.id(), &["view", receiver.as_str(), &digest, &number]);
        action.parameters.insert(DIGEST.to_owned(), digest.into());
        Ok(Some(action))
    }

    /// What is published through a connector, for the access level that it says.
    pub(super) async fn published_view(&self, receiver: &ConnectorName) -> Result<Value> {
        let settings = self.config().connectors.get(receiver);
        let level = settings.and_then(|it| it.settings.get("access_level")?.as_str());
        let level = AccessLevel::ALL
            .into_iter()
            .find(|known| Some(known.as_str()) == level);
        let viewer = Viewer {
            level: level.unwrap_or(AccessLevel::Company),
            address: None,
        };
        Ok(json!(self.client_view(&viewer).await?))
    }

    /// Makes the report of the month before this one, where anything was scanned in it.
    pub(super) async fn report_last_month(&self) -> Result<()> {
        let this = Month::of(self.now());
        let before = this.start() - jiff::SignedDuration::from_hours(1);
        let month = Month::of(before);
        if self.score_history(month).await?.is_empty() {
            return Ok(());
        }
        self.keep_report(month).await.map(drop)
    }
}

/// Of everything but the time of its making.
fn digest(mut view: Value) -> Result<String> {
    if let Some(view) = view.as_object_mut() {
        view.remove("generated_at");
    }
    let bytes = serde_json_canonicalizer::to_vec(&view)
        .map_err(|error| Error::unexpected("a view has no canonical form").with_source(error))?;
    Ok(hex(&Sha256::digest(bytes)))
}
