//! What the account's own firewall rules say about a sign-in.

use protect_core::model::{Confidence, Severity};

use super::{Case, Hit, within};
use crate::signals::SignalExt;

/// The same user and address within this time is the same story.
pub(super) const REPEAT_SECONDS: u64 = 24 * 3_600;

/// Let in, and reported.
pub(super) fn reported<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    firsts(case, "firewall_reported_success", Severity::Medium)
}

/// Kept out.
pub(super) fn blocked<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    firsts(case, "firewall_failed", Severity::Low)
}

fn firsts<'a>(case: &Case<'a>, category: &str, severity: Severity) -> Vec<Hit<'a>> {
    case.each()
        .filter(|(signal, _)| signal.fact("category") == Some(category))
        .filter(|(signal, earlier)| {
            !earlier
                .clone()
                .rev()
                .take_while(|before| within(signal.at, before.at, REPEAT_SECONDS))
                .any(|before| {
                    before.fact("category") == Some(category)
                        && before.fact("ip") == signal.fact("ip")
                })
        })
        .map(|(signal, _)| {
            let reason = signal.fact("type").map_or_else(
                || format!("1Password says {category}"),
                |rule| format!("1Password says {category}: {rule}"),
            );
            Hit::new(signal, severity, Confidence::High, reason)
        })
        .collect()
}
