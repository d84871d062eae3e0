use protect_core::{Error, ErrorKind, Result};
use serde_json::Value;

use super::Hub;
use crate::conventions::Path;
use crate::item::Item;

/// The words of Hub for somebody who cannot sign in
/// (<https://docs.theonestack.com/docs/hub/user-management>). Any other word is taken for somebody who can.
const SHUT_OUT: [&str; 2] = ["suspended", "deactivated"];

/// A user as Hub's list shows it, as far as it matters whether there is access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HubUser {
    pub(super) email: String,
    /// `active`, `invited`, `suspended`, `deactivated`, or another word; empty where Hub says none.
    pub(super) status: String,
    /// The products, by name.
    pub(super) products: Vec<String>,
    /// How many sessions run, as far as Hub says.
    pub(super) sessions: u64,
}

impl HubUser {
    /// A token of a session outlives the day on which its user was shut out, so that both count.
    pub(super) fn has_access(&self) -> bool {
        self.sessions > 0 || !SHUT_OUT.contains(&self.status.as_str())
    }

    fn of(item: &Item) -> Option<Self> {
        let products = item.value("products").and_then(Value::as_array);
        let name = |product: &Value| {
            let named = product
                .as_str()
                .or_else(|| product.get("product")?.as_str());
            named.map(str::to_owned)
        };
        let products = products.into_iter().flatten().filter_map(name);
        Some(Self {
            email: item.text("email")?.to_owned(),
            status: item.text("status").unwrap_or_default().to_lowercase(),
            products: products.collect(),
            sessions: item
                .value("active_sessions")
                .and_then(Value::as_u64)
                .unwrap_or_default(),
        })
    }
}

impl Hub {
    /// Everybody in the organisation, whether they can sign in or not.
    ///
    /// # Errors
    /// `invalid_response` where Hub's list shows no addresses; otherwise as for every call.
    pub(super) async fn users(&self) -> Result<Vec<HubUser>> {
        let (path, operation) = (Path::Users, "hub.users");
        let items = self
            .platform
            .all(&self.cx, operation, path, "users", &[])
            .await?;
        let users = items.iter().map(|item| {
            HubUser::of(item).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidResponse,
                    "a user in Hub's list has no `email`, so that nothing can be said of anybody; say what it is called in `conventions.members`",
                )
            })
        });
        users.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_hub_does_not_plainly_shut_out_has_access() {
        let user = |status: &str, sessions| HubUser {
            email: "a@b.example".to_owned(),
            status: status.to_owned(),
            products: Vec::new(),
            sessions,
        };
        for (status, sessions, has) in [
            ("active", 0, true),
            ("invited", 0, true),
            ("", 0, true),
            ("invented_later", 0, true),
            ("suspended", 0, false),
            ("deactivated", 0, false),
            ("deactivated", 1, true),
        ] {
            assert_eq!(user(status, sessions).has_access(), has, "{status}");
        }
    }
}
