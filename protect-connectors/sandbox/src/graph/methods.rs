//! Authentication methods of users: what they registered, Temporary Access Passes, and removals.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{
    Graph,
    error::{Answer, Refusal},
    operation::{Ask, malformed},
    page::Rows,
    users::{Account, Kind, Users},
};
use crate::{
    clock::{later, seconds},
    request::{Context, Reply},
    rng::Rng,
    scenario::Part,
};

/// Every account has this one; nobody can delete it.
const PASSWORD: &str = "28c10230-6103-485e-b985-444c60001490";
/// A Temporary Access Pass, in minutes.
const LIFETIME: std::ops::RangeInclusive<u64> = 10..=43_200;
const EVERY_METHOD: &str = "UserAuthenticationMethod.ReadWrite.All";

/// A Temporary Access Pass of a user. What it opens is told once and kept nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    id: String,
    created: Timestamp,
    starts: Timestamp,
    minutes: u64,
    once: bool,
}

/// A kind of method: the last part of its type, its collection, what registration details call it.
#[derive(Debug, Clone, Copy)]
struct Form {
    of: &'static str,
    collection: &'static str,
    registered: &'static str,
    permission: &'static str,
}

const FORMS: [Form; 8] = [
    form(
        "microsoftAuthenticator",
        "microsoftAuthenticatorMethods",
        "microsoftAuthenticatorPush",
        "MicrosoftAuthApp",
    ),
    form("phone", "phoneMethods", "mobilePhone", "Phone"),
    form("fido2", "fido2Methods", "passKeyDeviceBound", "Passkey"),
    form(
        "windowsHelloForBusiness",
        "windowsHelloForBusinessMethods",
        "windowsHelloForBusiness",
        "WindowsHello",
    ),
    form(
        "softwareOath",
        "softwareOathMethods",
        "softwareOneTimePasscode",
        "SoftwareOATH",
    ),
    form("email", "emailMethods", "email", "Email"),
    form(
        "temporaryAccessPass",
        "temporaryAccessPassMethods",
        "temporaryAccessPass",
        "TAP",
    ),
    form(
        "passwordlessMicrosoftAuthenticator",
        "passwordlessMicrosoftAuthenticatorMethods",
        "microsoftAuthenticatorPasswordless",
        "MicrosoftAuthApp",
    ),
];

const fn form(
    of: &'static str,
    collection: &'static str,
    registered: &'static str,
    permission: &'static str,
) -> Form {
    Form {
        of,
        collection,
        registered,
        permission,
    }
}

/// A registered method; the first of a user's list is the default.
struct Method {
    id: String,
    form: Form,
    body: Value,
}

impl Graph {
    pub(super) fn methods_of_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let mut rows = vec![json!({
            "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
            "id": PASSWORD,
            "password": null,
            "createdDateTime": seconds(account.password_changed),
        })];
        rows.extend(
            methods(&self.users, &account, ask.now)
                .into_iter()
                .map(|it| it.body),
        );
        self.page(ask, Rows::made(rows), cx)
    }

    /// `DELETE /users/{id}/authentication/{collection}/{id}`.
    pub(super) fn delete_method(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let collection = ask.id(1);
        let form = FORMS
            .iter()
            .find(|it| it.collection.eq_ignore_ascii_case(collection));
        let Some(form) = form else {
            cx.violate("method_type", "methods of this type cannot be deleted");
            return Err(Refusal::bad_request("The method cannot be deleted."));
        };
        let narrow = format!("UserAuthMethod-{}.ReadWrite.All", form.permission);
        ask.need(&[&narrow, EVERY_METHOD], cx)?;
        let methods = methods(&self.users, &account, ask.now);
        let place = methods
            .iter()
            .position(|it| it.id.eq_ignore_ascii_case(ask.id(2)) && it.form.of == form.of)
            .ok_or_else(Refusal::not_found)?;
        if place == 0 && methods.len() > 1 {
            cx.violate("default_method", "the default method goes last");
            let message =
                "The default authentication method cannot be deleted while others remain.";
            return Err(Refusal::new(400, "badRequest", message));
        }
        let id = methods[place].id.clone();
        let change = self.users.change(account.number);
        change.pass.take_if(|pass| pass.id == id);
        change.removed_methods.insert(id.clone());
        cx.change(
            "authentication_method",
            &format!("{}/{id}", account.id),
            form.of,
            "",
        );
        Ok(Reply::empty(204))
    }

    /// `POST /users/{id}/authentication/temporaryAccessPassMethods`.
    pub(super) fn create_pass(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let body = ask.body(
            &[
                "lifetimeInMinutes",
                "isUsableOnce",
                "startDateTime",
                "@odata.type",
            ],
            cx,
        )?;
        if !self.method_is_enabled("TemporaryAccessPass") {
            let message = "Temporary Access Pass is disabled by the policy.";
            return Err(Refusal::bad_request(message));
        }
        let minutes = body
            .get("lifetimeInMinutes")
            .map_or(Some(60), Value::as_u64);
        let once = body.get("isUsableOnce").map_or(Some(true), Value::as_bool);
        let starts = body.get("startDateTime").map_or(Some(cx.now), |at| {
            at.as_str().and_then(|at| at.parse().ok())
        });
        let (Some(minutes), Some(once), Some(starts)) = (minutes, once, starts) else {
            return Err(malformed(cx));
        };
        if !LIFETIME.contains(&minutes) {
            cx.violate("pass_lifetime", "10 to 43,200 minutes");
            return Err(Refusal::bad_request("lifetimeInMinutes is out of range."));
        }
        if !once && self.method_field("TemporaryAccessPass", "isUsableOnce") == Value::Bool(true) {
            let message = "The policy allows one-time passes only.";
            return Err(Refusal::bad_request(message));
        }
        let pass = Pass {
            id: self.rng.uuid(),
            created: cx.now,
            starts,
            minutes,
            once,
        };
        let mut shown = pass.shown(cx.now);
        // Told once, here.
        shown["temporaryAccessPass"] = Value::from(self.rng.hex(8));
        let object = format!("{}/{}", account.id, pass.id);
        let before = self.users.change(account.number).pass.replace(pass);
        let before = before.map_or("", |_| "temporaryAccessPass");
        cx.change(
            "authentication_method",
            &object,
            before,
            "temporaryAccessPass",
        );
        Ok(Reply::json(201, &shown))
    }

    /// Rows of `/reports/authenticationMethods/userRegistrationDetails`: enabled accounts alone.
    pub(super) fn registrations(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let admins: HashSet<&str> = self
            .store
            .list("roleAssignments")
            .iter()
            .filter_map(|it| it["principalId"].as_str())
            .collect();
        let (users, now) = (&self.users, ask.now);
        let rows = Rows {
            len: users.len(),
            at: Box::new(move |number| {
                let account = users.account(number).filter(|it| it.enabled)?;
                let admin = admins.contains(account.id.as_str());
                Some(registration(users, &account, admin, now))
            }),
            properties: None,
        };
        self.page(ask, rows, cx)
    }

    fn method_field(&self, method: &str, field: &str) -> Value {
        let methods = self
            .store
            .find("authenticationMethodConfigurations", "id", method);
        methods.map_or(Value::Null, |it| it[field].clone())
    }

    fn method_is_enabled(&self, method: &str) -> bool {
        self.method_field(method, "state") == "enabled"
    }
}

impl Pass {
    fn shown(&self, now: Timestamp) -> Value {
        let minutes = i64::try_from(self.minutes).unwrap_or(i64::MAX);
        let usable =
            now >= self.starts && now < later(self.starts, SignedDuration::from_mins(minutes));
        json!({
            "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
            "id": self.id,
            "temporaryAccessPass": null,
            "createdDateTime": seconds(self.created),
            "startDateTime": seconds(self.starts),
            "lifetimeInMinutes": self.minutes,
            "isUsableOnce": self.once,
            "isUsable": usable,
            "methodUsabilityReason": if usable { "EnabledByPolicy" } else { "NotYetValid" },
        })
    }
}

/// What this user has beside the password; the first is the default.
fn methods(users: &Users, account: &Account, now: Timestamp) -> Vec<Method> {
    let mut rng = Rng::nth(0x6d65_7468, "methods", account.number);
    let change = users.changes.get(&account.number);
    let mut methods: Vec<Method> = registered_forms(account, &mut rng)
        .into_iter()
        .map(|form| method(form, account, rng.uuid()))
        .filter(|it| change.is_none_or(|change| !change.removed_methods.contains(&it.id)))
        .collect();
    if let Some(pass) = change.and_then(|change| change.pass.as_ref()) {
        methods.push(Method {
            id: pass.id.clone(),
            form: FORMS[6],
            body: pass.shown(now),
        });
    }
    methods
}

fn registered_forms(account: &Account, rng: &mut Rng) -> Vec<Form> {
    let [authenticator, phone, passkey, hello, software, ..] = FORMS;
    let share = rng.below(100);
    match account.kind {
        Kind::Emergency => vec![passkey],
        Kind::Guest if share < 60 => vec![authenticator],
        Kind::Guest => vec![],
        // Attackers like whoever has a telephone alone.
        Kind::Member(Part::Suspicious) => vec![authenticator, phone],
        Kind::Member(Part::Leaked) => vec![phone],
        Kind::Member(Part::Owner) => vec![passkey, authenticator],
        Kind::Member(_) => match share {
            ..8 => vec![],
            8..18 => vec![phone],
            18..30 => vec![authenticator, software],
            30..45 => vec![authenticator, hello],
            45..55 => vec![passkey, authenticator],
            _ => vec![authenticator, phone],
        },
    }
}

fn method(form: Form, account: &Account, id: String) -> Method {
    let mut body = json!({
        "@odata.type": format!("#microsoft.graph.{}AuthenticationMethod", form.of),
        "id": id,
        "createdDateTime": seconds(account.created),
    });
    match form.of {
        "phone" => {
            body["phoneNumber"] = Value::from("+49 15000000000");
            body["phoneType"] = Value::from("mobile");
            body["smsSignInState"] = Value::from("notAllowedByPolicy");
        }
        "softwareOath" => body["secretKey"] = Value::Null,
        _ => body["displayName"] = Value::from(format!("Device of {}", account.name)),
    }
    Method { id, form, body }
}

fn registration(users: &Users, account: &Account, admin: bool, now: Timestamp) -> Value {
    let methods = methods(users, account, now);
    let names: Vec<&str> = methods.iter().map(|it| it.form.registered).collect();
    let strong = methods
        .iter()
        .any(|it| !matches!(it.form.of, "email" | "temporaryAccessPass"));
    let passwordless = methods
        .iter()
        .any(|it| matches!(it.form.of, "fido2" | "windowsHelloForBusiness"));
    let preferred = match methods.first().map(|it| it.form.of) {
        Some("phone") => "sms",
        Some("microsoftAuthenticator") => "push",
        Some("softwareOath") => "oath",
        _ => "none",
    };
    json!({
        "id": account.id,
        "userPrincipalName": account.upn,
        "userDisplayName": account.name,
        "userType": if account.is_guest() { "guest" } else { "member" },
        "isAdmin": admin,
        "isSsprRegistered": !names.is_empty(),
        "isSsprEnabled": true,
        "isSsprCapable": !names.is_empty(),
        "isMfaRegistered": strong,
        "isMfaCapable": strong,
        "isPasswordlessCapable": passwordless,
        "methodsRegistered": names,
        "isSystemPreferredAuthenticationMethodEnabled": true,
        "systemPreferredAuthenticationMethods": [preferred],
        "userPreferredMethodForSecondaryAuthentication": preferred,
        "lastUpdatedDateTime": seconds(users.begins()),
    })
}
