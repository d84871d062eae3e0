//! What a test, or a person in a console, may change behind Google's back.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    Google,
    log::{Logs, boolean, many, text},
    login::{SCOPE, Standing},
    operation::Api,
    routes,
};
use crate::{clock::later, request::Context};

/// What `/_sandbox/google/service_accounts/{name}` takes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceAccountChange {
    /// Delegated scopes, as URLs or without what stands before every name.
    pub(crate) scopes: Option<BTreeSet<String>>,
    pub(crate) standing: Option<Standing>,
}

/// What `/_sandbox/google/settings` takes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DomainChange {
    /// Services of the project that are switched off, such as `admin.googleapis.com`.
    pub(crate) apis_off: Option<BTreeSet<String>>,
}

/// What `/_sandbox/google/users/{key}` takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserChange {
    pub(crate) suspended: Option<bool>,
    pub(crate) super_admin: Option<bool>,
    #[serde(default)]
    pub(crate) deleted: bool,
}

/// What `/_sandbox/google/org_units` takes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnitChange {
    pub(crate) path: String,
    /// Its new name.
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) deleted: bool,
}

/// What `/_sandbox/google/activities` takes: activities in the vendor's shape; of their `id` only
/// `time` is read, and the present is taken where it is absent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewActivities {
    pub(crate) application: String,
    pub(crate) items: Vec<Map<String, Value>>,
}

impl Google {
    /// False where there is no such service account or scope.
    pub(crate) fn edit_service_account(
        &mut self,
        name: &str,
        change: ServiceAccountChange,
    ) -> bool {
        let account = self.login.accounts.iter_mut().find(|it| it.name == name);
        let Some(account) = account else {
            return false;
        };
        if let Some(scopes) = change.scopes {
            let short = |it: String| it.strip_prefix(SCOPE).map_or(it.clone(), str::to_owned);
            let scopes: BTreeSet<String> = scopes.into_iter().map(short).collect();
            if !scopes.iter().all(|it| routes::knows_scope(it)) {
                return false;
            }
            account.scopes = scopes;
        }
        account.standing = change.standing.unwrap_or(account.standing);
        true
    }

    /// False where there is no such service.
    pub(crate) fn edit_domain(&mut self, change: DomainChange) -> bool {
        let Some(off) = change.apis_off else {
            return true;
        };
        let known = [Api::Directory, Api::Policy, Api::Alerts].map(Api::service);
        if !off.iter().all(|it| known.contains(&it.as_str())) {
            return false;
        }
        self.apis_off = off;
        true
    }

    /// Changes are noted in the context; false for an unknown user.
    pub(crate) fn edit_user(&mut self, key: &str, change: &UserChange, cx: &mut Context) -> bool {
        let Ok(account) = self.account(key) else {
            return false;
        };
        if let Some(suspended) = change.suspended {
            self.set_suspended(&account, suspended, cx);
        }
        if let Some(on) = change.super_admin {
            self.roles.set_super_admin(account.number, on);
            self.users.change(account.number, cx.now);
        }
        if change.deleted {
            cx.change("user", &account.id, "active", "deleted");
            self.users.change(account.number, cx.now).deleted = Some(cx.now);
        }
        true
    }

    /// False for an unknown unit, or the one above all others.
    pub(crate) fn edit_unit(&mut self, change: UnitChange) -> bool {
        self.users.version += 1;
        self.units.edit(&change.path, change.name, change.deleted)
    }

    /// False for an unknown application or what is no activity.
    pub(crate) fn add_activities(&mut self, new: NewActivities, cx: &Context) -> bool {
        let Some(application) = Logs::application(&new.application) else {
            return false;
        };
        for mut item in new.items {
            let id = item.remove("id").unwrap_or_default();
            let at = id["time"].as_str().map_or(Ok(cx.now), str::parse);
            let Ok(at) = at else {
                return false;
            };
            self.logs.add(application, at, Value::Object(item));
        }
        true
    }

    /// A sign-in that Google holds to be suspicious and that succeeded, so many minutes ago: in the
    /// login log and in an alert. `None` for an unknown or suspended user, else what tells it apart in the log.
    pub(crate) fn plant_login(&mut self, key: &str, minutes_ago: i64, cx: &Context) -> Option<i64> {
        let account = self.account(key).ok().filter(|it| !it.suspended)?;
        let at = later(cx.now, SignedDuration::from_mins(-minutes_ago));
        self.alert_of_login(&account.email, at);
        let event = json!({
            "type": "login",
            "name": "login_success",
            "parameters": [
                text("login_type", "google_password"),
                many("login_challenge_method", &["password"]),
                boolean("is_suspicious", true),
            ],
        });
        Some(self.log_event("login", at, account.number, super::FOREIGN_ADDRESS, &event))
    }
}
