//! What the operations give: the same names in Rust, Python and Node.

use std::fmt;

use jiff::Timestamp;
use protect_core::listing::Listed;
use protect_core::model::{AccountState, RejectedItem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user resource (RFC 7643 section 4.1), with what the enterprise extension adds (section 4.3).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The service provider's id, which never changes.
    pub id: String,
    /// The id that the provisioning client gave, where there is one.
    pub external_id: Option<String>,
    /// The name the user signs in with, often an address; may be empty.
    pub user_name: String,
    /// The primary address, or else the first.
    pub email: Option<String>,
    /// What people call the user; may be empty.
    pub display_name: String,
    /// Whether the user can sign in; `None` where the service provider does not say.
    pub active: Option<bool>,
    /// The job's title.
    pub title: Option<String>,
    /// The sort of user, such as `Employee` or `Contractor`.
    pub user_type: Option<String>,
    /// The department.
    pub department: Option<String>,
    /// The number the organisation gave the employee.
    pub employee_number: Option<String>,
    /// The id of the manager's user.
    pub manager_id: Option<String>,
    /// When the user was made, where the service provider gave a readable time.
    pub created: Option<Timestamp>,
    /// The version of the resource (RFC 7644 section 3.14), where the service provider has versions.
    pub version: Option<String>,
}

impl User {
    /// Whether it can be used, in this library's words.
    pub(crate) fn state(&self) -> AccountState {
        match self.active {
            Some(true) => AccountState::Active,
            Some(false) => AccountState::Suspended,
            None => AccountState::Other("unspecified".to_owned()),
        }
    }
}

impl fmt::Debug for User {
    /// Leaves out names and addresses: `Debug` ends up in logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User")
            .field("id", &self.id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// One page of users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UserPage {
    /// The users.
    pub users: Vec<User>,
    /// Records that could not be read.
    pub rejected: Vec<RejectedItem>,
    /// How many users there are in all, as far as the service provider says.
    pub total: u32,
    /// The 1-based place of the next page's first user; `None` after the last page.
    pub next_start_index: Option<u32>,
}

impl From<UserPage> for Listed<User> {
    fn from(page: UserPage) -> Self {
        Self {
            items: page.users,
            rejected: page.rejected,
            next: page.next_start_index.map(|index| index.to_string()),
        }
    }
}

/// What the service provider says it can do (RFC 7643 section 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceProviderConfig {
    /// Whether users can be changed by PATCH; `None` where it does not say.
    pub patch: Option<bool>,
    /// Whether users can be looked for.
    pub filter: Option<bool>,
    /// The most users that one answer holds.
    pub max_results: Option<u32>,
    /// Whether resources have versions.
    pub etag: Option<bool>,
    /// How clients may authenticate, such as `oauthbearertoken`.
    pub authentication_schemes: Vec<String>,
    /// Where people read more.
    pub documentation_uri: Option<String>,
}
