//! Legal: publishes policies and holds the record of who acknowledged them.

use std::fmt::Write as _;
use std::net::IpAddr;

use axum::http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::body::{self, Rule};
use super::{Endpoint, OneStack, Refusal};
use crate::request::{Call, Context, Reply, Route, changes, decode, reads};

/// In the order in which a policy goes through them.
const STATES: &[&str] = &[
    "draft",
    "internal_review",
    "client_review",
    "final_approval",
    "published",
    "superseded",
    "archived",
];

/// One version of a policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Policy {
    id: String,
    title: String,
    version: String,
    status: String,
    effective_date: Date,
    requires_acknowledgment: bool,
    due_date: Option<Date>,
    content_html: String,
}

/// What is published unless a test says otherwise: one that everybody acknowledges, one that nobody must,
/// and a draft that nobody outside sees.
pub(super) fn standard() -> Vec<Policy> {
    let policy = |id: &str, title: &str, status: &str, requires_acknowledgment| Policy {
        id: id.to_owned(),
        title: title.to_owned(),
        version: "1.0".to_owned(),
        status: status.to_owned(),
        effective_date: Date::constant(2026, 1, 1),
        requires_acknowledgment,
        due_date: None,
        content_html: format!("<h1>{title}</h1><p>Keep to it.</p>"),
    };
    vec![
        policy("pol-use", "Acceptable use", "published", true),
        policy("pol-travel", "Travel", "published", false),
        policy("pol-remote", "Remote work", "draft", true),
    ]
}

pub(super) fn route(method: &Method, rest: &[&str]) -> Option<Route<Endpoint>> {
    use Endpoint as E;
    match (method, rest) {
        (&Method::GET, ["policies"]) => reads(E::ListPolicies, "/legal/api/people/policies"),
        (&Method::GET, ["policies", _]) => reads(E::GetPolicy, "/legal/api/people/policies/{id}"),
        (&Method::GET, ["acknowledgments"]) => {
            reads(E::ListAcknowledgments, "/legal/api/people/acknowledgments")
        }
        (&Method::POST, ["acknowledgments"]) => {
            changes(E::Acknowledge, "/legal/api/people/acknowledgments")
        }
        _ => None,
    }
}

impl OneStack {
    pub(super) fn list_policies(&self, organisation: &str, call: &Call) -> Result<Reply, Refusal> {
        let query = Query::of(call, organisation, &["status", "page", "limit"])?;
        let status = query.get("status");
        if status.is_some_and(|status| !STATES.contains(&status)) {
            return Err(Refusal::field("status", "Not a status of policies"));
        }
        let fits = |policy: &&Policy| status.is_none_or(|status| policy.status == status);
        let shown = self.policies.iter().filter(fits).map(|it| {
            json!({
                "id": it.id, "title": it.title, "version": it.version, "status": it.status,
                "effective_date": it.effective_date,
                "requires_acknowledgment": it.requires_acknowledgment,
                "due_date": it.due_date, "undocumented": {"since": 1},
            })
        });
        let shown: Vec<Value> = shown.collect();
        let total = shown.len();
        Ok(Reply::json(
            200,
            &json!({"policies": shown, "total": total}),
        ))
    }

    pub(super) fn get_policy(&self, organisation: &str, call: &Call) -> Result<Reply, Refusal> {
        let query = Query::of(call, organisation, &["version"])?;
        let part = call.segments.get(4).map(String::as_str);
        let id = part.and_then(decode).unwrap_or_default();
        let version = query
            .get("version")
            .ok_or_else(|| Refusal::field("version", "Required"))?;
        let mut policies = self.policies.iter();
        let policy = policies
            .find(|it| it.id == id && it.version == version && is_public(it))
            .ok_or_else(|| Refusal::plain(404))?;
        let digest = Sha256::digest(policy.content_html.as_bytes());
        let digest = digest.iter().fold(String::new(), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Reply::json(
            200,
            &json!({
                "id": policy.id, "version": policy.version, "title": policy.title,
                "content_html": policy.content_html, "content_sha256": digest,
            }),
        ))
    }

    pub(super) fn list_acknowledgments(
        &self,
        organisation: &str,
        call: &Call,
        cx: &Context,
    ) -> Result<Reply, Refusal> {
        let query = Query::of(call, organisation, &["employeeId", "page", "limit"])?;
        let employee = query
            .get("employeeId")
            .ok_or_else(|| Refusal::field("employeeId", "Required"))?;
        let today = cx.now.to_zoned(TimeZone::UTC).date();
        let asked = self.policies.iter();
        let asked = asked.filter(|it| it.status == "published" && it.requires_acknowledgment);
        let shown = asked.map(|policy| {
            let done = self.acknowledged(organisation, employee, policy);
            let status = match (done.is_some(), policy.due_date) {
                (true, _) => "acknowledged",
                (false, Some(due)) if today > due => "overdue",
                (false, _) => "pending",
            };
            json!({
                "policy_id": policy.id, "version": policy.version, "status": status,
                "due_date": policy.due_date, "acknowledged_at": done,
            })
        });
        let shown: Vec<Value> = shown.collect();
        let total = shown.len();
        Ok(Reply::json(
            200,
            &json!({"acknowledgments": shown, "total": total}),
        ))
    }

    pub(super) fn acknowledge(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("tenant_id", Rule::Text),
            ("employee_id", Rule::Text),
            ("email", Rule::Text),
            ("policy_id", Rule::Text),
            ("policy_version", Rule::Text),
            ("acknowledged_at", Rule::Text),
            ("ip_address", Rule::Text),
            ("user_agent", Rule::Text),
        ];
        let optional = [("typed_name", Rule::Text)];
        let fields = body::read(call, organisation, &required, &optional)?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let text = |name: &str| fields[name].as_str().unwrap_or_default();
        let at = text("acknowledged_at").parse::<Timestamp>();
        if at.is_err() || at.is_ok_and(|at| at > cx.now) {
            return Err(Refusal::field(
                "acknowledged_at",
                "Must be a time that has come",
            ));
        }
        if text("ip_address").parse::<IpAddr>().is_err() {
            return Err(Refusal::field("ip_address", "Must be an address"));
        }
        let known = |it: &&Policy| it.id == text("policy_id");
        let mut known = self
            .policies
            .iter()
            .filter(known)
            .filter(|it| is_public(it));
        let policy = known
            .find(|it| it.version == text("policy_version"))
            .ok_or_else(|| Refusal::plain(404))?;
        let done = self.acknowledged(organisation, text("employee_id"), policy);
        if policy.status != "published" || done.is_some() {
            return Err(Refusal::plain(409));
        }
        let id = {
            let item = self
                .items
                .add("acknowledgment", organisation, "acknowledged", fields, cx);
            item.id.clone()
        };
        let reply = Reply::json(
            201,
            &json!({"id": id, "vault_document_id": format!("vault-{id}")}),
        );
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    /// When somebody acknowledged this version.
    fn acknowledged(&self, organisation: &str, employee: &str, policy: &Policy) -> Option<String> {
        let is_it = |item: &&super::items::Item| {
            item.object == "acknowledgment"
                && item.organisation == organisation
                && item.text("employee_id") == employee
                && item.text("policy_id") == policy.id
                && item.text("policy_version") == policy.version
        };
        let found = self.items.all().iter().find(is_it);
        found.map(|item| item.text("acknowledged_at").to_owned())
    }
}

/// Whether people outside may read it.
fn is_public(policy: &Policy) -> bool {
    matches!(policy.status.as_str(), "published" | "superseded")
}

/// The query of a call, with the organisation that it names compared with the key's.
struct Query<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Query<'a> {
    fn of(call: &'a Call, organisation: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut given = Vec::new();
        let mut named = None;
        for (name, value) in &call.query {
            match name.as_str() {
                "tenantId" => named = Some(value.as_str()),
                name if known.contains(&name) => given.push((name, value.as_str())),
                name => return Err(Refusal::field(name, "Not a parameter here")),
            }
        }
        match named {
            None => Err(Refusal::field("tenantId", "Required")),
            Some(named) if named != organisation => Err(Refusal::violation(
                403,
                "foreign_organisation",
                "the key is another organisation's",
            )),
            Some(_) => Ok(Self(given)),
        }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }
}
