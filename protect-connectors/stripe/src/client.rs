//! The vendor's own client, for scripts and playbooks.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use protect_core::connector::OpContext;
use protect_core::model::{Actor, TenantId, hash_fields};
use protect_core::secret::{Credential, HeldSecrets, SecretRef};
use protect_core::{Context, Error, ErrorKind, Result};

use crate::api::{Api, NewEvent};
use crate::key::{KeyFacts, KeyMode};
use crate::model::{Meter, MeterEvent, UsageTotal};

/// Stripe takes events up to 35 days old and up to five minutes ahead
/// (<https://docs.stripe.com/api/billing/meter-event/create>, `timestamp`).
const OLDEST: SignedDuration = SignedDuration::from_hours(35 * 24);
const NEWEST: SignedDuration = SignedDuration::from_mins(5);

/// The longest identifier (the same page).
const LONGEST_IDENTIFIER: usize = 100;

/// Acts at once at Stripe: without plan, guards, store or ledger. For those, use the engine.
///
/// Cheap to clone; one client holds one key.
#[derive(Clone, Debug)]
pub struct Stripe {
    api: Api,
    context: Context,
    cx: OpContext,
}

impl Stripe {
    /// Begins a client.
    pub fn builder() -> StripeBuilder {
        StripeBuilder::default()
    }

    /// The same client for one piece of work: its tenant, actor, correlation and deadline.
    #[must_use]
    pub fn within(&self, cx: &OpContext) -> Self {
        Self {
            cx: cx.clone(),
            ..self.clone()
        }
    }

    /// The same client, each of whose calls from now on gives up when so much time has passed.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        let deadline = self.context.clock.monotonic() + timeout;
        self.within(&self.cx.clone().with_deadline(deadline))
    }

    /// Tells Stripe a customer's usage. Within a day the same `identifier` counts once; after that,
    /// ask [`usage_total`](Self::usage_total) first. `timestamp` is now unless given.
    ///
    /// # Errors
    /// `invalid_input` for a time more than 35 days ago or five minutes ahead, and for an identifier
    /// that is none; `not_found` where no active meter takes events of this name, or there is no
    /// such customer; `conflict` where Stripe has the identifier already; `unauthenticated`,
    /// `permission_denied`.
    pub async fn report_usage(
        &self,
        customer_id: &str,
        value: u32,
        identifier: &str,
        event_name: Option<&str>,
        timestamp: Option<Timestamp>,
    ) -> Result<MeterEvent> {
        let meter = self.meter(event_name.unwrap_or(crate::EVENT_NAME)).await?;
        let at = timestamp.unwrap_or_else(|| self.context.clock.now());
        let call = self.context.fresh_guid();
        let usage = Usage {
            customer_id,
            value: u64::from(value),
            identifier,
            timestamp: at,
            idempotency_key: &call,
        };
        self.tell(&meter, &usage).await
    }

    /// Every meter of the account in the key's mode.
    ///
    /// # Errors
    /// `unauthenticated`, `permission_denied`.
    pub async fn meters(&self) -> Result<Vec<Meter>> {
        self.api.meters(&self.cx).await
    }

    /// What Stripe has counted for a customer from `start` up to `end`, which lie on whole minutes.
    /// Stripe counts events a while after it took them.
    ///
    /// # Errors
    /// As for [`report_usage`](Self::report_usage).
    pub async fn usage_total(
        &self,
        customer_id: &str,
        start: Timestamp,
        end: Timestamp,
        event_name: Option<&str>,
    ) -> Result<UsageTotal> {
        let meter = self.meter(event_name.unwrap_or(crate::EVENT_NAME)).await?;
        self.api
            .total(&self.cx, &meter.id, customer_id, (start, end))
            .await
    }

    /// Whether customers pay for what this key reports.
    ///
    /// # Errors
    /// `config_invalid` where the key cannot be read.
    pub async fn key_mode(&self) -> Result<KeyMode> {
        Ok(self.key_facts().await?.mode)
    }

    pub(crate) async fn key_facts(&self) -> Result<KeyFacts> {
        self.api.key_facts().await
    }

    /// The active meter of an event name.
    pub(crate) async fn meter(&self, event_name: &str) -> Result<Meter> {
        let meters = self.api.meters(&self.cx).await?.into_iter();
        let mut named = meters.filter(|meter| meter.event_name == event_name);
        let active = named.find(|meter| meter.status == "active");
        active.ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "no active meter takes events of this name; create one in Stripe under Billing, Meters, in the mode (test or live) of the key",
            )
            .with_context("event_name", event_name)
        })
    }

    pub(crate) async fn tell(&self, meter: &Meter, usage: &Usage<'_>) -> Result<MeterEvent> {
        check(usage, self.context.clock.now())?;
        let event = NewEvent {
            identifier: usage.identifier,
            event_name: &meter.event_name,
            customer_key: &meter.customer_key,
            customer_id: usage.customer_id,
            value_key: &meter.value_key,
            value: usage.value,
            timestamp: usage.timestamp,
            idempotency_key: usage.idempotency_key,
        };
        self.api.create_event(&self.cx, &event).await
    }
}

/// What is to be told.
pub(crate) struct Usage<'a> {
    pub(crate) customer_id: &'a str,
    pub(crate) value: u64,
    pub(crate) identifier: &'a str,
    pub(crate) timestamp: Timestamp,
    pub(crate) idempotency_key: &'a str,
}

fn check(usage: &Usage<'_>, now: Timestamp) -> Result<()> {
    let wrong = |argument, message: &str| {
        Err(Error::invalid_input(message).with_context("argument", argument))
    };
    let id = usage.identifier;
    if id.is_empty() || id.len() > LONGEST_IDENTIFIER || !id.bytes().all(|b| b.is_ascii_graphic()) {
        return wrong(
            "identifier",
            "an identifier is 1 to 100 visible ASCII characters",
        );
    }
    let age = now.duration_since(usage.timestamp);
    if age > OLDEST {
        return wrong(
            "timestamp",
            "Stripe takes no event that is more than 35 days old",
        );
    }
    if -age > NEWEST {
        return wrong(
            "timestamp",
            "Stripe takes no event more than five minutes ahead",
        );
    }
    Ok(())
}

/// Makes a [`Stripe`].
#[derive(Debug, Default)]
pub struct StripeBuilder {
    context: Option<Context>,
    secret_key: Option<Credential>,
    base_url: Option<String>,
}

impl StripeBuilder {
    /// Where everything from outside comes from.
    #[must_use]
    pub fn context(mut self, context: Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The secret key, better a restricted one (`rk_…`).
    #[must_use]
    pub fn secret_key(mut self, key: impl Into<Credential>) -> Self {
        self.secret_key = Some(key.into());
        self
    }

    /// Another root than Stripe's own.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The client. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub fn build(self) -> Result<Stripe> {
        let missing = |field: &str| Error::config(field, "missing");
        let mut context = self.context.ok_or_else(|| missing("context"))?;
        let key = self.secret_key.ok_or_else(|| missing("secret_key"))?;
        let mut held = HeldSecrets::new(std::sync::Arc::clone(&context.secrets));
        let key: SecretRef = held.hold("stripe.secret_key", key);
        context.secrets = std::sync::Arc::new(held);
        let root = self.base_url.as_deref().unwrap_or(crate::API);
        let whose = hash_fields("stripe", &[root, &key.to_string()]);
        let local = TenantId::new("local")?;
        Ok(Stripe {
            api: Api::new(root, key, &whose, &context)?,
            cx: OpContext::new(local, context.fresh_guid(), Actor::engine()),
            context,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: Timestamp, ago: SignedDuration) -> Result<()> {
        let usage = Usage {
            customer_id: "cus_1",
            value: 1,
            identifier: "protect-users:acme:2026-01",
            timestamp: now - ago,
            idempotency_key: "x",
        };
        check(&usage, now)
    }

    #[test]
    fn a_time_outside_of_stripes_window_is_refused_before_anything_is_sent() {
        let now: Timestamp = "2026-02-01T00:00:00Z".parse().unwrap();
        at(now, OLDEST).unwrap();
        at(now, -NEWEST).unwrap();
        for ago in [
            OLDEST + SignedDuration::from_secs(1),
            -NEWEST - SignedDuration::from_secs(1),
        ] {
            let error = at(now, ago).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.context(), [("argument", "timestamp".to_owned())]);
        }
    }
}
