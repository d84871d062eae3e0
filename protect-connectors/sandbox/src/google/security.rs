//! What lets somebody into an account beside its password: OAuth grants, app passwords, backup codes.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    Google,
    domains::whole,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    users::{Account, Users},
};
use crate::{
    clock::later,
    request::{Context, Reply},
    rng::Rng,
    scenario::Part,
};

const CODES: usize = 10;
/// Grants with this scope end with a new password.
const MAIL: &str = "https://mail.google.com/";
/// Client identifier, name, whether native, scopes, and how many of a hundred people use it.
const APPS: [(&str, &str, bool, &[&str], usize); 5] = [
    (
        "610055443322-helper.apps.googleusercontent.com",
        "Calendar Helper",
        false,
        &[
            "openid",
            "https://www.googleapis.com/auth/calendar.readonly",
        ],
        30,
    ),
    (
        "830077665544-survey.apps.googleusercontent.com",
        "Survey Tool",
        false,
        &["openid", "email", "profile"],
        18,
    ),
    (
        "940088776655-phone.apps.googleusercontent.com",
        "Phone Mail",
        true,
        &[MAIL, "https://www.googleapis.com/auth/calendar"],
        40,
    ),
    (
        "510044332211-sheets.apps.googleusercontent.com",
        "Sheet Sync",
        false,
        &["https://www.googleapis.com/auth/drive"],
        6,
    ),
    (
        RISKY,
        "Mail Exporter",
        true,
        &[MAIL, "https://www.googleapis.com/auth/admin.directory.user"],
        1,
    ),
];
/// May read everybody's mail; the suspicious person let it in.
pub(crate) const RISKY: &str = "720066554433-mail.apps.googleusercontent.com";

impl Google {
    pub(super) fn list_tokens(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let rows = grants(&self.users, &account);
        let rows = rows.map(|(client, name, native, scopes, _)| {
            json!({
                "kind": "admin#directory#token",
                "etag": format!("\"{client}\""),
                "clientId": client,
                "displayText": name,
                "anonymous": false,
                "nativeApp": native,
                "userKey": account.id,
                "scopes": scopes,
            })
        });
        let rows: Vec<Value> = rows.collect();
        Ok(self.all(ask, "admin#directory#tokenList", rows, cx))
    }

    pub(super) fn delete_token(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        let granted = grants(&self.users, &account).any(|app| app.0 == ask.id(1));
        if !granted {
            return Err(Refusal::not_found("clientId"));
        }
        self.end_grant(&account, ask.id(1), cx);
        Ok(Reply::empty(204))
    }

    pub(super) fn list_app_passwords(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let used = later(self.users.begins(), SignedDuration::from_hours(-30));
        let made = later(self.users.begins(), SignedDuration::from_hours(-24 * 400));
        let rows = app_passwords(&self.users, &account)
            .into_iter()
            .map(|code| {
                json!({
                    "kind": "admin#directory#asp",
                    "etag": format!("\"{code}\""),
                    "codeId": code,
                    "name": format!("Mail client {code}"),
                    "creationTime": made.as_second().to_string(),
                    "lastTimeUsed": used.as_second().to_string(),
                    "userKey": account.id,
                })
            });
        let rows: Vec<Value> = rows.collect();
        Ok(self.all(ask, "admin#directory#aspList", rows, cx))
    }

    pub(super) fn delete_app_password(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        let Ok(code) = ask.id(1).parse::<u32>() else {
            return Err(bad("Invalid value for codeId", cx));
        };
        if !app_passwords(&self.users, &account).contains(&code) {
            return Err(Refusal::not_found("codeId"));
        }
        self.end_app_password(&account, code, cx);
        Ok(Reply::empty(204))
    }

    pub(super) fn list_codes(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let rows = codes(&self.users, &account).into_iter().map(|code| {
            json!({
                "kind": "admin#directory#verificationCode",
                "etag": format!("\"{}\"", account.id),
                "userId": account.id,
                "verificationCode": code,
            })
        });
        let rows: Vec<Value> = rows.collect();
        let kind = "admin#directory#verificationCodesList";
        Ok(self.all(ask, kind, rows, cx))
    }

    pub(super) fn generate_codes(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let made = self.rng.clone();
        self.rng.next();
        self.replace_codes(ask, "generated", Some(made), cx)
    }

    pub(super) fn invalidate_codes(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        self.replace_codes(ask, "invalidated", None, cx)
    }

    pub(super) fn turn_off_second_factor(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        ask.no_body(cx)?;
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        if account.enrolled {
            cx.change("second_factor", &account.id, "enrolled", "off");
            self.users.change(account.number, cx.now).second_factor_off = true;
            let event = "TURN_OFF_2_STEP_VERIFICATION";
            self.log_change(event, "USER_SETTINGS", account.number, &[], ask);
            let event = json!({"type": "2sv_change", "name": "2sv_disable"});
            // Both logs tell of it.
            for application in ["login", "user_accounts"] {
                self.log_event(application, cx.now, account.number, "198.51.100.10", &event);
            }
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn end_app_passwords(&mut self, number: usize, cx: &mut Context) {
        if let Some(account) = self.users.account(number) {
            for code in app_passwords(&self.users, &account) {
                self.end_app_password(&account, code, cx);
            }
        }
    }

    pub(super) fn end_mail_grants(&mut self, number: usize, cx: &mut Context) {
        let Some(account) = self.users.account(number) else {
            return;
        };
        let mail: Vec<&str> = grants(&self.users, &account)
            .filter(|app| app.3.contains(&MAIL))
            .map(|app| app.0)
            .collect();
        for client in mail {
            self.end_grant(&account, client, cx);
        }
    }

    fn end_grant(&mut self, account: &Account, client: &str, cx: &mut Context) {
        let id = format!("{}/{client}", account.id);
        cx.change("oauth_grant", &id, "granted", "revoked");
        let change = self.users.change(account.number, cx.now);
        change.revoked.insert(client.to_owned());
    }

    fn end_app_password(&mut self, account: &Account, code: u32, cx: &mut Context) {
        let id = format!("{}/{code}", account.id);
        cx.change("app_password", &id, "valid", "revoked");
        let change = self.users.change(account.number, cx.now);
        change.app_passwords_gone.insert(code);
    }

    fn replace_codes(
        &mut self,
        ask: &Ask<'_>,
        word: &str,
        made: Option<Rng>,
        cx: &mut Context,
    ) -> Answer {
        ask.no_body(cx)?;
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        let before = codes(&self.users, &account);
        let had = if before.is_empty() { "none" } else { "valid" };
        let after = made.map_or_else(Vec::new, |mut rng| ten_codes(&mut rng));
        if !(before.is_empty() && after.is_empty()) {
            cx.change("backup_codes", &account.id, had, word);
        }
        self.users.change(account.number, cx.now).codes = Some(after);
        Ok(Reply::empty(204))
    }

    /// A list without pages.
    fn all(&self, ask: &Ask<'_>, kind: &'static str, rows: Vec<Value>, cx: &Context) -> Reply {
        let named = Named {
            kind: Some(kind),
            list: "items",
        };
        self.listed(ask, named, whole(rows), cx)
    }
}

type App = (
    &'static str,
    &'static str,
    bool,
    &'static [&'static str],
    usize,
);

/// The apps that may act for this account.
fn grants<'a>(users: &'a Users, account: &Account) -> impl Iterator<Item = App> + 'a {
    let mut rng = Rng::nth(users.seed(), "google grants", account.number);
    let suspicious = account.part == Part::Suspicious;
    let gone = users.changes.get(&account.number).map(|it| &it.revoked);
    APPS.into_iter().filter(move |(client, _, _, _, share)| {
        let used = rng.percent(*share) || (suspicious && *client == RISKY);
        used && gone.is_none_or(|gone| !gone.contains(*client))
    })
}

fn app_passwords(users: &Users, account: &Account) -> Vec<u32> {
    let mut rng = Rng::nth(users.seed(), "google app passwords", account.number);
    let count = match account.part {
        Part::Suspicious => 2,
        _ if rng.percent(6) => rng.between(1, 2),
        _ => 0,
    };
    let gone = users.changes.get(&account.number);
    (1..=u32::try_from(count).unwrap_or(0))
        .filter(|code| gone.is_none_or(|it| !it.app_passwords_gone.contains(code)))
        .collect()
}

fn codes(users: &Users, account: &Account) -> Vec<String> {
    let changed = users.changes.get(&account.number);
    if let Some(codes) = changed.and_then(|it| it.codes.clone()) {
        return codes;
    }
    let mut rng = Rng::nth(users.seed(), "google codes", account.number);
    if account.part == Part::Suspicious || rng.percent(30) {
        return ten_codes(&mut rng);
    }
    Vec::new()
}

/// Eight digits each.
fn ten_codes(rng: &mut Rng) -> Vec<String> {
    (0..CODES)
        .map(|_| format!("{:08}", rng.below(100_000_000)))
        .collect()
}
