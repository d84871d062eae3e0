//! What users may let applications do without an administrator, as an action: one setting of the
//! tenant's authorization policy
//! (<https://learn.microsoft.com/graph/api/authorizationpolicy-update>).

use async_trait::async_trait;
use protect_core::connector::OpContext;
use protect_core::model::{Action, ActionKind, Attributes};
use protect_core::remedy::{Remedy, Sent};
use protect_core::{Error, Result};
use serde_json::{Value, json};

use crate::api::Graph;
use crate::remediate::UNCONFIRMED;

/// The name of the fact, and of the member in Graph that it is made of.
const POLICIES: &str = "permission_grant_policies";

/// The parameter in which the engine hands over the state before users' policies were taken.
const BEFORE: &str = "before";

/// The policies without those by which users consent for themselves. What administrators gave to
/// owners of groups and teams stays.
pub(crate) fn without_users(policies: &[String]) -> Vec<String> {
    let by_users = |name: &&String| {
        name.to_ascii_lowercase()
            .starts_with("managepermissiongrantsforself")
    };
    let rest = policies.iter().filter(|name| !by_users(name));
    rest.cloned().collect()
}

/// What an action makes of the policies that are there.
enum Change {
    Block,
    /// Gives these back.
    Restore(Vec<String>),
}

/// A change of what users may consent to.
pub(crate) struct Consent<'a> {
    graph: &'a Graph,
    change: Change,
}

impl<'a> Consent<'a> {
    /// # Errors
    /// `invalid_input` for policies to be given back that nobody wrote down.
    pub(crate) fn of(graph: &'a Graph, action: &Action) -> Result<Self> {
        let change = match action.kind {
            ActionKind::BlockAppConsent => Change::Block,
            _ => Change::Restore(recorded(action)?),
        };
        Ok(Self { graph, change })
    }

    fn policies(&self, now: &[String]) -> Vec<String> {
        match &self.change {
            Change::Block => without_users(now),
            Change::Restore(before) => {
                let missing = before.iter().filter(|name| !now.contains(name));
                now.iter().chain(missing).cloned().collect()
            }
        }
    }
}

#[async_trait]
impl Remedy for Consent<'_> {
    type Looked = Vec<String>;

    async fn look(&self, cx: &OpContext) -> Result<Vec<String>> {
        Ok(self.graph.user_consent(cx).await?.permission_grant_policies)
    }

    fn facts(&self, policies: &Vec<String>) -> Attributes {
        facts(policies)
    }

    fn wanted(&self, now: &Vec<String>) -> Attributes {
        facts(&self.policies(now))
    }

    fn is_so(&self, now: &Vec<String>) -> bool {
        self.policies(now) == *now
    }

    async fn send(&self, cx: &OpContext, before: &Vec<String>) -> Result<Sent<Vec<String>>> {
        let wanted = self.policies(before);
        self.graph.set_user_consent(cx, &wanted).await?;
        Ok(Sent::Accepted)
    }

    fn unconfirmed(&self) -> &'static str {
        UNCONFIRMED
    }
}

fn recorded(action: &Action) -> Result<Vec<String>> {
    let recorded = action.parameters.get(BEFORE);
    let recorded = recorded.and_then(|it| it.get(POLICIES)?.as_array());
    let recorded = recorded.ok_or_else(|| {
        Error::invalid_input(
            "what users might consent to is known only from the action that took it away",
        )
    })?;
    let names = recorded.iter().filter_map(Value::as_str);
    Ok(names.map(ToOwned::to_owned).collect())
}

fn facts(policies: &[String]) -> Attributes {
    Attributes::from_iter([(POLICIES.to_owned(), json!(policies))])
}
