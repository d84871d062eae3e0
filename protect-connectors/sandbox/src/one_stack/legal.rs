//! Legal: publishes policies and holds the record of who acknowledged them.

use std::fmt::Write as _;
use std::net::IpAddr;

use axum::http::Method;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::body::{self, Rule};
use super::items::Item;
use super::{Endpoint, OneStack, Refusal};
use crate::faults::Struck;
use crate::journal::Vendor;
use crate::request::{Call, Context, Reply, Route, changes, decode, reads};
use crate::world::State;

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

/// Somebody signs at Legal itself; `POST /_sandbox/one_stack/signatures`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegalSignature {
    /// The organisation's id.
    pub organisation: String,
    /// Whom the workforce knows by this id.
    pub employee_id: String,
    /// The policy.
    pub policy_id: String,
    /// The version that was read.
    pub policy_version: String,
    /// From which network address; where it is left out, the callback does not say.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// With which program; the same.
    #[serde(default)]
    pub user_agent: Option<String>,
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
        let id = self.keep(organisation, fields, cx)?;
        let reply = Reply::json(
            201,
            &json!({"id": id, "vault_document_id": format!("vault-{id}")}),
        );
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    /// Somebody signs here and not by way of People. The id of what was recorded; `None` for a version that
    /// is not published or was signed already.
    fn sign(&mut self, signature: LegalSignature, cx: &mut Context) -> Option<String> {
        let organisation = signature.organisation;
        let said = [
            ("tenant_id", Some(organisation.clone())),
            ("employee_id", Some(signature.employee_id)),
            ("policy_id", Some(signature.policy_id)),
            ("policy_version", Some(signature.policy_version)),
            ("acknowledged_at", Some(cx.now.to_string())),
            ("ip_address", signature.ip_address),
            ("user_agent", signature.user_agent),
        ];
        let said = said.into_iter();
        let fields = said.filter_map(|(name, text)| Some((name.to_owned(), text?.into())));
        let id = self.keep(&organisation, fields.collect(), cx).ok()?;
        self.hooks.notice(&self.items, cx.now);
        Some(id)
    }

    /// Records a signature, and gives its id.
    fn keep(
        &mut self,
        organisation: &str,
        fields: Map<String, Value>,
        cx: &mut Context,
    ) -> Result<String, Refusal> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let (id, version) = (text("policy_id"), text("policy_version"));
        let mut policies = self.policies.iter();
        let policy = policies
            .find(|it| it.id == id && it.version == version && is_public(it))
            .ok_or_else(|| Refusal::plain(404))?;
        let done = self.acknowledged(organisation, text("employee_id"), policy);
        if policy.status != "published" || done.is_some() {
            return Err(Refusal::plain(409));
        }
        let kept = self
            .items
            .add("acknowledgment", organisation, "acknowledged", fields, cx);
        Ok(kept.id.clone())
    }

    /// When somebody acknowledged this version.
    fn acknowledged(&self, organisation: &str, employee: &str, policy: &Policy) -> Option<String> {
        let is_it = |item: &&Item| {
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

impl State {
    /// Somebody signs a policy at Legal itself; the id of what was recorded.
    pub(crate) fn sign_policy(
        &mut self,
        signature: LegalSignature,
        now: Timestamp,
    ) -> Option<String> {
        let mut cx = Context::new(now, false, Struck::default());
        let id = self.one_stack.sign(signature, &mut cx);
        for change in cx.changes {
            self.record(Vendor::OneStack, change, now, None);
        }
        id
    }
}

/// What People is told of a signature: what our conventions name, and from where and with which program it
/// was given, which People is documented to keep.
pub(super) fn callback(item: &Item) -> Value {
    let mut body = json!({ "acknowledgment_id": item.id });
    for name in [
        "tenant_id",
        "employee_id",
        "policy_id",
        "policy_version",
        "acknowledged_at",
        "ip_address",
        "user_agent",
    ] {
        if let Some(value) = item.fields.get(name) {
            body[name] = value.clone();
        }
    }
    body
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
