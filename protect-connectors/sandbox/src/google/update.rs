//! What changes an account: suspension, password, place in the tree, recovery contacts.

use serde_json::{Map, Value};

use super::{
    Google,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    users::Account,
};
use crate::{
    faults::FaultKind,
    request::{Context, Reply},
};

/// What an update may hold here; Google takes more.
const FIELDS: [&str; 8] = [
    "archived",
    "changePasswordAtNextLogin",
    "ipWhitelisted",
    "orgUnitPath",
    "password",
    "recoveryEmail",
    "recoveryPhone",
    "suspended",
];
/// Lengths of passwords in characters (not confirmed by the vendor's pages).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=100;
/// What an update may set to a value of its own or clear.
const PLAIN: [&str; 3] = ["ipWhitelisted", "recoveryEmail", "recoveryPhone"];

impl Google {
    pub(super) fn update_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&FIELDS, cx)?;
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        let unit = self.check_update(&body, cx)?;
        let flag = |name: &str| body.get(name).and_then(Value::as_bool);
        if let Some(suspended) = flag("suspended") {
            self.suspend(&account, suspended, ask, cx);
        }
        let must_change = flag("changePasswordAtNextLogin");
        if body.contains_key("password") || must_change.is_some() {
            let new = body.contains_key("password");
            self.set_password(&account, new, must_change, ask, cx);
        }
        if let Some(unit) = unit {
            self.move_to(&account, unit, ask, cx);
        }
        if let Some(archived) = flag("archived") {
            self.archive(&account, archived, cx);
        }
        for name in PLAIN {
            if let Some(value) = body.get(name) {
                self.set_field(&account, name, value, cx);
            }
        }
        let after = self.account(ask.id(0))?;
        Ok(Reply::json(200, &self.shown(&after, false)))
    }

    /// Suspends or restores an account, as its change is journalled.
    pub(super) fn set_suspended(&mut self, account: &Account, on: bool, cx: &mut Context) -> bool {
        if account.suspended == on {
            return false;
        }
        let word = |on| if on { "suspended" } else { "active" };
        cx.change("user", &account.id, word(account.suspended), word(on));
        let stale = cx.struck.get(FaultKind::StaleReads);
        let stale = stale.map(|fault| (account.suspended, fault.reads));
        let change = self.users.change(account.number, cx.now);
        change.suspended = Some(on);
        change.suspended_by = Some("ADMIN");
        change.stale = stale;
        true
    }

    /// Whether the update makes sense; the unit where one is named.
    fn check_update(
        &self,
        body: &Map<String, Value>,
        cx: &mut Context,
    ) -> Result<Option<usize>, Refusal> {
        for name in [
            "suspended",
            "archived",
            "changePasswordAtNextLogin",
            "ipWhitelisted",
        ] {
            if body.get(name).is_some_and(|it| !it.is_boolean()) {
                return Err(bad(&format!("Invalid Input: {name}"), cx));
            }
        }
        for name in ["recoveryEmail", "recoveryPhone"] {
            if body
                .get(name)
                .is_some_and(|it| !it.is_string() && !it.is_null())
            {
                return Err(bad(&format!("Invalid Input: {name}"), cx));
            }
        }
        if let Some(password) = body.get("password") {
            let length = password.as_str().map_or(0, |it| it.chars().count());
            if !PASSWORD.contains(&length) {
                return Err(bad("Invalid Password", cx));
            }
        }
        let Some(path) = body.get("orgUnitPath") else {
            return Ok(None);
        };
        let unit = path.as_str().and_then(|path| self.units.find(path));
        let unit = unit.ok_or_else(|| Refusal::invalid("Invalid Input: INVALID_OU_ID"))?;
        Ok(Some(unit))
    }

    fn suspend(&mut self, account: &Account, on: bool, ask: &Ask<'_>, cx: &mut Context) {
        if self.set_suspended(account, on, cx) {
            let event = if on { "SUSPEND_USER" } else { "UNSUSPEND_USER" };
            self.log_change(event, "USER_SETTINGS", account.number, &[], ask);
        }
    }

    fn move_to(&mut self, account: &Account, unit: usize, ask: &Ask<'_>, cx: &mut Context) {
        let (from, to) = (self.units.path(account.unit), self.units.path(unit));
        if from == to {
            return;
        }
        cx.change("org_unit", &account.id, &from, &to);
        self.users.change(account.number, cx.now).unit = Some(unit);
        let event = "MOVE_USER_TO_ORG_UNIT";
        let parameters = [("NEW_VALUE", to)];
        self.log_change(event, "USER_SETTINGS", account.number, &parameters, ask);
    }

    fn archive(&mut self, account: &Account, on: bool, cx: &mut Context) {
        if account.archived != on {
            let word = |on| if on { "archived" } else { "active" };
            cx.change("archive", &account.id, word(account.archived), word(on));
            self.users.change(account.number, cx.now).archived = Some(on);
        }
    }

    /// Sets a field, or clears it by null, an empty text or false.
    fn set_field(
        &mut self,
        account: &Account,
        name: &'static str,
        value: &Value,
        cx: &mut Context,
    ) {
        let cleared = *value == "" || *value == false;
        let value = if cleared { &Value::Null } else { value };
        let before = account.fields.get(name).unwrap_or(&Value::Null);
        if before == value {
            return;
        }
        let word = |value: &Value| if value.is_null() { "none" } else { "set" };
        let id = format!("{}/{name}", account.id);
        cx.change("user_field", &id, word(before), word(value));
        let change = self.users.change(account.number, cx.now);
        change.fields.insert(name, value.clone());
    }

    /// A new password ends sessions and app passwords, and grants that read mail.
    fn set_password(
        &mut self,
        account: &Account,
        new: bool,
        must_change: Option<bool>,
        ask: &Ask<'_>,
        cx: &mut Context,
    ) {
        let after = match (new, must_change.unwrap_or(account.password_due)) {
            (true, true) => "reset_must_change",
            (true, false) => "reset",
            (false, true) => "must_change",
            (false, false) => "set",
        };
        let before = if account.password_due {
            "must_change"
        } else {
            "set"
        };
        if !new && before == after {
            return;
        }
        cx.change("password", &account.id, before, after);
        let change = self.users.change(account.number, cx.now);
        change.password_due = must_change.or(change.password_due);
        if new {
            self.log_change("CHANGE_PASSWORD", "USER_SETTINGS", account.number, &[], ask);
            self.end_app_passwords(account.number, cx);
            self.end_mail_grants(account.number, cx);
        }
    }
}
