//! Quotas, API by API.

use std::collections::HashMap;

use jiff::SignedDuration;

use super::{
    error::Refusal,
    operation::{Api, Ask},
};
use crate::{faults::FaultKind, limits::Window, request::Context};

/// Queries a minute for one user of one project
/// (admin-sdk/directory/v1/limits, admin-sdk/reports/v1/limits).
const ADMIN_SDK: u32 = 2400;
/// Filtered queries of `activities.list` in a minute (admin-sdk/reports/v1/limits).
const FILTERED: u32 = 250;
const FILTERED_HOURLY: u32 = 15_000;
/// What makes a query of activities a filtered one, besides a user's key.
const FILTERS: [&str; 5] = [
    "actorIpAddress",
    "eventName",
    "filters",
    "orgUnitID",
    "groupIdFilter",
];

#[derive(Default)]
pub(crate) struct Quota {
    budgets: HashMap<(usize, usize), Budgets>,
}

struct Budgets {
    directory: Window,
    reports: Window,
    filtered: Window,
    filtered_hourly: Window,
    policy: Window,
}

impl Quota {
    /// Takes one request of this service account as this subject.
    pub(crate) fn take(
        &mut self,
        who: (usize, usize),
        ask: &Ask<'_>,
        cx: &mut Context,
    ) -> Result<(), Refusal> {
        if let Some(refusal) = faulted(cx) {
            return Err(refusal);
        }
        if !cx.limits {
            return Ok(());
        }
        let now = cx.now;
        let budgets = self.budgets.entry(who).or_insert_with(Budgets::new);
        let taken = match ask.operation.api {
            Api::Directory => budgets
                .directory
                .take(now, 1)
                .map_err(|_| Refusal::quota(403, "userRateLimitExceeded")),
            Api::Reports => budgets.take_report(ask, cx),
            Api::Policy => budgets.policy.take(now, 1).map_err(|_| {
                let message = "Quota exceeded for quota metric 'Policy read requests' and limit \
                               'Policy read requests per minute'.";
                Refusal::new(429, "rateLimitExceeded", message)
            }),
            Api::Alerts => Ok(()),
        };
        if taken.is_err() {
            cx.violate(
                "rate_limit_exceeded",
                "more requests than the service takes",
            );
        }
        taken
    }
}

impl Budgets {
    fn new() -> Self {
        let minute = SignedDuration::from_mins(1);
        Self {
            directory: Window::new(ADMIN_SDK, minute),
            reports: Window::new(ADMIN_SDK, minute),
            filtered: Window::new(FILTERED, minute),
            filtered_hourly: Window::new(FILTERED_HOURLY, SignedDuration::from_hours(1)),
            policy: Window::new(1, SignedDuration::from_secs(1)),
        }
    }

    fn take_report(&mut self, ask: &Ask<'_>, cx: &Context) -> Result<(), Refusal> {
        let unavailable = "The service is currently unavailable.";
        self.reports
            .take(cx.now, 1)
            .map_err(|_| Refusal::new(503, "backendError", unavailable))?;
        if !is_filtered(ask) {
            return Ok(());
        }
        let taken = self.filtered.take(cx.now, 1);
        taken
            .and_then(|()| self.filtered_hourly.take(cx.now, 1))
            .map_err(|_| Refusal::quota(429, "rateLimitExceeded"))
    }
}

/// Whether `all` counts as a user's key is not documented; here it does not.
fn is_filtered(ask: &Ask<'_>) -> bool {
    ask.operation.template.contains("/applications/")
        && (ask.id(0) != "all" || FILTERS.iter().any(|it| ask.parameter(it).is_some()))
}

/// The refusals that a fault asks for.
fn faulted(cx: &Context) -> Option<Refusal> {
    let reasons = [
        (FaultKind::UserRateLimitExceeded, "userRateLimitExceeded"),
        (FaultKind::RateLimitExceeded, "rateLimitExceeded"),
        (FaultKind::QuotaExceeded, "quotaExceeded"),
    ];
    let (_, reason) = reasons.into_iter().find(|(kind, _)| cx.struck.has(*kind))?;
    Some(Refusal::quota(403, reason))
}
