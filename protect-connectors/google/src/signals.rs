//! What happened to accounts, as signals: which facts a detection finds under which name
//! ([login events](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/login)).

use protect_core::model::{Address, Attributes, Signal, Subject, hash_fields};
use protect_core::{Error, Result};

use crate::KIND;
use crate::wire::{Activity, Event, digits};

/// Something happened to an account; the subject is whose it is.
pub(crate) const ACCOUNT_EVENT: &str = "google.account_event";

/// Where the log of sign-ins lies, for an event that names nobody.
const LOGIN_LOG: &str = "activities/login";

/// Stands for nobody.
const NOBODY: &str = "105250506097979753968";

/// The events of one activity of the `login` or `user_accounts` log, as signals. `is_admin` says of an
/// address, in lower case, whether it is an administrator's. The id of a signal is the same however
/// often the event is read.
///
/// # Errors
/// `invalid_input` for what is no activity.
pub fn signals(activity: &str, is_admin: impl Fn(&str) -> bool) -> Result<Vec<Signal>> {
    let activity: Activity = serde_json::from_str(activity)
        .map_err(|_| Error::invalid_input("this is not an activity of Google's logs"))?;
    let events = activity.events.iter().flatten().enumerate();
    let signals = events.filter_map(|(number, event)| {
        let name = event.name.as_deref()?;
        Some(signal(&activity, number, event, name, &is_admin))
    });
    Ok(signals.collect())
}

fn signal(
    activity: &Activity,
    number: usize,
    event: &Event,
    name: &str,
    is_admin: &impl Fn(&str) -> bool,
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
    if victim.as_deref().is_some_and(is_admin) {
        facts.insert("admin".to_owned(), true.into());
    }
    Signal {
        id: id(activity, number),
        kind: ACCOUNT_EVENT.to_owned(),
        at: activity.id.time,
        subject: subject(activity, victim.as_deref()),
        attributes: facts,
    }
}

/// Whose account it is about, in lower case: the one that the event names, which is not always who
/// acted.
fn victim(activity: &Activity, event: &Event) -> Option<String> {
    let named = event.text("affected_email_address");
    let named = named.filter(|it| !it.is_empty());
    named
        .or_else(|| activity.actor.email.clone())
        .map(|it| it.trim().to_lowercase())
}

/// The account, where it is whoever acted, since then its id is known; else the address.
fn subject(activity: &Activity, victim: Option<&str>) -> Subject {
    let actor = activity.actor.email.as_deref().unwrap_or_default();
    let acted = victim.is_none_or(|victim| victim.eq_ignore_ascii_case(actor.trim()));
    let id = activity.actor.profile_id.as_deref();
    match id.filter(|id| acted && !id.is_empty() && *id != NOBODY) {
        Some(id) => Subject::account(KIND, id),
        None => match victim.and_then(|victim| Address::new(victim).ok()) {
            Some(address) => Subject::address(&address),
            None => Subject::setting(KIND, LOGIN_LOG),
        },
    }
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
