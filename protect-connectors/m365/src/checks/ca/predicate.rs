//! The one predicate over Conditional Access policies: whether a policy does what a check wants, and if
//! not, what keeps it from it.
//!
//! Three answers, not two: a policy whose answer lacks what would decide is neither one that does nor
//! one that does not.

use protect_core::posture::CheckSettings;
use serde_json::Value;

use crate::id::{Name, Names};
use crate::views::{Answer, Grant, Policy};

/// What a check wants of a policy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    /// It covers every user, but for excused exclusions.
    Everyone,
    /// It covers the holders of these roles, but for excused exclusions.
    Holders(&'static [&'static str]),
    /// It covers every kind of guest.
    Guests,
    /// It covers every application, but for excused exclusions.
    AllApps,
    /// It covers this application.
    App(&'static str),
    /// It covers this action of users.
    UserAction(&'static str),
    /// It covers these kinds of client.
    ClientApps(&'static [&'static str]),
    /// It covers high user risk.
    HighUserRisk,
    /// It covers high sign-in risk.
    HighSignInRisk,
    /// It covers high risk of every agent.
    HighAgentRisk,
    /// It covers this way of handing over a sign-in.
    Transfer(&'static str),
    /// It blocks.
    Block,
    /// It demands more than one factor.
    Mfa,
    /// It demands factors that cannot be phished.
    PhishingResistant,
    /// It demands more than one factor and a new password.
    MfaAndPasswordChange,
    /// It demands more than one factor, or blocks.
    MfaOrBlock,
    /// It demands a device that is compliant or joined, and nothing else.
    ManagedDeviceAlone,
    /// It demands a device that is compliant or joined.
    ManagedDevice,
    /// It asks again after so many hours, and keeps no browser signed in.
    ShortSession(u32),
}

/// Factors that cannot be phished.
const PHISHING_RESISTANT: &[&str] = &[
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
];

/// Combinations that are more than one factor.
const MULTI_FACTOR: &[&str] = &[
    "windowsHelloForBusiness",
    "fido2",
    "x509CertificateMultiFactor",
    "deviceBasedPush",
    "temporaryAccessPassOneTime",
    "temporaryAccessPassMultiUse",
    "password,microsoftAuthenticatorPush",
    "password,softwareOath",
    "password,hardwareOath",
    "password,sms",
    "password,voice",
    "federatedMultiFactor",
    "microsoftAuthenticatorPush,federatedSingleFactor",
    "softwareOath,federatedSingleFactor",
    "hardwareOath,federatedSingleFactor",
    "sms,federatedSingleFactor",
    "voice,federatedSingleFactor",
];

/// Every kind of guest.
const GUESTS: &[&str] = &[
    "internalGuest",
    "b2bCollaborationGuest",
    "b2bCollaborationMember",
    "b2bDirectConnectUser",
    "otherExternalUser",
    "serviceProvider",
];

/// What may be left out, and whether anything else may.
#[derive(Debug)]
pub(crate) struct Excused<'s> {
    pub(crate) settings: &'s CheckSettings,
    /// Whether an exclusion that is not excused fails a policy. Where the profile does not look at
    /// exclusions, they lower the confidence.
    pub(crate) strict: bool,
}

/// What is to be said of one policy.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// What is not the policy's matter at all.
    pub(crate) other_purpose: usize,
    /// What keeps it from covering what it should.
    pub(crate) gaps: Vec<String>,
    /// What its answer does not say.
    pub(crate) unsaid: Vec<String>,
    /// What makes it weaker without failing it.
    pub(crate) narrowed: Vec<String>,
}

impl Judgement {
    /// It does what is wanted.
    pub(crate) fn holds(&self) -> bool {
        self.other_purpose == 0 && self.gaps.is_empty() && self.unsaid.is_empty()
    }

    /// It may or may not.
    pub(crate) fn is_open(&self) -> bool {
        self.other_purpose == 0 && self.gaps.is_empty() && !self.unsaid.is_empty()
    }

    /// The one thing that keeps it from it.
    pub(crate) fn near_miss(&self) -> Option<&str> {
        match self.gaps.as_slice() {
            [gap] if self.other_purpose == 0 && self.unsaid.is_empty() => Some(gap),
            _ => None,
        }
    }

    fn purpose(&mut self, is_it: bool) {
        if !is_it {
            self.other_purpose += 1;
        }
    }

    fn covers(&mut self, so: bool, otherwise: &str) {
        if !so {
            self.gaps.push(otherwise.to_owned());
        }
    }
}

/// Judges a policy.
pub(crate) fn judge(policy: &Policy, wants: &[Want], excused: &Excused<'_>) -> Judgement {
    let mut said = Judgement::default();
    state(policy, &mut said);
    for want in wants {
        one(policy, *want, excused, &mut said);
    }
    limits(policy, wants, &mut said);
    said
}

fn state(policy: &Policy, said: &mut Judgement) {
    match policy.state.as_ref().map(Name::as_str) {
        Some("enabled") => {}
        Some("disabled") => said.gaps.push("is disabled".to_owned()),
        Some("enabledforreportingbutnotenforced") => {
            said.gaps
                .push("only reports, and enforces nothing".to_owned());
        }
        _ => said.unsaid.push("state".to_owned()),
    }
}

fn one(policy: &Policy, want: Want, excused: &Excused<'_>, said: &mut Judgement) {
    let conditions = &policy.conditions;
    let people = &conditions.users;
    let apps = &conditions.applications;
    match want {
        Want::Everyone => {
            let all = has(&people.include_users, "All", "includeUsers", said);
            said.covers(all, "does not cover all users");
            exclusions(policy, excused, true, said);
        }
        Want::Holders(roles) => {
            if !people.include_users.has("All") {
                let missing = roles
                    .iter()
                    .filter(|role| !people.include_roles.has(role))
                    .count();
                known(&people.include_roles, "includeRoles", said);
                said.purpose(missing < roles.len());
                if missing > 0 && missing < roles.len() {
                    said.gaps
                        .push(format!("leaves out {missing} of {} roles", roles.len()));
                }
            }
            exclusions(policy, excused, false, said);
        }
        Want::Guests => guests(policy, excused, said),
        Want::AllApps => {
            let all = has(&apps.included, "All", "includeApplications", said);
            said.covers(all, "does not cover all applications");
            excluded(
                &apps.excluded,
                "application",
                &excused.settings.excluded_applications,
                excused.strict,
                said,
            );
            said.covers(
                apps.application_filter.is_none(),
                "covers only applications that fit a filter",
            );
        }
        Want::App(id) => {
            let all = apps.included.has("All") && !apps.excluded.has(id);
            known(&apps.included, "includeApplications", said);
            said.covers(
                all || apps.included.has(id),
                "does not cover the application",
            );
        }
        Want::UserAction(action) => {
            let covered = has(
                &apps.include_user_actions,
                action,
                "includeUserActions",
                said,
            );
            said.purpose(covered);
        }
        Want::ClientApps(kinds) => {
            known(&conditions.client_app_types, "clientAppTypes", said);
            let types = &conditions.client_app_types;
            let missing: Vec<_> = kinds
                .iter()
                .filter(|kind| !types.has(kind))
                .copied()
                .collect();
            said.purpose(missing.len() < kinds.len());
            if !missing.is_empty() && missing.len() < kinds.len() {
                said.gaps
                    .push(format!("leaves out the clients {}", missing.join(", ")));
            }
        }
        Want::HighUserRisk => {
            let covered = has(&conditions.user_risk_levels, "high", "userRiskLevels", said);
            said.purpose(covered);
        }
        Want::HighSignInRisk => {
            let covered = has(
                &conditions.sign_in_risk_levels,
                "high",
                "signInRiskLevels",
                said,
            );
            said.purpose(covered);
        }
        Want::HighAgentRisk => {
            let covered = has(
                &conditions.agent_id_risk_levels,
                "high",
                "agentIdRiskLevels",
                said,
            );
            said.purpose(covered);
            let agents = conditions.client_applications.as_ref();
            let all = agents.map(|it| &it.include_agent_id_service_principals);
            said.covers(
                all.is_some_and(|it| it.has("All")),
                "does not cover all agents",
            );
        }
        Want::Transfer(method) => {
            let methods = conditions.authentication_flows.as_ref();
            said.purpose(methods.is_some_and(|it| it.transfer_methods.has(method)));
        }
        Want::ShortSession(hours) => session(policy, hours, said),
        _ => grant(policy, want, said),
    }
}

/// What a policy demands.
fn grant(policy: &Policy, want: Want, said: &mut Judgement) {
    let grant = match &policy.grant_controls {
        Answer::Missing => return said.unsaid.push("grantControls".to_owned()),
        Answer::Null => return said.purpose(false),
        Answer::Is(grant) => grant,
    };
    known(&grant.built_in_controls, "builtInControls", said);
    let controls = &grant.built_in_controls;
    let blocks = controls.has("block");
    match want {
        Want::Block => said.purpose(blocks),
        Want::Mfa => {
            let mfa = controls.has("mfa") || strength(grant, MULTI_FACTOR, said);
            said.purpose(mfa && !blocks);
            instead(grant, said);
        }
        Want::MfaOrBlock => {
            let mfa = controls.has("mfa") || strength(grant, MULTI_FACTOR, said);
            said.purpose(mfa || blocks);
            instead(grant, said);
        }
        Want::PhishingResistant => {
            let resistant = strength(grant, PHISHING_RESISTANT, said);
            said.purpose(!blocks && (resistant || has_strength(grant) || controls.has("mfa")));
            said.covers(resistant, "allows factors that can be phished");
            instead(grant, said);
        }
        Want::MfaAndPasswordChange => {
            said.purpose(controls.has("passwordChange") && !blocks);
            said.covers(controls.has("mfa"), "does not demand more than one factor");
            let both = grant
                .operator
                .as_ref()
                .is_some_and(|operator| operator.is("AND"));
            said.covers(both, "lets one control do instead of all");
        }
        Want::ManagedDeviceAlone => {
            let device = controls.has("compliantDevice") || controls.has("domainJoinedDevice");
            said.purpose(device && !blocks);
            let both = controls.has("compliantDevice") && controls.has("domainJoinedDevice");
            let alone = controls.iter().count() == 2 && !has_strength(grant);
            said.covers(
                both && alone,
                "does not demand just a compliant or a joined device",
            );
            let either = grant
                .operator
                .as_ref()
                .is_some_and(|operator| operator.is("OR"));
            said.covers(either, "does not let either kind of device do");
        }
        Want::ManagedDevice => {
            let device = controls.has("compliantDevice") || controls.has("domainJoinedDevice");
            said.purpose(device && !blocks);
        }
        _ => {}
    }
}

fn has_strength(grant: &Grant) -> bool {
    grant.authentication_strength.is_some()
}

/// Whether a strength allows nothing but these combinations.
fn strength(grant: &Grant, allowed: &[&str], said: &mut Judgement) -> bool {
    let Some(strength) = &grant.authentication_strength else {
        return false;
    };
    let Some(combinations) = strength.combinations() else {
        said.unsaid.push("allowedCombinations".to_owned());
        return true;
    };
    !combinations.is_empty() && combinations.iter().all(|it| it.is_in(allowed))
}

/// Whether another control may do instead of the one that is wanted.
fn instead(grant: &Grant, said: &mut Judgement) {
    if grant
        .operator
        .as_ref()
        .is_none_or(|operator| operator.is("AND"))
    {
        return;
    }
    let others = grant.built_in_controls.iter();
    let others = others.filter(|it| !it.is("mfa")).map(ToString::to_string);
    let mut others: Vec<String> = others.collect();
    if !grant.terms_of_use.is_empty() {
        others.push("terms of use".to_owned());
    }
    if !grant.custom_authentication_factors.is_empty() {
        others.push("a custom factor".to_owned());
    }
    if !others.is_empty() {
        said.narrowed
            .push(format!("{} will do instead", others.join(" or ")));
    }
}

/// How long a session lasts.
fn session(policy: &Policy, hours: u32, said: &mut Judgement) {
    let session = policy.session_controls.as_ref();
    let frequency = session.and_then(|it| it.sign_in_frequency.as_ref());
    let frequency = frequency.filter(|it| it.is_enabled == Some(true));
    said.purpose(frequency.is_some());
    let short = frequency.is_some_and(|it| {
        let every_time = it.interval.as_ref().is_some_and(|it| it.is("everyTime"));
        let unit = it.unit.as_ref().map_or(0, |unit| match unit.as_str() {
            "hours" => 1,
            "days" => 24,
            _ => 0,
        });
        let lasts = it.value.map(|value| value.saturating_mul(unit));
        every_time || lasts.is_some_and(|lasts| lasts > 0 && lasts <= hours)
    });
    said.covers(short, "asks again too late");
    let browser = session.and_then(|it| it.persistent_browser.as_ref());
    let never = browser.is_some_and(|it| {
        it.is_enabled == Some(true) && it.mode.as_ref().is_some_and(|mode| mode.is("never"))
    });
    said.covers(never, "lets browsers stay signed in");
}

fn guests(policy: &Policy, excused: &Excused<'_>, said: &mut Judgement) {
    let people = &policy.conditions.users;
    if people.include_users.has("All") {
        exclusions(policy, excused, true, said);
        return;
    }
    let types = people.include_guests_or_external_users.as_ref();
    let types = types.map(|it| &it.guest_or_external_user_types);
    let legacy = people.include_users.has("GuestsOrExternalUsers");
    let missing: Vec<_> = GUESTS
        .iter()
        .filter(|kind| !types.is_some_and(|types| types.has(kind)))
        .filter(|kind| !Name::new(kind).is_in(&excused.settings.excluded_guest_types))
        .copied()
        .collect();
    said.purpose(legacy || types.is_some());
    if !legacy && types.is_some() && !missing.is_empty() {
        said.gaps
            .push(format!("leaves out guests of type {}", missing.join(", ")));
    }
    exclusions(policy, excused, true, said);
}

/// Who is left out of a policy.
fn exclusions(policy: &Policy, excused: &Excused<'_>, guests_too: bool, said: &mut Judgement) {
    let people = &policy.conditions.users;
    let settings = excused.settings;
    let strict = excused.strict;
    excluded(
        &people.exclude_users,
        "user",
        &settings.excluded_users,
        strict,
        said,
    );
    excluded(
        &people.exclude_groups,
        "group",
        &settings.excluded_groups,
        strict,
        said,
    );
    excluded(
        &people.exclude_roles,
        "role",
        &settings.excluded_principals,
        strict,
        said,
    );
    if let (true, Some(guests)) = (guests_too, &people.exclude_guests_or_external_users) {
        let types = &guests.guest_or_external_user_types;
        excluded(
            types,
            "guest type",
            &settings.excluded_guest_types,
            strict,
            said,
        );
    }
}

fn excluded(list: &Names, what: &str, allowed: &[String], strict: bool, said: &mut Judgement) {
    let Some(names) = list.known() else {
        return said.unsaid.push(format!("the excluded {what}s"));
    };
    let mut open: Vec<_> = names
        .iter()
        .filter(|name| !name.is_in(allowed) && !name.is("None"))
        .map(ToString::to_string)
        .collect();
    if open.is_empty() {
        return;
    }
    open.sort_unstable();
    let more = open.len().saturating_sub(3);
    open.truncate(3);
    let mut text = format!("excludes {what} {}", open.join(", "));
    if more > 0 {
        text = format!("{text} and {more} more");
    }
    if strict {
        said.gaps.push(text);
    } else {
        said.narrowed.push(text);
    }
}

fn known(list: &Names, field: &str, said: &mut Judgement) {
    if list.known().is_none() {
        said.unsaid.push(field.to_owned());
    }
}

/// Whether a list has a word; one that Graph did not answer may have it.
fn has(list: &Names, word: &str, field: &str, said: &mut Judgement) -> bool {
    known(list, field, said);
    list.known().is_none() || list.has(word)
}

/// What else limits a policy, and no check wants.
fn limits(policy: &Policy, wants: &[Want], said: &mut Judgement) {
    let wants = |is: fn(&Want) -> bool| wants.iter().any(is);
    let conditions = &policy.conditions;
    let device_filter = conditions.devices.as_ref().map(|it| &it["deviceFilter"]);
    let clients = &conditions.client_app_types;
    let some_clients = !clients.is_empty() && !clients.has("all");
    let risk =
        !conditions.user_risk_levels.is_empty() || !conditions.sign_in_risk_levels.is_empty();
    let flows = conditions.authentication_flows.as_ref();
    let flows = flows.is_some_and(|it| !it.transfer_methods.is_empty());
    for (limited, what) in [
        (
            some(conditions.platforms.as_ref(), "Platforms"),
            "platforms",
        ),
        (
            some(conditions.locations.as_ref(), "Locations"),
            "locations",
        ),
        (device_filter.is_some_and(|it| !it.is_null()), "devices"),
        (
            some_clients && !wants(|it| matches!(it, Want::ClientApps(_))),
            "clients",
        ),
        (
            risk && !wants(|it| matches!(it, Want::HighUserRisk | Want::HighSignInRisk)),
            "risky sign-ins",
        ),
        (
            flows && !wants(|it| matches!(it, Want::Transfer(_))),
            "ways of signing in",
        ),
    ] {
        said.covers(!limited, &format!("covers only some {what}"));
    }
}

/// Whether a pair of lists (`includePlatforms`, `excludePlatforms`) leaves something out.
fn some(condition: Option<&Value>, of: &str) -> bool {
    let list = |word: &str| {
        let list = condition.and_then(|it| it[format!("{word}{of}")].as_array());
        list.map(Vec::as_slice).unwrap_or_default()
    };
    let all = |it: &Value| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case("all"));
    let included = list("include");
    !list("exclude").is_empty() || !(included.is_empty() || included.iter().any(all))
}
