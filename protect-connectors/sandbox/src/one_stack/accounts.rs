//! Organisations, their keys and their common limit.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Endpoint, OneStackOrganisation, Refusal};
use crate::{
    limits::Window,
    request::{Call, Context},
    rng::Rng,
};

/// Requests a minute, over all products and keys of an organisation.
pub(super) const LIMIT: u32 = 100;

pub(crate) struct Accounts(Vec<Account>);

struct Account {
    organisation: OneStackOrganisation,
    window: Window,
}

impl Accounts {
    pub(super) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "one_stack");
        let mut account = |name: &str| Account {
            organisation: OneStackOrganisation {
                id: format!("org-{name}-{}", rng.hex(8)),
                api_key: format!("tos_{}", rng.hex(32)),
                integration_key: format!("ik-{}", rng.hex(32)),
            },
            window: Window::new(LIMIT, SignedDuration::from_mins(1)),
        };
        Self(vec![account("acme"), account("beta")])
    }

    pub(crate) fn organisations(&self) -> Vec<OneStackOrganisation> {
        self.0.iter().map(|it| it.organisation.clone()).collect()
    }

    /// Whose request it is, once key and limit let it pass.
    pub(super) fn admit(
        &mut self,
        endpoint: Endpoint,
        call: &Call,
        cx: &mut Context,
    ) -> Result<String, Refusal> {
        let given = credential(endpoint, call)?;
        let known = |account: &&mut Account| {
            let own = &account.organisation;
            match &given {
                Given::ApiKey(key) => own.api_key == *key,
                Given::IntegrationKey(key) => own.integration_key == *key,
            }
        };
        let Some(account) = self.0.iter_mut().find(known) else {
            return Err(Refusal::violation(401, "key_unknown", "nobody's key"));
        };
        if cx.limits
            && let Err(wait) = account.window.take(cx.now, 1)
        {
            let details = json!({"limit": LIMIT, "window": "1m", "retryAfter": wait});
            return Err(Refusal {
                details,
                ..Refusal::violation(429, "rate_limit_exceeded", "100 a minute are over")
            });
        }
        Ok(account.organisation.id.clone())
    }

    /// What is left of the limit, and the second in which the window ends.
    pub(super) fn standing(&self, organisation: &str, now: Timestamp) -> (u32, i64) {
        let account = self.0.iter().find(|it| it.organisation.id == organisation);
        let left = account.map_or(0, |account| account.window.left());
        (left, now.as_second() + 60)
    }
}

enum Given {
    ApiKey(String),
    IntegrationKey(String),
}

/// The one form that the endpoint takes.
fn credential(endpoint: Endpoint, call: &Call) -> Result<Given, Refusal> {
    let in_query = call.query.iter().find(|(name, _)| name == "key");
    let header = call.header("x-integration-key").map(str::to_owned);
    let bearer = call.bearer().map(str::to_owned);
    let missing = || {
        Refusal::violation(
            401,
            "credential_missing",
            "no key of the form that is taken here",
        )
    };
    if endpoint == Endpoint::Ingest {
        if header.is_some() || bearer.is_some() {
            return Err(Refusal::violation(
                401,
                "key_elsewhere",
                "the key stands in the query here",
            ));
        }
        let (_, key) = in_query.ok_or_else(missing)?;
        return Ok(Given::IntegrationKey(key.clone()));
    }
    if in_query.is_some() {
        return Err(Refusal::violation(
            401,
            "key_in_query",
            "a key in an address ends in logs",
        ));
    }
    let internal = endpoint.is_internal();
    match (bearer, header) {
        (Some(_), Some(_)) => Err(Refusal::violation(
            401,
            "two_credentials",
            "one key, not two",
        )),
        (Some(key), None) if !internal => Ok(Given::ApiKey(key)),
        (None, Some(key)) => Ok(Given::IntegrationKey(key)),
        _ => Err(missing()),
    }
}
