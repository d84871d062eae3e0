//! Throttling, service by service (graph/throttling-limits).

use std::collections::HashMap;

use axum::http::HeaderName;
use jiff::SignedDuration;

use super::{error::Refusal, operation::Operation, query::Options};
use crate::{
    limits::Window,
    request::{Context, Reply},
};

/// Which budget a request draws on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// Identity and access: resource units.
    Directory,
    /// Sign-ins, audits, reports on authentication methods.
    Reports,
    /// Conditional Access and Identity Protection: one budget for all applications of the tenant.
    Protection,
    /// Held by the limit over everything alone.
    Other,
}

/// 2,000 requests a second for one application.
const EVERYTHING: u32 = 2000;
const REPORTS: (u32, i64) = (5, 10);
const PROTECTION: (u32, i64) = (1, 1);
const UNITS_SECONDS: i64 = 10;
const WRITES: (u32, i64) = (3000, 150);
/// From this share of the limit on, replies tell the share.
const TOLD_FROM: f64 = 0.8;

pub(crate) struct Throttle {
    tenant: String,
    units: u32,
    protection: Window,
    applications: HashMap<String, Budgets>,
}

struct Budgets {
    everything: Window,
    units: Window,
    writes: Window,
    reports: Window,
}

/// What a request took, for the headers of its reply.
pub(crate) struct Taken {
    units: Option<(u32, f64)>,
}

impl Throttle {
    pub(crate) fn new(tenant: &str, users: usize) -> Self {
        Self {
            tenant: tenant.to_owned(),
            units: match users {
                0..50 => 3500,
                50..=500 => 5000,
                _ => 8000,
            },
            protection: window(PROTECTION),
            applications: HashMap::new(),
        }
    }

    pub(crate) fn take(
        &mut self,
        application: &str,
        operation: &Operation,
        options: &Options,
        cx: &mut Context,
    ) -> Result<Taken, Refusal> {
        if !cx.limits {
            return Ok(Taken { units: None });
        }
        let units = units(operation, options);
        let now = cx.now;
        let budgets = self
            .applications
            .entry(application.to_owned())
            .or_insert_with(|| Budgets::new(self.units));
        let all = budgets.everything.take(now, 1);
        let service = match operation.service {
            Service::Directory if operation.changing() => budgets.writes.take(now, 1).map_err(Some),
            Service::Directory => budgets.units.take(now, units).map_err(Some),
            Service::Reports => budgets.reports.take(now, 1).map_err(Some),
            Service::Protection => self.protection.take(now, 1).map_err(|_| None),
            Service::Other => Ok(()),
        };
        let share = budgets.units.share();
        all.map_err(|wait| self.refuse("Application", application, Some(wait), cx))?;
        service.map_err(|wait| self.refuse("Application_Tenant", application, wait, cx))?;
        let counted = operation.service == Service::Directory && !operation.changing();
        Ok(Taken {
            units: counted.then_some((units, share)),
        })
    }

    fn refuse(
        &self,
        scope: &str,
        application: &str,
        wait: Option<i64>,
        cx: &mut Context,
    ) -> Refusal {
        cx.violate(
            "rate_limit_exceeded",
            "more requests than the service takes",
        );
        let message = "Too many requests.";
        let scope = format!("{scope}/ReadWrite/{application}/{}", self.tenant);
        let refusal = Refusal::new(429, "TooManyRequests", message)
            .with("x-ms-throttle-scope", &scope)
            .with("x-ms-throttle-information", "ResourceUnitLimitExceeded");
        match wait {
            Some(wait) => refusal.with("retry-after", &wait.to_string()),
            None => refusal,
        }
    }
}

impl Budgets {
    fn new(units: u32) -> Self {
        Self {
            everything: window((EVERYTHING, 1)),
            units: window((units, UNITS_SECONDS)),
            writes: window(WRITES),
            reports: window(REPORTS),
        }
    }
}

impl Taken {
    pub(crate) fn tell(&self, reply: Reply) -> Reply {
        let Some((units, share)) = self.units else {
            return reply;
        };
        let reply = reply.with(
            HeaderName::from_static("x-ms-resource-unit"),
            &units.to_string(),
        );
        if share < TOLD_FROM {
            return reply;
        }
        let name = HeaderName::from_static("x-ms-throttle-limit-percentage");
        reply.with(name, &format!("{share:.1}"))
    }
}

/// `$select` makes a request cheaper by one, `$expand` dearer by one, a `$top` below 20 cheaper.
fn units(operation: &Operation, options: &Options) -> u32 {
    let cheaper =
        u32::from(options.select.is_some()) + u32::from(options.top.is_some_and(|top| top < 20));
    let dearer = u32::from(!options.expand.is_empty());
    (operation.cost + dearer).saturating_sub(cheaper).max(1)
}

/// Requests keep counting while they are refused.
fn window((limit, seconds): (u32, i64)) -> Window {
    Window::new(limit, SignedDuration::from_secs(seconds)).counting_refusals()
}
