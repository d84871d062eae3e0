//! Lists page by page, behind page tokens that are good for three days.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{Google, error::Refusal, operation::Ask};
use crate::{
    clock::later,
    faults::FaultKind,
    request::{Context, Reply},
};

/// How long a page token is good (`users.list`, "valid 3 days").
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(72);

/// What a page token holds: it is good only for the request it was made for.
#[derive(Serialize, Deserialize)]
struct Place<P> {
    request: String,
    at: P,
    since: i64,
}

/// The rows of a page and where the next begins.
pub(crate) struct Cut<P> {
    pub(crate) rows: Vec<Value>,
    pub(crate) next: Option<P>,
}

/// How a list is called.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub(crate) kind: Option<&'static str>,
    pub(crate) list: &'static str,
}

impl Cut<usize> {
    /// The rows from `from` on; a place may be empty.
    pub(crate) fn of(
        from: usize,
        size: usize,
        len: usize,
        row: &dyn Fn(usize) -> Option<Value>,
    ) -> Self {
        let mut rows = Vec::new();
        for at in from..len {
            let Some(found) = row(at) else { continue };
            if rows.len() == size {
                return Self {
                    rows,
                    next: Some(at),
                };
            }
            rows.push(found);
        }
        Self { rows, next: None }
    }
}

impl<P: Clone> Cut<P> {
    /// What faults do to a page that begins at `here`, after `before`.
    pub(crate) fn bend(&mut self, here: &P, before: Option<Value>, cx: &Context) {
        if cx.struck.has(FaultKind::DuplicateItems)
            && let Some(before) = before
        {
            self.rows.insert(0, before);
        }
        if cx.struck.has(FaultKind::MissingItems) && self.next.is_some() {
            self.rows.pop();
        }
        if cx.struck.has(FaultKind::EmptyPage) || cx.struck.has(FaultKind::ItemsAbsent) {
            self.rows.clear();
            self.next = Some(here.clone());
        }
        if cx.struck.has(FaultKind::RepeatedPage) {
            self.next = Some(here.clone());
        }
    }
}

impl Google {
    /// Where the page begins that is asked for; `None` at the beginning.
    pub(super) fn begin<P: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        cx: &mut Context,
    ) -> Result<Option<P>, Refusal> {
        let Some(token) = ask.parameter("pageToken") else {
            return Ok(None);
        };
        let refused = || Err(Refusal::invalid("Invalid Input: pageToken"));
        if cx.struck.has(FaultKind::PageTokenExpired) {
            return refused();
        }
        let Some(place) = self.sealer.open::<Place<P>>("google page", token) else {
            cx.violate("page_token_unknown", "not a page token, or not encoded");
            return refused();
        };
        if place.request != ask.request() {
            cx.violate(
                "page_token_reused",
                "every other parameter stays from page to page",
            );
            return refused();
        }
        let ends = jiff::Timestamp::from_second(place.since)
            .map(|since| later(since, TOKEN_LIFE))
            .unwrap_or_default();
        if ends <= cx.now {
            return refused();
        }
        Ok(Some(place.at))
    }

    /// A page of rows by their number.
    pub(super) fn page(
        &self,
        ask: &Ask<'_>,
        (named, size, len): (Named, usize, usize),
        row: &dyn Fn(usize) -> Option<Value>,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let from = self.begin(ask, cx)?.unwrap_or(0);
        let mut cut = Cut::of(from, size, len, row);
        cut.bend(&from, (0..from).rev().find_map(row), cx);
        Ok(self.listed(ask, named, cut, cx))
    }

    /// A list as it is answered: absent where it is empty.
    pub(super) fn listed<P: Serialize>(
        &self,
        ask: &Ask<'_>,
        named: Named,
        cut: Cut<P>,
        cx: &Context,
    ) -> Reply {
        let mut body = json!({});
        if let Some(kind) = named.kind {
            body["kind"] = Value::from(kind);
            body["etag"] = Value::from(format!("\"{}\"", self.etag(&ask.request())));
        }
        if let Some(at) = cut.next {
            let place = Place {
                request: ask.request(),
                at,
                since: cx.now.as_second(),
            };
            body["nextPageToken"] = Value::from(self.sealer.seal("google page", &place));
        }
        if !cut.rows.is_empty() || cx.struck.has(FaultKind::EmptyPage) {
            body[named.list] = Value::Array(cut.rows);
        }
        Reply::json(200, &body)
    }
}
