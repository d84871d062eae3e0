//! What users may let applications do without an administrator, as an action: one setting of the
//! tenant's authorization policy
//! (<https://learn.microsoft.com/graph/api/authorizationpolicy-update>).

use protect_core::connector::{Applied, AppliedStatus, OpContext, Probe};
use protect_core::model::{Action, ActionKind, Attributes, Preview};
use protect_core::{Error, Result};
use serde_json::{Value, json};

use crate::api::Graph;
use crate::connector::M365Connector;
use crate::remediate::READ_BACK_WAITS;

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

impl Change {
    /// # Errors
    /// `invalid_input` for policies to be given back that nobody wrote down.
    fn of(action: &Action) -> Result<Self> {
        if action.kind == ActionKind::BlockAppConsent {
            return Ok(Self::Block);
        }
        let recorded = action.parameters.get(BEFORE);
        let recorded = recorded.and_then(|it| it.get(POLICIES)?.as_array());
        let recorded = recorded.ok_or_else(|| {
            Error::invalid_input(
                "what users might consent to is known only from the action that took it away",
            )
        })?;
        let names = recorded.iter().filter_map(Value::as_str);
        Ok(Self::Restore(names.map(ToOwned::to_owned).collect()))
    }

    fn wanted(&self, now: &[String]) -> Vec<String> {
        match self {
            Self::Block => without_users(now),
            Self::Restore(before) => {
                let missing = before.iter().filter(|name| !now.contains(name));
                now.iter().chain(missing).cloned().collect()
            }
        }
    }

    fn is_so(&self, now: &[String]) -> bool {
        self.wanted(now) == now
    }
}

fn facts(policies: &[String]) -> Attributes {
    Attributes::from_iter([(POLICIES.to_owned(), json!(policies))])
}

async fn policies(graph: &Graph, cx: &OpContext) -> Result<Vec<String>> {
    Ok(graph.user_consent(cx).await?.permission_grant_policies)
}

pub(crate) async fn preview(graph: &Graph, cx: &OpContext, action: &Action) -> Result<Preview> {
    let change = Change::of(action)?;
    let now = policies(graph, cx).await?;
    Ok(Preview {
        before: facts(&now),
        after: facts(&change.wanted(&now)),
        already_so: change.is_so(&now),
        protection: None,
    })
}

pub(crate) async fn probe(graph: &Graph, cx: &OpContext, action: &Action) -> Result<Probe> {
    let change = Change::of(action)?;
    let now = policies(graph, cx).await?;
    Ok(if change.is_so(&now) {
        Probe::Happened(facts(&now))
    } else {
        Probe::DidNotHappen(facts(&now))
    })
}

impl M365Connector {
    pub(crate) async fn change_consent(
        &self,
        graph: &Graph,
        cx: &OpContext,
        action: &Action,
    ) -> Result<Applied> {
        let change = Change::of(action)?;
        let before = policies(graph, cx).await?;
        let applied = |status, reason: &str, after: &[String]| Applied {
            status,
            reason: reason.to_owned(),
            before: facts(&before),
            after: facts(after),
        };
        if change.is_so(&before) {
            return Ok(applied(AppliedStatus::AlreadySo, "", &before));
        }
        graph.set_user_consent(cx, &change.wanted(&before)).await?;
        let mut last = Err(Error::unexpected("nothing was read back"));
        for wait in READ_BACK_WAITS {
            self.clock.sleep(wait).await;
            last = policies(graph, cx).await;
            if let Ok(after) = &last
                && change.is_so(after)
            {
                return Ok(applied(AppliedStatus::Applied, "", after));
            }
        }
        let reason = "Microsoft 365 accepted the change, and still shows another state";
        // A permanent error would claim that nothing was changed.
        let after = last.map_err(Error::temporary)?;
        Ok(applied(AppliedStatus::NotConfirmed, reason, &after))
    }
}
