//! Several requests in one (<https://learn.microsoft.com/graph/json-batching>): each is throttled
//! for itself, so each is tried again for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use protect_core::connector::OpContext;
use protect_core::posture::{Answered, Question};
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::Graph;
use crate::config::is_guid;
use crate::questions::kept;

/// One request of a batch: a path below the version.
pub(crate) struct Member {
    url: String,
}

/// So often a throttled member is sent again.
const ATTEMPTS: u32 = 5;

/// How long a throttled member waits that was told nothing: doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// What a member counts at most, in resource units (transitive members of a group).
const WEIGHT: u32 = 3;

const BATCH: &str = "m365.batch";

impl Member {
    /// # Errors
    /// `invalid_input` for an id that could be another path.
    pub(crate) fn of(question: &Question) -> Result<Self> {
        if question.id.as_deref().is_some_and(|id| !is_guid(id)) {
            return Err(Error::invalid_input("an object's id is not a GUID"));
        }
        Ok(Self {
            url: question.path(),
        })
    }
}

/// Sends the members, at most twenty, until each is answered or was throttled too often; gives the
/// answers in the order of the members.
pub(crate) async fn batch(
    graph: &Graph,
    cx: &OpContext,
    members: &[Member],
) -> Result<Vec<Answered>> {
    let mut answers: BTreeMap<usize, Reply> = BTreeMap::new();
    let clock = &graph.http.context().clock;
    let mut wait = FIRST_WAIT;
    for attempt in 1..=ATTEMPTS {
        let open: Vec<usize> = (0..members.len())
            .filter(|at| answers.get(at).is_none_or(Reply::is_throttled))
            .collect();
        if open.is_empty() {
            break;
        }
        if attempt > 1 {
            let named = answers.values().filter_map(Reply::retry_after).max();
            let wait_now = named.unwrap_or(wait);
            let too_late = cx
                .deadline
                .is_some_and(|deadline| clock.monotonic() + wait_now > deadline);
            if too_late {
                return Err(throttled(wait_now));
            }
            clock.sleep(wait_now).await;
            wait *= 2;
        }
        for reply in send(graph, cx, members, &open).await? {
            if let Some(at) = reply.id.parse().ok().filter(|at| open.contains(at)) {
                answers.insert(at, reply);
            }
        }
    }
    let in_order = (0..members.len()).map(|at| match answers.remove(&at) {
        Some(reply) if reply.status == 429 => Err(throttled(wait)),
        Some(reply) => Ok(kept(reply.status, &reply.body)),
        None => Err(Error::new(
            ErrorKind::InvalidResponse,
            "Graph left a request of a batch without an answer",
        )
        .with_operation(BATCH)),
    });
    in_order.collect()
}

async fn send(
    graph: &Graph,
    cx: &OpContext,
    members: &[Member],
    open: &[usize],
) -> Result<Vec<Reply>> {
    let requests: Vec<Value> = open
        .iter()
        .filter_map(|at| Some((at, members.get(*at)?)))
        .map(|(at, member)| json!({ "id": at.to_string(), "method": "GET", "url": member.url }))
        .collect();
    let weight = u32::try_from(requests.len()).unwrap_or(u32::MAX);
    let answer = graph
        .request(
            Method::POST,
            BATCH,
            "/$batch",
            weight.saturating_mul(WEIGHT),
        )
        .idempotent(true)
        .json(&json!({ "requests": requests }))?
        .send(cx)
        .await?;
    let replies: Replies = answer.json()?;
    Ok(replies.responses)
}

#[derive(Deserialize)]
struct Replies {
    responses: Vec<Reply>,
}

#[derive(Deserialize)]
struct Reply {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

impl Reply {
    fn is_throttled(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
    }

    fn retry_after(&self) -> Option<Duration> {
        let named = |(name, _): &(&String, &Value)| name.eq_ignore_ascii_case("retry-after");
        let (_, value) = self.headers.iter().find(named)?;
        let seconds = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        seconds
            .filter(|_| self.is_throttled())
            .map(Duration::from_secs)
    }
}

fn throttled(wait: Duration) -> Error {
    Error::new(
        ErrorKind::RateLimited,
        "a request of a batch was throttled again and again",
    )
    .temporary()
    .persistent()
    .with_retry_after(wait)
    .with_operation(BATCH)
}
