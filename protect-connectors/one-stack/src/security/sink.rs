use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::SignedDuration;
use protect_core::Result;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::inbound::Inbound;
use protect_core::model::{
    ActionKind, Address, EffectClass, FindingKind, IncidentStatus, Severity,
};

use super::alert::{Correlation, SecurityAlert};
use super::client::Security;
use super::incident::{NewSecurityIncident, SecurityIncident};
use crate::config::Common;
use crate::error::is_there_already;
use crate::message::{Message, Seen, severity_word};
use crate::webhooks::Webhooks;

/// Security as a tenant's connector.
#[derive(Debug)]
pub(crate) struct SecurityConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Security,
    pub(super) common: Common,
    pub(super) webhooks: Option<Webhooks>,
    /// The least severity for each kind; `None` lets nothing through.
    pub(super) thresholds: BTreeMap<FindingKind, Option<Severity>>,
    /// How far back alerts of the same account are looked for; `None` where none are.
    pub(super) correlation_window: Option<SignedDuration>,
    /// The categories of alerts that mean an attack, in lower case; `None` for all.
    pub(super) attack_categories: Option<Vec<String>>,
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
        let mut diagnosis = self.client.diagnose(cx).await;
        if let Some(webhooks) = &self.webhooks {
            diagnosis.credentials.push(webhooks.credential().await);
        }
        Ok(diagnosis)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        self.webhooks.as_ref()?.as_inbound()
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
        let incident = self.incident(&client, &message).await;
        let opened = match client.open(incident, &key).await {
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

    async fn incident_status(&self, cx: &OpContext, id: &str) -> Result<Option<IncidentStatus>> {
        let incident = self.client.within(cx).get_incident(id).await?;
        let status = incident.status.unwrap_or_default();
        let mut known = IncidentStatus::ALL.into_iter();
        Ok(known.find(|known| known.as_str() == status))
    }

    async fn is_under_attack(&self, cx: &OpContext, login: &Address) -> Result<Option<bool>> {
        let client = self.client.within(cx);
        let Some(mut alerts) = self.alerts(&client, login.as_str()).await? else {
            return Ok(None);
        };
        alerts.retain(|alert| match &self.attack_categories {
            Some(known) => known.contains(&alert.category().to_lowercase()),
            None => true,
        });
        let correlation = Correlation::of(alerts, |status| client.is_closed(status));
        Ok(Some(correlation.is_active))
    }

    async fn tell_status(&self, cx: &OpContext, id: &str, status: IncidentStatus) -> Result<bool> {
        let client = self.client.within(cx);
        client.change(id, Some(status.as_str()), None, None).await?;
        Ok(true)
    }
}

impl SecurityConnector {
    async fn incident(&self, client: &Security, message: &Message<'_>) -> NewSecurityIncident {
        let delivery = message.delivery;
        let worst = message.worst();
        let account = worst.map(|seen| seen.account().to_owned());
        let account = account.filter(|account| !account.is_empty());
        let (name, date, data_types) = worst.and_then(Seen::breach).unwrap_or_default();
        let correlation = self.correlation(client, account.as_deref()).await;
        let mut description = delivery.body.clone();
        if correlation.is_err() {
            // That nobody could look is not that nothing is there.
            description.push_str("\n\nSecurity's alerts about the account could not be looked at.");
        }
        let correlation = correlation.unwrap_or_default();
        NewSecurityIncident {
            title: delivery.title.clone(),
            severity: severity_word(delivery.severity).to_owned(),
            description: Some(description),
            category: message.kind().map(category),
            source: Some(self.common.source.clone()),
            source_ref: delivery.source_reference.clone(),
            source_url: self.common.link(&message.incident),
            client_id: self.common.client_id.clone(),
            affected_account: account,
            breach_name: Some(name.to_owned()),
            breach_date: Some(date.to_owned()),
            breach_data_types: Some(data_types.into_iter().map(str::to_owned).collect()),
            recommended_actions: message
                .kind()
                .map(|kind| recommended(kind, correlation.is_active)),
            alert_ids: Some(correlation.alerts),
        }
    }

    async fn correlation(&self, client: &Security, account: Option<&str>) -> Result<Correlation> {
        let Some(account) = account else {
            return Ok(Correlation::default());
        };
        let alerts = self.alerts(client, account).await?.unwrap_or_default();
        Ok(Correlation::of(alerts, |status| client.is_closed(status)))
    }

    /// Security's alerts about one account within the window; `None` where nobody is to look.
    async fn alerts(&self, client: &Security, account: &str) -> Result<Option<Vec<SecurityAlert>>> {
        let Some(window) = self.correlation_window else {
            return Ok(None);
        };
        let now = client.now();
        let from = now.checked_sub(window).unwrap_or(now);
        client.find_alerts(account, from, now).await.map(Some)
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
/// To lock somebody out is advised only where Security sees the account under attack.
fn recommended(kind: FindingKind, is_under_attack: bool) -> Vec<String> {
    let actions: &[&str] = match kind {
        FindingKind::CredentialExposure => &[
            "Force a password reset",
            "Revoke sessions",
            "Enroll a second factor",
            "Check whether the password is used elsewhere",
        ],
        _ => &[],
    };
    let lockout = (kind == FindingKind::CredentialExposure && is_under_attack)
        .then_some("Lock the account out for a day");
    let actions = actions.iter().copied().chain(lockout);
    actions.map(str::to_owned).collect()
}

fn delivered(incident: SecurityIncident) -> Delivered {
    Delivered {
        id: incident.id,
        status: incident.status,
    }
}
