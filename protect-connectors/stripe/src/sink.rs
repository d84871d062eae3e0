use async_trait::async_trait;
use jiff::SignedDuration;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Delivered, Delivery, Diagnosis,
    OpContext, Sink,
};
use protect_core::model::{ActionKind, EffectClass, Month};
use protect_core::{Error, ErrorKind, Result};
use serde_json::Value;

use crate::client::{Stripe, Usage};
use crate::key::{KeyFacts, KeyMode};

/// What stands on a result of a key that bills nobody.
const TEST_MODE: &str = "test_mode";

/// Stripe as a tenant's connector.
#[derive(Debug)]
pub(crate) struct StripeConnector {
    info: ConnectorInfo,
    client: Stripe,
    customer_id: String,
    event_name: String,
}

impl StripeConnector {
    pub(crate) fn new(
        info: ConnectorInfo,
        client: Stripe,
        customer_id: String,
        event_name: String,
    ) -> Self {
        Self {
            info,
            client,
            customer_id,
            event_name,
        }
    }
}

#[async_trait]
impl Connector for StripeConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    /// Stripe knows an identifier for a day only, so what it has counted is asked for first.
    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::ReportUsage, EffectClass::SearchBeforeCreate)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let client = self.client.within(cx);
        let facts = client.key_facts().await?;
        let asked = client.meter(&self.event_name).await;
        let mut notes = vec![mode_note(facts.mode).to_owned()];
        if let Ok(meter) = &asked
            && meter.formula == "count"
        {
            notes.push(
                "the meter counts events, not their values: every month would be billed as one user; use a meter with `sum` or `last`"
                    .to_owned(),
            );
        }
        let mut credential = CredentialDiagnosis {
            name: "respond.secret_key".to_owned(),
            accepted: Some(true),
            missing: Vec::new(),
            excess: excess(facts),
            note: None,
        };
        if let Err(error) = &asked {
            credential.note = Some(error.message().to_owned());
            match error.kind() {
                ErrorKind::Unauthenticated => credential.accepted = Some(false),
                ErrorKind::PermissionDenied => {
                    credential.missing = vec!["Billing meters: read".to_owned()];
                }
                // The key works; the meter is missing.
                ErrorKind::NotFound => {
                    credential.missing = vec![format!("an active meter for `{}`", self.event_name)];
                }
                _ => credential.accepted = None,
            }
        }
        Ok(Diagnosis {
            reachable: match &asked {
                Ok(_) => true,
                Err(error) => error.http_status().is_some() || error.kind() == ErrorKind::NotFound,
            },
            credentials: vec![credential],
            notes,
            ..Diagnosis::default()
        })
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for StripeConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        if delivery.kind != ActionKind::ReportUsage {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("Stripe is told usage, no `{}`", delivery.kind),
            ));
        }
        let month = month_of(&delivery.source_reference)?;
        let users = delivery.data.get("users").and_then(Value::as_u64);
        let users = users.ok_or_else(|| Error::invalid_input("the number of users is missing"))?;
        let client = self.client.within(cx);
        let meter = client.meter(&self.event_name).await?;
        let usage = Usage {
            customer_id: &self.customer_id,
            value: users,
            identifier: &delivery.source_reference,
            // The last second of the month, so that it counts for that month.
            timestamp: month.end() - SignedDuration::from_secs(1),
            idempotency_key: delivery.action_id.as_str(),
        };
        let livemode = match client.tell(&meter, &usage).await {
            Ok(event) => event.livemode,
            // The identifier is made from tenant and month: nobody else told it.
            Err(error) if is_told(&error) => meter.livemode,
            Err(error) => return Err(error),
        };
        Ok(Delivered {
            id: delivery.source_reference.clone(),
            status: (!livemode).then(|| TEST_MODE.to_owned()),
        })
    }

    /// Whether the meter has anything for the customer in the month. An event that was taken a moment
    /// ago may not be counted yet; its identifier is known for a day.
    async fn find(
        &self,
        cx: &OpContext,
        _: ActionKind,
        source_reference: &str,
    ) -> Result<Option<Delivered>> {
        // What is no month of usage was never told here.
        let Ok(month) = month_of(source_reference) else {
            return Ok(None);
        };
        let client = self.client.within(cx);
        let event_name = Some(self.event_name.as_str());
        let total = client
            .usage_total(&self.customer_id, month.start(), month.end(), event_name)
            .await?;
        Ok(total.any.then(|| Delivered {
            id: source_reference.to_owned(),
            status: None,
        }))
    }
}

/// The month at the end of `protect-users:<tenant>:<YYYY-MM>`.
fn month_of(reference: &str) -> Result<Month> {
    let month = reference
        .strip_prefix("protect-users:")
        .and_then(|rest| rest.rsplit_once(':'));
    let (_, month) = month.ok_or_else(|| {
        Error::invalid_input("not the reference of a month's usage: `protect-users:TENANT:2026-11`")
    })?;
    month.parse()
}

/// Stripe refuses an identifier that it knows.
fn is_told(error: &Error) -> bool {
    let is_identifier =
        |(key, value): &(&'static str, String)| *key == "param" && value == "identifier";
    error.kind() == ErrorKind::Conflict && error.context().iter().any(is_identifier)
}

fn mode_note(mode: KeyMode) -> &'static str {
    match mode {
        KeyMode::Test => "the key is one of test mode: nobody is billed",
        KeyMode::Live => "the key is live: the customer pays for what is reported",
        KeyMode::Unknown => {
            "the key begins neither with sk_ nor with rk_; whether it is live cannot be told"
        }
    }
}

fn excess(facts: KeyFacts) -> Vec<String> {
    if facts.restricted == Some(false) {
        vec!["everything in the account; a restricted key (rk_…) does".to_owned()]
    } else if facts.publishable {
        vec!["a publishable key, which may report nothing".to_owned()]
    } else {
        Vec::new()
    }
}
