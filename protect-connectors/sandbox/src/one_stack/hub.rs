//! Hub: takes the access to every product away, and gives it back.

use axum::http::Method;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::body::{self, Rule};
use super::items::Item;
use super::records::text;
use super::{Endpoint, OneStack, Refusal};
use crate::request::{Call, Context, Reply, Route, changes, decode, reads};

/// What the organisation has.
const PRODUCTS: [&str; 3] = ["psa", "rmm", "portal"];
const SCOPE: &[&str] = &["all_products"];

pub(super) fn route(method: &Method, rest: &[&str]) -> Option<Route<Endpoint>> {
    use Endpoint as E;
    match (method, rest) {
        (&Method::GET, []) => reads(E::ListUsers, "/hub/api/internal/users"),
        (&Method::POST, ["revoke-access"]) => {
            changes(E::RevokeAccess, "/hub/api/internal/users/revoke-access")
        }
        (&Method::POST, ["restore-access"]) => {
            changes(E::RestoreAccess, "/hub/api/internal/users/restore-access")
        }
        (&Method::GET, ["revocations"]) => {
            reads(E::ListRevocations, "/hub/api/internal/users/revocations")
        }
        (&Method::GET, ["revocations", _]) => {
            reads(E::GetRevocation, "/hub/api/internal/users/revocations/{id}")
        }
        (&Method::DELETE, ["revocations", _]) => changes(
            E::CancelRevocation,
            "/hub/api/internal/users/revocations/{id}",
        ),
        _ => None,
    }
}

impl OneStack {
    pub(super) fn revoke_access(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("tenant_id", Rule::Text),
            ("email", Rule::Text),
            ("effective_at", Rule::Text),
            ("scope", Rule::Word(SCOPE)),
            ("reason", Rule::Text),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
        ];
        let optional = [("hub_user_id", Rule::Text)];
        let fields = body::read(call, organisation, &required, &optional)?;
        if effective(&fields).is_none() {
            return Err(Refusal::field("effective_at", "Must be a time"));
        }
        self.record("revoke", organisation, call, fields, cx)
    }

    pub(super) fn restore_access(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("tenant_id", Rule::Text),
            ("email", Rule::Text),
            ("reason", Rule::Text),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
        ];
        let fields = body::read(call, organisation, &required, &[])?;
        self.record("restore", organisation, call, fields, cx)
    }

    fn record(
        &mut self,
        what: &str,
        organisation: &str,
        call: &Call,
        mut fields: Map<String, Value>,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let reference = text(&fields["source_ref"]);
        let known = self.items.all().iter().any(|item| {
            item.object == "revocation"
                && item.organisation == organisation
                && item.text("source_ref") == reference
        });
        if known {
            cx.violate("duplicate_open", "this reference was asked for already");
        }
        fields.insert("action".to_owned(), json!(what));
        let stubborn = self.stubborn_product.clone();
        let item = self
            .items
            .add("revocation", organisation, "scheduled", fields, cx);
        let id = item.id.clone();
        let item = self.items.own("revocation", organisation, &id)?;
        settle(item, &stubborn, cx);
        let reply = Reply::json(202, &shown(item));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    pub(super) fn list_revocations(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let stubborn = self.stubborn_product.clone();
        let mut filters = Vec::new();
        for (name, value) in &call.query {
            match name.as_str() {
                "email" | "source" | "source_ref" => filters.push((name.as_str(), value.as_str())),
                "page" | "limit" => {}
                _ => return Err(Refusal::field(name, "Not a parameter of this list")),
            }
        }
        let mut all = Vec::new();
        for item in self.items.all_mut() {
            let fits = filters
                .iter()
                .all(|(name, value)| item.text(name).eq_ignore_ascii_case(value));
            if item.object == "revocation" && item.organisation == organisation && fits {
                settle(item, &stubborn, cx);
                all.push(shown(item));
            }
        }
        let total = all.len();
        Ok(Reply::json(
            200,
            &json!({"revocations": all, "total": total}),
        ))
    }

    pub(super) fn get_revocation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let stubborn = self.stubborn_product.clone();
        let item = self.items.own("revocation", organisation, &id(call))?;
        settle(item, &stubborn, cx);
        Ok(Reply::json(200, &shown(item)))
    }

    pub(super) fn cancel_revocation(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let item = self.items.own("revocation", organisation, &id(call))?;
        if item.status != "scheduled" {
            return Err(Refusal::plain(409));
        }
        let before = item.move_to("cancelled", cx.now);
        cx.change("revocation", &item.id, &before, "cancelled");
        Ok(Reply::empty(204))
    }
}

impl OneStack {
    /// Carries out every revocation of an organisation whose time has come.
    pub(super) fn settle_all(&mut self, organisation: &str, cx: &mut Context) {
        let stubborn = self.stubborn_product.clone();
        for item in self.items.all_mut() {
            if item.object == "revocation" && item.organisation == organisation {
                settle(item, &stubborn, cx);
            }
        }
    }
}

/// A revocation whose time has come is carried out product by product.
fn settle(item: &mut Item, stubborn: &str, cx: &mut Context) {
    let due = effective(&item.fields).is_none_or(|at| at <= cx.now);
    if item.status == "scheduled" && due {
        let fails = item.text("action") == "revoke" && PRODUCTS.contains(&stubborn);
        let status = if fails { "failed" } else { "completed" };
        let before = item.move_to(status, cx.now);
        if fails {
            item.fields.insert("stubborn".to_owned(), json!(stubborn));
        }
        cx.change("revocation", &item.id, &before, status);
    }
}

fn effective(fields: &Map<String, Value>) -> Option<Timestamp> {
    fields.get("effective_at")?.as_str()?.parse().ok()
}

fn shown(item: &Item) -> Value {
    let of = |product: &str| match item.status.as_str() {
        "failed" if product != item.text("stubborn") => "completed",
        status => status,
    };
    let products = PRODUCTS.map(|product| json!({"product": product, "status": of(product)}));
    json!({
        "revocation_id": item.id,
        "status": item.status,
        "products": products,
        "email": item.text("email"),
        "action": item.text("action"),
        "source": item.text("source"),
        "source_ref": item.text("source_ref"),
        "created_at": item.created_at,
        "undocumented": {"since": 1},
    })
}

/// The id is the fifth part of every path that has one.
fn id(call: &Call) -> String {
    let part = call.segments.get(5).map(String::as_str);
    part.and_then(decode).unwrap_or_default()
}
