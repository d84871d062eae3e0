//! Too much of something within a window.

use std::collections::HashSet;

use protect_core::burst::crossings;
use protect_core::model::{Confidence, Severity, Signal};

use super::{Case, Hit, within};
use crate::signals::SignalExt;

/// Many wrong passwords or second factors for one user.
pub(super) fn brute_force<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let (limit, seconds) = (case.thresholds.failures, case.thresholds.failure_window);
    let bursts = crossings(case.in_order(), limit, seconds, |signal| {
        signal.is_failure().then_some(signal.id.as_str())
    });
    let hit = |trigger| {
        let reason = format!("{limit} failed sign-ins within {seconds} seconds");
        Hit::new(trigger, Severity::Medium, Confidence::Medium, reason).with("failures", limit)
    };
    bursts.into_iter().map(hit).collect()
}

/// Many different items taken out of their vaults by one user.
pub(super) fn bulk_access<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let (limit, seconds) = (case.thresholds.bulk_items, case.thresholds.bulk_window);
    let bursts = crossings(case.in_order(), limit, seconds, |signal| {
        let takes_out = matches!(
            signal.fact("action"),
            Some("reveal" | "secure-copy" | "export")
        );
        takes_out.then(|| signal.fact("item").unwrap_or(&signal.id))
    });
    let hit = |trigger| {
        let reason = format!(
            "{limit} different items revealed, copied or exported within {seconds} seconds"
        );
        Hit::new(trigger, Severity::High, Confidence::Medium, reason).with("items", limit)
    };
    bursts.into_iter().map(hit).collect()
}

/// A burst of failures, and soon after it a success from another address or country than the
/// failures, or from an address that the user never signed in from before.
pub(super) fn failures_then_success<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let ignored = &case.thresholds.ignored_clients;
    case.each()
        .filter(|(signal, _)| signal.is_success() && !is_ignored(signal, ignored))
        .filter_map(|(signal, earlier)| {
            let earlier: Vec<&Signal> = earlier.collect();
            success_after_burst(case, signal, &earlier)
        })
        .collect()
}

fn success_after_burst<'a>(
    case: &Case<'a>,
    success: &'a Signal,
    earlier: &[&'a Signal],
) -> Option<Hit<'a>> {
    let t = case.thresholds;
    let last = earlier.iter().rposition(|signal| signal.is_failure())?;
    let end = earlier[last].at;
    if !within(success.at, end, t.success_window) {
        return None;
    }
    let is_repeat = earlier[last + 1..]
        .iter()
        .any(|signal| signal.is_success() && signal.fact("ip") == success.fact("ip"));
    let burst: Vec<&Signal> = earlier[..=last]
        .iter()
        .rev()
        .take_while(|signal| within(end, signal.at, t.failure_window))
        .filter(|signal| signal.is_failure())
        .copied()
        .collect();
    if is_repeat || burst.len() < usize::try_from(t.failures.max(1)).unwrap_or(usize::MAX) {
        return None;
    }
    let start = burst.last().map_or(end, |signal| signal.at);
    let known: HashSet<&str> = earlier
        .iter()
        .filter(|signal| signal.at < start && signal.is_success())
        .filter_map(|signal| signal.fact("ip"))
        .collect();
    let address = success.fact("ip");
    let is_known = address.is_some_and(|address| known.contains(address));
    let is_elsewhere = differs(address, burst.iter().map(|signal| signal.fact("ip")))
        || differs(
            success.country().as_deref(),
            burst.iter().map(|signal| signal.fact("country")),
        );
    let (severity, confidence, reason) = if is_elsewhere && is_known {
        (
            Severity::Medium,
            Confidence::Low,
            "from another place than the failures, where the user signed in before",
        )
    } else if is_elsewhere {
        (
            Severity::High,
            Confidence::High,
            "from another address or country than the failures",
        )
    } else if !known.is_empty() && !is_known {
        (
            Severity::High,
            Confidence::High,
            "from the address of the failures, where the user never signed in before",
        )
    } else {
        return None;
    };
    let reason = format!("a success after {} failures, {reason}", burst.len());
    Some(Hit::new(success, severity, confidence, reason).with("failures", burst.len()))
}

/// Whether something known is none of those, of which at least one is known.
fn differs<'a>(what: Option<&str>, those: impl Iterator<Item = Option<&'a str>>) -> bool {
    let Some(what) = what else { return false };
    let those: Vec<&str> = those.flatten().collect();
    !those.is_empty() && !those.iter().any(|that| that.eq_ignore_ascii_case(what))
}

/// Whether the sign-in is one of a program that says nothing about a person.
pub(super) fn is_ignored(signal: &Signal, ignored: &[String]) -> bool {
    signal
        .fact("app")
        .is_some_and(|app| ignored.iter().any(|name| name == app))
}
