//! What crosses to scripts: accounts and what Google says about them. Google writes its fields in camel
//! case; here they are in snake case, the same in all three languages.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use protect_core::listing::Listed;
use protect_core::model::RejectedItem;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// An account of the customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct User {
    /// The account's id, a number, which never changes.
    pub id: String,
    /// What they sign in with.
    pub primary_email: Option<String>,
    /// What people call them.
    #[serde(default, rename(deserialize = "name"), deserialize_with = "full_name")]
    pub display_name: Option<String>,
    /// The org unit that the account is in; `/` is the one above all others.
    pub org_unit_path: Option<String>,
    /// Whether it is a super administrator.
    pub is_admin: Option<bool>,
    /// Whether it is another administrator.
    pub is_delegated_admin: Option<bool>,
    /// Whether it has set up 2-step verification.
    #[serde(rename(deserialize = "isEnrolledIn2Sv"))]
    pub is_enrolled_in_2sv: Option<bool>,
    /// Whether it has to use 2-step verification.
    #[serde(rename(deserialize = "isEnforcedIn2Sv"))]
    pub is_enforced_in_2sv: Option<bool>,
    /// Whether it cannot be used until restored.
    pub suspended: Option<bool>,
    /// Why, in Google's word.
    pub suspension_reason: Option<String>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// Whether the password must be changed at the next sign-in.
    pub change_password_at_next_login: Option<bool>,
    /// When it was made.
    pub creation_time: Option<Timestamp>,
    /// The last sign-in; the year 1970 where there never was one.
    pub last_login_time: Option<Timestamp>,
    /// The customer, as Google calls it.
    pub customer_id: Option<String>,
}

/// One page of accounts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct UserPage {
    /// The accounts.
    pub users: Vec<User>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// What to pass as `page_token` for the next page; `None` after the last.
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

/// One page of records.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// What could not be read.
    pub rejected: Vec<RejectedItem>,
    /// What to pass as `page_token` for the next page; `None` after the last.
    pub next_page_token: Option<String>,
}

/// A password that was just made. It is shown nowhere but here.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewPassword {
    /// The password; it must be changed at the next sign-in.
    pub password: String,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

/// What a user let an application do in their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Grant {
    /// The application's client id.
    pub client_id: String,
    /// What the application calls itself.
    pub display_text: Option<String>,
    /// What it may do.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it is not registered with Google.
    pub anonymous: Option<bool>,
    /// Whether it is installed on a device.
    pub native_app: Option<bool>,
}

/// A password that a user made for one application, which asks for no second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct AppPassword {
    /// Its id.
    pub code_id: i64,
    /// What the user called it.
    pub name: Option<String>,
    /// When it was made, in seconds since 1970.
    #[serde(default, deserialize_with = "seconds")]
    pub creation_time: Option<i64>,
    /// When it was used last, in seconds since 1970.
    #[serde(default, deserialize_with = "seconds")]
    pub last_time_used: Option<i64>,
}

/// A domain of the customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Domain {
    /// Its name.
    pub domain_name: String,
    /// Whether it is the first.
    pub is_primary: Option<bool>,
    /// Whether the customer has proven that it is theirs.
    pub verified: Option<bool>,
}

/// An org unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct OrgUnit {
    /// Its id.
    pub org_unit_id: String,
    /// Its path.
    pub org_unit_path: String,
    /// Its name.
    pub name: Option<String>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Group {
    /// Its id.
    pub id: String,
    /// Its address.
    pub email: Option<String>,
    /// Its name.
    pub name: Option<String>,
}

/// A role of administrators.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Role {
    /// Its id.
    pub role_id: String,
    /// Its name.
    pub role_name: Option<String>,
    /// Whether it is that of super administrators.
    pub is_super_admin_role: Option<bool>,
}

/// A role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct RoleAssignment {
    /// The assignment's id.
    pub role_assignment_id: String,
    /// The role.
    pub role_id: String,
    /// Who holds it.
    pub assigned_to: String,
    /// `user` or `group`.
    pub assignee_type: Option<String>,
}

/// What Google's logs say happened at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// When.
    pub time: Timestamp,
    /// What tells it from others of the same moment.
    pub unique_qualifier: Option<String>,
    /// Which log it is from (`login`).
    pub application: Option<String>,
    /// Who acted, by address.
    pub actor_email: Option<String>,
    /// Who acted, by id.
    pub actor_id: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// What happened.
    pub events: Vec<ActivityEvent>,
}

/// One event of an [`Activity`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActivityEvent {
    /// Its name; none where Google said none.
    pub name: Option<String>,
    /// Its sort.
    pub kind: Option<String>,
    /// Its parameters by name, as text; several values are joined by commas.
    pub parameters: BTreeMap<String, String>,
}

/// An alert of Google's Alert Center.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Alert {
    /// Its id.
    pub alert_id: String,
    /// What it is about (`Suspicious login`).
    #[serde(rename(deserialize = "type"))]
    pub kind: Option<String>,
    /// Which of Google's products raised it.
    pub source: Option<String>,
    /// When what it tells of began.
    pub start_time: Option<Timestamp>,
    /// When it was made.
    pub create_time: Option<Timestamp>,
    /// When it last changed.
    pub update_time: Option<Timestamp>,
    /// Where a person can look at it.
    pub security_investigation_tool_link: Option<String>,
    /// What else Google says of it, in Google's own shape.
    #[serde(default)]
    pub data: BTreeMap<String, Value>,
    /// How bad it is and where it stands, in Google's own shape.
    pub metadata: Option<BTreeMap<String, Value>>,
}

/// How much of Google Workspace was used on one day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// The day, in Pacific time.
    pub date: String,
    /// Google's numbers and texts by name (`accounts:num_users`).
    pub parameters: BTreeMap<String, Value>,
    /// Google's words for what is not there yet.
    pub warnings: Vec<String>,
}

fn full_name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Name {
        full_name: Option<String>,
    }
    Ok(Option::<Name>::deserialize(from)?.and_then(|name| name.full_name))
}

/// A number of seconds, which Google writes as a text.
fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    Ok(value.and_then(|value| crate::wire::digits(&value).parse().ok()))
}
