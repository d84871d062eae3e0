//! A realistic tenant by the seed: what is right in it, and what is not.

mod activity;
mod apps;
mod policies;
mod roles;
mod security;
mod tenant;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(super) use apps::grant;
pub(super) use tenant::{E5_SKU, service_plan, sku};

use super::{
    Size,
    login::{Application, new_application},
    store::Store,
    users::Users,
};
use crate::{
    clock::{later, seconds},
    rng::Rng,
    scenario::{Part, PlantedUser},
};

/// What was planted in Microsoft 365; people are the same as in 1Password, by their addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlantedTenant {
    /// Identifier of the Entra tenant.
    pub tenant_id: String,
    /// Is at high risk for leaked credentials.
    pub leaked: PlantedUser,
    /// Is at high risk for a sign-in from an unlikely place, and in an alert.
    pub suspicious: PlantedUser,
    /// Is at low risk: nothing to do.
    pub forgotten: PlantedUser,
    /// A global administrator: protected from applications that hold no higher role.
    pub global_administrator: PlantedUser,
    /// Holds User Administrator and comes from an on-premises directory: changes are refused.
    pub synced: PlantedUser,
    /// Disabled from the beginning.
    pub leaver: PlantedUser,
    /// The emergency accounts.
    pub emergency: Vec<PlantedUser>,
    /// A guest.
    pub guest: PlantedUser,
    /// Object id of the application whose secret ends within two weeks.
    pub expiring_application: String,
    /// Object id of the foreign service principal that may read everybody's mail.
    pub risky_principal: String,
    /// Identifier of the alert about [`PlantedTenant::suspicious`].
    pub alert: String,
}

/// A tenant that was made up.
pub(super) struct Made {
    pub(super) store: Store,
    pub(super) planted: PlantedTenant,
}

/// What the parts of the generator share.
struct Maker<'a> {
    store: Store,
    users: &'a Users,
    rng: Rng,
    tenant: &'a str,
    begins: Timestamp,
}

/// The applications of the tenant itself: one that scans, one that responds, one for the vault.
pub(super) fn applications(rng: &mut Rng) -> Vec<Application> {
    vec![
        new_application("scan", SCAN, rng),
        new_application("respond", RESPOND, rng),
        new_application("vault", &[], rng),
    ]
}

pub(super) fn tenant(
    seed: u64,
    users: &Users,
    applications: &[Application],
    size: &Size,
    tenant: &str,
) -> Made {
    let mut maker = Maker {
        store: Store::default(),
        users,
        rng: Rng::new(seed, "graph tenant"),
        tenant,
        begins: users.begins(),
    };
    maker.tenant();
    maker.roles(applications);
    let (expiring_application, risky_principal) = maker.apps(applications);
    maker.policies(size.policies);
    maker.activity();
    let alert = maker.security();
    let planted = PlantedTenant {
        tenant_id: tenant.to_owned(),
        leaked: maker.player(Part::Leaked),
        suspicious: maker.player(Part::Suspicious),
        forgotten: maker.player(Part::Forgotten),
        global_administrator: maker.player(Part::Owner),
        synced: maker.player(Part::ExternalAdmin),
        leaver: maker.player(Part::Leaver),
        emergency: (0..super::users::EMERGENCY)
            .map(|it| maker.planted(it))
            .collect(),
        guest: maker.planted(users.first_guest()),
        expiring_application,
        risky_principal,
        alert,
    };
    Made {
        store: maker.store,
        planted,
    }
}

impl Maker<'_> {
    fn ago(&self, minutes: i64) -> String {
        seconds(later(self.begins, SignedDuration::from_mins(-minutes)))
    }

    fn days_ago(&self, days: i64) -> String {
        self.ago(days * 24 * 60)
    }

    fn add_all(&mut self, collection: &'static str, documents: impl IntoIterator<Item = Value>) {
        // An empty collection is one too.
        let documents = documents.into_iter().collect();
        self.store.replace(collection, documents);
    }

    fn player(&self, part: Part) -> PlantedUser {
        // Every part is played; a missing one would be an account that is not there.
        self.planted(self.users.player(part).unwrap_or(usize::MAX))
    }

    fn planted(&self, number: usize) -> PlantedUser {
        let account = self.users.account(number);
        account.map_or_else(PlantedUser::default, |account| PlantedUser {
            id: account.id,
            email: account.mail,
            name: account.name,
        })
    }
}

const SCAN: &[&str] = &[
    "AuditLog.Read.All",
    "Directory.Read.All",
    "IdentityRiskEvent.Read.All",
    "IdentityRiskyUser.Read.All",
    "OnPremDirectorySynchronization.Read.All",
    "Policy.Read.All",
    "Policy.Read.DeviceConfiguration",
    "Policy.Read.PermissionGrant",
    "Reports.Read.All",
    "RoleManagement.Read.Directory",
    "SecurityAlert.Read.All",
    "SecurityEvents.Read.All",
    "SharePointTenantSettings.Read.All",
    "UserAuthenticationMethod.Read.All",
];

const RESPOND: &[&str] = &[
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Domain.ReadWrite.All",
    "IdentityRiskyUser.ReadWrite.All",
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "Policy.ReadWrite.Authorization",
    "Policy.ReadWrite.ConditionalAccess",
    "Policy.ReadWrite.ConsentRequest",
    "Policy.ReadWrite.SecurityDefaults",
    "RoleManagement.ReadWrite.Directory",
    "SecurityAlert.ReadWrite.All",
    "SharePointTenantSettings.ReadWrite.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User.RevokeSessions.All",
    "UserAuthenticationMethod.ReadWrite.All",
];
