//! A sign-in from where, or with what, the user does not usually sign in.

use protect_core::model::{Confidence, Severity, Signal};

use super::burst::is_ignored;
use super::{Case, Hit, within};
use crate::signals::SignalExt;

/// A success from a country that is not on the list; without a list, one that differs from the
/// countries of the user's own recent sign-ins.
pub(super) fn new_country<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let allowed = &case.thresholds.countries;
    let listed = |country: &str| {
        allowed
            .iter()
            .any(|name| name.eq_ignore_ascii_case(country))
    };
    first_seen(case, SignalExt::country, !allowed.is_empty())
        .into_iter()
        .filter(|(_, country)| !listed(country))
        .map(|(signal, _)| {
            let (confidence, reason) = if allowed.is_empty() {
                (
                    Confidence::Low,
                    "the user's recent sign-ins came from other countries",
                )
            } else {
                (
                    Confidence::Medium,
                    "the country is not on the tenant's list",
                )
            };
            Hit::new(signal, Severity::Medium, confidence, reason)
        })
        .collect()
}

/// A success by password or second factor from an address that the user has not signed in from
/// within the window.
pub(super) fn new_address<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    first_seen(
        case,
        |signal| signal.fact("ip").map(ToOwned::to_owned),
        false,
    )
    .into_iter()
    .filter(|(signal, _)| matches!(signal.fact("type"), Some("credentials_ok" | "mfa_ok")))
    .map(|(signal, _)| {
        let days = case.thresholds.known_window / 86_400;
        let reason = format!("the user has not signed in from this address for {days} days");
        Hit::new(signal, Severity::Low, Confidence::Low, reason)
    })
    .collect()
}

/// A success with a program that is not on the list.
pub(super) fn unusual_client<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let expected = &case.thresholds.clients;
    first_seen(
        case,
        |signal| signal.fact("app").map(ToOwned::to_owned),
        true,
    )
    .into_iter()
    .filter(|(_, app)| !expected.contains(app))
    .map(|(signal, _)| {
        let reason = "the program is not on the tenant's list";
        Hit::new(signal, Severity::Medium, Confidence::Low, reason)
    })
    .collect()
}

/// A success from outside the networks that managed devices are seen at. The list is what another
/// product knows of its devices; without one, nothing can be said.
pub(super) fn unmanaged_device<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let managed = &case.thresholds.managed_networks;
    first_seen(
        case,
        |signal| signal.fact("ip").map(ToOwned::to_owned),
        true,
    )
    .into_iter()
    .filter(|(_, address)| !managed.iter().any(|network| network.contains(address)))
    .map(|(signal, _)| {
        let reason = "no managed device is seen at this address";
        Hit::new(signal, Severity::Medium, Confidence::Medium, reason)
    })
    .collect()
}

/// New successes whose mark no success of the window before them has. Only successes count as
/// known, so an attacker's failures make no place familiar. Where nothing is known yet, nothing is
/// new, unless a list says what to expect.
fn first_seen<'a>(
    case: &Case<'a>,
    mark: impl Fn(&Signal) -> Option<String>,
    even_if_nothing_is_known: bool,
) -> Vec<(&'a Signal, String)> {
    let t = case.thresholds;
    let counts = |signal: &Signal| signal.is_success() && !is_ignored(signal, &t.ignored_clients);
    let is_first = |signal: &'a Signal, earlier: &mut dyn Iterator<Item = &'a Signal>| {
        let mark_of_signal = mark(signal)?;
        let mut known = earlier
            .take_while(|before| within(signal.at, before.at, t.known_window))
            .filter(|before| counts(before))
            .filter_map(&mark)
            .peekable();
        let anything_known = known.peek().is_some();
        let is_new = known.all(|known| known != mark_of_signal);
        (is_new && (anything_known || even_if_nothing_is_known)).then_some((signal, mark_of_signal))
    };
    case.each()
        .filter(|(signal, _)| counts(signal))
        .filter_map(|(signal, earlier)| is_first(signal, &mut earlier.rev()))
        .collect()
}
