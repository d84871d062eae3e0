//! The Reports API: usage of the customer and of users, day by day.

use jiff::{SignedDuration, Timestamp, civil::Date, tz::Offset};
use serde_json::{Value, json};

use super::{
    Google,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    users::{Account, millis},
};
use crate::request::{Context, Reply};

const LARGEST: usize = 1000;
/// Days are those of the Pacific coast; summer time is left out.
const PACIFIC: Offset = jiff::tz::offset(-8);
/// So many days pass until a day is there.
const LAG_DAYS: i64 = 2;

/// What is told of a day.
enum Day {
    /// With the text of its date.
    There(String),
    NotYet(String),
}

impl Google {
    pub(super) fn customer_usage(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let date = match day(ask.id(0), cx)? {
            Day::There(date) => date,
            Day::NotYet(date) => return Ok(missing(&date)),
        };
        let accounts = (0..self.users.len()).filter_map(|it| self.users.account(it));
        let (mut all, mut enrolled, mut enforced, mut suspended) = (0, 0, 0, 0);
        for account in accounts {
            all += 1;
            enrolled += i32::from(account.enrolled);
            enforced += i32::from(account.enforced());
            suspended += i32::from(account.suspended);
        }
        let numbers = [
            ("accounts:num_users", all),
            ("accounts:num_users_2sv_enrolled", enrolled),
            ("accounts:num_users_2sv_enforced", enforced),
            ("accounts:num_suspended_users", suspended),
        ];
        let shown =
            numbers.map(|(name, value)| json!({"name": name, "intValue": value.to_string()}));
        let entity = json!({"type": "CUSTOMER", "customerId": self.users.customer});
        let body = json!({
            "kind": "admin#reports#usageReports",
            "usageReports": [report(&date, &entity, &wanted(shown.to_vec(), ask))],
        });
        Ok(Reply::json(200, &body))
    }

    pub(super) fn user_usage(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let size = ask.count("maxResults", LARGEST, LARGEST, cx)?;
        let only = match ask.id(0) {
            "all" => None,
            key => Some(self.account(key)?.number),
        };
        let date = match day(ask.id(1), cx)? {
            Day::There(date) => date,
            Day::NotYet(date) => return Ok(missing(&date)),
        };
        let row = |at: usize| {
            let account = self.users.account(only.unwrap_or(at))?;
            let entity = json!({
                "type": "USER",
                "customerId": self.users.customer,
                "userEmail": account.email,
                "profileId": account.id,
            });
            Some(report(&date, &entity, &wanted(facts(&account), ask)))
        };
        let len = only.map_or(self.users.len(), |_| 1);
        let named = Named {
            kind: Some("admin#reports#usageReports"),
            list: "usageReports",
        };
        self.page(ask, (named, size, len), &row, cx)
    }
}

fn report(date: &str, entity: &Value, parameters: &[Value]) -> Value {
    json!({
        "kind": "admin#reports#usageReport",
        "date": date,
        "entity": entity,
        "parameters": parameters,
    })
}

fn facts(account: &Account) -> Vec<Value> {
    let flag = |name: &str, value: bool| json!({"name": name, "boolValue": value});
    let mut facts = vec![
        flag("accounts:is_2sv_enrolled", account.enrolled),
        flag("accounts:is_2sv_enforced", account.enforced()),
        flag("accounts:is_disabled", account.suspended),
        flag("accounts:is_archived", account.archived),
    ];
    if let Some(at) = account.last_login {
        facts.push(json!({"name": "accounts:last_login_time", "datetimeValue": millis(at)}));
    }
    facts
}

/// Those that `parameters` names, or all.
fn wanted(mut shown: Vec<Value>, ask: &Ask<'_>) -> Vec<Value> {
    if let Some(given) = ask.parameter("parameters") {
        let names: Vec<&str> = given.split(',').collect();
        shown.retain(|it| {
            it["name"]
                .as_str()
                .is_some_and(|name| names.contains(&name))
        });
    }
    shown
}

/// A day that is too young comes as a warning; one that is yet to come is refused.
fn day(text: &str, cx: &mut Context) -> Result<Day, Refusal> {
    let Ok(date) = text.parse::<Date>() else {
        return Err(bad("Invalid date", cx));
    };
    let begin = PACIFIC.to_timestamp(date.at(0, 0, 0, 0));
    let age = begin.map(|begin: Timestamp| cx.now.duration_since(begin));
    let age = age.map_err(|_| bad("Invalid date", cx))?;
    if age < SignedDuration::ZERO {
        return Err(bad("Date is in the future", cx));
    }
    let there = age >= SignedDuration::from_hours(24 * (LAG_DAYS + 1));
    let date = date.to_string();
    Ok(if there {
        Day::There(date)
    } else {
        Day::NotYet(date)
    })
}

fn missing(date: &str) -> Reply {
    let body = json!({
        "kind": "admin#reports#usageReports",
        "warnings": [{
            "code": "200",
            "message": format!("Data for {date} is not available yet"),
            "data": [{"key": "date", "value": date}],
        }],
    });
    Reply::json(200, &body)
}
