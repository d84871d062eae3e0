//! The settings as the changes in the admin log show them
//! ([admin events](https://developers.google.com/workspace/admin/reports/v1/appendix/activity/admin-application-settings)).
//! What nobody changed in the last 180 days does not show.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use protect_core::posture::{Read, Reader, Unread, View};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use serde_json::Value;
use serde_json::value::RawValue;

use super::directory::Named;
use super::{Directory, each, each_text};
use crate::detections::is_of_admin;
use crate::history::Past;
use crate::settings::{Settings, Target};
use crate::wire::Parameter;
use crate::workspace::{ADMIN_LOG, GROUPS, HISTORY, ORG_UNITS};

/// The settings: by `<application>:<setting>`; by `service:<service>` for services that are switched on
/// and off; by `rule:<name>` for alert rules; and by `event:<name>` for events that are a setting of
/// their own.
#[derive(Debug)]
pub(crate) struct AdminLog {
    pub(crate) settings: Settings,
    /// The newest change of each; to nobody knows what, where several differ.
    changes: Vec<(Key, Timestamp, Change)>,
}

impl AdminLog {
    /// The newest change of each setting, as the log names what it was made for.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&Key, Timestamp, &Change)> {
        let changes = self.changes.iter();
        changes.map(|(key, at, change)| (key, *at, change))
    }
}

/// The log gone through once, for both who want to know of it.
#[derive(Default)]
pub(crate) struct Entries {
    newest: BTreeMap<Key, Newest>,
    /// Whether an event does not say what it changed.
    unreadable: bool,
    /// What administrators did that a detection looks at.
    /// They stay as text, which is a third of what they are in memory.
    pub(crate) happened: Vec<Box<str>>,
}

impl View for Entries {
    const PATHS: &'static [&'static str] = &[ADMIN_LOG];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut entries = Self::default();
        each_text(read, ADMIN_LOG, |text| entries.take(text))?;
        Ok(entries)
    }
}

impl Entries {
    fn take(&mut self, text: &str) -> Option<()> {
        let activity: Activity<'_> = serde_json::from_str(text).ok()?;
        let mut is_wanted = false;
        for event in activity.events.unwrap_or_default() {
            is_wanted |= event.name.as_deref().is_some_and(is_of_admin);
            match event.change() {
                Ok(Some((key, value))) => {
                    let newest = self.newest.entry(key).or_default();
                    newest.take(activity.id.time, value);
                }
                Ok(None) => {}
                Err(Unnamed) => self.unreadable = true,
            }
        }
        if is_wanted {
            self.happened.push(text.into());
        }
        Some(())
    }
}

impl View for AdminLog {
    const PATHS: &'static [&'static str] = &[ADMIN_LOG, ORG_UNITS, GROUPS, HISTORY];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let directory = read.view::<Directory>()?;
        let entries = read.view::<Entries>()?;
        if entries.unreadable {
            // It may have changed any setting, so that no older change can be believed.
            let why = "an event does not say what it changed";
            return Err(Unread::malformed(ADMIN_LOG, why));
        }
        let mut newest = entries.newest.clone();
        if read.has(HISTORY)? {
            // Newer changes go before what was seen earlier.
            each(read, HISTORY, |past: Past| {
                let (key, at, change) = past.change();
                newest.entry(key).or_default().take(at, change);
            })?;
        }
        let changes = newest.iter().filter_map(Newest::single).collect();
        let mut settings = Settings::new(std::rc::Rc::clone(&directory));
        for ((name, target), (values, gone)) in placed(newest, &directory) {
            if gone {
                settings.mark_gone(target.clone());
            }
            settings.put(&name, target, values);
        }
        Ok(Self { settings, changes })
    }
}

type Placed = BTreeMap<(String, Target), (Vec<Value>, bool)>;

/// The changes by what they were made for. What was made for an org unit that cannot be told holds
/// for nobody knows whom, and leaves the whole setting unclear.
fn placed(newest: BTreeMap<Key, Newest>, directory: &Directory) -> Placed {
    let units: BTreeSet<_> = newest.keys().filter_map(|key| key.unit.clone()).collect();
    let mut by_target: BTreeMap<(String, Target), (Newest, bool)> = BTreeMap::new();
    let mut unplaced = BTreeSet::new();
    for (key, change) in newest {
        let (target, gone) = match (&key.group, &key.unit) {
            (Some(group), _) => (directory.group(group), false),
            (None, None) => (Target::Root, false),
            (None, Some(unit)) => match directory.unit(unit, &units) {
                Named::This(target) => (target, false),
                Named::Gone => (Target::OrgUnit(unit.clone()), true),
                Named::Unknown => {
                    unplaced.insert(key.name.clone());
                    continue;
                }
            },
        };
        // An event that does not name the application may be of any that has the setting.
        if let Some(setting) = key.name.strip_prefix(':') {
            unplaced.insert(setting.to_owned());
            continue;
        }
        let entry = by_target.entry((key.name, target)).or_default();
        entry.0.merge(change);
        entry.1 = gone;
    }
    let unclear = |name: &str| {
        let setting = name.split_once(':').map_or(name, |(_, setting)| setting);
        unplaced.contains(name) || unplaced.contains(setting)
    };
    let placed = by_target
        .into_iter()
        .map(|((name, target), (newest, gone))| {
            let mut values = newest.values();
            if unclear(&name) {
                values.push(Value::Null);
            }
            ((name, target), (values, gone))
        });
    placed
        .filter(|(_, (values, _))| !values.is_empty())
        .collect()
}

/// What a change was of, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) unit: Option<Box<str>>,
    pub(crate) group: Option<Box<str>>,
}

/// The newest change, or those that were made at the same time.
#[derive(Clone, Debug, Default)]
struct Newest {
    at: Option<Timestamp>,
    changes: BTreeSet<Change>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// Nothing is set any more: what lies above holds.
    Inherited,
    /// To this value.
    To(Box<str>),
    /// To a value that the event does not say.
    Unsaid,
}

impl Newest {
    /// The change of a key.
    fn single((key, newest): (&Key, &Self)) -> Option<(Key, Timestamp, Change)> {
        let mut changes = newest.changes.iter();
        let only = changes.next().filter(|_| changes.next().is_none());
        let change = only.cloned().unwrap_or(Change::Unsaid);
        Some((key.clone(), newest.at?, change))
    }

    fn take(&mut self, at: Timestamp, change: Change) {
        if Some(at) > self.at {
            self.at = Some(at);
            self.changes.clear();
        }
        if Some(at) == self.at {
            self.changes.insert(change);
        }
    }

    fn merge(&mut self, other: Self) {
        for change in other.changes {
            if let Some(at) = other.at {
                self.take(at, change);
            }
        }
    }

    /// The values; null for one that is not known, none where nothing is set.
    fn values(&self) -> Vec<Value> {
        let inherited = self.changes.contains(&Change::Inherited);
        if inherited && self.changes.len() == 1 {
            return Vec::new();
        }
        let value = |change: &Change| match change {
            Change::To(value) => Value::from(&**value),
            Change::Inherited | Change::Unsaid => Value::Null,
        };
        self.changes.iter().map(value).collect()
    }
}

/// An event that does not say what it is about.
struct Unnamed;

#[derive(Deserialize)]
struct Activity<'a> {
    id: Id,
    #[serde(borrow)]
    events: Option<Vec<Event<'a>>>,
}

#[derive(Deserialize)]
struct Id {
    time: Timestamp,
}

/// The parameters stay as they are until it is known that they matter: most events change no setting.
#[derive(Deserialize)]
struct Event<'a> {
    name: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Name {
    ChangeApplicationSetting,
    CreateApplicationSetting,
    DeleteApplicationSetting,
    ChangeDocsSetting,
    ChangeGmailSetting,
    ChangeEmailSetting,
    ChangeCalendarSetting,
    ToggleServiceEnabled,
    ToggleCaaEnablement,
    SystemDefinedRuleUpdated,
    AllowStrongAuthentication,
    EnforceStrongAuthentication,
    #[serde(rename = "CHANGE_ALLOWED_TWO_STEP_VERIFICATION_METHODS")]
    ChangeAllowedMethods,
    #[serde(rename = "CHANGE_TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION")]
    ChangeEnrollmentPeriod,
    #[serde(rename = "CHANGE_TWO_STEP_VERIFICATION_FREQUENCY")]
    ChangeFrequency,
    WeakProgrammaticLoginSettingsChanged,
    #[serde(rename = "TRUST_DOMAIN_OWNED_OAUTH2_APPS")]
    TrustOwnApps,
    #[serde(rename = "UNTRUST_DOMAIN_OWNED_OAUTH2_APPS")]
    UntrustOwnApps,
    BlockAllThirdPartyApiAccess,
    UnblockAllThirdPartyApiAccess,
    SignInOnlyThirdPartyApiAccess,
    #[serde(other)]
    Other,
}

impl Name {
    fn of(name: &str) -> Self {
        let name: StrDeserializer<'_, serde::de::value::Error> = name.into_deserializer();
        Self::deserialize(name).unwrap_or(Self::Other)
    }
}

impl Event<'_> {
    /// What it changed, and to what; `None` where it is about something else.
    fn change(self) -> Result<Option<(Key, Change)>, Unnamed> {
        let name = Name::of(self.name.as_deref().ok_or(Unnamed)?);
        if name == Name::Other {
            return Ok(None);
        }
        let raw = self.parameters.ok_or(Unnamed)?;
        let parameters: Vec<Parameter> = serde_json::from_str(raw.get()).map_err(|_| Unnamed)?;
        let text = |wanted: &str| {
            let found = parameters
                .iter()
                .find(|it| it.name.as_deref() == Some(wanted));
            found.and_then(Parameter::text)
        };
        let new = || text("NEW_VALUE");
        let said = |value: Option<String>| match value {
            Some(value) if value.trim().eq_ignore_ascii_case("INHERIT_FROM_PARENT") => {
                Change::Inherited
            }
            Some(value) => Change::To(value.trim().into()),
            None => Change::Unsaid,
        };
        let own = |event: &str, value: Option<String>| (format!("event:{event}"), said(value));
        let fixed = |event: &str, value: &str| own(event, Some(value.to_owned()));
        let of_app = |family: &str| {
            let application = text("APPLICATION_NAME");
            let application = application.as_deref().unwrap_or(family).trim();
            let setting = text("SETTING_NAME").ok_or(Unnamed)?;
            let change = if name == Name::DeleteApplicationSetting {
                Change::Inherited
            } else {
                said(new())
            };
            Ok((format!("{application}:{}", setting.trim()), change))
        };
        let (name, change) = match name {
            Name::ChangeApplicationSetting
            | Name::CreateApplicationSetting
            | Name::DeleteApplicationSetting => of_app("")?,
            Name::ChangeDocsSetting => of_app("Drive and Docs")?,
            Name::ChangeGmailSetting | Name::ChangeEmailSetting => of_app("Gmail")?,
            Name::ChangeCalendarSetting => of_app("Calendar")?,
            Name::ToggleServiceEnabled => {
                let service = text("SERVICE_NAME").ok_or(Unnamed)?;
                (format!("service:{}", service.trim()), said(new()))
            }
            Name::SystemDefinedRuleUpdated => {
                let rule = text("SYSTEM_DEFINED_RULE_NAME").ok_or(Unnamed)?;
                let Some(status) = text("SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE") else {
                    // Only who is told was changed.
                    return Ok(None);
                };
                (format!("rule:{}", rule.trim()), said(Some(status)))
            }
            Name::ToggleCaaEnablement => own("TOGGLE_CAA_ENABLEMENT", new()),
            Name::AllowStrongAuthentication => own("ALLOW_STRONG_AUTHENTICATION", new()),
            Name::EnforceStrongAuthentication => own("ENFORCE_STRONG_AUTHENTICATION", new()),
            Name::WeakProgrammaticLoginSettingsChanged => own("WEAK_PROGRAMMATIC_LOGIN", new()),
            Name::ChangeAllowedMethods => {
                let value = new().or_else(|| text("ALLOWED_TWO_STEP_VERIFICATION_METHOD"));
                own("ALLOWED_TWO_STEP_VERIFICATION_METHODS", value)
            }
            Name::ChangeEnrollmentPeriod => {
                let event = "TWO_STEP_VERIFICATION_ENROLLMENT_PERIOD_DURATION";
                own(event, new().or_else(|| text(event)))
            }
            Name::ChangeFrequency => {
                let event = "TWO_STEP_VERIFICATION_FREQUENCY";
                own(event, new().or_else(|| text(event)))
            }
            Name::TrustOwnApps => fixed("DOMAIN_OWNED_OAUTH2_APPS", "TRUST"),
            Name::UntrustOwnApps => fixed("DOMAIN_OWNED_OAUTH2_APPS", "UNTRUST"),
            Name::BlockAllThirdPartyApiAccess => fixed("THIRD_PARTY_API_ACCESS", "BLOCK_ALL"),
            Name::UnblockAllThirdPartyApiAccess => fixed("THIRD_PARTY_API_ACCESS", "UNBLOCK_ALL"),
            Name::SignInOnlyThirdPartyApiAccess => fixed("THIRD_PARTY_API_ACCESS", "SIGN_IN_ONLY"),
            Name::Other => return Ok(None),
        };
        let place = |parameter: &str| {
            let place = text(parameter).filter(|it| !it.trim().is_empty());
            place.map(|it| it.trim().to_lowercase().into())
        };
        let key = Key {
            name: name.to_lowercase(),
            unit: place("ORG_UNIT_NAME"),
            group: place("GROUP_EMAIL"),
        };
        Ok(Some((key, change)))
    }
}
