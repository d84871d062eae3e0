//! What crosses to scripts: users and what Graph says about them. Graph writes its fields in camel
//! case; here they are in snake case, the same in all three languages.

use std::fmt;

use jiff::Timestamp;
use protect_core::listing::Listed;
use protect_core::model::RejectedItem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A user or guest of the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct User {
    /// The object's id, which never changes.
    pub id: String,
    /// What they sign in with.
    pub user_principal_name: Option<String>,
    /// What people call them.
    pub display_name: Option<String>,
    /// Where mail reaches them, where they have any.
    pub mail: Option<String>,
    /// Whether they can sign in.
    pub account_enabled: Option<bool>,
    /// `Member` or `Guest`.
    pub user_type: Option<String>,
    /// Whether an on-premises directory keeps the account.
    pub on_premises_sync_enabled: Option<bool>,
    /// When it was made.
    pub created_date_time: Option<Timestamp>,
    /// Sessions and refresh tokens from before this moment are worth nothing.
    pub sign_in_sessions_valid_from_date_time: Option<Timestamp>,
    /// When the password was last changed.
    pub last_password_change_date_time: Option<Timestamp>,
}

/// One page of users.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct UserPage {
    /// The users.
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

/// Something by which a user proves who they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthenticationMethod {
    /// Its id.
    pub id: String,
    /// Graph's name of the sort (`phoneAuthenticationMethod`).
    pub kind: String,
}

/// A password that was just made. It is shown nowhere but here.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NewPassword {
    /// The password; it must be changed at the next sign-in.
    pub password: String,
}

/// A pass with which a user can sign in and register stronger methods. Graph shows it once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct TemporaryAccessPass {
    /// Its id.
    pub id: String,
    /// The pass.
    pub temporary_access_pass: String,
    /// How long it is good for.
    pub lifetime_in_minutes: Option<u32>,
    /// Whether it works once.
    pub is_usable_once: Option<bool>,
    /// When it begins.
    pub start_date_time: Option<Timestamp>,
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(…)")
    }
}

impl fmt::Debug for TemporaryAccessPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemporaryAccessPass")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A directory role that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct RoleAssignment {
    /// The assignment's id.
    pub id: String,
    /// Who holds it.
    pub principal_id: String,
    /// The role.
    pub role_definition_id: String,
    /// Over what: `/` is the whole tenant.
    #[serde(default = "whole_tenant")]
    pub directory_scope_id: String,
}

fn whole_tenant() -> String {
    "/".to_owned()
}

/// What a user let an application do in their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Grant {
    /// The grant's id.
    pub id: String,
    /// The service principal of the application.
    pub client_id: String,
    /// `Principal` for one user, `AllPrincipals` for everybody.
    pub consent_type: Option<String>,
    /// The permissions, separated by spaces.
    pub scope: Option<String>,
}

/// A device that is registered in the tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Device {
    /// The object's id.
    pub id: String,
    /// Its name.
    pub display_name: Option<String>,
    /// What runs on it.
    pub operating_system: Option<String>,
    /// Whether it keeps the organisation's rules.
    pub is_compliant: Option<bool>,
    /// Whether it may sign in.
    pub account_enabled: Option<bool>,
}

/// A user whom Identity Protection holds to be at risk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct RiskyUser {
    /// The user's id.
    pub id: String,
    /// What they sign in with.
    pub user_principal_name: Option<String>,
    /// `low`, `medium`, `high`, `hidden` or `none`.
    pub risk_level: Option<String>,
    /// `atRisk`, `confirmedCompromised`, `remediated`, `dismissed` and others.
    pub risk_state: Option<String>,
    /// Why, in Graph's word.
    pub risk_detail: Option<String>,
    /// When it last changed.
    pub risk_last_updated_date_time: Option<Timestamp>,
    /// Whether the user was deleted.
    pub is_deleted: Option<bool>,
}

/// Something that Identity Protection noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct RiskDetection {
    /// Its id.
    pub id: String,
    /// What it is (`leakedCredentials`).
    pub risk_event_type: Option<String>,
    /// `low`, `medium`, `high`, `hidden` or `none`.
    pub risk_level: Option<String>,
    /// Where it stands, as for a risky user.
    pub risk_state: Option<String>,
    /// When it was noticed.
    pub detected_date_time: Timestamp,
    /// Whose sign-in or credential it was.
    pub user_id: Option<String>,
    /// Where it came from.
    pub ip_address: Option<String>,
    /// Who noticed.
    pub source: Option<String>,
}

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct SignIn {
    /// Its id.
    pub id: String,
    /// When.
    pub created_date_time: Timestamp,
    /// Whose.
    pub user_id: Option<String>,
    /// To what.
    pub app_id: Option<String>,
    /// With which program: `Browser`, `Mobile Apps and Desktop clients`, or an old protocol.
    pub client_app_used: Option<String>,
    /// What Conditional Access said.
    pub conditional_access_status: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
    /// The place of the address.
    pub location: Option<Location>,
    /// Whether it worked.
    pub status: Option<SignInStatus>,
    /// How risky it was held to be.
    pub risk_level_during_sign_in: Option<String>,
}

/// The place of an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Location {
    /// The town.
    pub city: Option<String>,
    /// The country's code.
    pub country_or_region: Option<String>,
}

/// Whether a sign-in worked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct SignInStatus {
    /// 0 where it worked.
    pub error_code: Option<i64>,
}

/// What somebody changed in the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct DirectoryAudit {
    /// Its id.
    pub id: String,
    /// When.
    pub activity_date_time: Timestamp,
    /// What was done (`Add member to role`).
    pub activity_display_name: Option<String>,
    /// Of which sort it is (`RoleManagement`).
    pub category: Option<String>,
    /// `success`, `failure`, `timeout` or another word.
    pub result: Option<String>,
    /// Who did it.
    pub initiated_by: Option<Initiator>,
    /// To what it was done.
    #[serde(default)]
    pub target_resources: Option<Vec<TargetResource>>,
}

/// Who changed something: a user, or an application.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Initiator {
    /// The user.
    pub user: Option<InitiatingUser>,
    /// The application.
    pub app: Option<InitiatingApp>,
}

/// The user who changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct InitiatingUser {
    /// The id.
    pub id: Option<String>,
    /// From where.
    pub ip_address: Option<String>,
}

/// The application that changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct InitiatingApp {
    /// The application's id.
    pub app_id: Option<String>,
    /// The id of what stands for it in the tenant.
    pub service_principal_id: Option<String>,
}

/// What was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetResource {
    /// The id.
    pub id: Option<String>,
    /// `User`, `Role`, `ServicePrincipal`, `Policy` and others.
    #[serde(rename(deserialize = "type"))]
    pub kind: Option<String>,
}

/// An alert of one of Microsoft's security products.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// One line.
    pub title: Option<String>,
    /// `unknown`, `informational`, `low`, `medium` or `high`.
    pub severity: Option<String>,
    /// `new`, `inProgress` or `resolved`.
    pub status: Option<String>,
    /// The product.
    pub service_source: Option<String>,
    /// Which sort of attack.
    pub category: Option<String>,
    /// When it was made.
    pub created_date_time: Timestamp,
    /// When it last changed.
    pub last_update_date_time: Option<Timestamp>,
    /// Where a person can look at it.
    pub alert_web_url: Option<String>,
    /// The users that the evidence names, by id.
    #[serde(
        default,
        rename(deserialize = "evidence"),
        deserialize_with = "users_in"
    )]
    pub user_ids: Vec<String>,
}

/// The score that Microsoft itself gives the tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all(deserialize = "camelCase"))]
pub struct SecureScore {
    /// Its id, which names tenant and day.
    pub id: String,
    /// When it was made.
    pub created_date_time: Timestamp,
    /// Points.
    pub current_score: f64,
    /// Points that could be had.
    pub max_score: f64,
}

/// What users may consent to without an administrator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UserConsent {
    /// The policies by which users may consent; none of them where they may not.
    pub permission_grant_policies: Vec<String>,
}

/// The users in an alert's evidence
/// (<https://learn.microsoft.com/graph/api/resources/security-userevidence>).
fn users_in<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let evidence: Option<Vec<serde_json::Value>> = Option::deserialize(from)?;
    let evidence = evidence.unwrap_or_default();
    let ids = evidence.iter().filter_map(|item| {
        let id = item.get("userAccount")?.get("azureAdUserId")?.as_str()?;
        (!id.is_empty()).then(|| id.to_ascii_lowercase())
    });
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}
