//! A run: what to ask, page by page, and what came of it.
//!
//! The plan lives in memory and the cursor names a place in it. After a restart the plan is made
//! anew from what is remembered, less what this run has already answered, so that at most one page
//! is asked twice.

mod domain;
mod page;

use std::sync::Arc;

use jiff::Timestamp;
use protect_core::connector::{
    Cursor, Evaluated, OpContext, Progress, ScanPage, ScanRequest, ScanState,
};
use protect_core::model::{
    Attributes, CheckId, CheckResult, Confidence, ConnectionName, NotEvaluatedReason, Severity,
    TenantId, Verdict, WatchList,
};
use protect_core::{Context, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use crate::catalogue::{Catalogue, Version};
use crate::client::Hibp;
use crate::config::{Cadence, Settings};
use crate::error::{PLAN, REASON};
use crate::models::SubscriptionStatus;
use crate::observe::{self, Checks};
use crate::planner::{self, Capacity, Inputs, Plan, Step};
use crate::requests::effective_rate;
use domain::DomainTable;

/// Failures in a row after which the vendor counts as down.
const BREAKER: u32 = 5;
const CATALOGUE_KEY: &str = "catalogue";
const VERDICT_KEY: &str = "verdict";

/// Runs the plan of one tenant.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) api: Hibp,
    pub(crate) settings: Settings,
    pub(crate) connection: ConnectionName,
    pub(crate) tenant: TenantId,
    pub(crate) context: Context,
    pub(crate) checks: Checks,
    run: Mutex<Option<Run>>,
}

/// A run under way.
#[derive(Debug)]
struct Run {
    /// Tells this plan from one made anew after a restart.
    id: u64,
    watched: Arc<WatchList>,
    plan: Plan,
    catalogue: Catalogue,
    capacity: Capacity,
    /// The answer about the domain whose pages are being made.
    table: Option<DomainTable>,
    failures_in_a_row: u32,
}

/// What the cursor holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// When the run began, in seconds since 1970.
    began: i64,
    forced: bool,
    plan: u64,
    step: usize,
    /// Within a domain's pages.
    offset: usize,
    tally: Tally,
}

/// What a run has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tally {
    due: u64,
    checked: u64,
    clean: u64,
    exposed: u64,
    failed: u64,
    unchanged: u64,
    unchanged_exposed: u64,
}

/// What is remembered of the catalogue.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CatalogueMemory {
    version: Version,
    at: i64,
}

impl Scan {
    pub(crate) fn new(
        api: Hibp,
        settings: Settings,
        connection: ConnectionName,
        tenant: TenantId,
        context: Context,
        checks: Checks,
    ) -> Self {
        Self {
            api,
            settings,
            connection,
            tenant,
            context,
            checks,
            run: Mutex::new(None),
        }
    }

    /// One page.
    ///
    /// # Errors
    /// The vendor is down, or the state could not be read: nothing of the page is lost, since
    /// nothing of it was stored.
    pub(crate) async fn page(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        let api = self.api.on_behalf(cx);
        let mut active = self.run.lock().await;
        let place = match request.cursor {
            Some(cursor) if !request.starts_run => serde_json::from_str::<Place>(&cursor.0).ok(),
            _ => None,
        };
        if let (Some(place), Some(run)) = (&place, active.as_mut())
            && place.plan == run.id
        {
            return self.step(&api, run, place.clone(), request.state).await;
        }
        *active = None;
        match self.begin(&api, &request, place).await {
            Ok((run, page)) => {
                *active = page.more.then_some(run);
                Ok(page)
            }
            Err(error) => match self.stopped(&error) {
                Some(page) => Ok(page),
                None => Err(error),
            },
        }
    }

    async fn begin(
        &self,
        api: &Hibp,
        request: &ScanRequest<'_>,
        resumed: Option<Place>,
    ) -> Result<(Run, ScanPage)> {
        let status = api.subscription_status().await?;
        let now = self.context.clock.now();
        let catalogue = Catalogue::new(api.breaches(None, None).await?, now);
        let subscribed =
            if request.watched.domains.is_empty() && request.watched.addresses.is_empty() {
                Vec::new()
            } else {
                api.subscribed_domains().await?
            };
        let capacity = Capacity::of(effective_rate(&status, self.settings.requests_per_minute));
        let began = resumed
            .as_ref()
            .map_or(now.as_second(), |place| place.began);
        let forced = resumed
            .as_ref()
            .map_or(request.forced, |place| place.forced);
        let inputs = Inputs {
            tenant: &self.tenant,
            settings: &self.settings,
            status: &status,
            subscribed: &subscribed,
            watched: request.watched,
            others: request.others,
            version: &catalogue.version,
            capacity,
            now: now.as_second(),
            resumed_from: resumed.as_ref().map(|place| place.began),
            forced,
        };
        let plan = planner::plan(&inputs, request.state).await?;
        let tally = resumed.map_or_else(
            || Tally {
                due: plan.due,
                unchanged: plan.unchanged,
                unchanged_exposed: plan.unchanged_exposed,
                ..Tally::default()
            },
            |place| place.tally,
        );
        let place = Place {
            began,
            forced,
            plan: self.plan_id(),
            step: 0,
            offset: 0,
            tally,
        };
        let run = Run {
            id: place.plan,
            watched: Arc::clone(request.watched),
            plan,
            catalogue,
            capacity,
            table: None,
            failures_in_a_row: 0,
        };
        let page = self
            .first_page(&run, &status, place, now, request.state)
            .await?;
        Ok((run, page))
    }

    fn plan_id(&self) -> u64 {
        let mut bytes = [0; 8];
        self.context.random.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    async fn first_page(
        &self,
        run: &Run,
        status: &SubscriptionStatus,
        place: Place,
        now: Timestamp,
        state: &dyn ScanState,
    ) -> Result<ScanPage> {
        let mut page = ScanPage::default();
        self.evaluated(&mut page, &self.checks.capacity);
        if let Some(infeasible) = &run.plan.decision.infeasible {
            page.observations.push(observe::operational(
                &self.checks.capacity,
                &self.connection,
                Severity::Medium,
                "The plan cannot keep up with the watched addresses",
                infeasible.clone(),
            ));
            page.verdicts.push(self.verdict(
                &self.checks.capacity,
                Verdict::Fail,
                infeasible.clone(),
            ));
        }
        for (domain, reason) in &run.plan.uncovered {
            page.verdicts.push(CheckResult {
                affected: vec![domain.clone()],
                not_evaluated: Some(NotEvaluatedReason::MissingPermission),
                ..self.verdict(
                    &self.checks.plan,
                    Verdict::NotEvaluated,
                    format!("the domain cannot be searched as a whole: {reason}"),
                )
            });
        }
        if self.settings.serves_several && !status.includes_customer_domains {
            page.verdicts.push(self.verdict(
                &self.checks.plan,
                Verdict::Manual,
                "the plan may serve its owner's own organisation only, and this connection serves several tenants".to_owned(),
            ));
        }
        remember(
            &mut page,
            CATALOGUE_KEY,
            &CatalogueMemory {
                version: run.catalogue.version.clone(),
                at: now.as_second(),
            },
        );
        self.finish_page(run, page, place, state).await
    }

    /// Gives the page its cursor, or its end.
    async fn finish_page(
        &self,
        run: &Run,
        mut page: ScanPage,
        place: Place,
        state: &dyn ScanState,
    ) -> Result<ScanPage> {
        page.progress = Some(Progress {
            done: place.tally.checked + place.tally.failed,
            total: Some(place.tally.due),
        });
        if place.step < run.plan.steps.len() {
            page.more = true;
            page.cursor = Some(Cursor(serde_json::to_string(&place).map_err(|error| {
                Error::unexpected("a cursor has no JSON form").with_source(error)
            })?));
            return Ok(page);
        }
        // Only now is it known that nothing was refused on the way.
        self.evaluated(&mut page, &self.checks.credential);
        self.evaluated(&mut page, &self.checks.plan);
        let before = planner::read_state::<Verdict>(&[VERDICT_KEY.to_owned()], state).await?;
        let before = before.get(VERDICT_KEY).copied();
        let verdict = self.last_verdict(run, &place.tally, before);
        if verdict.verdict != Verdict::NotEvaluated {
            remember(&mut page, VERDICT_KEY, &verdict.verdict);
        }
        page.verdicts.push(verdict);
        Ok(page)
    }

    async fn step(
        &self,
        api: &Hibp,
        run: &mut Run,
        mut place: Place,
        state: &dyn ScanState,
    ) -> Result<ScanPage> {
        if run.failures_in_a_row >= BREAKER {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "Have I Been Pwned failed several times in a row; what was not answered stays due",
            )
            .temporary()
            .persistent()
            .with_operation("hibp.scan"));
        }
        let Some(step) = run.plan.steps.get(place.step).cloned() else {
            return self
                .finish_page(run, ScanPage::default(), place, state)
                .await;
        };
        let work = page::Work {
            scan: self,
            api,
            place: &mut place,
        };
        let (page, stopped) = match step {
            Step::Domain(step) => work.domain(run, &step, state).await?,
            Step::Ranges(groups) => work.ranges(run, &groups, state).await?,
            Step::Accounts(indices) => work.accounts(run, &indices, state).await?,
            Step::Judge(indices) => work.judge(run, &indices, state).await?,
            Step::Pastes(indices) => work.pastes(run, &indices, state).await?,
        };
        match stopped.as_ref().and_then(|error| self.stopped(error)) {
            None => self.finish_page(run, page, place, state).await,
            Some(end) => Ok(ScanPage {
                observations: [page.observations, end.observations].concat(),
                verdicts: end.verdicts,
                ..page
            }),
        }
    }

    /// The end of a run whose key or plan is refused: one finding, whatever the number of addresses
    /// that could not be asked about. `None` for every other error.
    fn stopped(&self, error: &Error) -> Option<ScanPage> {
        let (check, title, why) = match error.kind() {
            ErrorKind::Unauthenticated => (
                &self.checks.credential,
                "Have I Been Pwned does not accept the key",
                NotEvaluatedReason::VendorError,
            ),
            ErrorKind::PermissionDenied => (
                &self.checks.plan,
                "Have I Been Pwned refuses the searches",
                if error.context().contains(&(REASON, PLAN.to_owned())) {
                    NotEvaluatedReason::MissingLicence
                } else {
                    // Not this search or that one: the run as a whole was refused.
                    NotEvaluatedReason::VendorError
                },
            ),
            _ => return None,
        };
        let reason = error.message().to_owned();
        Some(ScanPage {
            observations: vec![observe::operational(
                check,
                &self.connection,
                Severity::High,
                title,
                reason.clone(),
            )],
            verdicts: vec![CheckResult {
                not_evaluated: Some(why),
                ..self.verdict(&self.checks.breach, Verdict::NotEvaluated, reason)
            }],
            ..ScanPage::default()
        })
    }

    fn last_verdict(&self, run: &Run, tally: &Tally, before: Option<Verdict>) -> CheckResult {
        let version = run.catalogue.version.short();
        let asked = tally.checked + tally.failed > 0;
        let (verdict, not_evaluated, reason) = if tally.failed > 0 {
            (
                Verdict::NotEvaluated,
                Some(NotEvaluatedReason::VendorError),
                format!(
                    "{} addresses could not be checked and stay due",
                    tally.failed
                ),
            )
        } else if asked {
            let exposed = tally.exposed + tally.unchanged_exposed;
            let verdict = if exposed > 0 {
                Verdict::Fail
            } else {
                Verdict::Pass
            };
            (
                verdict,
                None,
                format!(
                    "checked {} addresses against catalogue version {version}: {exposed} exposed",
                    tally.checked
                ),
            )
        } else {
            // Nobody was asked about: what was true of this version of the catalogue still is.
            let verdict = before.unwrap_or(Verdict::NotEvaluated);
            (
                verdict,
                (verdict == Verdict::NotEvaluated).then_some(NotEvaluatedReason::NoObservation),
                format!("checked against catalogue version {version}, unchanged"),
            )
        };
        let mut result = self.verdict(&self.checks.breach, verdict, reason);
        result.not_evaluated = not_evaluated;
        result.severity = Severity::Critical;
        for (name, value) in [
            ("checked", tally.checked),
            ("clean", tally.clean),
            ("exposed", tally.exposed),
            ("failed", tally.failed),
            ("skipped_unchanged", tally.unchanged),
        ] {
            result.details.insert(name.to_owned(), json!(value));
        }
        let cadence: Cadence = run.plan.decision.cadence;
        result.details.insert("cadence".into(), json!(cadence));
        result
            .details
            .insert("catalogue_version".into(), json!(version));
        result.details.insert(
            "needed_per_minute".into(),
            json!(run.plan.demand.per_minute()),
        );
        result.details.insert(
            "plan_per_minute".into(),
            json!(run.capacity.sweep_per_minute()),
        );
        result
    }

    fn evaluated(&self, page: &mut ScanPage, check: &CheckId) {
        page.evaluated.push(Evaluated {
            check: check.clone(),
            subject: Some(observe::connection_subject(&self.connection)),
        });
    }

    fn verdict(&self, check: &CheckId, verdict: Verdict, reason: String) -> CheckResult {
        CheckResult {
            check: check.clone(),
            verdict,
            not_evaluated: None,
            severity: Severity::Medium,
            reason,
            affected: Vec::new(),
            source: format!("connections.{}", self.connection),
            confidence: Confidence::High,
            references: Vec::new(),
            details: Attributes::new(),
        }
    }
}

/// Puts a value into a page's state.
fn remember(page: &mut ScanPage, key: &str, value: &impl Serialize) {
    // These types have a JSON form; a value that had none would only be asked about again.
    if let Ok(value) = serde_json::to_value(value) {
        page.state.insert(key.to_owned(), Some(value));
    }
}
