//! What the vendor's operations give: the same names in Rust, Python and Node.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use protect_core::listing::Listed;
use protect_core::model::RejectedItem;
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user of a 1Password account (<https://www.1password.dev/users-api/list-users>).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The user's id, which never changes.
    pub id: String,
    /// The address as the vendor writes it, where it gave one.
    pub email: Option<String>,
    /// What people call the user; may be empty.
    pub display_name: String,
    /// Whether the user can sign in.
    pub state: UserState,
    /// When the user was made, where the vendor gave a readable time.
    pub create_time: Option<Timestamp>,
    /// The vendor's resource name: `accounts/ACCOUNT/users/USER`; may be empty.
    pub path: String,
}

impl fmt::Debug for User {
    /// Leaves out address and name: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("state", &self.state)
            .field("create_time", &self.create_time)
            .finish_non_exhaustive()
    }
}

/// Whether a user can sign in. A word the vendor invents later is kept as it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserState {
    /// Can sign in.
    Active,
    /// Cannot sign in until reactivated.
    Suspended,
    /// The vendor did not say.
    Unspecified,
    /// The vendor's own word, unknown to this version.
    #[serde(untagged)]
    Other(String),
}

impl UserState {
    /// The vendor's word as this library's.
    pub(crate) fn from_wire(word: Option<&str>) -> Self {
        match word {
            Some("ACTIVE") => Self::Active,
            Some("SUSPENDED") => Self::Suspended,
            None | Some("" | "STATE_UNSPECIFIED") => Self::Unspecified,
            Some(other) => Self::Other(other.to_owned()),
        }
    }

    /// The stable name, or the vendor's own word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Unspecified => "unspecified",
            Self::Other(word) => word,
        }
    }
}

impl fmt::Display for UserState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Which users to list. The vendor knows these two filters and no search by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UserFilter {
    /// Those who can sign in.
    Active,
    /// Those who cannot.
    Suspended,
}

impl UserFilter {
    /// The vendor's expression (<https://www.1password.dev/users-api/list-users>, `filter`).
    pub(crate) const fn expression(self) -> &'static str {
        match self {
            Self::Active => "user.isActive()",
            Self::Suspended => "user.isSuspended()",
        }
    }
}

impl FromStr for UserFilter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(Error::invalid_input(
                "the filter is `active` or `suspended`",
            )),
        }
    }
}

/// One page of users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// Records that could not be read.
    pub rejected: Vec<RejectedItem>,
    /// What the next page is asked for with; `None` after the last.
    pub next_page_token: Option<String>,
}

impl From<UserPage> for Listed<User> {
    fn from(page: UserPage) -> Self {
        Self {
            items: page.users,
            rejected: page.rejected,
            next: page.next_page_token,
        }
    }
}

/// What an Events API token may read
/// (<https://developer.1password.com/docs/events-api/reference>, "introspect").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Introspection {
    /// The token's own id.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub uuid: String,
    /// When it was issued, where the vendor gave a readable time.
    #[serde(default, deserialize_with = "crate::wire::lenient_time")]
    pub issued_at: Option<Timestamp>,
    /// The streams it may read: `signinattempts`, `itemusages`, `auditevents`.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub features: Vec<String>,
    /// The account it belongs to, where the vendor says so.
    #[serde(default)]
    pub account_uuid: Option<String>,
}

/// One page of events. Keep the cursor even where there is no more: the next poll begins there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct EventPage<T> {
    /// The events, oldest first.
    pub items: Vec<T>,
    /// Records that could not be read.
    pub rejected: Vec<RejectedItem>,
    /// Where the next page begins.
    pub cursor: String,
    /// Whether the next page can be asked for at once.
    pub has_more: bool,
}

/// An attempt to sign in (<https://www.1password.dev/events-api/reference/sign-in-attempt>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SignInAttempt {
    /// The event's id.
    pub uuid: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// The session it belongs to.
    #[serde(default)]
    pub session_uuid: Option<String>,
    /// The country, as the vendor writes it.
    #[serde(default)]
    pub country: Option<String>,
    /// What came of it, such as `success` or `credentials_failed`; new words are kept.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub category: String,
    /// Why, such as `mfa_ok` or `password_secret_bad`; new words are kept.
    #[serde(
        default,
        rename = "type",
        deserialize_with = "crate::wire::null_as_default"
    )]
    pub kind: String,
    /// What blocked it, where a firewall rule did.
    #[serde(default)]
    pub details: Option<SignInDetails>,
    /// Whose sign-in it was.
    pub target_user: UserInfo,
    /// The program that signed in.
    #[serde(default)]
    pub client: Option<ClientInfo>,
    /// Where the address is.
    #[serde(default)]
    pub location: Option<Location>,
    /// The account it happened in (version 2).
    #[serde(default)]
    pub account_uuid: Option<String>,
}

/// What blocked a sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignInDetails {
    /// The continent, country or address of the rule.
    #[serde(default)]
    pub value: Option<String>,
}

/// A use of an item (<https://www.1password.dev/events-api/reference/items-usage>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ItemUsage {
    /// The event's id.
    pub uuid: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Which version of the item was used.
    #[serde(default, deserialize_with = "crate::wire::lenient_number")]
    pub used_version: Option<u64>,
    /// The vault it lies in.
    #[serde(default)]
    pub vault_uuid: Option<String>,
    /// The item.
    #[serde(default)]
    pub item_uuid: Option<String>,
    /// What was done, such as `reveal` or `export`; new words are kept.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub action: String,
    /// Who did it.
    pub user: UserInfo,
    /// The program it was done with.
    #[serde(default)]
    pub client: Option<ClientInfo>,
    /// Where the address is.
    #[serde(default)]
    pub location: Option<Location>,
    /// The account it happened in (version 2).
    #[serde(default)]
    pub account_uuid: Option<String>,
}

/// Something done to the account (<https://www.1password.dev/events-api/reference/audit-events>).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// The event's id.
    pub uuid: String,
    /// When it happened.
    pub timestamp: Timestamp,
    /// Who did it.
    pub actor_uuid: String,
    /// Who that is.
    #[serde(default)]
    pub actor_details: Option<UserInfo>,
    /// Which sort of actor (version 2).
    #[serde(default)]
    pub actor_type: Option<String>,
    /// The actor's account (version 2).
    #[serde(default)]
    pub actor_account_uuid: Option<String>,
    /// What was done, such as `suspend` or `disblmfa`; new words are kept.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub action: String,
    /// To which sort of thing.
    #[serde(default, deserialize_with = "crate::wire::null_as_default")]
    pub object_type: String,
    /// To what.
    #[serde(default)]
    pub object_uuid: Option<String>,
    /// Who that is, where it is a person.
    #[serde(default)]
    pub object_details: Option<UserInfo>,
    /// A number that belongs to the action.
    #[serde(default, deserialize_with = "crate::wire::lenient_number")]
    pub aux_id: Option<i64>,
    /// Something else that belongs to the action.
    #[serde(default)]
    pub aux_uuid: Option<String>,
    /// Who that is, where it is a person.
    #[serde(default)]
    pub aux_details: Option<UserInfo>,
    /// More about the action, in the vendor's own form.
    #[serde(default)]
    pub aux_info: Option<String>,
    /// The session it was done in.
    #[serde(default)]
    pub session: Option<Session>,
    /// Where the address is.
    #[serde(default)]
    pub location: Option<Location>,
    /// The account it happened in (version 2).
    #[serde(default)]
    pub account_uuid: Option<String>,
}

/// A user as an event names one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserInfo {
    /// The user's id.
    pub uuid: String,
    /// What people call the user.
    #[serde(default)]
    pub name: Option<String>,
    /// The address.
    #[serde(default)]
    pub email: Option<String>,
    /// Which sort of user (version 2), such as `user` or `service_account`.
    #[serde(default)]
    pub user_type: Option<String>,
    /// The user's own account (version 2).
    #[serde(default)]
    pub user_account_uuid: Option<String>,
}

impl fmt::Debug for UserInfo {
    /// Leaves out address and name: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserInfo")
            .field("uuid", &self.uuid)
            .field("user_type", &self.user_type)
            .finish_non_exhaustive()
    }
}

/// The program behind an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClientInfo {
    /// Its name.
    pub app_name: Option<String>,
    /// Its version.
    pub app_version: Option<String>,
    /// What it runs in.
    pub platform_name: Option<String>,
    /// The version of that.
    pub platform_version: Option<String>,
    /// The operating system.
    pub os_name: Option<String>,
    /// The version of that.
    pub os_version: Option<String>,
    /// The network address it came from.
    pub ip_address: Option<String>,
}

/// Where an address is, roughly. The vendor's own example has latitude and longitude swapped, so
/// neither is checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Location {
    /// The country.
    pub country: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// Degrees north.
    #[serde(deserialize_with = "crate::wire::lenient_number")]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(deserialize_with = "crate::wire::lenient_number")]
    pub longitude: Option<f64>,
}

/// The session an audit event was made in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Session {
    /// Its id.
    pub uuid: Option<String>,
    /// When it began, as the vendor writes it.
    pub login_time: Option<String>,
    /// The device.
    pub device_uuid: Option<String>,
    /// The network address.
    pub ip: Option<String>,
}
