//! Conditional Access: `m365.ca.*` and whether there is any at all.

mod hygiene;
mod predicate;
mod table;

use protect_core::model::Confidence;
use protect_core::posture::{Decision, Read, Reader, Unread};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::graph::{CA, SECURITY_DEFAULTS};
use crate::views::{Policies, Policy};
pub(super) use predicate::Want;
use predicate::{Excused, Judgement, judge};
pub(super) use table::CHECKS;

/// What every check over the policies may read besides them.
pub(super) const STRENGTHS: &[&str] = &[crate::graph::STRENGTHS];

/// At most so many near misses are told.
const TOLD: usize = 10;

/// Whether one policy does all that is wanted; if none does, which ones nearly do.
pub(super) fn some_policy(read: &Reader<'_>, wants: &[Want]) -> Read<Decision> {
    let policies = read.view::<Policies>()?;
    let excused = Excused {
        settings: read.settings(),
        strict: looks_at_exclusions(read),
    };
    let judged: Vec<_> = policies
        .0
        .iter()
        .map(|policy| (policy, judge(policy, wants, &excused)))
        .collect();
    let holding: Vec<_> = judged.iter().filter(|(_, said)| said.holds()).collect();
    if !holding.is_empty() {
        return Ok(held(&holding));
    }
    if let Some((policy, said)) = judged.iter().find(|(_, said)| said.is_open()) {
        let why = format!(
            "policy `{}` does not say: {}",
            policy.name(),
            said.unsaid.join(", ")
        );
        return Err(Unread::malformed(CA, why));
    }
    let reason = if policies.0.is_empty() {
        "there is no Conditional Access policy"
    } else {
        "no enabled Conditional Access policy does this"
    };
    let misses = judged.iter().filter_map(|(policy, said)| {
        let but_for = said.near_miss()?;
        Some((policy.name(), but_for.to_owned()))
    });
    Ok(Decision::fail(reason).near_misses(misses.take(TOLD)))
}

/// The policies that do it, those first that leave the least open.
fn held(holding: &[&(&Policy, Judgement)]) -> Decision {
    let best = holding
        .iter()
        .min_by_key(|(policy, said)| (said.narrowed.len(), &policy.id));
    let ids: Vec<_> = holding
        .iter()
        .map(|(policy, _)| policy.id.to_string())
        .collect();
    let Some((policy, said)) = best else {
        return Decision::fail("no enabled Conditional Access policy does this");
    };
    let decision = Decision::pass(format!("policy `{}` does this", policy.name()));
    let decision = decision.detail("policies", ids);
    if said.narrowed.is_empty() {
        return decision;
    }
    decision
        .confidence(Confidence::Medium)
        .detail("weaker_because", said.narrowed.clone())
}

/// The same, where the tenant's security defaults do as well. Microsoft lets nobody have both: a
/// tenant with an enabled policy has them off.
pub(super) fn or_security_defaults(read: &Reader<'_>, decided: Read<Decision>) -> Read<Decision> {
    if matches!(&decided, Ok(decision) if decision.verdict == protect_core::model::Verdict::Pass) {
        return decided;
    }
    if read.has(SECURITY_DEFAULTS)? {
        return if security_defaults(read)? {
            let decision = Decision::pass("security defaults are on");
            Ok(decision.detail("security_defaults", true))
        } else {
            decided
        };
    }
    let policies = read.view::<Policies>()?;
    let has_policies = policies.0.iter().any(Policy::is_enabled);
    let counts_policies_alone =
        read.profile() == "scuba" && read.was_not_asked(SECURITY_DEFAULTS)?;
    if has_policies || counts_policies_alone {
        return decided;
    }
    security_defaults(read).and(decided)
}

/// Whether security defaults are on.
pub(super) fn security_defaults(read: &Reader<'_>) -> Read<bool> {
    Ok(read.one::<SecurityDefaults>(SECURITY_DEFAULTS)?.is_enabled)
}

/// Whether the profile looks at what a policy excludes. CISA's does; the CIS benchmark and Prowler do
/// not.
fn looks_at_exclusions(read: &Reader<'_>) -> bool {
    !matches!(read.profile(), "cis" | "prowler")
}

/// Policies with what is wrong with each, by name.
fn told(policies: &[(&Policy, Vec<String>)]) -> Value {
    let told = policies.iter().map(|(policy, what)| {
        json!({ "policy": policy.id.as_str(), "name": policy.name(), "what": what })
    });
    told.collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecurityDefaults {
    is_enabled: bool,
}
