//! What somebody did to the account itself. Names of actions:
//! <https://www.1password.dev/events-api/reference/audit-events>.

use protect_core::model::{Confidence, Severity};

use super::{Case, Hit};
use crate::signals::SignalExt;

/// An export in the audit log.
pub(super) fn data_exported<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    done(case, |action, _| {
        (action == "export").then_some((Severity::High, "an export"))
    })
}

/// Second factor or single sign-on switched off, or a firewall rule changed.
pub(super) fn protection_weakened<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    done(case, |action, _| match action {
        "disblmfa" => Some((Severity::High, "a second factor was switched off")),
        "disblsso" => Some((Severity::High, "single sign-on was switched off")),
        "updatfw" => Some((Severity::Medium, "the firewall rules were changed")),
        _ => None,
    })
}

/// Access to a vault granted to a user (`uva`) or a group (`gva`).
pub(super) fn privilege_granted<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    done(case, |action, object| match (action, object) {
        ("grant", "uva") => Some((Severity::Low, "a user was given access to a vault")),
        ("grant", "gva") => Some((Severity::Low, "a group was given access to a vault")),
        _ => None,
    })
}

fn done<'a>(
    case: &Case<'a>,
    judge: impl Fn(&str, &str) -> Option<(Severity, &'static str)>,
) -> Vec<Hit<'a>> {
    case.new
        .iter()
        .filter_map(|signal| {
            let action = signal.fact("action")?;
            let (severity, reason) = judge(action, signal.fact("object_type").unwrap_or(""))?;
            Some(Hit::new(signal, severity, Confidence::High, reason))
        })
        .collect()
}
