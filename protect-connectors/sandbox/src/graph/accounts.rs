//! Reading users, and what changes an account: disabling, passwords, sessions.

use serde_json::{Map, Value};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::{Ask, Licence, malformed},
    page::{self, Rows},
    protection,
    users::{self, Account},
};
use crate::{
    clock::seconds,
    faults::FaultKind,
    request::{Context, Reply},
};

const DIRECTORY_WRITE: &str = "Directory.ReadWrite.All";
const USER_WRITE: &str = "User.ReadWrite.All";
const READS: &[&str] = &[
    "User.Read.All",
    "Directory.Read.All",
    USER_WRITE,
    DIRECTORY_WRITE,
];
const SHORTEST_PASSWORD: usize = 8;

impl Graph {
    pub(super) fn list_users(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.need_activity(ask, cx)?;
        let plain = cx.struck.0.is_empty() && !self.users.any_stale();
        let request = format!("{}&{:?}", page::request(ask), ask.options.skip_token);
        let kept = self.rendered.get(&request, self.users.log.len());
        if let Some(body) = kept.filter(|_| plain) {
            return Ok(Reply::rendered(200, body));
        }
        let reply = self.page(ask, self.user_rows(ask), cx)?;
        if plain {
            self.rendered.put(request, reply.body.clone());
        }
        self.users.wear(None);
        Ok(reply)
    }

    pub(super) fn count_users(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let level = ask.call.header("consistencylevel").unwrap_or_default();
        if !level.eq_ignore_ascii_case("eventual") {
            cx.violate("advanced_query", "$count needs ConsistencyLevel: eventual");
            let message = "$count is not currently supported.";
            return Err(Refusal::unsupported_query(message));
        }
        Ok(Self::counted(ask, &self.user_rows(ask)))
    }

    pub(super) fn get_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.need_activity(ask, cx)?;
        let number = self.users.number(ask.id(0));
        let number = number.ok_or_else(Refusal::not_found)?;
        let account = self.users.seen(number).ok_or_else(Refusal::not_found)?;
        self.users.wear(Some(number));
        let shown = account.shown(users::PROPERTIES.iter().copied());
        self.one(ask, shown, Some(users::DEFAULTS), cx)
    }

    pub(super) fn patch_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(
            &["accountEnabled", "passwordProfile", "passwordPolicies"],
            cx,
        )?;
        need_for(&body, ask, cx)?;
        let account = self.account(ask.id(0))?;
        if body.keys().any(|name| name != "passwordPolicies") {
            protection::guard(&self.store, &account, &ask.principal)?;
            not_mastered_elsewhere(&account)?;
        }
        let enabled = body.get("accountEnabled").map(Value::as_bool);
        let policies = body.get("passwordPolicies").map(Value::as_str);
        if enabled == Some(None) || policies == Some(None) {
            return Err(malformed(cx));
        }
        if let Some(profile) = body.get("passwordProfile") {
            self.set_password(&account, profile, cx)?;
        }
        if let Some(Some(enabled)) = enabled {
            self.set_enabled(&account, enabled, cx);
        }
        if let Some(Some(policies)) = policies {
            let before = account.policies.as_deref().unwrap_or("None");
            if before != policies {
                cx.change("password_policies", &account.id, before, policies);
                self.users.change(account.number).policies = Some(policies.to_owned());
            }
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn revoke_sessions(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        if !ask.call.body.is_empty() {
            cx.violate("body_not_empty", "revokeSignInSessions takes no body");
            return Err(Refusal::bad_request("The request body is not expected."));
        }
        let account = self.account(ask.id(0))?;
        let (from, to) = (seconds(account.sessions_from), seconds(cx.now));
        cx.change("sessions", &account.id, &from, &to);
        self.users.change(account.number).sessions_from = Some(cx.now);
        // Documented as 204; answered so, as a known issue of the vendor says.
        let context = format!("{}/v1.0/$metadata#Edm.Boolean", self.root);
        let body = serde_json::json!({"@odata.context": context, "value": true});
        Ok(Reply::json(200, &body))
    }

    /// Disables or enables an account, as its change is journalled.
    pub(crate) fn set_enabled(&mut self, account: &Account, enabled: bool, cx: &mut Context) {
        if account.enabled == enabled {
            return;
        }
        cx.change("user", &account.id, state(account.enabled), state(enabled));
        let stale = cx.struck.get(FaultKind::StaleReads);
        let stale = stale.map(|fault| (account.enabled, fault.reads));
        let change = self.users.change(account.number);
        change.enabled = Some(enabled);
        change.stale = stale;
    }

    /// Users with what this request looks at.
    pub(super) fn user_rows(&self, ask: &Ask<'_>) -> Rows<'_> {
        let names = ask.options.looks_at(users::DEFAULTS);
        Rows {
            len: self.users.len(),
            at: Box::new(move |number| {
                let account = self.users.seen(number)?;
                Some(account.shown(names.iter().map(String::as_str)))
            }),
            properties: Some(users::PROPERTIES),
        }
    }

    /// `signInActivity` asks for more than the user does.
    pub(super) fn need_activity(&self, ask: &Ask<'_>, cx: &mut Context) -> Result<(), Refusal> {
        let selected = ask.options.select.iter().flatten();
        if !selected.into_iter().any(|name| name == "signInActivity") {
            return Ok(());
        }
        ask.need(&["AuditLog.Read.All"], cx)?;
        if self.has_plan(Licence::Premium.plan()) {
            return Ok(());
        }
        Err(Licence::Premium.refusal())
    }

    fn set_password(
        &mut self,
        account: &Account,
        profile: &Value,
        cx: &mut Context,
    ) -> Result<(), Refusal> {
        const FIELDS: [&str; 3] = [
            "password",
            "forceChangePasswordNextSignIn",
            "forceChangePasswordNextSignInWithMfa",
        ];
        let profile = profile.as_object().filter(|it| !it.is_empty());
        let profile = profile.filter(|it| it.keys().all(|name| FIELDS.contains(&name.as_str())));
        let Some(profile) = profile else {
            return Err(malformed(cx));
        };
        let forced = FIELDS[1..]
            .iter()
            .any(|name| profile.get(*name) == Some(&Value::Bool(true)));
        let password = profile.get("password").and_then(Value::as_str);
        if password.is_some_and(|password| !acceptable(password)) {
            let message = "The specified password does not comply with password complexity \
                           requirements.";
            return Err(Refusal::bad_request(message));
        }
        if password.is_none() && self.force_change_needs_password {
            let message = "A password must be specified.";
            return Err(Refusal::bad_request(message));
        }
        let change = self.users.change(account.number);
        let before = if change.forced == Some(true) {
            "must_change"
        } else {
            "set"
        };
        change.forced = Some(forced);
        if password.is_some() {
            change.password_set = Some(cx.now);
        }
        let after = match (password.is_some(), forced) {
            (true, true) => "reset_must_change",
            (true, false) => "reset",
            (false, true) => "must_change",
            (false, false) => "set",
        };
        cx.change("password", &account.id, before, after);
        Ok(())
    }
}

/// Each property of a user has permissions of its own.
fn need_for(body: &Map<String, Value>, ask: &Ask<'_>, cx: &mut Context) -> Result<(), Refusal> {
    for name in body.keys() {
        match name.as_str() {
            "accountEnabled" => {
                let wide = ask.may(&[USER_WRITE, DIRECTORY_WRITE]);
                if !wide {
                    ask.need(&["User.EnableDisableAccount.All"], cx)?;
                    ask.need(READS, cx)?;
                }
            }
            "passwordProfile" => {
                ask.need(
                    &[
                        "User-PasswordProfile.ReadWrite.All",
                        USER_WRITE,
                        DIRECTORY_WRITE,
                    ],
                    cx,
                )?;
            }
            _ => ask.need(&[USER_WRITE, DIRECTORY_WRITE], cx)?,
        }
    }
    Ok(())
}

/// The source of authority of a synchronised account is elsewhere.
fn not_mastered_elsewhere(account: &Account) -> Result<(), Refusal> {
    if !account.synced {
        return Ok(());
    }
    Err(Refusal::bad_request(
        "Unable to update the specified properties for on-premises mastered Directory Sync objects \
         or objects currently undergoing migration.",
    ))
}

fn acceptable(password: &str) -> bool {
    let kinds: [fn(&char) -> bool; 3] = [
        char::is_ascii_lowercase,
        char::is_ascii_uppercase,
        char::is_ascii_digit,
    ];
    let has = |kind: &fn(&char) -> bool| password.chars().any(|it| kind(&it));
    let other = password.chars().any(|it| !it.is_ascii_alphanumeric());
    let present = kinds.iter().filter(|kind| has(kind)).count() + usize::from(other);
    password.chars().count() >= SHORTEST_PASSWORD && present >= 3
}

pub(super) fn state(enabled: bool) -> &'static str {
    if enabled { "enabled" } else { "disabled" }
}
