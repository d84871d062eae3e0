//! Hub's users: who can sign in, to what, and whether sessions run. A revocation takes the products away
//! and ends the sessions; a restoration gives the products back.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{OneStack, Refusal};
use crate::request::{Call, Context, Reply};

const PRODUCTS: [&str; 3] = ["psa", "rmm", "portal"];
const STATES: [&str; 4] = ["active", "invited", "suspended", "deactivated"];

/// A user; `PUT /_sandbox/one_stack/users`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubUser {
    /// The organisation's id.
    pub organisation: String,
    /// The address that the user signs in with.
    pub email: String,
    /// `active`, `invited`, `suspended` or `deactivated`.
    pub status: String,
    /// How many sessions run.
    #[serde(default)]
    pub active_sessions: u64,
}

impl OneStack {
    /// Adds a user, or replaces the one of the same address. False for a status that Hub does not have.
    pub(crate) fn set_user(&mut self, user: HubUser) -> bool {
        if !STATES.contains(&user.status.as_str()) {
            return false;
        }
        let is_same = |known: &HubUser| {
            known.organisation == user.organisation && known.email.eq_ignore_ascii_case(&user.email)
        };
        self.users.retain(|known| !is_same(known));
        self.users.push(user);
        true
    }

    pub(super) fn list_users(
        &mut self,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        let (mut page, mut limit) = (1, 50);
        for (name, value) in &call.query {
            let number = value.parse::<usize>().ok().filter(|number| *number > 0);
            match (name.as_str(), number) {
                ("page", Some(number)) => page = number,
                ("limit", Some(number)) if number <= 100 => limit = number,
                _ => return Err(Refusal::field(name, "Not a parameter of this list")),
            }
        }
        // A revocation whose time has come is carried out first.
        self.settle_all(organisation, cx);
        let own = self.users.iter();
        let own = own.filter(|user| user.organisation == organisation);
        let all: Vec<_> = own.map(|user| self.shown(user)).collect();
        let total = all.len();
        let shown: Vec<_> = all
            .into_iter()
            .skip((page - 1) * limit)
            .take(limit)
            .collect();
        Ok(Reply::json(200, &json!({"users": shown, "total": total})))
    }

    /// As the last change of access that was carried out leaves it.
    fn shown(&self, user: &HubUser) -> serde_json::Value {
        let last = self.items.all().iter().rev().find(|item| {
            item.object == "revocation"
                && item.organisation == user.organisation
                && item.status == "completed"
                && item.text("email").eq_ignore_ascii_case(&user.email)
        });
        let is_taken = last.is_some_and(|item| item.text("action") == "revoke");
        let (status, products, sessions) = if is_taken {
            ("deactivated", &PRODUCTS[..0], 0)
        } else {
            (user.status.as_str(), &PRODUCTS[..], user.active_sessions)
        };
        json!({
            "id": format!("usr-{}", user.email),
            "email": user.email,
            "status": status,
            "products": products.iter().map(|name| json!({"product": name})).collect::<Vec<_>>(),
            "active_sessions": sessions,
            "undocumented": {"since": 1},
        })
    }
}
