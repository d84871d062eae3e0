//! What a key covers by domain searches, and what all that share it take of it beside those.

use std::sync::Arc;
use std::time::Duration;

use protect_core::model::WatchCensus;

use super::capacity::{Capacity, Decision, Demand, decide};
use crate::config::{Pastes, Settings};
use crate::models::{SubscribedDomain, SubscriptionStatus};

const WINDOW: Duration = Duration::from_hours(12);

/// A key's plan and domains, as one tenant's settings use them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) status: &'a SubscriptionStatus,
    pub(crate) subscribed: &'a [SubscribedDomain],
}

impl Cover<'_> {
    /// Whether a domain can be searched as a whole, or why not.
    pub(crate) fn searchable(&self, domain: &str) -> Result<(), &'static str> {
        let below = |apex: &str| {
            self.status.includes_auto_subdomain_verification
                && domain
                    .strip_suffix(apex)
                    .is_some_and(|rest| rest.ends_with('.'))
        };
        let subscribed = self.subscribed.iter().find(|subscribed| {
            let own = subscribed.domain_name.to_lowercase();
            own == domain || below(&own)
        });
        let Some(subscribed) = subscribed else {
            return Err("not verified for this key");
        };
        let largest = self.status.domain_search_max_breached_accounts;
        let counted = subscribed.pwn_count_excluding_spam_lists;
        if let (Some(largest), Some(counted)) = (largest, counted)
            && counted > largest
        {
            return Err("more breached addresses than the plan searches");
        }
        Ok(())
    }

    /// Whether single addresses are searched by the first digits of their hashes.
    pub(crate) fn by_range(&self) -> bool {
        self.settings.k_anonymity && self.status.includes_k_anon
    }

    /// What one search counts for.
    pub(crate) fn weight(&self) -> u32 {
        if self.by_range() {
            self.settings.kanon_weight
        } else {
            1
        }
    }

    /// What a tenant takes that watches so many addresses of these domains.
    pub(crate) fn demand(&self, census: &WatchCensus) -> Demand {
        let mut every = 0_u64;
        let mut residual = 0_u64;
        for (domain, addresses) in &census.by_domain {
            every = every.saturating_add(*addresses);
            if self.searchable(domain).is_err() {
                residual = residual.saturating_add(*addresses);
            }
        }
        let pastes = match self.settings.pastes {
            Pastes::Off => 0,
            Pastes::Residual => residual,
            Pastes::All => every,
        };
        Demand::new(residual, self.weight(), pastes)
    }

    /// What a tenant and all that share its key take. How the others are configured is not known:
    /// they are reckoned to ask as this tenant does.
    pub(crate) fn with_others(&self, own: Demand, others: &[Arc<WatchCensus>]) -> Demand {
        others
            .iter()
            .fold(own, |demand, other| demand.and(self.demand(other)))
    }

    /// The cadence, and whether the plan can keep it up.
    pub(crate) fn decide(&self, demand: Demand, capacity: Capacity) -> Decision {
        let windows = self.settings.max_age.as_secs() / WINDOW.as_secs();
        decide(self.settings.cadence, demand, capacity, windows)
    }
}
