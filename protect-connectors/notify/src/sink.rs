use async_trait::async_trait;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Delivered, Delivery, Diagnosis,
    OpContext, Sink,
};
use protect_core::model::{ActionKind, EffectClass};
use protect_core::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::client::Notify;
use crate::notice::Notice;

/// Notices as a tenant's connector.
#[derive(Debug)]
pub(crate) struct NotifyConnector {
    info: ConnectorInfo,
    client: Notify,
}

impl NotifyConnector {
    pub(crate) fn new(info: ConnectorInfo, client: Notify) -> Self {
        Self { info, client }
    }
}

#[async_trait]
impl Connector for NotifyConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    /// Neither a mail server nor a chat program knows our key: what may have been sent is never sent
    /// again by itself.
    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::Notify, EffectClass::NonIdempotent)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let asked = self.client.within(cx).accepted().await;
        let (accepted, note) = match &asked {
            Ok(Some(accepted)) => (Some(*accepted), None),
            Ok(None) => {
                let note = "cannot tell: an incoming webhook answers nothing but a message";
                (None, Some(note.to_owned()))
            }
            Err(error) if error.kind() == ErrorKind::Unauthenticated => {
                (Some(false), Some(error.message().to_owned()))
            }
            Err(error) => (None, Some(error.message().to_owned())),
        };
        Ok(Diagnosis {
            reachable: accepted.is_some() || asked.is_ok(),
            credentials: vec![CredentialDiagnosis {
                name: "respond".to_owned(),
                accepted,
                missing: Vec::new(),
                excess: Vec::new(),
                note,
            }],
            ..Diagnosis::default()
        })
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for NotifyConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        if delivery.kind != ActionKind::Notify {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("a notice is no `{}`", delivery.kind),
            ));
        }
        let id = delivery.action_id.as_str();
        let notice = Notice::of_delivery(id, &delivery.title, &delivery.body, delivery.severity)?;
        let to = recipients(delivery);
        let client = self.client.within(cx);
        let sent = client.send_notice(&notice, to.as_deref()).await?;
        if sent.refused > 0 {
            tracing::warn!(
                tenant = %cx.tenant, connector = %self.info.name, refused = sent.refused,
                "the mail server refused some of the recipients of a notice"
            );
        }
        Ok(Delivered {
            id: sent.id,
            status: None,
        })
    }

    async fn find(&self, _: &OpContext, _: ActionKind, _: &str) -> Result<Option<Delivered>> {
        Err(Error::new(
            ErrorKind::Unsupported,
            "what was sent cannot be looked up",
        ))
    }
}

/// Whom a rule names instead of the connector's own recipients.
fn recipients(delivery: &Delivery) -> Option<Vec<String>> {
    let to = delivery.data.get("to")?.as_array()?;
    let to: Vec<_> = to.iter().filter_map(Value::as_str).collect();
    (!to.is_empty()).then(|| to.into_iter().map(str::to_owned).collect())
}
