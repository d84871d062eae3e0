//! What happened to accounts, as signals: which facts a detection finds under which name
//! ([events](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login)).

use jiff::Timestamp;
use protect_core::model::{Address, Attributes, Signal, Subject, hash_fields};
use protect_core::{Error, Result};

use crate::KIND;
use crate::detections::{ToldBy, spec_of};
use crate::model::Alert;
use crate::wire::{Activity, Event, digits};

/// Something happened to an account; the subject is whose it is.
pub(crate) const ACCOUNT_EVENT: &str = "google.account_event";
/// An administrator changed roles, second factors or whom the domain trusts; the subject is the account,
/// where the event names one.
pub(crate) const ADMIN_EVENT: &str = "google.admin_event";
/// Somebody gave an application access; the subject is whose access it was.
pub(crate) const GRANT: &str = "google.grant";
/// A sign-in failed; the subject is whose it was.
pub(crate) const FAILURE_OF_ACCOUNT: &str = "google.sign_in_failure";
/// The same once more, beside those of all others; the subject is the log of sign-ins.
pub(crate) const FAILURE_OF_ANY: &str = "google.sign_in_failure_of_any";
/// The Alert Center raised an alert that no event of an account stands for.
pub(crate) const ALERT: &str = "google.alert";

/// Where alerts that name no account lie.
pub(crate) const ALERTS: &str = "alerts";

/// Where the log of sign-ins lies, for an event that names nobody.
pub(crate) const LOGIN_LOG: &str = "activities/login";

/// What Google calls a sign-in that failed.
pub(crate) const LOGIN_FAILURE: &str = "login_failure";

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

/// The events of one activity of the `login`, `user_accounts`, `admin` or `token` log, as signals. `is_admin` says of an
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
    let mut signals = Vec::new();
    for (number, event) in activity.events.iter().flatten().enumerate() {
        let name = event.name.as_deref().unwrap_or_default();
        if name.is_empty() || !is_wanted(name, event) {
            continue;
        }
        let signal = signal(activity, number, event, name, &known);
        if name == LOGIN_FAILURE {
            signals.push(of_any(&signal));
        }
        signals.push(signal);
    }
    signals
}

/// A failed sign-in as one of all of them: many accounts may fail from one address.
fn of_any(failure: &Signal) -> Signal {
    let mut of_any = failure.clone();
    of_any.id = hash_fields("google.failure", &[&failure.id]);
    FAILURE_OF_ANY.clone_into(&mut of_any.kind);
    of_any.subject = Subject::setting(KIND, LOGIN_LOG);
    of_any.attributes.remove("admin");
    let account = failure.subject.id.clone();
    of_any
        .attributes
        .insert("account".to_owned(), account.into());
    of_any
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
    let may_stand =
        |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '(' | ')');
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
    let spec = spec_of(name, event);
    let told_by = spec.map_or(ToldBy::Accounts, |spec| spec.told_by);
    let victim = victim(activity, event);
    let mut facts = facts(activity, event, name, told_by);
    let named = whose(&mut facts, victim.as_deref(), known);
    let own = match told_by {
        // Who acted is not whom it is about.
        ToldBy::Admin => None,
        ToldBy::Accounts | ToldBy::Token => own(activity, victim.as_deref()),
    };
    let about = spec.map_or(LOGIN_LOG, |spec| spec.about);
    Signal {
        id: id(activity, number),
        kind: match name {
            LOGIN_FAILURE => FAILURE_OF_ACCOUNT,
            _ => told_by.signal(),
        }
        .to_owned(),
        at: activity.id.time,
        subject: own
            .or(named)
            .unwrap_or_else(|| Subject::setting(KIND, about)),
        attributes: facts,
    }
}

/// What a detection may want to know of an event, under our names.
fn facts(activity: &Activity, event: &Event, name: &str, told_by: ToldBy) -> Attributes {
    let mut facts = Attributes::new();
    let mut put = |name: &str, text: Option<String>| {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            facts.insert(name.to_owned(), text.into());
        }
    };
    put("event", Some(name.to_owned()));
    put("application", activity.id.application_name.clone());
    put("ip", activity.ip_address.clone());
    let text = |parameter: &str| event.text(parameter).map(|text| word(&text));
    match told_by {
        ToldBy::Accounts => {
            for parameter in [
                "is_suspicious",
                "login_type",
                "login_challenge_method",
                "sensitive_action_name",
            ] {
                put(parameter, event.text(parameter));
            }
            put("login_time", login_time(event).map(|at| at.to_string()));
        }
        ToldBy::Admin => {
            put("actor", actor(activity).map(ToOwned::to_owned));
            put("role", text("ROLE_NAME"));
            put("privilege", text("PRIVILEGE_NAME"));
            put("client_id", text("API_CLIENT_NAME"));
            put("domain", text("DOMAIN_NAME"));
        }
        ToldBy::Token => {
            put("app", text("app_name"));
            put("client_id", text("client_id"));
            put("client_type", text("client_type"));
            put("far_reaching", Some(event.far_reaching().join(", ")));
        }
    }
    facts
}

/// Whose account it is about, in lower case: the one that the event names, which is not always who
/// acted. What an administrator did is about nobody where it names nobody.
pub(crate) fn victim(activity: &Activity, event: &Event) -> Option<String> {
    let named = |parameter| event.text(parameter).filter(|it| !it.is_empty());
    let name = event.name.as_deref().unwrap_or_default();
    let by_admin = spec_of(name, event).is_some_and(|spec| spec.told_by == ToldBy::Admin);
    let victim = if by_admin {
        named("USER_EMAIL")
    } else {
        named("affected_email_address").or_else(|| activity.actor.email.clone())
    };
    victim.map(|it| it.trim().to_lowercase())
}

/// The account of whoever acted, whose id the activity says, where it is about that one.
fn own(activity: &Activity, victim: Option<&str>) -> Option<Subject> {
    let address = activity.actor.email.as_deref().unwrap_or_default();
    let acted = victim.is_none_or(|victim| victim.eq_ignore_ascii_case(address.trim()));
    let id = actor(activity).filter(|_| acted)?;
    Some(Subject::account(KIND, id))
}

/// The id of whoever acted, where that is somebody.
fn actor(activity: &Activity) -> Option<&str> {
    let id = activity.actor.profile_id.as_deref();
    id.filter(|id| !id.is_empty() && *id != NOBODY)
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
