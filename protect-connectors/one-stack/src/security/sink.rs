use std::collections::BTreeMap;

use async_trait::async_trait;
use protect_core::Result;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::model::{ActionKind, EffectClass, FindingKind, Severity};

use super::client::Security;
use super::incident::{NewSecurityIncident, SecurityIncident};
use crate::config::Common;
use crate::error::is_there_already;
use crate::message::{Message, Seen, severity_word};

/// Security as a tenant's connector.
#[derive(Debug)]
pub(crate) struct SecurityConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Security,
    pub(super) common: Common,
    /// The least severity for each kind; `None` lets nothing through.
    pub(super) thresholds: BTreeMap<FindingKind, Option<Severity>>,
}

#[async_trait]
impl Connector for SecurityConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let class = EffectClass::SearchBeforeCreate;
        Capability {
            actions: [(ActionKind::OpenSecurityIncident, class)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        Ok(self.client.diagnose(cx).await)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for SecurityConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let client = self.client.within(cx);
        let message = Message::of(delivery);
        let key = message.key();
        if let Some(id) = &delivery.note_to {
            client
                .change(id, None, Some(&delivery.body), Some(&key))
                .await?;
            return Ok(Delivered {
                id: id.clone(),
                status: None,
            });
        }
        let opened = match client.open(self.incident(&message), &key).await {
            Err(error) if is_there_already(&error) => {
                let reference = &delivery.source_reference;
                let open = client.open_incident(&self.common.source, reference).await?;
                open.ok_or(error)?
            }
            opened => opened?,
        };
        Ok(delivered(opened))
    }

    fn declines(&self, delivery: &Delivery) -> Result<Option<String>> {
        let message = Message::of(delivery);
        let passes = |seen: &Seen| match self.thresholds.get(&seen.kind) {
            Some(Some(least)) => seen.severity >= *least,
            Some(None) => false,
            None => true,
        };
        if message.findings.is_empty() || message.findings.iter().any(passes) {
            return Ok(None);
        }
        Ok(Some(
            "no finding reaches the connector's `thresholds`".to_owned(),
        ))
    }

    async fn find(
        &self,
        cx: &OpContext,
        _: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>> {
        let client = self.client.within(cx);
        let open = client
            .open_incident(&self.common.source, source_reference)
            .await?;
        Ok(open.map(delivered))
    }
}

impl SecurityConnector {
    fn incident(&self, message: &Message<'_>) -> NewSecurityIncident {
        let delivery = message.delivery;
        let worst = message.worst();
        let account = worst.map(|seen| seen.account().to_owned());
        let (name, date, data_types) = worst.and_then(Seen::breach).unwrap_or_default();
        NewSecurityIncident {
            title: delivery.title.clone(),
            severity: severity_word(delivery.severity).to_owned(),
            description: Some(delivery.body.clone()),
            category: message.kind().map(category),
            source: Some(self.common.source.clone()),
            source_ref: delivery.source_reference.clone(),
            source_url: self.common.link(&message.incident),
            client_id: self.common.client_id.clone(),
            affected_account: account.filter(|account| !account.is_empty()),
            breach_name: Some(name.to_owned()),
            breach_date: Some(date.to_owned()),
            breach_data_types: Some(data_types.into_iter().map(str::to_owned).collect()),
            recommended_actions: message.kind().map(recommended),
        }
    }
}

/// The product's word where it has one.
fn category(kind: FindingKind) -> String {
    match kind {
        FindingKind::Misconfiguration | FindingKind::Drift => "saas_misconfiguration".to_owned(),
        other => other.as_str().to_owned(),
    }
}

/// What the product recommends for an exposure; the others say it in their text.
fn recommended(kind: FindingKind) -> Vec<String> {
    let actions: &[&str] = match kind {
        FindingKind::CredentialExposure => &[
            "Force a password reset",
            "Revoke sessions",
            "Enroll a second factor",
            "Check whether the password is used elsewhere",
        ],
        _ => &[],
    };
    actions.iter().map(|&action| action.to_owned()).collect()
}

fn delivered(incident: SecurityIncident) -> Delivered {
    Delivered {
        id: incident.id,
        status: incident.status,
    }
}
