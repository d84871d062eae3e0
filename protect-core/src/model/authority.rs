use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::id::Address;

/// What somebody who logged in may do: their role in the organisation, what was granted to them, and for
/// a client user whose data it is about.
///
/// The roles are those of Hub (<https://docs.theonestack.com/docs/getting-started/understanding-permissions>):
/// the role is the ceiling, and what was granted fills it in. Which of our permissions each role has is
/// our own convention, since the public documentation names none for this product.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Authority {
    /// The role in the organisation.
    pub role: Role,
    /// Permissions by name (`protect.findings.view`); a name that we do not know is kept.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub permissions: BTreeSet<String>,
    /// The role within a product that has its own, by the product's name: `people` = `hr_manager`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub products: BTreeMap<String, String>,
    /// For a user of a client: whose data they see. Such a user has none of the permissions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientAccess>,
    /// The address that the login vouches for: by it they are found in the workforce.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

impl Authority {
    /// Somebody of the organisation, with what was granted.
    pub fn staff<P: Into<String>>(role: Role, granted: impl IntoIterator<Item = P>) -> Self {
        Self {
            role,
            permissions: granted.into_iter().map(Into::into).collect(),
            products: BTreeMap::new(),
            client: None,
            address: None,
        }
    }

    /// A user of a client.
    pub fn client(client: ClientAccess) -> Self {
        Self {
            role: Role::Unknown,
            permissions: BTreeSet::new(),
            products: BTreeMap::new(),
            client: Some(client),
            address: None,
        }
    }

    /// Whether this allows something.
    pub fn allows(&self, permission: Permission) -> bool {
        if self.client.is_some() {
            return false;
        }
        match self.role {
            Role::Owner => true,
            Role::Admin => permission != Permission::BillingView,
            Role::Member => {
                permission.is_grantable() && self.permissions.contains(permission.as_str())
            }
            Role::Billing => permission == Permission::BillingView,
            Role::Viewer | Role::Unknown => matches!(
                permission,
                Permission::FindingsView | Permission::ReportsView
            ),
        }
    }

    /// The role within a product that has its own roles, where one was given.
    pub fn product_role(&self, product: &str) -> Option<&str> {
        self.products.get(product).map(String::as_str)
    }
}

/// A role in the organisation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything, with billing.
    Owner,
    /// Everything but billing.
    Admin,
    /// What was granted.
    Member,
    /// Billing alone.
    Billing,
    /// Reads.
    Viewer,
    /// A role that we do not know: as a viewer to whom nothing was granted.
    #[serde(other)]
    Unknown,
}

impl Role {
    /// The role of a name, in upper or lower case.
    pub fn named(name: &str) -> Self {
        match name.trim().to_ascii_lowercase().as_str() {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "member" => Self::Member,
            "billing" => Self::Billing,
            "viewer" => Self::Viewer,
            _ => Self::Unknown,
        }
    }

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
            Self::Billing => "billing",
            Self::Viewer => "viewer",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Something that a role allows. The names follow the pattern of the platform,
        /// `product.resource.action`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Permission { $($(#[$doc])* #[serde(rename = $name)] $variant),+ }

        impl Permission {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

permissions! {
    /// See findings, incidents and plans.
    FindingsView = "protect.findings.view",
    /// Acknowledge, resolve, accept, and mark as never wrong.
    FindingsManage = "protect.findings.manage",
    /// Scan now.
    ScansRun = "protect.scans.run",
    /// Ask for an action, or for its undoing.
    RemediationsRequest = "protect.remediations.request",
    /// Approve and reject plans, and stop everything.
    RemediationsApprove = "protect.remediations.approve",
    /// Change the settings.
    SettingsManage = "protect.settings.manage",
    /// Change what is connected.
    IntegrationsManage = "protect.integrations.manage",
    /// See reports and evidence.
    ReportsView = "protect.reports.view",
    /// See what is billed.
    BillingView = "protect.billing.view",
}

impl Permission {
    /// Whether a member can be granted it.
    const fn is_grantable(self) -> bool {
        !matches!(
            self,
            Self::SettingsManage | Self::IntegrationsManage | Self::BillingView
        )
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose data a user of a client sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ClientAccess {
    /// The client company, as the platform names it.
    pub client_id: String,
    /// How much of it.
    pub level: AccessLevel,
}

/// How much of a client's data one of its users sees
/// (<https://docs.theonestack.com/docs/portal/client-login>).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum AccessLevel {
    /// What is about them.
    Own,
    /// Everything, with the addresses of others masked.
    Company,
    /// Everything.
    CompanyAdmin,
}

impl AccessLevel {
    /// Every level, the least first.
    pub const ALL: [Self; 3] = [Self::Own, Self::Company, Self::CompanyAdmin];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Company => "company",
            Self::CompanyAdmin => "company_admin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(authority: &Authority) -> Vec<&'static str> {
        let all = Permission::ALL.iter().copied();
        let allowed = all.filter(|permission| authority.allows(*permission));
        let name = |permission: Permission| permission.as_str().trim_start_matches("protect.");
        allowed.map(name).collect()
    }

    fn every_name() -> impl Iterator<Item = &'static str> {
        Permission::ALL.iter().map(|permission| permission.as_str())
    }

    #[test]
    fn each_role_may_do_what_the_matrix_says_whatever_was_granted() {
        let read = ["findings.view", "reports.view"];
        let all = allowed(&Authority::staff(Role::Owner, [] as [&str; 0]));
        assert_eq!(all.len(), Permission::ALL.len());
        let admin = allowed(&Authority::staff(Role::Admin, [] as [&str; 0]));
        assert_eq!(admin.len(), Permission::ALL.len() - 1);
        assert!(!admin.contains(&"billing.view"));
        let billing = allowed(&Authority::staff(Role::Billing, every_name()));
        assert_eq!(billing, ["billing.view"]);
        for role in [Role::Viewer, Role::named("superuser")] {
            assert_eq!(allowed(&Authority::staff(role, every_name())), read);
            assert_eq!(allowed(&Authority::staff(role, [] as [&str; 0])), read);
        }
    }

    #[test]
    fn a_member_has_what_was_granted_and_never_settings_or_billing() {
        assert!(allowed(&Authority::staff(Role::Member, [] as [&str; 0])).is_empty());
        let granted = ["protect.remediations.approve", "psa.tickets.create"];
        let some = Authority::staff(Role::Member, granted);
        assert_eq!(allowed(&some), ["remediations.approve"]);
        let everything = allowed(&Authority::staff(Role::Member, every_name()));
        for never in ["settings.manage", "integrations.manage", "billing.view"] {
            assert!(!everything.contains(&never), "{never}");
        }
    }

    #[test]
    fn a_user_of_a_client_has_no_permission() {
        let mut user = Authority::client(ClientAccess {
            client_id: "c-1".to_owned(),
            level: AccessLevel::CompanyAdmin,
        });
        user.role = Role::Owner;
        assert!(allowed(&user).is_empty());
    }

    #[test]
    fn a_role_that_is_not_known_yet_is_read() {
        let read: Authority = serde_json::from_str(r#"{"role":"auditor"}"#).unwrap();
        assert_eq!(read.role, Role::Unknown);
        for role in [Role::Owner, Role::Member, Role::Billing] {
            assert_eq!(Role::named(&role.as_str().to_uppercase()), role);
            assert_eq!(serde_json::json!(role), role.as_str());
        }
    }
}
