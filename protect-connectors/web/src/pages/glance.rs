//! What a dashboard shows of where a tenant stands. It is made once for what was reckoned and kept, so that
//! looking again costs the frame of the page alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::engine::Tenant;
use protect_core::model::{Severity, TenantId};
use protect_core::report::{DayScore, Line, Overview, ScoreArea, line_chart};

use super::{Pages, base};

/// Of so many tenants at most; past that all are made again.
const MOST: usize = 256;

/// What was made, by tenant, with what it was made of.
#[derive(Debug, Default)]
pub(super) struct Glances(Mutex<BTreeMap<TenantId, (Arc<Overview>, Value)>>);

impl Pages {
    /// The part of a page that shows where a tenant stands, as HTML.
    ///
    /// # Errors
    /// `unexpected` where the template has a defect.
    pub(super) fn glance(&self, tenant: &Tenant, overview: &Arc<Overview>) -> Result<Value> {
        if let Some(kept) = self.glances.get(tenant.id(), overview) {
            return Ok(kept);
        }
        let made = self.render(
            "glance.html",
            context! {
                base => base(tenant),
                overview => Value::from(Serde(&**overview)),
                areas => areas(overview),
                severities => severities(overview),
                trend => trend(overview),
            },
        )?;
        let made = Value::from_safe_string(made);
        self.glances.keep(tenant.id(), overview, &made);
        Ok(made)
    }
}

impl Glances {
    fn get(&self, tenant: &TenantId, overview: &Arc<Overview>) -> Option<Value> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, made) = kept.get(tenant)?;
        Arc::ptr_eq(of, overview).then(|| made.clone())
    }

    fn keep(&self, tenant: &TenantId, overview: &Arc<Overview>, made: &Value) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(tenant.clone(), (Arc::clone(overview), made.clone()));
    }
}

/// What the areas of a score are called, in their order.
fn areas(overview: &Overview) -> Vec<&'static str> {
    let parts = overview.score.parts.iter();
    parts.map(|part| part.area.title()).collect()
}

/// Open findings by severity, the worst first, each with its share of the most.
fn severities(overview: &Overview) -> Vec<Value> {
    let most = overview.open.values().copied().max().unwrap_or_default();
    let shown = |severity: Severity| {
        let count = overview.open.get(&severity).copied().unwrap_or_default();
        let percent = (count * 100).checked_div(most).unwrap_or_default();
        context! { name => severity.as_str(), count => count, percent => percent }
    };
    Severity::ALL.into_iter().rev().map(shown).collect()
}

/// How the score went, drawn; nothing while there is one day alone.
fn trend(overview: &Overview) -> Option<Value> {
    let days = &overview.days;
    if days.len() < 2 {
        return None;
    }
    let percent = |of: &dyn Fn(&DayScore) -> Option<u32>| {
        days.iter().map(|day| of(day).map(f64::from)).collect()
    };
    let mut lines = vec![Line {
        label: "protection score".to_owned(),
        percent: percent(&|day| day.total),
    }];
    for area in ScoreArea::ALL {
        let of = |day: &DayScore| day.parts.get(area.as_str()).copied();
        if days.iter().any(|day| of(day).is_some()) {
            lines.push(Line {
                label: area.title().to_owned(),
                percent: percent(&of),
            });
        }
    }
    let along: Vec<String> = days
        .iter()
        .map(|day| day.day.get(5..).unwrap_or_default().to_owned())
        .collect();
    Some(line_chart(&along, &lines))
}
