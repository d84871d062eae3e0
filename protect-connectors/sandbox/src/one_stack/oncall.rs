//! Pages: the same key while a page is open joins it.

use serde_json::{Map, Value, json};

use super::body::{self, Rule};
use super::{OneStack, Refusal};
use crate::request::{Call, Context, Reply};

const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];
const URGENT: &[&str] = &["high", "critical"];

impl OneStack {
    pub(super) fn ingest(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("title", Rule::Text),
            ("severity", Rule::Word(SEVERITIES)),
            ("dedup_key", Rule::Text),
        ];
        let optional = ["description", "source", "source_url", "tenant_id"];
        let optional = optional.map(|name| (name, Rule::Text));
        let fields = body::read(call, organisation, &required, &optional)?;
        Ok(self.page("dedup_key", organisation, fields, cx))
    }

    pub(super) fn escalate(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let required = [
            ("title", Rule::Text),
            ("severity", Rule::Word(URGENT)),
            ("source", Rule::Text),
            ("source_ref", Rule::Text),
            ("tenant_id", Rule::Text),
        ];
        let optional = [
            "description",
            "device_name",
            "detection_type",
            "mitre_technique",
            "recommended_action",
        ];
        let optional = optional.map(|name| (name, Rule::Text));
        let fields = body::read(call, organisation, &required, &optional)?;
        Ok(self.page("source_ref", organisation, fields, cx))
    }

    fn page(
        &mut self,
        by: &str,
        organisation: &str,
        fields: Map<String, Value>,
        cx: &mut Context,
    ) -> Reply {
        let key = fields
            .get(by)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(open) = self.items.open("page", organisation, (by, &key)) {
            open.notes.push("again".to_owned());
            return Reply::json(200, &json!({"id": open.id, "status": open.status}));
        }
        let page = self
            .items
            .add("page", organisation, "triggered", fields, cx);
        Reply::json(201, &json!({"id": page.id, "status": page.status}))
    }
}
