//! Remediations: what is destructive waits for a second person's approval; each moves on a step
//! whenever it is looked at.

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::body::{self, Rule};
use super::items::Item;
use super::records::text;
use super::{Endpoint, OneStack, Refusal};
use crate::request::{Call, Context, Reply, Route, changes, decode, reads};

const ACTIONS: &[&str] = &[
    "force_password_reset",
    "account_lockout",
    "account_unlock",
    "mfa_enrollment",
];
const DESTRUCTIVE: [&str; 2] = ["force_password_reset", "account_lockout"];
/// What is not to be asked for twice in a day.
const ONCE_A_DAY: [&str; 2] = ["force_password_reset", "mfa_enrollment"];
const DIRECTORIES: [&str; 3] = ["entra", "google", "local_ad"];
const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const DAY: SignedDuration = SignedDuration::from_hours(24);

pub(super) fn route(method: &Method, rest: &[&str]) -> Option<Route<Endpoint>> {
    use Endpoint as E;
    match (method, rest) {
        (&Method::POST, []) => changes(E::CreateRemediation, "/rmm/api/internal/remediations"),
        (&Method::GET, []) => reads(E::ListRemediations, "/rmm/api/internal/remediations"),
        (&Method::GET, [_]) => reads(E::GetRemediation, "/rmm/api/internal/remediations/{id}"),
        (&Method::POST, [_, "cancel"]) => changes(
            E::CancelRemediation,
            "/rmm/api/internal/remediations/{id}/cancel",
        ),
        (&Method::POST, [_, "approve"]) => changes(
            E::ApproveRemediation,
            "/rmm/api/internal/remediations/{id}/approve",
        ),
        _ => None,
    }
}

impl OneStack {
    pub(super) fn create_remediation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("tenant_id", Rule::Text),
            ("action", Rule::Word(ACTIONS)),
            ("target", Rule::Any),
            ("reason", Rule::Text),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
            ("requested_by", Rule::Text),
        ];
        let optional = [
            ("client_id", Rule::Text),
            ("severity", Rule::Word(SEVERITIES)),
            ("approved_by", Rule::Text),
            ("justification", Rule::Text),
            ("params", Rule::Any),
        ];
        let fields = body::read(call, organisation, &required, &optional)?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let action = text(&fields["action"]);
        judge_target(&fields)?;
        judge_end(&action, &fields)?;
        self.note_repeats(organisation, &fields, cx);
        let status = self.first_status(&action, &fields);
        let item = self
            .items
            .add("remediation", organisation, status, fields, cx);
        let reply = Reply::json(202, &item.shown(self.drop_references));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    /// "Destructive actions need a second analyst; requester cannot approve his own; requester gives a
    /// justification".
    fn first_status(&self, action: &str, fields: &Map<String, Value>) -> &'static str {
        let given = |name: &str| fields.get(name).map(text).unwrap_or_default();
        let (by, requester) = (given("approved_by"), given("requested_by"));
        let approved = !by.is_empty() && by != requester && !given("justification").is_empty();
        let needs = DESTRUCTIVE.contains(&action) && !approved;
        if needs || self.rmm_approval {
            "pending_approval"
        } else {
            "queued"
        }
    }

    fn note_repeats(&self, organisation: &str, fields: &Map<String, Value>, cx: &mut Context) {
        let of = |name: &str| fields.get(name).map(text).unwrap_or_default();
        let email = fields["target"].get("email").map(text).unwrap_or_default();
        let own = self.items.all().iter().filter(|item| {
            item.object == "remediation"
                && item.organisation == organisation
                && !matches!(item.status.as_str(), "failed" | "cancelled")
        });
        for item in own {
            if item.text("source_ref") == of("source_ref") {
                cx.violate("duplicate_open", "this reference was asked for already");
            }
            let is_same = item.address() == email && item.text("action") == of("action");
            let is_recent = cx.now.duration_since(item.created_at) < DAY;
            if is_same && is_recent && ONCE_A_DAY.contains(&item.text("action")) {
                cx.violate("repeated_within_a_day", "the same for the same login");
            }
        }
    }

    /// Each look finds it a step further, once nothing waits for an approval.
    pub(super) fn get_remediation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let hide = self.drop_references;
        let item = self.items.own("remediation", organisation, &id(call))?;
        let next = match item.status.as_str() {
            "queued" => Some("executing"),
            "executing" => Some("completed"),
            _ => None,
        };
        if let Some(next) = next {
            let before = item.move_to(next, cx.now);
            cx.change("remediation", &item.id, &before, next);
        }
        Ok(Reply::json(200, &item.shown(hide)))
    }

    pub(super) fn cancel_remediation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let item = self.items.own("remediation", organisation, &id(call))?;
        if !matches!(item.status.as_str(), "pending_approval" | "queued") {
            return Err(Refusal::plain(409));
        }
        Ok(moved(item, "cancelled", cx))
    }

    pub(super) fn approve_remediation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let fields = body::read(
            call,
            organisation,
            &[("approved_by", Rule::Text)],
            &[("note", Rule::Text)],
        )?;
        let item = self.items.own("remediation", organisation, &id(call))?;
        if item.status != "pending_approval" {
            return Err(Refusal::plain(409));
        }
        if text(&fields["approved_by"]) == item.text("requested_by") {
            return Err(Refusal::violation(
                403,
                "own_request",
                "nobody approves their own request",
            ));
        }
        Ok(moved(item, "queued", cx))
    }
}

fn moved(item: &mut Item, status: &str, cx: &mut Context) -> Reply {
    let before = item.move_to(status, cx.now);
    cx.change("remediation", &item.id, &before, status);
    Reply::json(200, &json!({"id": item.id, "status": item.status}))
}

fn judge_target(fields: &Map<String, Value>) -> Result<(), Refusal> {
    let target = &fields["target"];
    let email = target.get("email").and_then(Value::as_str);
    if email.is_none_or(|email| !email.contains('@')) {
        return Err(Refusal::field("target.email", "Required"));
    }
    let directory = target.get("directory").and_then(Value::as_str);
    if directory.is_none_or(|directory| !DIRECTORIES.contains(&directory)) {
        return Err(Refusal::field("target.directory", "Unknown directory"));
    }
    Ok(())
}

/// "Temporary disable": a lockout has an end.
fn judge_end(action: &str, fields: &Map<String, Value>) -> Result<(), Refusal> {
    let params = fields.get("params");
    let minutes = params.and_then(|params| params.get("duration_minutes")?.as_u64());
    match (action, minutes) {
        ("account_lockout", None | Some(0)) => {
            Err(Refusal::field("params.duration_minutes", "Required"))
        }
        _ => Ok(()),
    }
}

/// The id is the fifth part of every path that has one.
fn id(call: &Call) -> String {
    let part = call.segments.get(4).map(String::as_str);
    part.and_then(decode).unwrap_or_default()
}
