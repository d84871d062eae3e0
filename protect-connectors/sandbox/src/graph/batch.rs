//! `$batch`: up to twenty requests in one (graph/json-batching).

use std::collections::HashSet;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Graph, error::Refusal, unauthenticated};
use crate::request::{Call, Context, Reply, pairs};

const MOST: usize = 20;

/// A request of a batch.
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) depends_on: Vec<String>,
    pub(crate) call: Call,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    requests: Vec<Request>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Request {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// The answers of a batch so far.
#[derive(Default)]
pub(crate) struct Answers {
    failed: HashSet<String>,
    responses: Vec<Value>,
}

impl Graph {
    /// The requests of a batch; its token is that of each.
    pub(crate) fn members(&self, call: &Call, cx: &mut Context) -> Result<Vec<Member>, Reply> {
        if self.login.tokens.check(call, cx).is_none() {
            return Err(unauthenticated().into_reply());
        }
        cx.tenant = Some(self.tenant.clone());
        let members = split(call);
        members.map_err(|message| {
            cx.violate("batch_malformed", message);
            Refusal::new(400, "BadRequest", message).into_reply()
        })
    }
}

impl Answers {
    /// Whether something that this member depends on failed.
    pub(crate) fn bar(&self, member: &Member) -> Option<Reply> {
        let failed = member.depends_on.iter().any(|id| self.failed.contains(id));
        failed.then(|| {
            let message = "A request that this one depends on failed.";
            Refusal::new(424, "FailedDependency", message).into_reply()
        })
    }

    pub(crate) fn add(&mut self, id: String, reply: &Reply) {
        let headers: Map<String, Value> = reply
            .headers
            .iter()
            .filter_map(|(name, value)| Some((header_case(name), value.to_str().ok()?.into())))
            .chain(
                reply
                    .content_type
                    .map(|it| ("Content-Type".to_owned(), it.into())),
            )
            .collect();
        let mut response = json!({
            "id": id,
            "status": reply.status.as_u16(),
            "headers": headers,
        });
        if !reply.body.is_empty() {
            response["body"] = serde_json::from_slice(&reply.body)
                .unwrap_or_else(|_| String::from_utf8_lossy(&reply.body).into());
        }
        if !reply.status.is_success() {
            self.failed.insert(id);
        }
        self.responses.push(response);
    }

    /// The vendor promises no order, so the last comes first.
    pub(crate) fn reply(mut self) -> Reply {
        self.responses.reverse();
        Reply::json(200, &json!({"responses": self.responses}))
    }
}

fn split(call: &Call) -> Result<Vec<Member>, &'static str> {
    let batch: Batch = serde_json::from_slice(&call.body).map_err(|_| "not a batch")?;
    if batch.requests.is_empty() || batch.requests.len() > MOST {
        return Err("a batch has 1 to 20 requests");
    }
    let mut seen = HashSet::new();
    let mut members = Vec::new();
    for request in batch.requests {
        let known = |id: &String| seen.contains(&id.to_lowercase());
        if !request.depends_on.iter().all(known) {
            return Err("dependsOn names what came before");
        }
        if request.id.is_empty() || !seen.insert(request.id.to_lowercase()) {
            return Err("each request has an id of its own");
        }
        members.push(member(request, call)?);
    }
    Ok(members)
}

fn member(request: Request, outer: &Call) -> Result<Member, &'static str> {
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| "unknown method")?;
    let url = request.url.strip_prefix('/').unwrap_or(&request.url);
    if url.contains("://") {
        return Err("url is relative to the version");
    }
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "malformed header")?;
        let value = HeaderValue::from_str(value.as_str().unwrap_or_default());
        headers.insert(name, value.map_err(|_| "malformed header")?);
    }
    if request.body.is_some() && !headers.contains_key("content-type") {
        return Err("a body needs the header Content-Type");
    }
    for name in ["authorization", "user-agent"] {
        if let Some(value) = outer.headers.get(name) {
            headers.insert(HeaderName::from_static(name), value.clone());
        }
    }
    let segments = ["graph", "v1.0"].into_iter().chain(path.split('/'));
    Ok(Member {
        id: request.id,
        depends_on: request.depends_on,
        call: Call {
            vendor: outer.vendor,
            method,
            segments: segments.map(str::to_owned).collect(),
            query: pairs(query),
            headers,
            body: request
                .body
                .map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
        },
    })
}

/// Header names inside of a batch are printed as people write them.
fn header_case(name: &HeaderName) -> String {
    let words = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{}{rest}", first.to_uppercase())
    });
    words.collect::<Vec<_>>().join("-")
}
