use async_trait::async_trait;
use protect_core::authenticate::Authenticator;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::model::{ActionKind, EffectClass};
use protect_core::{Error, Result};
use serde_json::{Map, Value};

use super::client::{NewSnapshot, Portal};
use crate::sso::SignIn;

/// Portal as a tenant's connector.
#[derive(Debug)]
pub(crate) struct PortalConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Portal,
    pub(super) client_id: String,
    pub(super) report_link: Option<String>,
    pub(super) sign_in: Option<SignIn>,
}

#[async_trait]
impl Connector for PortalConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::PublishView, EffectClass::KeyIdempotent)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = self.client.diagnose(cx).await;
        if let Some(sign_in) = &self.sign_in {
            diagnosis.credentials.push(sign_in.diagnose().await);
        }
        Ok(diagnosis)
    }

    fn as_authenticator(&self) -> Option<&dyn Authenticator> {
        let sign_in = self.sign_in.as_ref()?;
        Some(sign_in)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for PortalConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let view = delivery.data.get("view").and_then(Value::as_object);
        let view = view.ok_or_else(|| Error::invalid_input("the delivery holds no view"))?;
        let published = self
            .client
            .within(cx)
            .publish_snapshot(self.snapshot(view.clone())?)
            .await?;
        Ok(Delivered {
            id: published.id,
            status: None,
        })
    }

    /// A view replaces the one before: there is nothing to look up.
    async fn find(&self, _: &OpContext, _: ActionKind, _: &str) -> Result<Option<Delivered>> {
        Ok(None)
    }
}

impl PortalConnector {
    fn snapshot(&self, mut view: Map<String, Value>) -> Result<NewSnapshot> {
        let made = view.get("generated_at").and_then(Value::as_str);
        let made = made.and_then(|made| made.parse().ok());
        let generated_at = made.ok_or_else(|| Error::invalid_input("the view has no time"))?;
        let mut reports = view.remove("reports");
        if let Some(link) = &self.report_link {
            let all = reports.as_mut().and_then(Value::as_array_mut);
            for report in all.into_iter().flatten() {
                let month = report.get("period").and_then(Value::as_str);
                let url = link.replace("{month}", month.unwrap_or_default());
                report["url"] = url.into();
            }
        }
        Ok(NewSnapshot {
            client_id: self.client_id.clone(),
            generated_at,
            score: view.remove("score"),
            alerts: view.remove("alerts"),
            domains: view.remove("domains"),
            reports,
            credits: view.remove("credits"),
        })
    }
}
