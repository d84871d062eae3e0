//! Tickets of PSA and incidents of Security.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::body::{self, Rule};
use super::{OneStack, Refusal};
use crate::faults::FaultKind;
use crate::request::{Call, Context, Reply, decode};

const PRIORITIES: &[&str] = &["low", "medium", "high", "critical"];
const ALERT_SEVERITIES: &[&str] = &["info", "low", "medium", "high", "critical"];
const TYPES: &[&str] = &["incident", "service_request", "problem", "change_request"];
/// In the order in which an incident goes through them.
const STATES: &[&str] = &[
    "new",
    "open",
    "investigating",
    "contained",
    "resolved",
    "closed",
];
const LONGEST_TITLE: usize = 500;
const LARGEST_PAGE: usize = 100;

impl OneStack {
    pub(super) fn create_ticket(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [("title", Rule::Text), ("priority", Rule::Word(PRIORITIES))];
        let mut optional = texts(&[
            "description",
            "board",
            "queue",
            "assignee_id",
            "client_id",
            "contact_email",
            "source",
            "source_ref",
            "source_url",
        ]);
        optional.push(("type", Rule::Word(TYPES)));
        self.create(
            "ticket",
            "open",
            organisation,
            call,
            &required,
            &optional,
            cx,
        )
    }

    pub(super) fn create_incident(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("title", Rule::Text),
            ("severity", Rule::Word(PRIORITIES)),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
            ("tenant_id", Rule::Text),
        ];
        let mut optional = texts(&[
            "description",
            "category",
            "source_url",
            "client_id",
            "affected_account",
        ]);
        optional
            .extend(["breach", "recommended_actions", "correlation"].map(|name| (name, Rule::Any)));
        self.create(
            "incident",
            "new",
            organisation,
            call,
            &required,
            &optional,
            cx,
        )
    }

    pub(super) fn create_alert(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("title", Rule::Text),
            ("severity", Rule::Word(ALERT_SEVERITIES)),
            ("category", Rule::Text),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
            ("tenant_id", Rule::Text),
        ];
        let optional = texts(&["affected_account"]);
        self.create("alert", "new", organisation, call, &required, &optional, cx)
    }

    #[expect(clippy::too_many_arguments, reason = "one creation, whole")]
    fn create(
        &mut self,
        object: &'static str,
        status: &str,
        organisation: &str,
        call: &Call,
        required: &[(&str, Rule)],
        optional: &[(&str, Rule)],
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let fields = body::read(call, organisation, required, optional)?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let title = fields
            .get("title")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if title.chars().count() > LONGEST_TITLE {
            return Err(Refusal::field("title", "Too long"));
        }
        let reference = fields
            .get("source_ref")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let open = reference.is_some_and(|reference| {
            let by = ("source_ref", reference.as_str());
            self.items.open(object, organisation, by).is_some()
        });
        if open {
            cx.violate("duplicate_open", "this reference is open already");
        }
        let hide = self.drop_references;
        let item = self.items.add(object, organisation, status, fields, cx);
        let reply = Reply::json(201, &item.shown(hide));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    pub(super) fn list(
        &mut self,
        object: &str,
        plural: &str,
        organisation: &str,
        call: &Call,
    ) -> Result<Reply, Refusal> {
        let mut filters = Vec::new();
        let (mut page, mut limit) = (1, 50);
        for (name, value) in &call.query {
            let number = value.parse::<usize>().ok().filter(|number| *number > 0);
            match (name.as_str(), number) {
                ("page", Some(number)) => page = number,
                ("limit", Some(number)) if number <= LARGEST_PAGE => limit = number,
                ("source" | "source_ref" | "status" | "severity" | "updatedAfter", _) => {
                    filters.push((name.as_str(), value.as_str()));
                }
                ("email", _) if matches!(object, "alert" | "remediation") => {
                    filters.push((name.as_str(), value.as_str()));
                }
                ("from" | "to", _) if object == "alert" => {
                    filters.push((name.as_str(), value.as_str()));
                }
                _ => return Err(Refusal::field(name, "Not a parameter of this list")),
            }
        }
        let hide = self.drop_references;
        let mut shown = Vec::new();
        for item in self.items.all_mut() {
            let fits = filters.iter().all(|(name, value)| match *name {
                "status" => item.status == *value,
                "updatedAfter" | "from" => value
                    .parse::<Timestamp>()
                    .is_ok_and(|from| item.created_at >= from),
                "to" => value
                    .parse::<Timestamp>()
                    .is_ok_and(|to| item.created_at <= to),
                "email" => item.address().eq_ignore_ascii_case(value),
                name => item.text(name) == *value,
            });
            if item.object != object || item.organisation != organisation || !fits {
                continue;
            }
            if item.hidden_reads > 0 {
                item.hidden_reads -= 1;
                continue;
            }
            shown.push(item.shown(hide));
        }
        let total = shown.len();
        let page: Vec<_> = shown
            .into_iter()
            .skip((page - 1) * limit)
            .take(limit)
            .collect();
        let mut body = json!({"total": total});
        body[plural] = json!(page);
        Ok(Reply::json(200, &body))
    }

    /// Those of the ids that are there.
    pub(super) fn batch(
        &mut self,
        object: &str,
        plural: &str,
        organisation: &str,
        call: &Call,
        cx: &Context,
    ) -> Result<Reply, Refusal> {
        let fields = body::read(call, organisation, &[("ids", Rule::Any)], &[])?;
        let ids: Option<Vec<&str>> = fields["ids"]
            .as_array()
            .and_then(|ids| ids.iter().map(Value::as_str).collect());
        let ids = ids.filter(|ids| (1..=LARGEST_PAGE).contains(&ids.len()));
        let ids = ids.ok_or_else(|| Refusal::field("ids", "Must be 1 to 100 ids"))?;
        let hide = self.drop_references;
        let all = self.items.all().iter();
        let found = all.filter(|item| {
            item.object == object
                && item.organisation == organisation
                && ids.contains(&item.id.as_str())
        });
        let mut shown: Vec<_> = found.map(|item| item.shown(hide)).collect();
        if cx.struck.has(FaultKind::MissingItems) {
            shown.pop();
        }
        let mut body = json!({"total": shown.len()});
        body[plural] = json!(shown);
        Ok(Reply::json(200, &body))
    }

    pub(super) fn get(
        &mut self,
        object: &str,
        organisation: &str,
        call: &Call,
    ) -> Result<Reply, Refusal> {
        let hide = self.drop_references;
        let item = self.items.own(object, organisation, &id(call))?;
        Ok(Reply::json(200, &item.shown(hide)))
    }

    pub(super) fn note_ticket(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [("body", Rule::Text), ("internal", Rule::Any)];
        let fields = body::read(call, organisation, &required, &[])?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let item = self.items.own("ticket", organisation, &id(call))?;
        if item.is_closed() {
            cx.violate("note_to_closed", "nobody reads a note to a closed ticket");
        }
        item.notes.push(text(&fields["body"]));
        let reply = Reply::json(
            201,
            &json!({"id": format!("{}-{}", item.id, item.notes.len())}),
        );
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }

    pub(super) fn edit_incident(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let optional = [("status", Rule::Word(STATES)), ("note", Rule::Text)];
        let fields = body::read(call, organisation, &[], &optional)?;
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let hide = self.drop_references;
        let item = self.items.own("incident", organisation, &id(call))?;
        if let Some(status) = fields.get("status").map(text) {
            let place = |status: &str| STATES.iter().position(|known| *known == status);
            let reopens = item.is_closed() && status == "open";
            if place(&status) < place(&item.status) && !reopens {
                return Err(Refusal::violation(
                    409,
                    "backwards",
                    "an incident only moves on",
                ));
            }
            if status != item.status {
                cx.change("incident", &item.id, &item.status, &status);
                item.status = status;
            }
        }
        item.notes.extend(fields.get("note").map(text));
        let reply = Reply::json(200, &item.shown(hide));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }
}

pub(super) fn texts<'a>(names: &[&'a str]) -> Vec<(&'a str, Rule)> {
    names.iter().map(|name| (*name, Rule::Text)).collect()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The id is the fourth part of every path that has one.
fn id(call: &Call) -> String {
    let part = call.segments.get(3).map(String::as_str);
    part.and_then(decode).unwrap_or_default()
}
