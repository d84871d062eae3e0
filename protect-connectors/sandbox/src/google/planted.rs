//! What was planted, beside what the seed makes up.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    FOREIGN_ADDRESS, Google,
    log::{boolean, many, moment, text},
    users::{SPECIAL, SUBJECT},
};
use crate::{
    clock::later,
    request::Context,
    scenario::{Part, PlantedUser},
};

/// What was planted in Google Workspace; people are the same as in 1Password, by their addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlantedDomain {
    /// Identifier of the customer.
    pub customer_id: String,
    /// The administrator whose rights are used.
    pub subject: PlantedUser,
    /// Was stopped by Google because its password is known to others.
    pub leaked: PlantedUser,
    /// Signed in from an unlikely place, as the login log and the Alert Center say.
    pub suspicious: PlantedUser,
    /// Had an attempt to sign in that Google stopped: nothing to do.
    pub forgotten: PlantedUser,
    /// A super administrator who holds another role as well, and has a recovery phone.
    pub super_administrator: PlantedUser,
    /// An administrator of some things.
    pub delegated_administrator: PlantedUser,
    /// An administrator of users who has not been there for months, without a second factor.
    pub dormant_administrator: PlantedUser,
    /// An administrator of users who is suspended.
    pub suspended_administrator: PlantedUser,
    /// Suspended from the beginning.
    pub leaver: PlantedUser,
    /// The emergency accounts: super administrators whose second factor is not enrolled.
    pub emergency: Vec<PlantedUser>,
    /// Where the suspicious sign-in came from.
    pub suspicious_address: String,
    /// What tells the suspicious sign-in apart from others of its moment in the login log.
    pub suspicious_qualifier: String,
}

impl Google {
    pub(super) fn plant(&mut self) -> PlantedDomain {
        let begins = self.users.begins();
        let cx = Context::new(begins, false, crate::faults::Struck::default());
        let suspicious = self.player(Part::Suspicious);
        let qualifier = self.plant_login(&suspicious.email, 10, &cx);
        self.plant_leak(&cx);
        self.plant_blocked(&cx);
        self.plant_changes(&cx);
        PlantedDomain {
            customer_id: self.users.customer.clone(),
            subject: self.planted_user(Some(SUBJECT)),
            leaked: self.player(Part::Leaked),
            suspicious,
            forgotten: self.player(Part::Forgotten),
            super_administrator: self.player(Part::Owner),
            delegated_administrator: self.player(Part::ExternalAdmin),
            dormant_administrator: self.planted_user(self.users.dormant_admin),
            suspended_administrator: self.planted_user(self.users.suspended_admin),
            leaver: self.player(Part::Leaver),
            emergency: (0..SPECIAL.len())
                .filter(|number| *number < SUBJECT)
                .map(|number| self.planted_user(Some(number)))
                .collect(),
            suspicious_address: FOREIGN_ADDRESS.to_owned(),
            suspicious_qualifier: qualifier.unwrap_or_default().to_string(),
        }
    }

    fn player(&self, part: Part) -> PlantedUser {
        self.planted_user(self.users.player(part))
    }

    fn planted_user(&self, number: Option<usize>) -> PlantedUser {
        let account = number.and_then(|number| self.users.account(number));
        account.map_or_else(PlantedUser::default, |it| PlantedUser {
            id: it.id,
            email: it.email,
            name: it.name,
        })
    }

    /// Google stopped the account whose password leaked.
    fn plant_leak(&mut self, cx: &Context) {
        let at = later(cx.now, SignedDuration::from_mins(-20));
        if let Some(number) = self.users.player(Part::Leaked) {
            let email = self.users.email(number);
            let event = json!({
                "type": "account_warning",
                "name": "account_disabled_password_leak",
                "parameters": [text("affected_email_address", &email)],
            });
            self.log_event("login", at, number, FOREIGN_ADDRESS, &event);
        }
    }

    /// An attempt that Google stopped; the victim is not who acted, and the second event is of the
    /// same moment.
    fn plant_blocked(&mut self, cx: &Context) {
        let at = later(cx.now, SignedDuration::from_mins(-30));
        let Some(number) = self.users.player(Part::Forgotten) else {
            return;
        };
        let email = self.users.email(number);
        for name in ["suspicious_login", "suspicious_programmatic_login"] {
            let event = json!({
                "type": "account_warning",
                "name": name,
                "parameters": [
                    text("affected_email_address", &email),
                    moment("login_timestamp", at.as_millisecond()),
                ],
            });
            let body = json!({
                "actor": {"callerType": "USER", "email": "", "profileId": "105250506097979753968"},
                "ipAddress": FOREIGN_ADDRESS,
                "events": [event],
            });
            self.logs.add("login", at, body);
        }
    }

    /// What somebody changed lately: two events in one activity, and the same event in two logs.
    fn plant_changes(&mut self, cx: &Context) {
        let at = later(cx.now, SignedDuration::from_mins(-40));
        let unit = self.units.name(super::units::ROOT).to_owned();
        let setting = |name: &str, value: &str| {
            json!({
                "type": "APPLICATION_SETTINGS",
                "name": "CHANGE_APPLICATION_SETTING",
                "parameters": [
                    text("APPLICATION_NAME", "Security"),
                    text("SETTING_NAME", name),
                    text("NEW_VALUE", value),
                    text("ORG_UNIT_NAME", &unit),
                ],
            })
        };
        let body = json!({
            "actor": {
                "callerType": "USER",
                "email": self.users.email(SUBJECT),
                "profileId": self.users.id(SUBJECT),
            },
            "ipAddress": "198.51.100.10",
            "events": [
                setting("Password Management - Enforce strong password", "on"),
                setting("Password Management - Minimum password length", "12"),
            ],
        });
        self.logs.add("admin", at, body);
        if let Some(number) = self.users.player(Part::Mistyped) {
            let event = json!({"type": "2sv_change", "name": "2sv_enroll"});
            for application in ["login", "user_accounts"] {
                self.log_event(application, at, number, "198.51.100.23", &event);
            }
        }
        if let Some(number) = self.users.player(Part::Suspicious) {
            let event = json!({
                "type": "auth",
                "name": "authorize",
                "parameters": [
                    text("app_name", "Mail Exporter"),
                    text("client_id", super::security::RISKY),
                    text("client_type", "NATIVE_DESKTOP"),
                    many("scope", &["https://mail.google.com/"]),
                    boolean("is_first_party", false),
                ],
            });
            let at = later(cx.now, SignedDuration::from_mins(-8));
            self.log_event("token", at, number, FOREIGN_ADDRESS, &event);
        }
    }
}
