//! Portal: one view of each client company, replaced as a whole, with nothing in it that a client must
//! not see.

use serde_json::{Map, Value, json};

use super::body::{self, Rule};
use super::{OneStack, Refusal};
use crate::request::{Call, Context, Reply, decode};

/// Members of an alert, a domain and a report. Anything else would be more than a client may see.
const ALERT: [&str; 8] = [
    "id",
    "account",
    "breach_name",
    "breach_date",
    "data_types",
    "severity",
    "status",
    "detected_at",
];
const DOMAIN: [&str; 5] = ["domain", "spf", "dkim", "dmarc_policy", "email_auth_score"];
const REPORT: [&str; 5] = ["id", "period", "title", "url", "created_at"];

impl OneStack {
    pub(super) fn put_snapshot(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [("client_id", Rule::Text), ("generated_at", Rule::Text)];
        let optional = ["score", "alerts", "domains", "reports", "credits"];
        let optional = optional.map(|name| (name, Rule::Any));
        let fields = body::read(call, organisation, &required, &optional)?;
        let part = call.segments.get(5).map(String::as_str);
        let client = part.and_then(decode).unwrap_or_default();
        if fields["client_id"] != client.as_str() {
            return Err(Refusal::violation(
                403,
                "foreign_client",
                "the view is another client's",
            ));
        }
        only(&fields, "alerts", &ALERT)?;
        only(&fields, "domains", &DOMAIN)?;
        only(&fields, "reports", &REPORT)?;
        let taken = self.items.all().iter().any(|item| {
            item.object == "snapshot"
                && item.text("client_id") == client
                && item.organisation != organisation
        });
        if taken {
            return Err(Refusal::violation(
                403,
                "foreign_client",
                "the client is another organisation's",
            ));
        }
        let item = self
            .items
            .add("snapshot", organisation, "published", fields, cx);
        Ok(Reply::json(
            200,
            &json!({"id": item.id, "client_id": client}),
        ))
    }
}

fn only(fields: &Map<String, Value>, list: &str, known: &[&str]) -> Result<(), Refusal> {
    let items = fields.get(list).and_then(Value::as_array);
    for item in items.into_iter().flatten() {
        let members = item.as_object().into_iter().flatten();
        for (name, _) in members {
            if !known.contains(&name.as_str()) {
                return Err(Refusal::field(list, "More than a client may see"));
            }
        }
    }
    Ok(())
}
