//! The one road: scan, observe, detect, triage, identify, decide, approve, apply. One file per step
//! or duty; each step is a function of the step before it and one transaction in the store.
//!
//! Vendors are touched only at the two ends: by [`scan`](Tenant::scan) and by
//! [`apply`](Tenant::apply). Everything between reads the store and writes the store, so that a
//! crash at any point loses nothing and doubles nothing.

mod apply;
mod approve;
mod attack;
mod authenticate;
mod build;
mod census;
mod control;
mod decide;
mod deliver;
mod detect;
mod doctor;
mod duty;
mod evidence;
mod expire;
mod failure;
mod find_out;
mod findings;
mod follow;
mod gone;
mod guard;
mod identify;
mod inbound;
mod incidents;
mod lanes;
mod monitor;
mod observe;
mod people;
mod place;
#[cfg(feature = "report")]
mod publish;
mod queue;
mod reach;
mod recipients;
mod records;
mod reject;
mod rule_limits;
mod rules;
mod run;
mod run_end;
mod scan;
mod schedule;
mod session;
mod status;
mod submit;
mod tickets;
mod triage;
mod undo;
mod usage;
mod work;
#[cfg(feature = "people")]
mod workflow;

#[cfg(test)]
mod tests;

use std::sync::Arc;
#[cfg(feature = "people")]
use std::sync::Weak;
use std::time::Duration;

use jiff::Timestamp;

pub use apply::Step;
#[cfg(feature = "people")]
pub(crate) use authenticate::put_once;
pub use authenticate::{Authenticator, Browser, Shown, SignedIn, SingleUse};
pub use build::EngineBuilder;
pub use control::Pause;
pub use doctor::Checkup;
pub use failure::ENGINE_CHECKS;
pub use findings::{FindingFilter, FindingPage};
pub use identify::DirectoryRefresh;
pub use inbound::{Caller, TenantRoutes};
pub use incidents::IncidentFilter;
pub use monitor::parse_people;
pub use observe::Observed;
pub use rules::RuleTrial;
pub use run::{RunState, ScanCounts, VerdictCounts};
pub use scan::{ConnectorScan, OnProgress, ScanOptions, ScanProgress, ScanSummary, StoredVerdict};
pub use schedule::{Tick, TickScan};
pub use session::Session;
pub use status::{ConnectorStatus, RunStatus, TenantStatus};
pub use tickets::TicketStanding;
pub use triage::Triaged;
pub use undo::Request;

#[cfg(feature = "people")]
pub(crate) use {
    build::WORKFORCE,
    decide::{Looking, Wanted, routed},
    findings::check_reason,
    observe::{Batch, CONFLICT_RETRIES, Coverage, Look, observe, too_busy},
    people::People,
    records::{Versioned, put_finding, put_incident, put_intent},
};

use crate::config::{Config, TenantConfig};
use crate::connector::{Connector, OpContext};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{ActionKind, Actor, ConnectorName, TenantId};
use crate::store::Store;

/// The engine: every tenant of a configuration over one store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    areas: Arc<Vec<Arc<dyn TenantRoutes>>>,
}

/// One tenant's part of the engine. Cheap to clone; cannot reach another tenant's data.
#[derive(Clone, Debug)]
pub struct Tenant {
    shared: Arc<Shared>,
    parts: Arc<TenantParts>,
}

/// A tenant as one of its own parts knows it: without keeping the engine alive.
#[cfg(feature = "people")]
#[derive(Clone, Debug)]
pub(crate) struct Home {
    shared: Weak<Shared>,
    id: TenantId,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    context: Context,
    store: Arc<dyn Store>,
    authenticator: Option<Arc<dyn Authenticator>>,
    tenants: Vec<Arc<TenantParts>>,
    /// How long a worker may take for one intent before another looks after it.
    lease: Duration,
    /// From so many subjects on, one cause makes one incident.
    many_subjects: usize,
    #[cfg(feature = "report")]
    sections: Vec<&'static dyn crate::report::ReportSection>,
    census: census::Known,
    dropped_runs: run::Dropped,
    #[cfg(feature = "report")]
    overviews: crate::report::Overviews,
}

#[derive(Debug)]
struct TenantParts {
    id: TenantId,
    config: TenantConfig,
    connectors: Vec<Arc<dyn Connector>>,
    /// What the program does itself, beside the vendors.
    built_in: Vec<Arc<dyn Connector>>,
    /// Held while what a rule does by itself is judged and counted.
    counting: futures::lock::Mutex<()>,
}

#[cfg(feature = "people")]
impl Home {
    /// The tenant.
    ///
    /// # Errors
    /// The engine is gone.
    pub(crate) fn tenant(&self) -> Result<Tenant> {
        let shared = self.shared.upgrade();
        let found = shared.and_then(|shared| {
            let parts = shared.tenants.iter().find(|parts| parts.id == self.id)?;
            let parts = Arc::clone(parts);
            Some(Tenant { shared, parts })
        });
        found.ok_or_else(|| Error::unexpected("the engine is gone"))
    }
}

impl Engine {
    /// The tenants, in order of their ids.
    pub fn tenants(&self) -> Vec<Tenant> {
        let handle = |parts: &Arc<TenantParts>| Tenant {
            shared: Arc::clone(&self.shared),
            parts: Arc::clone(parts),
        };
        self.shared.tenants.iter().map(handle).collect()
    }

    /// One tenant.
    ///
    /// # Errors
    /// `not_found`, with the known tenants.
    pub fn tenant(&self, id: &str) -> Result<Tenant> {
        self.tenants()
            .into_iter()
            .find(|tenant| tenant.id().as_str() == id)
            .ok_or_else(|| {
                let known = self.shared.tenants.iter().map(|parts| parts.id.as_str());
                let known = known.collect::<Vec<_>>().join(", ");
                Error::new(
                    ErrorKind::NotFound,
                    format!("no such tenant; the configuration has: {known}"),
                )
            })
    }

    /// The configuration it was made from.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// What it was given from outside.
    pub fn context(&self) -> &Context {
        &self.shared.context
    }

    /// The same engine, which answers these routes too, for every tenant.
    #[must_use]
    pub fn with_routes(&self, area: Arc<dyn TenantRoutes>) -> Self {
        let mut areas = self.areas.as_ref().clone();
        areas.push(area);
        Self {
            areas: Arc::new(areas),
            ..self.clone()
        }
    }

    /// Where everything is kept.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// Lets go of the store's files, which are no longer in use when this returns. Whatever of this
    /// engine is still under way or is asked afterwards is an error (`store`) where it needs them; an
    /// action that was begun is gone on with by whoever opens the store next.
    pub async fn close(&self) {
        self.shared.store.close().await;
    }
}

impl Tenant {
    /// Which tenant this is.
    pub fn id(&self) -> &TenantId {
        &self.parts.id
    }

    /// Its part of the configuration.
    pub fn config(&self) -> &TenantConfig {
        &self.parts.config
    }

    /// Its connectors, in order of their names.
    pub fn connectors(&self) -> &[Arc<dyn Connector>] {
        &self.parts.connectors
    }

    /// One connector by name, one that is built in too.
    ///
    /// # Errors
    /// `not_found`, with the known names.
    pub fn connector(&self, name: &ConnectorName) -> Result<&Arc<dyn Connector>> {
        let connectors = self.connectors();
        connectors
            .iter()
            .chain(&self.parts.built_in)
            .find(|connector| connector.info().name == *name)
            .ok_or_else(|| {
                let known = connectors.iter().map(|c| c.info().name.as_str());
                let known = known.collect::<Vec<_>>().join(", ");
                Error::new(
                    ErrorKind::NotFound,
                    format!("no such connector; this tenant has: {known}"),
                )
                .with_context("tenant", self.id().as_str())
                .with_context("connector", name.as_str())
            })
    }

    /// What the program itself has for an action.
    pub(crate) fn built_in(&self, kind: ActionKind) -> Option<&Arc<dyn Connector>> {
        let mut built_in = self.parts.built_in.iter();
        built_in.find(|it| it.capability().actions.contains_key(&kind))
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    pub(crate) fn context(&self) -> &Context {
        &self.shared.context
    }

    #[cfg(feature = "report")]
    pub(crate) fn overviews(&self) -> &crate::report::Overviews {
        &self.shared.overviews
    }

    /// The sections that the program registered.
    #[cfg(feature = "report")]
    pub(crate) fn report_sections(&self) -> &[&'static dyn crate::report::ReportSection] {
        &self.shared.sections
    }

    pub(crate) fn dropped_runs(&self) -> &run::Dropped {
        &self.shared.dropped_runs
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.shared.context.clock.now()
    }

    /// How long one call to a vendor may take, its retries included: a third of the lease, so that
    /// the transactions around it fit too.
    pub(crate) fn vendor_budget(&self) -> Duration {
        self.shared.lease / 3
    }

    /// What a call to a vendor is told; it gives up after `budget`.
    pub(crate) fn op(&self, actor: Actor, budget: Duration) -> OpContext {
        let mut random = [0; 8];
        self.context().random.fill(&mut random);
        let correlation = format!("{:016x}", u64::from_le_bytes(random));
        OpContext::new(self.id().clone(), correlation, actor)
            .with_deadline(self.context().clock.monotonic() + budget)
    }
}
