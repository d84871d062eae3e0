//! The users, and what may be asked of them.

use serde_json::{Map, Value, json};

use super::{Settings, filter::Filter, refusal, reply};
use crate::{
    clock::seconds,
    faults::FaultKind,
    request::{Call, Context, Reply, decode},
    rng::Rng,
    scenario::{Cast, Member, Part},
};

/// The most users on a page.
pub(crate) const MOST: usize = 100;
/// Users on a page where nothing was said.
const DEFAULT: usize = 20;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub(crate) struct Users {
    records: Vec<Record>,
}

struct Record {
    id: String,
    email: String,
    name: String,
    created: String,
    department: &'static str,
    number: usize,
    active: bool,
    /// The only administrator: the service provider lets nobody change it by SCIM.
    owner: bool,
    version: u32,
    /// How many more reads show the other state.
    stale: u32,
}

impl Users {
    pub(crate) fn new(cast: &Cast, rng: &mut Rng) -> Self {
        let departments = ["Sales", "IT", "Finance"];
        let record = |(number, member): (usize, &Member)| Record {
            id: format!("{}-{}", rng.hex(8), rng.hex(8)),
            email: member.email.clone(),
            name: member.name.clone(),
            created: seconds(member.joined),
            department: departments[number % departments.len()],
            number: number + 1,
            active: member.part != Part::Leaver,
            owner: member.part == Part::Owner,
            version: 1,
            stale: 0,
        };
        Self {
            records: cast.members.iter().enumerate().map(record).collect(),
        }
    }

    pub(crate) fn id_of(&self, email: &str) -> Option<String> {
        let mut records = self.records.iter();
        let found = records.find(|record| record.email.eq_ignore_ascii_case(email))?;
        Some(found.id.clone())
    }

    pub(crate) fn delete(&mut self, id: &str) -> Option<&'static str> {
        let place = self.records.iter().position(|record| record.id == id)?;
        Some(self.records.remove(place).word())
    }

    pub(crate) fn snapshot(&self) -> Vec<Value> {
        let shown = |record: &Record| json!({ "id": record.id, "email": record.email, "active": record.active });
        self.records.iter().map(shown).collect()
    }

    pub(crate) fn list(&mut self, settings: &Settings, call: &Call, cx: &mut Context) -> Reply {
        let mut filter = None;
        let (mut start, mut count) = (1, DEFAULT);
        for (name, value) in &call.query {
            match name.as_str() {
                "filter" => {
                    filter = Filter::parse(value);
                    if filter.is_none() {
                        cx.violate("scim_filter", "not a filter of this service provider");
                        return refusal(400, "invalidFilter", "The filter is not understood.");
                    }
                }
                // Less than 1 counts as 1 (RFC 7644 section 3.4.2.4).
                "startIndex" => match value.parse::<i64>() {
                    Ok(index) => start = usize::try_from(index).unwrap_or(1).max(1),
                    Err(_) => return invalid(cx, "startIndex"),
                },
                "count" => match value.parse::<i64>() {
                    Ok(number) => count = usize::try_from(number).unwrap_or(0).min(MOST),
                    Err(_) => return invalid(cx, "count"),
                },
                _ => return invalid(cx, "unknown parameter"),
            }
        }
        if settings.ignores_start {
            start = 1;
        }
        for record in &mut self.records {
            record.stale = record.stale.saturating_sub(1);
        }
        let wanted: Vec<&Record> = self
            .records
            .iter()
            .filter(|record| filter.as_ref().is_none_or(|filter| record.fits(filter)))
            .collect();
        let page = wanted.iter().skip(start - 1).take(count);
        let resources: Vec<Value> = page.map(|record| record.shown(settings)).collect();
        let mut body = json!({
            "schemas": [LIST],
            "totalResults": wanted.len(),
            "startIndex": start,
            "itemsPerPage": resources.len(),
        });
        if !resources.is_empty() {
            body["Resources"] = Value::Array(resources);
        }
        reply(200, &body)
    }

    pub(crate) fn get(&mut self, settings: &Settings, call: &Call, _cx: &mut Context) -> Reply {
        let Some(record) = self.find(call) else {
            return not_found();
        };
        let shown = record.shown(settings);
        record.stale = record.stale.saturating_sub(1);
        reply(200, &shown)
    }

    pub(crate) fn patch(&mut self, settings: &Settings, call: &Call, cx: &mut Context) -> Reply {
        if !call.content_type_is(super::MEDIA_TYPE) {
            cx.violate("scim_content_type", "a change is application/scim+json");
            return refusal(415, "", "Unsupported media type.");
        }
        let if_match = call.header("if-match").map(str::to_owned);
        let Some(record) = self.find(call) else {
            return not_found();
        };
        let value = match active_of(call, settings) {
            Ok(value) => value,
            Err((rule, word)) => {
                cx.violate(rule, "not a change of `active` as the standard writes it");
                return refusal(400, word, "The change is not understood.");
            }
        };
        if settings.versions {
            match if_match {
                None => cx.violate(
                    "scim_if_match",
                    "a change names the version it was made for",
                ),
                Some(version) if version != record.version() => {
                    return refusal(412, "", "The resource has another version.");
                }
                Some(_) => {}
            }
        }
        if record.owner {
            return refusal(
                400,
                "mutability",
                "The only administrator is changed by hand.",
            );
        }
        let active = match (&value, settings.active_as_text) {
            (Value::Bool(active), false) => Some(*active),
            // Answered as if it had been taken.
            (Value::Bool(_), true) => None,
            (Value::String(text), true) if text.eq_ignore_ascii_case("true") => Some(true),
            (Value::String(text), true) if text.eq_ignore_ascii_case("false") => Some(false),
            _ => {
                cx.violate("scim_active", "`active` is no boolean");
                return refusal(400, "invalidValue", "`active` is a boolean.");
            }
        };
        if let Some(active) = active.filter(|active| *active != record.active) {
            let from = record.word();
            record.active = active;
            record.version += 1;
            record.stale = cx
                .struck
                .get(FaultKind::StaleReads)
                .map_or(0, |it| it.reads);
            cx.change("user", &record.id, from, record.word());
        }
        if settings.no_content {
            return Reply::empty(204);
        }
        reply(200, &record.shown(settings))
    }

    fn find(&mut self, call: &Call) -> Option<&mut Record> {
        let id = call.segments.get(2).and_then(|id| decode(id))?;
        self.records.iter_mut().find(|record| record.id == id)
    }
}

impl Record {
    fn word(&self) -> &'static str {
        if self.active { "active" } else { "inactive" }
    }

    fn version(&self) -> String {
        format!("W/\"{}\"", self.version)
    }

    fn fits(&self, filter: &Filter) -> bool {
        let is = |own: &str, exactly: bool| {
            filter.value.as_str().is_some_and(|wanted| {
                own == wanted || (!exactly && own.eq_ignore_ascii_case(wanted))
            })
        };
        match filter.attribute.as_str() {
            "active" => filter.value.as_bool() == Some(self.active),
            "id" => is(&self.id, true),
            "externalid" => is(&format!("E{}", self.number), true),
            _ => is(&self.email, false),
        }
    }

    fn shown(&self, settings: &Settings) -> Value {
        let active = self.active ^ (self.stale > 0);
        let (given, family) = self.name.split_once(' ').unwrap_or((&self.name, ""));
        let mut meta = Map::new();
        meta.insert("resourceType".to_owned(), "User".into());
        meta.insert("created".to_owned(), self.created.clone().into());
        if settings.versions {
            meta.insert("version".to_owned(), self.version().into());
        }
        json!({
            "schemas": [USER, ENTERPRISE],
            "id": self.id,
            "externalId": format!("E{}", self.number),
            "userName": self.email,
            "name": { "givenName": given, "familyName": family, "formatted": self.name },
            "displayName": self.name,
            "emails": [
                { "value": format!("private-{}@home.example", self.number), "type": "home" },
                { "value": self.email, "type": "work", "primary": true },
            ],
            "active": if settings.shows_text { json!(if active { "True" } else { "False" }) } else { json!(active) },
            "userType": "Employee",
            ENTERPRISE: { "employeeNumber": self.number.to_string(), "department": self.department },
            "meta": meta,
        })
    }
}

/// The value that one operation gives to `active`.
fn active_of(call: &Call, settings: &Settings) -> Result<Value, (&'static str, &'static str)> {
    let syntax = ("scim_patch_syntax", "invalidSyntax");
    let Some(Value::Object(body)) = call.json() else {
        return Err(syntax);
    };
    if body.len() != 2 || body.get("schemas") != Some(&json!([PATCH])) {
        return Err(syntax);
    }
    let operations = body.get("Operations").and_then(Value::as_array);
    let [operation] = operations.map(Vec::as_slice).unwrap_or_default() else {
        return Err(syntax);
    };
    if operation.get("op") != Some(&json!("replace")) {
        return Err(("scim_patch_op", "invalidSyntax"));
    }
    let value = operation
        .get("value")
        .ok_or(("scim_patch_value", "invalidValue"))?;
    match operation.get("path") {
        Some(_) if settings.no_path => Err(("scim_patch_path", "invalidPath")),
        Some(path) if path == &json!("active") => Ok(value.clone()),
        Some(_) => Err(("scim_patch_path", "invalidPath")),
        None => value
            .get("active")
            .cloned()
            .ok_or(("scim_patch_value", "noTarget")),
    }
}

fn invalid(cx: &mut Context, what: &'static str) -> Reply {
    cx.violate("scim_query", what);
    refusal(400, "invalidValue", "A parameter is not understood.")
}

fn not_found() -> Reply {
    refusal(404, "", "Resource not found.")
}
