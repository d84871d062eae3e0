//! Events, in the one form that is switched on.

use serde_json::{Value, json};

use super::body::{self, Rule};
use super::{OneStack, Refusal, Style};
use crate::cloud_event;
use crate::request::{Call, Context, Reply};

const SEVERITIES: &[&str] = &["info", "warning", "critical"];

impl OneStack {
    pub(super) fn emit(
        &mut self,
        style: Style,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        if style != self.style {
            return Err(Refusal::plain(404));
        }
        let (name, also) = match style {
            Style::A => ("event_type", None),
            Style::B => ("type", Some("event_type")),
        };
        let required = [
            (name, Rule::Text),
            ("source", Rule::Text),
            ("tenant_id", Rule::Text),
            ("severity", Rule::Word(SEVERITIES)),
            ("title", Rule::Text),
        ];
        let optional = [
            "detail",
            "entity_id",
            "entity_url",
            "actor_id",
            "client_id",
            "client_name",
        ];
        let optional = optional
            .into_iter()
            .chain(also)
            .map(|name| (name, Rule::Text));
        let optional: Vec<_> = optional.chain([("metadata", Rule::Any)]).collect();
        let fields = if cloud_event::is_one(call) {
            let event = cloud_event::read(call)
                .map_err(|why| Refusal::violation(400, "cloud_event", why))?;
            if event.data.get(name).and_then(Value::as_str) != Some(event.kind.as_str()) {
                return Err(Refusal::field("type", "Not what the data says"));
            }
            let mut fields = body::judge(event.data, organisation, &required, &optional)?;
            let wrapped_in = json!({"id": event.id, "subject": event.subject});
            fields.insert("cloud_event".to_owned(), wrapped_in);
            fields
        } else {
            body::read(call, organisation, &required, &optional)?
        };
        if let Some(reply) = self.items.repeated(organisation, call)? {
            return Ok(reply);
        }
        let event = self.items.add("event", organisation, "written", fields, cx);
        let reply = Reply::json(201, &json!({"id": event.id}));
        self.items.remember(organisation, call, &reply);
        Ok(reply)
    }
}
