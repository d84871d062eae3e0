//! One function per endpoint.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use protect_core::auth::BasicUserName;
use protect_core::connector::OpContext;
use protect_core::http::{BudgetKey, HttpClient, Limit};
use protect_core::secret::{ExposeSecret, SecretRef};
use protect_core::{Context, Result};

use crate::error;
use crate::key::KeyFacts;
use crate::model::{Meter, MeterEvent, UsageTotal};
use crate::wire::{List, RawEvent, RawMeter, Summary};

/// Stripe allows 25 calls a second in test mode, and 100 in live mode
/// (<https://docs.stripe.com/rate-limits>); nothing here is in a hurry.
const PER_SECOND: u32 = 20;

/// More pages of meters than anybody has.
const MOST_PAGES: usize = 50;

#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: HttpClient,
    key: SecretRef,
    context: Context,
}

/// An event to be told.
pub(crate) struct NewEvent<'a> {
    pub(crate) identifier: &'a str,
    pub(crate) event_name: &'a str,
    pub(crate) customer_key: &'a str,
    pub(crate) customer_id: &'a str,
    pub(crate) value_key: &'a str,
    pub(crate) value: u64,
    pub(crate) timestamp: Timestamp,
    pub(crate) idempotency_key: &'a str,
}

impl Api {
    /// `budget` names whose key it is; never the key.
    pub(crate) fn new(root: &str, key: SecretRef, budget: &str, context: &Context) -> Result<Self> {
        let budget = BudgetKey(format!("stripe:{budget}"));
        let limit = Limit::per(PER_SECOND, Duration::from_secs(1));
        context.limits.declare(&budget, &limit);
        Ok(Self {
            http: HttpClient::builder(context, root)?
                .auth(Arc::new(BasicUserName::new(context, key.clone())))
                .errors(error::table)
                .budget(budget)
                .build(),
            key,
            context: context.clone(),
        })
    }

    /// What the key's text says about it.
    pub(crate) async fn key_facts(&self) -> Result<KeyFacts> {
        let key = self.context.secrets.resolve(&self.key).await?;
        Ok(KeyFacts::of(key.expose_secret()))
    }

    /// `POST /v1/billing/meter_events`.
    pub(crate) async fn create_event(
        &self,
        cx: &OpContext,
        event: &NewEvent<'_>,
    ) -> Result<MeterEvent> {
        let value = event.value.to_string();
        let timestamp = event.timestamp.as_second().to_string();
        let (customer, users) = (
            format!("payload[{}]", event.customer_key),
            format!("payload[{}]", event.value_key),
        );
        let answer = self
            .http
            .request(
                Method::POST,
                "stripe.report_usage",
                "/v1/billing/meter_events",
            )
            .header("Idempotency-Key", event.idempotency_key)
            .form(&[
                ("event_name", event.event_name),
                (&customer, event.customer_id),
                (&users, &value),
                ("identifier", event.identifier),
                ("timestamp", &timestamp),
            ])
            // Stripe acts once for an idempotency key, and once for an identifier.
            .idempotent(true)
            .send(cx)
            .await?;
        answer.json::<RawEvent>()?.read()
    }

    /// `GET /v1/billing/meters`, every page.
    pub(crate) async fn meters(&self, cx: &OpContext) -> Result<Vec<Meter>> {
        let mut meters: Vec<Meter> = Vec::new();
        for _ in 0..MOST_PAGES {
            let mut request = self
                .http
                .request(Method::GET, "stripe.meters", "/v1/billing/meters")
                .query("limit", "100");
            if let Some(last) = meters.last() {
                request = request.query("starting_after", &last.id);
            }
            let page: List<RawMeter> = request.send(cx).await?.json()?;
            let more = page.has_more && !page.data.is_empty();
            meters.extend(page.data.into_iter().map(Meter::from));
            if !more {
                break;
            }
        }
        Ok(meters)
    }

    /// `GET /v1/billing/meters/{id}/event_summaries`: one number for the whole span, whose ends lie
    /// on minutes.
    pub(crate) async fn total(
        &self,
        cx: &OpContext,
        meter: &str,
        customer_id: &str,
        (start, end): (Timestamp, Timestamp),
    ) -> Result<UsageTotal> {
        let answer = self
            .http
            .request(
                Method::GET,
                "stripe.usage_total",
                "/v1/billing/meters/{meter}/event_summaries",
            )
            .path("meter", meter)
            .query("customer", customer_id)
            .query("start_time", start.as_second().to_string())
            .query("end_time", end.as_second().to_string())
            .send(cx)
            .await?;
        let summaries = answer.json::<List<Summary>>()?.data;
        let value = summaries
            .iter()
            .map(|summary| summary.aggregated_value)
            .sum();
        Ok(UsageTotal {
            value,
            any: value > 0.0,
        })
    }
}
