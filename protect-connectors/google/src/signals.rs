//! What happened to accounts, as signals: which facts a detection finds under which name
//! ([login events](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login)).

use jiff::Timestamp;
use protect_core::model::{Address, Attributes, Signal, Subject, hash_fields};
use protect_core::{Error, Result};

use crate::KIND;
use crate::model::Alert;
use crate::wire::{Activity, Event, digits};

/// Something happened to an account; the subject is whose it is.
pub(crate) const ACCOUNT_EVENT: &str = "google.account_event";
/// The Alert Center raised an alert that no event of an account stands for.
pub(crate) const ALERT: &str = "google.alert";

/// Where alerts that name no account lie.
pub(crate) const ALERTS: &str = "alerts";

/// Where the log of sign-ins lies, for an event that names nobody.
const LOGIN_LOG: &str = "activities/login";

/// Stands for nobody.
const NOBODY: &str = "105250506097979753968";

/// What is known of whoever has an address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The account's id.
    pub(crate) id: Option<String>,
    /// Whether it is an administrator's.
    pub(crate) admin: bool,
}

/// The events of one activity of the `login` or `user_accounts` log, as signals. `is_admin` says of an
/// address, in lower case, whether it is an administrator's. The id of a signal is the same however
/// often the event is read.
///
/// # Errors
/// `invalid_input` for what is no activity.
pub fn signals(activity: &str, is_admin: impl Fn(&str) -> bool) -> Result<Vec<Signal>> {
    let activity: Activity = serde_json::from_str(activity)
        .map_err(|_| Error::invalid_input("this is not an activity of Google's logs"))?;
    let known = |address: &str| Known {
        id: None,
        admin: is_admin(address),
    };
    Ok(signals_of(&activity, |_, _| true, known))
}

/// The events of one activity that are wanted, by name and event, as signals.
pub(crate) fn signals_of(
    activity: &Activity,
    is_wanted: impl Fn(&str, &Event) -> bool,
    known: impl Fn(&str) -> Known,
) -> Vec<Signal> {
    let events = activity.events.iter().flatten().enumerate();
    let signals = events.filter_map(|(number, event)| {
        let name = event
            .name
            .as_deref()
            .filter(|name| is_wanted(name, event))?;
        Some(signal(activity, number, event, name, &known))
    });
    signals.collect()
}

/// What Google calls the event that an alert tells of, by the alert's type
/// ([types](https://developers.google.com/workspace/admin/alertcenter/reference/alert-types)).
const EVENTS_OF_ALERTS: &[(&str, &str)] = &[
    ("Suspicious login", "suspicious_login"),
    (
        "Suspicious login (less secure app)",
        "suspicious_login_less_secure_app",
    ),
    (
        "Suspicious programmatic login",
        "suspicious_programmatic_login",
    ),
    ("Leaked password", "account_disabled_password_leak"),
    ("User suspended", "account_disabled_generic"),
    ("User suspended (spam)", "account_disabled_spamming"),
    (
        "User suspended (spam through relay)",
        "account_disabled_spamming_through_relay",
    ),
    (
        "User suspended (suspicious activity)",
        "account_disabled_hijacked",
    ),
    ("Government attack warning", "gov_attack_warning"),
];

/// Whose account an alert is about, in lower case.
pub(crate) fn address_of(alert: &Alert) -> Option<String> {
    let email = alert.data.get("email")?.as_str()?.trim();
    (!email.is_empty()).then(|| email.to_lowercase())
}

/// An alert as a signal: as the event that it tells of, where the logs have it too, so that both are
/// one finding.
pub(crate) fn signal_of(alert: &Alert, known: impl Fn(&str) -> Known) -> Option<Signal> {
    let kind = alert.kind.as_deref().unwrap_or_default();
    let event = EVENTS_OF_ALERTS.iter().find(|(of, _)| *of == kind);
    let address = address_of(alert);
    let details = alert.data.get("loginDetails");
    let detail = |name: &str| {
        details
            .and_then(|it| it[name].as_str())
            .map(ToOwned::to_owned)
    };
    let login: Option<Timestamp> = detail("loginTime").and_then(|time| time.parse().ok());
    let at = login.or(alert.start_time).or(alert.create_time)?;
    let mut facts = Attributes::new();
    let mut put = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            facts.insert(name.to_owned(), text.into());
        }
    };
    put("event", event.map(|(_, event)| (*event).to_owned()));
    put("application", Some("alert_center".to_owned()));
    put("alert", Some(alert.alert_id.clone()));
    put("alert_type", Some(word(kind)));
    put("ip", detail("ipAddress"));
    put("login_time", login.map(|at| at.to_string()));
    put("severity", severity_of(alert));
    let subject = whose(&mut facts, address.as_deref(), &known)
        .unwrap_or_else(|| Subject::setting(KIND, ALERTS));
    Some(Signal {
        id: hash_fields("google.alert", &[&alert.alert_id]),
        kind: if event.is_some() && address.is_some() {
            ACCOUNT_EVENT
        } else {
            ALERT
        }
        .to_owned(),
        at,
        subject,
        attributes: facts,
    })
}

/// How bad Google holds it to be, in lower case.
fn severity_of(alert: &Alert) -> Option<String> {
    let metadata = alert.metadata.as_ref()?;
    Some(metadata.get("severity")?.as_str()?.to_lowercase())
}

/// A word of Google's as it may stand in a finding: no address, no markup.
fn word(text: &str) -> String {
    let may_stand = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '(' | ')');
    text.chars().filter(may_stand).take(80).collect()
}

/// The account of an address, or else the address; notes where it is an administrator's.
fn whose(
    facts: &mut Attributes,
    address: Option<&str>,
    known: &impl Fn(&str) -> Known,
) -> Option<Subject> {
    let known = known(address?);
    if known.admin {
        facts.insert("admin".to_owned(), true.into());
    }
    match known.id {
        Some(id) => Some(Subject::account(KIND, id)),
        None => Address::new(address?).ok().map(|it| Subject::address(&it)),
    }
}

fn signal(
    activity: &Activity,
    number: usize,
    event: &Event,
    name: &str,
    known: &impl Fn(&str) -> Known,
) -> Signal {
    let victim = victim(activity, event);
    let mut facts = Attributes::new();
    let mut put = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            facts.insert(name.to_owned(), text.into());
        }
    };
    put("event", Some(name.to_owned()));
    put("application", activity.id.application_name.clone());
    put("ip", activity.ip_address.clone());
    for parameter in [
        "is_suspicious",
        "login_type",
        "login_challenge_method",
        "sensitive_action_name",
    ] {
        put(parameter, event.text(parameter));
    }
    put("login_time", login_time(event).map(|at| at.to_string()));
    let named = whose(&mut facts, victim.as_deref(), known);
    Signal {
        id: id(activity, number),
        kind: ACCOUNT_EVENT.to_owned(),
        at: activity.id.time,
        subject: own(activity, victim.as_deref())
            .or(named)
            .unwrap_or_else(|| Subject::setting(KIND, LOGIN_LOG)),
        attributes: facts,
    }
}

/// Whose account it is about, in lower case: the one that the event names, which is not always who
/// acted.
pub(crate) fn victim(activity: &Activity, event: &Event) -> Option<String> {
    let named = event.text("affected_email_address");
    let named = named.filter(|it| !it.is_empty());
    named
        .or_else(|| activity.actor.email.clone())
        .map(|it| it.trim().to_lowercase())
}

/// The account of whoever acted, whose id the activity says, where it is about that one.
fn own(activity: &Activity, victim: Option<&str>) -> Option<Subject> {
    let actor = activity.actor.email.as_deref().unwrap_or_default();
    let acted = victim.is_none_or(|victim| victim.eq_ignore_ascii_case(actor.trim()));
    let id = activity.actor.profile_id.as_deref();
    let id = id.filter(|id| acted && !id.is_empty() && *id != NOBODY)?;
    Some(Subject::account(KIND, id))
}

/// When the sign-in was that an event is about, which is not when it was logged: in microseconds.
fn login_time(event: &Event) -> Option<Timestamp> {
    let microseconds = event.text("login_timestamp")?.parse().ok()?;
    Timestamp::from_microsecond(microseconds).ok()
}

fn id(activity: &Activity, number: usize) -> String {
    let id = &activity.id;
    let qualifier = id.unique_qualifier.as_ref().map(digits);
    hash_fields(
        "google.event",
        &[
            id.customer_id.as_deref().unwrap_or_default(),
            id.application_name.as_deref().unwrap_or_default(),
            &id.time.to_string(),
            &qualifier.unwrap_or_default(),
            &number.to_string(),
        ],
    )
}
