//! Rules about who is told what in DMARC's reports.

use protect_core::model::Severity::{self, High, Low, Medium};

use super::dmarc::record;
use super::{Decision, Facts, Wrong};
use crate::dmarc::{Consent, ReportDestination};

/// Reporters may stop after so many addresses (RFC 9990 section 3).
const MOST_ADDRESSES: usize = 2;

pub(super) fn no_rua(facts: &Facts<'_>) -> Decision {
    if need!(record(facts)).rua.is_empty() {
        return Decision::fail(
            Medium,
            "nobody is told who sends in the domain's name: there is no `rua`",
        );
    }
    Decision::pass("aggregate reports are asked for")
}

pub(super) fn rua_unauthorised(facts: &Facts<'_>) -> Decision {
    if need!(record(facts)).rua.is_empty() {
        return Decision::NotApplicable("there is no `rua`".to_owned());
    }
    consent(&facts.dmarc.rua, High, &|destination| {
        is_ours(facts, destination)
    })
}

pub(super) fn ruf_unauthorised(facts: &Facts<'_>) -> Decision {
    if need!(record(facts)).ruf.is_empty() {
        return Decision::NotApplicable("there is no `ruf`".to_owned());
    }
    consent(&facts.dmarc.ruf, Low, &|_| false)
}

pub(super) fn rua_undeliverable(facts: &Facts<'_>) -> Decision {
    if need!(record(facts)).rua.is_empty() {
        return Decision::NotApplicable("there is no `rua`".to_owned());
    }
    let mut wrong = Vec::new();
    let mut unknown = false;
    for (number, destination) in facts.dmarc.rua.iter().enumerate() {
        let host = host(destination);
        if destination.consent == Consent::NoAddress {
            let text = format!("address {} of `rua` cannot be read", number + 1);
            wrong.push(Wrong::new(Medium, text).about(format!("address {}", number + 1)));
        } else if destination.deliverable == Some(false) {
            let text = format!("{host} takes no mail, so reports are lost");
            wrong.push(Wrong::new(Medium, text).about(host));
        } else if destination.uri.mailto && destination.deliverable.is_none() {
            unknown = true;
        }
    }
    if facts.dmarc.rua.len() > MOST_ADDRESSES {
        let text = format!(
            "there are more than {MOST_ADDRESSES} addresses, and some reporters use the first two only"
        );
        wrong.push(Wrong::new(Low, text).about("many"));
    }
    if unknown && wrong.is_empty() {
        return Decision::Unknown("mail host of a report's destination".to_owned());
    }
    Decision::of(wrong, "aggregate reports can be delivered")
}

pub(super) fn not_reporting_to_us(facts: &Facts<'_>) -> Decision {
    if facts.known.our_rua.is_empty() {
        return Decision::NotConfigured("`rua` is not set in the configuration".to_owned());
    }
    need!(record(facts));
    if facts
        .dmarc
        .rua
        .iter()
        .any(|destination| is_ours(facts, destination))
    {
        return Decision::pass("our mailbox is among them");
    }
    Decision::fail(Low, "our mailbox is not among the addresses of `rua`")
}

pub(super) fn our_address_missing_auth(facts: &Facts<'_>) -> Decision {
    if facts.known.our_rua.is_empty() {
        return Decision::NotConfigured("`rua` is not set in the configuration".to_owned());
    }
    need!(record(facts));
    let ours = facts
        .dmarc
        .rua
        .iter()
        .filter(|destination| is_ours(facts, destination));
    let ours: Vec<_> = ours.cloned().collect();
    if ours.is_empty() {
        return Decision::NotApplicable("no report comes to us".to_owned());
    }
    consent(&ours, High, &|_| false)
}

fn consent(
    destinations: &[ReportDestination],
    severity: Severity,
    ours: &dyn Fn(&ReportDestination) -> bool,
) -> Decision {
    let mut wrong = Vec::new();
    let mut unknown = None;
    for destination in destinations.iter().filter(|destination| !ours(destination)) {
        match &destination.consent {
            Consent::Missing { at } => {
                let host = host(destination);
                let text = format!(
                    "{host} does not say that it takes the reports, so none are sent: there is no DMARC record at {at}"
                );
                wrong.push(Wrong::new(severity, text).about(host));
            }
            Consent::Unknown { failure } => unknown = Some(*failure),
            _ => {}
        }
    }
    match unknown {
        Some(failure) if wrong.is_empty() => {
            Decision::Unknown(format!("consent of a report's destination: {failure}"))
        }
        _ => Decision::of(wrong, "whoever receives reports has agreed to it"),
    }
}

fn host(destination: &ReportDestination) -> String {
    destination
        .uri
        .host
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default()
}

/// Whether a destination is one of the tenant's own mailboxes.
fn is_ours(facts: &Facts<'_>, destination: &ReportDestination) -> bool {
    let address = destination
        .uri
        .uri
        .get("mailto:".len()..)
        .unwrap_or_default();
    let host = host(destination);
    facts.known.our_rua.iter().any(|ours| {
        let ours = ours.trim_start_matches("mailto:");
        ours.eq_ignore_ascii_case(address) || ours.eq_ignore_ascii_case(&host)
    })
}
