//! What every sink reads out of a delivery.

use protect_core::connector::Delivery;
use protect_core::model::{FindingKind, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A delivery's content, typed as far as sinks need it.
#[derive(Clone, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) delivery: &'a Delivery,
    /// Empty where it is about no incident.
    pub(crate) incident: String,
    pub(crate) findings: Vec<Seen>,
}

/// As much of a finding as is told.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    #[serde(default)]
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) check: String,
    pub(crate) kind: FindingKind,
    pub(crate) severity: Severity,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) subject: About,
    #[serde(default)]
    pub(crate) discriminator: String,
    #[serde(default)]
    pub(crate) reasons: Vec<String>,
    #[serde(default)]
    pub(crate) details: Map<String, Value>,
}

/// What a finding is about.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct About {
    #[serde(default)]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) id: String,
}

impl<'a> Message<'a> {
    pub(crate) fn of(delivery: &'a Delivery) -> Self {
        let data = &delivery.data;
        let incident = data.get("incident").and_then(|incident| incident.get("id"));
        let findings = data.get("findings").and_then(Value::as_array);
        let findings = findings.into_iter().flatten();
        Self {
            delivery,
            incident: incident
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            findings: findings
                .filter_map(|finding| Seen::deserialize(finding).ok())
                .collect(),
        }
    }

    /// The kind of the worst finding.
    pub(crate) fn kind(&self) -> Option<FindingKind> {
        self.worst().map(|seen| seen.kind)
    }

    /// The worst finding; the first of several.
    pub(crate) fn worst(&self) -> Option<&Seen> {
        let severities = self.findings.iter().map(|seen| seen.severity);
        let most = severities.max()?;
        self.findings.iter().find(|seen| seen.severity == most)
    }

    /// The key under which the receiver acts once.
    pub(crate) fn key(&self) -> String {
        let delivery = self.delivery;
        format!("{}:{}", delivery.source_reference, delivery.action_id)
    }
}

impl Seen {
    /// The login or address that it is about, where it is about one.
    pub(crate) fn account(&self) -> &str {
        match self.subject.kind.as_str() {
            "account" | "address" => &self.subject.id,
            _ => "",
        }
    }

    /// The domain that it is about, where it is about one or about an address.
    pub(crate) fn domain(&self) -> &str {
        match self.subject.kind.as_str() {
            "domain" => &self.subject.id,
            "address" => self
                .subject
                .id
                .rsplit_once('@')
                .map_or("", |(_, domain)| domain),
            _ => "",
        }
    }

    /// The breach's name, date and classes of data, where a breach it is.
    pub(crate) fn breach(&self) -> Option<(&str, &str, Vec<&str>)> {
        if self.kind != FindingKind::CredentialExposure {
            return None;
        }
        let date = self.details.get("breach_date");
        let classes = self.details.get("data_classes");
        let classes = classes.and_then(Value::as_array).into_iter().flatten();
        Some((
            &self.discriminator,
            date.and_then(Value::as_str).unwrap_or_default(),
            classes.filter_map(Value::as_str).collect(),
        ))
    }
}

/// `critical`, `high`, `medium` or `low`: the platform has no `info`.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info | Severity::Low => "low",
        other => other.as_str(),
    }
}

/// Adds a member that is text, where there is any.
pub(crate) fn put(body: &mut Map<String, Value>, name: &str, text: impl Into<Option<String>>) {
    if let Some(text) = text.into().filter(|text| !text.is_empty()) {
        body.insert(name.to_owned(), text.into());
    }
}
