//! Collections page by page behind `@odata.nextLink`.

use std::fmt::Write as _;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::Ask,
    query::Options,
};
use crate::{
    faults::FaultKind,
    request::{Context, Reply},
    token::Sealer,
};

/// Where the link of a page leads under the fault of that name.
const ELSEWHERE: &str = "https://elsewhere.invalid/m365/graph";

/// Rows by their place; a place may be empty.
pub(crate) struct Rows<'a> {
    pub(crate) len: usize,
    pub(crate) at: Box<dyn Fn(usize) -> Option<Value> + 'a>,
    /// Names that `$select` may hold; those of the rows where absent.
    pub(crate) properties: Option<&'static [&'static str]>,
}

/// What a `$skiptoken` holds: it is good only for the request it was made for.
#[derive(Serialize, Deserialize)]
struct Place {
    request: String,
    at: usize,
}

/// The rows of a page and where the next begins.
struct Cut {
    rows: Vec<Value>,
    next: Option<usize>,
}

impl<'a> Rows<'a> {
    pub(crate) fn of(rows: Vec<&'a Value>) -> Self {
        Self {
            len: rows.len(),
            at: Box::new(move |place| rows.get(place).map(|row| (*row).clone())),
            properties: None,
        }
    }

    pub(crate) fn made(rows: Vec<Value>) -> Self {
        Self {
            len: rows.len(),
            at: Box::new(move |place| rows.get(place).cloned()),
            properties: None,
        }
    }

    fn has(&self, name: &str) -> bool {
        match self.properties {
            Some(properties) => properties.contains(&name),
            // Nothing can be told from an empty collection.
            None if self.len == 0 => true,
            None => {
                (0..self.len).any(|at| (self.at)(at).is_some_and(|row| row.get(name).is_some()))
            }
        }
    }

    /// In the order that was asked for.
    fn sorted(self, options: &Options) -> Self {
        let Some((property, descending)) = &options.order else {
            return self;
        };
        let mut rows: Vec<Value> = (0..self.len).filter_map(&self.at).collect();
        rows.sort_by_cached_key(|row| row.get(property).map(Value::to_string));
        if *descending {
            rows.reverse();
        }
        let properties = self.properties;
        Self {
            properties,
            ..Rows::made(rows)
        }
    }

    fn matching(&self, at: usize, options: &Options) -> Option<Value> {
        let row = (self.at)(at)?;
        let wanted = options.filter.as_ref().is_none_or(|it| it.holds(&row));
        wanted.then_some(row)
    }

    fn cut(&self, from: usize, size: usize, options: &Options) -> Cut {
        let mut rows = Vec::new();
        for at in from..self.len {
            let Some(row) = self.matching(at, options) else {
                continue;
            };
            if rows.len() == size {
                return Cut {
                    rows,
                    next: Some(at),
                };
            }
            rows.push(row);
        }
        Cut { rows, next: None }
    }

    fn count(&self, options: &Options) -> usize {
        (0..self.len)
            .filter(|at| self.matching(*at, options).is_some())
            .count()
    }
}

impl Graph {
    /// The page of these rows that the request asks for.
    pub(super) fn page(&self, ask: &Ask<'_>, rows: Rows<'_>, cx: &mut Context) -> Answer {
        let query = ask.operation.query();
        ask.options.check_select(|name| rows.has(name), cx)?;
        let from = self.begin(ask, cx)?;
        let rows = rows.sorted(&ask.options);
        let size = match ask.options.top {
            Some(top) => top,
            None if query.paged() => query.page,
            None => usize::MAX,
        };
        let mut cut = rows.cut(from, size, &ask.options);
        bend(&rows, from, &mut cut, &ask.options, cx);
        let values: Vec<Value> = cut
            .rows
            .into_iter()
            .map(|row| ask.options.shown(row, query.defaults))
            .collect();
        let mut body = json!({"@odata.context": self.context(ask)});
        if ask.options.count && ask.options.skip_token.is_none() {
            body["@odata.count"] = Value::from(rows.count(&ask.options));
        }
        if let Some(next) = cut.next {
            body["@odata.nextLink"] = Value::from(self.next_link(ask, next, cx));
        }
        body["value"] = Value::Array(values);
        Ok(Reply::json(200, &body))
    }

    /// The number of rows alone, as text.
    pub(super) fn counted(ask: &Ask<'_>, rows: &Rows<'_>) -> Reply {
        Reply::text(200, rows.count(&ask.options).to_string())
    }

    pub(super) fn context(&self, ask: &Ask<'_>) -> String {
        let path = ask.call.segments.get(2..).unwrap_or_default().join("/");
        let selected = match &ask.options.select {
            Some(names) => format!("({})", names.join(",")),
            None => String::new(),
        };
        format!("{}/v1.0/$metadata#{path}{selected}", self.root)
    }

    fn begin(&self, ask: &Ask<'_>, cx: &mut Context) -> Result<usize, Refusal> {
        let Some(token) = &ask.options.skip_token else {
            return Ok(ask.options.skip);
        };
        if cx.struck.has(FaultKind::PageTokenExpired) {
            let message = "The specified page token value has expired.";
            return Err(Refusal::new(400, "Directory_ExpiredPageToken", message));
        }
        match self.sealer.open::<Place>("graph page", token) {
            Some(place) if place.request == request(ask) => Ok(place.at),
            Some(_) => {
                cx.violate("page_token_reused", "a next link is followed as it is");
                Err(Refusal::bad_request(
                    "The page token does not fit the request.",
                ))
            }
            None => {
                cx.violate("page_token_unknown", "not a page token, or not encoded");
                Err(Refusal::bad_request("Invalid page token."))
            }
        }
    }

    fn next_link(&self, ask: &Ask<'_>, at: usize, cx: &Context) -> String {
        let root = if cx.struck.has(FaultKind::NextLinkElsewhere) {
            ELSEWHERE
        } else {
            &self.root
        };
        link(
            root,
            ask,
            "$skiptoken",
            &self.sealer,
            &Place {
                request: request(ask),
                at,
            },
        )
    }
}

/// A link to the same request with a token for its place.
pub(super) fn link(
    root: &str,
    ask: &Ask<'_>,
    name: &str,
    sealer: &Sealer,
    place: &impl Serialize,
) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let path = ask.call.segments.get(1..).unwrap_or_default().join("/");
    let mut link = format!("{root}/{path}?");
    for (name, value) in &ask.options.kept {
        // Writing to a String cannot fail.
        let _ = write!(link, "{name}={}&", encoded(value));
    }
    let token = sealer.seal("graph page", place);
    format!("{link}{name}={}", encoded(&token))
}

/// Path and options, without the place.
pub(super) fn request(ask: &Ask<'_>) -> String {
    let path = ask.call.segments.join("/");
    let options: Vec<String> = ask
        .options
        .kept
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{path}?{}", options.join("&"))
}

/// What faults do to a page.
fn bend(rows: &Rows<'_>, from: usize, cut: &mut Cut, options: &Options, cx: &Context) {
    let before = || (0..from).rev().find_map(|at| rows.matching(at, options));
    if cx.struck.has(FaultKind::DuplicateItems)
        && let Some(before) = before()
    {
        cut.rows.insert(0, before);
    }
    if cx.struck.has(FaultKind::MissingItems) && cut.next.is_some() {
        cut.rows.pop();
    }
    if cx.struck.has(FaultKind::EmptyPage) {
        cut.rows.clear();
        cut.next = Some(from);
    }
    if cx.struck.has(FaultKind::RepeatedPage) {
        cut.next = Some(from);
    }
}
