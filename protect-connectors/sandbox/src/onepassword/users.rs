//! The Users API: list, get, suspend, reactivate (1password.dev/users-api/reference).

use std::collections::HashMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::rpc_status;
use crate::{
    clock::seconds,
    faults::FaultKind,
    request::{Call, Context, Reply, decode},
    scenario::{Cast, Part},
    token::Sealer,
};

const DEFAULT_SIZE: usize = 25;
const LARGEST_SIZE: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum State {
    #[serde(rename = "ACTIVE")]
    Active,
    #[serde(rename = "SUSPENDED")]
    Suspended,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) display_name: String,
    pub(crate) state: State,
    pub(crate) create_time: String,
    pub(crate) owner: bool,
    pub(crate) externally_managed: bool,
    #[serde(skip)]
    stale: Option<(State, u32)>,
}

/// What a human, or a test, may change behind the API's back.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    pub(crate) state: Option<State>,
    pub(crate) email: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) owner: Option<bool>,
    pub(crate) externally_managed: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
enum Filter {
    All,
    Active,
    Suspended,
}

/// What a page token holds: it is good only for the filter and the size it was made for.
#[derive(Serialize, Deserialize)]
struct Place {
    filter: Filter,
    size: usize,
    page: usize,
}

pub(crate) struct Users {
    account: String,
    records: Vec<Record>,
    index: HashMap<String, usize>,
    sealer: Sealer,
    /// Pages as bytes, for each filter and size; emptied when anything changes.
    rendered: HashMap<(Filter, usize), Vec<Bytes>>,
}

impl Users {
    pub(crate) fn new(cast: &Cast, account: &str, sealer: Sealer) -> Self {
        let records: Vec<Record> = cast
            .members
            .iter()
            .map(|member| Record {
                id: member.id.clone(),
                email: member.email.clone(),
                display_name: member.name.clone(),
                state: if member.part == Part::Leaver {
                    State::Suspended
                } else {
                    State::Active
                },
                create_time: seconds(member.joined),
                owner: member.part == Part::Owner,
                externally_managed: member.part == Part::ExternalAdmin,
                stale: None,
            })
            .collect();
        let index = records
            .iter()
            .enumerate()
            .map(|(place, record)| (record.id.clone(), place))
            .collect();
        Self {
            account: account.to_owned(),
            records,
            index,
            sealer,
            rendered: HashMap::new(),
        }
    }

    pub(crate) fn records(&self) -> &[Record] {
        &self.records
    }

    /// Renders every page of the unfiltered list with this size ahead of the first request.
    pub(crate) fn prerender(&mut self, size: usize) {
        let size = size.clamp(1, LARGEST_SIZE);
        let pages = self.render(Filter::All, size);
        self.rendered.insert((Filter::All, size), pages);
    }

    pub(crate) fn list(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let (filter, size, page) = match self.place(call, cx) {
            Ok(place) => place,
            Err(reply) => return reply,
        };
        let repeats = cx.struck.has(FaultKind::DuplicateItems);
        let omits = cx.struck.has(FaultKind::MissingItems);
        let stale = self.records.iter().any(|record| record.stale.is_some());
        if repeats || omits || stale {
            let body = self.live_page(filter, size, page, repeats, omits);
            return Reply::json(200, &body);
        }
        if !self.rendered.contains_key(&(filter, size)) {
            let pages = self.render(filter, size);
            self.rendered.insert((filter, size), pages);
        }
        let pages = self.rendered.get(&(filter, size));
        match pages.and_then(|pages| pages.get(page)) {
            Some(body) => Reply::rendered(200, body.clone()),
            // A page that emptied since its token was made.
            None => Reply::json(200, &json!({"results": []})),
        }
    }

    pub(crate) fn get(&mut self, call: &Call, cx: &mut Context) -> Reply {
        match self.find(call, cx) {
            Ok(place) => {
                let state = self.seen(place);
                Reply::json(200, &self.shown(&self.records[place], state))
            }
            Err(reply) => reply,
        }
    }

    pub(crate) fn suspend(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let place = match self.find(call, cx) {
            Ok(place) => place,
            Err(reply) => return reply,
        };
        let user = &self.records[place];
        if user.externally_managed {
            return rpc_status(403, "externally_managed_user");
        }
        let owners = |record: &&Record| record.owner && record.state == State::Active;
        if user.owner && self.records.iter().filter(owners).count() <= 1 {
            return rpc_status(403, "no_owner_remain");
        }
        self.move_to(place, State::Suspended, cx)
    }

    pub(crate) fn reactivate(&mut self, call: &Call, cx: &mut Context) -> Reply {
        match self.find(call, cx) {
            Ok(place) => self.move_to(place, State::Active, cx),
            Err(reply) => reply,
        }
    }

    /// Returns the states before and after, or `None` for an unknown user.
    pub(crate) fn edit(&mut self, id: &str, change: UserChange) -> Option<(String, String)> {
        let place = *self.index.get(id)?;
        let user = &mut self.records[place];
        let before = user.state;
        user.state = change.state.unwrap_or(user.state);
        user.owner = change.owner.unwrap_or(user.owner);
        user.externally_managed = change.externally_managed.unwrap_or(user.externally_managed);
        if let Some(email) = change.email {
            user.email = email;
        }
        if let Some(name) = change.display_name {
            user.display_name = name;
        }
        let after = user.state;
        self.rendered.clear();
        Some((before.word().to_owned(), after.word().to_owned()))
    }

    fn move_to(&mut self, place: usize, to: State, cx: &mut Context) -> Reply {
        let user = &mut self.records[place];
        let from = user.state;
        if from != to {
            user.state = to;
            cx.change("user", &user.id, from.word(), to.word());
            let stale = cx.struck.get(FaultKind::StaleReads);
            user.stale = stale.map(|fault| (from, fault.reads));
            self.rendered.clear();
        }
        Reply::json(200, &self.shown(&self.records[place], to))
    }

    /// The state a read sees; a stale one wears off read by read.
    fn seen(&mut self, place: usize) -> State {
        let user = &mut self.records[place];
        match user.stale {
            Some((old, left)) if left > 0 => {
                user.stale = (left > 1).then_some((old, left - 1));
                old
            }
            _ => {
                user.stale = None;
                user.state
            }
        }
    }

    fn find(&self, call: &Call, cx: &mut Context) -> Result<usize, Reply> {
        let segment = call.segments.get(5).map_or("", String::as_str);
        let id = segment.split(':').next().unwrap_or_default();
        let id = decode(id).unwrap_or_default();
        if id.len() != 26
            || !id
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        {
            cx.violate("user_id_malformed", "a user id is 26 upper-case characters");
            return Err(rpc_status(400, "invalid user id"));
        }
        let place = self.index.get(&id).copied();
        place.ok_or_else(|| rpc_status(404, "user not found"))
    }

    fn place(&self, call: &Call, cx: &mut Context) -> Result<(Filter, usize, usize), Reply> {
        let mut filter = Filter::All;
        let mut size = DEFAULT_SIZE;
        let mut token = "";
        for (name, value) in &call.query {
            match name.as_str() {
                "filter" => filter = parse_filter(value, cx)?,
                "max_page_size" => size = parse_size(value, cx)?,
                "page_token" => token = value,
                _ => {
                    cx.violate("unknown_query", "not a parameter of ListUsers");
                    return Err(rpc_status(400, "unknown query parameter"));
                }
            }
        }
        if token.is_empty() {
            return Ok((filter, size, 0));
        }
        if cx.struck.has(FaultKind::PageTokenExpired) {
            return Err(rpc_status(400, "page token expired"));
        }
        match self.sealer.open::<Place>("users", token) {
            Some(place) if place.filter == filter && place.size == size => {
                Ok((filter, size, place.page))
            }
            Some(_) => {
                cx.violate("page_token_reused", "filter and size must stay the same");
                Err(rpc_status(400, "page token does not match the request"))
            }
            None => {
                cx.violate("page_token_unknown", "not a page token, or not encoded");
                Err(rpc_status(400, "invalid page token"))
            }
        }
    }

    fn render(&self, filter: Filter, size: usize) -> Vec<Bytes> {
        let wanted: Vec<&Record> = self
            .records
            .iter()
            .filter(|record| filter.lets(record.state))
            .collect();
        let pages = wanted.len().div_ceil(size).max(1);
        (0..pages)
            .map(|page| {
                let rows = wanted.iter().skip(page * size).take(size);
                let results = rows
                    .map(|record| self.shown(record, record.state))
                    .collect();
                let body = self.envelope(results, filter, size, page, page + 1 < pages);
                Bytes::from(body.to_string())
            })
            .collect()
    }

    fn live_page(
        &mut self,
        filter: Filter,
        size: usize,
        page: usize,
        repeats: bool,
        omits: bool,
    ) -> Value {
        let seen: Vec<State> = (0..self.records.len())
            .map(|place| self.seen(place))
            .collect();
        let wanted: Vec<usize> = (0..seen.len())
            .filter(|place| filter.lets(seen[*place]))
            .collect();
        let first = (page * size).saturating_sub(usize::from(repeats));
        let last = ((page + 1) * size).min(wanted.len());
        let more = last < wanted.len();
        let last = last.saturating_sub(usize::from(omits && more));
        let rows = wanted.get(first.min(last)..last).unwrap_or_default();
        let results = rows
            .iter()
            .map(|place| self.shown(&self.records[*place], seen[*place]))
            .collect();
        self.envelope(results, filter, size, page, more)
    }

    fn envelope(
        &self,
        results: Vec<Value>,
        filter: Filter,
        size: usize,
        page: usize,
        more: bool,
    ) -> Value {
        let mut body = json!({});
        body["results"] = Value::Array(results);
        if more {
            let place = Place {
                filter,
                size,
                page: page + 1,
            };
            body["next_page_token"] = Value::from(self.sealer.seal("users", &place));
        }
        body
    }

    fn shown(&self, user: &Record, state: State) -> Value {
        json!({
            "id": user.id,
            "email": user.email,
            "display_name": user.display_name,
            "state": state,
            "create_time": user.create_time,
            "path": format!("accounts/{}/users/{}", self.account, user.id),
        })
    }
}

impl UserChange {
    pub(crate) fn to_suspended(suspended: bool) -> Self {
        let state = if suspended {
            State::Suspended
        } else {
            State::Active
        };
        Self {
            state: Some(state),
            ..Self::default()
        }
    }
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
        }
    }
}

impl Filter {
    fn lets(self, state: State) -> bool {
        match self {
            Self::All => true,
            Self::Active => state == State::Active,
            Self::Suspended => state == State::Suspended,
        }
    }
}

fn parse_filter(text: &str, cx: &mut Context) -> Result<Filter, Reply> {
    match text {
        "" => Ok(Filter::All),
        "user.isActive()" => Ok(Filter::Active),
        "user.isSuspended()" => Ok(Filter::Suspended),
        _ => {
            cx.violate("filter_unknown", "only two filters exist");
            Err(rpc_status(400, "InvalidArgument: filter"))
        }
    }
}

fn parse_size(text: &str, cx: &mut Context) -> Result<usize, Reply> {
    match text.parse::<usize>() {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) if size <= LARGEST_SIZE => Ok(size),
        _ => {
            cx.violate("page_size", "max_page_size is a number up to 1000");
            Err(rpc_status(400, "InvalidArgument: max_page_size"))
        }
    }
}
