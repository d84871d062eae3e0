//! Defend: watches somebody more closely for as long as they are leaving.

use axum::http::Method;
use serde_json::{Value, json};

use super::body::{self, Rule};
use super::items::Item;
use super::{Endpoint, OneStack, Refusal};
use crate::request::{Call, Context, Reply, Route, changes, decode, reads};

const REASONS: &[&str] = &["offboarding", "request"];

pub(super) fn route(method: &Method, rest: &[&str]) -> Option<Route<Endpoint>> {
    use Endpoint as E;
    match (method, rest) {
        (&Method::POST, ["elevate"]) => {
            changes(E::Elevate, "/defend/api/internal/monitoring/elevate")
        }
        (&Method::GET, ["elevate"]) => {
            reads(E::ListElevations, "/defend/api/internal/monitoring/elevate")
        }
        (&Method::DELETE, ["elevate", _]) => changes(
            E::EndElevation,
            "/defend/api/internal/monitoring/elevate/{workflow_id}",
        ),
        _ => None,
    }
}

impl OneStack {
    pub(super) fn elevate(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("tenant_id", Rule::Text),
            ("email", Rule::Text),
            ("workflow_id", Rule::Text),
            ("reason", Rule::Word(REASONS)),
        ];
        let optional = [("employee_id", Rule::Text), ("last_day", Rule::Text)];
        let fields = body::read(call, organisation, &required, &optional)?;
        if fields["reason"] == "offboarding" {
            for name in ["employee_id", "last_day"] {
                if !fields.contains_key(name) {
                    return Err(Refusal::field(name, "Required for an offboarding"));
                }
            }
        }
        let day = fields.get("last_day").and_then(Value::as_str);
        if day.is_some_and(|day| day.parse::<jiff::civil::Date>().is_err()) {
            return Err(Refusal::field("last_day", "Must be a day"));
        }
        let workflow = fields["workflow_id"].as_str().unwrap_or_default();
        if self
            .items
            .all()
            .iter()
            .any(|item| is_active(item, organisation, workflow))
        {
            cx.violate("duplicate_open", "this workflow is watched already");
            return Err(Refusal::plain(409));
        }
        self.items
            .add("elevation", organisation, "active", fields, cx);
        Ok(Reply::empty(202))
    }

    pub(super) fn list_elevations(
        &mut self,
        organisation: &str,
        call: &Call,
    ) -> Result<Reply, Refusal> {
        let mut filters = Vec::new();
        for (name, value) in &call.query {
            match name.as_str() {
                "email" | "status" => filters.push((name.as_str(), value.as_str())),
                "tenantId" if value == organisation => {}
                "tenantId" => {
                    return Err(Refusal::violation(
                        403,
                        "foreign_organisation",
                        "the key is another organisation's",
                    ));
                }
                "page" | "limit" => {}
                _ => return Err(Refusal::field(name, "Not a parameter of this list")),
            }
        }
        let fits = |item: &&mut Item| {
            item.object == "elevation"
                && item.organisation == organisation
                && filters.iter().all(|(name, wanted)| match *name {
                    "status" => item.status == *wanted,
                    name => item.text(name).eq_ignore_ascii_case(wanted),
                })
        };
        let mut shown = Vec::new();
        for item in self.items.all_mut().iter_mut().filter(fits) {
            // A read that lags behind the write.
            if item.hidden_reads > 0 {
                item.hidden_reads -= 1;
                continue;
            }
            shown.push(self::shown(item));
        }
        let total = shown.len();
        Ok(Reply::json(
            200,
            &json!({"elevations": shown, "total": total}),
        ))
    }

    pub(super) fn end_elevation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let part = call.segments.get(5).map(String::as_str);
        let workflow = part.and_then(decode).unwrap_or_default();
        let mut items = self.items.all_mut().iter_mut();
        let item = items
            .find(|item| is_active(item, organisation, &workflow))
            .ok_or_else(|| Refusal::plain(404))?;
        let before = item.move_to("ended", cx.now);
        item.finished_at = Some(cx.now);
        cx.change("elevation", &item.id, &before, "ended");
        Ok(Reply::empty(204))
    }
}

fn is_active(item: &Item, organisation: &str, workflow: &str) -> bool {
    item.object == "elevation"
        && item.organisation == organisation
        && item.status == "active"
        && item.text("workflow_id") == workflow
}

fn shown(item: &Item) -> Value {
    let mut shown = json!({
        "id": item.id,
        "workflow_id": item.text("workflow_id"),
        "email": item.text("email"),
        "status": item.status,
        "reason": item.text("reason"),
        "started_at": item.created_at,
        "undocumented": {"since": 1},
    });
    for name in ["employee_id", "last_day"] {
        if let Some(value) = item.fields.get(name) {
            shown[name] = value.clone();
        }
    }
    if let Some(at) = item.finished_at {
        shown["ended_at"] = json!(at);
    }
    shown
}
