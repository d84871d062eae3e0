use async_trait::async_trait;
use protect_core::Result;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::model::{ActionKind, EffectClass, Severity};

use super::WayIn;
use super::client::{NewPage, OnCall};
use crate::config::Common;
use crate::message::{Message, severity_word};

/// On-Call as a tenant's connector.
#[derive(Debug)]
pub(crate) struct OnCallConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: OnCall,
    pub(super) common: Common,
    pub(super) min_severity: Severity,
    pub(super) way_in: WayIn,
}

#[async_trait]
impl Connector for OnCallConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::Page, EffectClass::KeyIdempotent)].into(),
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
impl Sink for OnCallConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let message = Message::of(delivery);
        let page = NewPage {
            title: delivery.title.clone(),
            severity: severity_word(delivery.severity).to_owned(),
            // The same for all that happens in an incident: nobody is woken twice for it.
            dedup_key: delivery.source_reference.clone(),
            description: Some(delivery.body.clone()),
            source: Some(self.common.source.clone()),
            recommended_action: None,
            source_url: self.common.link(&message.incident),
        };
        let paged = self.client.within(cx).page(page).await?;
        Ok(Delivered {
            id: paged.id,
            status: paged.status,
        })
    }

    fn declines(&self, delivery: &Delivery) -> Result<Option<String>> {
        if delivery.severity < self.min_severity {
            return Ok(Some(format!(
                "below the connector's `min_severity`, {}",
                self.min_severity
            )));
        }
        if self.way_in == WayIn::Escalations && delivery.severity < Severity::High {
            return Ok(Some("escalations are critical or high".to_owned()));
        }
        Ok(None)
    }

    /// On-Call finds the open page itself, by the key.
    async fn find(&self, _: &OpContext, _: ActionKind, _: &str) -> Result<Option<Delivered>> {
        Ok(None)
    }
}
