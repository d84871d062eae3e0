//! What a test, or a person in a console, may change behind Graph's back.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Graph, generate, login::Standing};
use crate::{assertion::Certificate, clock::seconds, request::Context};

/// What `/_sandbox/m365/applications/{name}` takes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplicationChange {
    /// Application permissions by name; those of tokens that were issued stay.
    pub(crate) permissions: Option<BTreeSet<String>>,
    pub(crate) standing: Option<Standing>,
    /// Certificates in PEM, in the place of the sandbox's own.
    pub(crate) certificates: Option<Vec<String>>,
    /// Names of directory roles that its service principal holds.
    pub(crate) directory_roles: Option<Vec<String>>,
    pub(crate) reads_vault: Option<bool>,
}

/// What `/_sandbox/m365/settings` takes; what is absent stays.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TenantChange {
    /// Service plans that the tenant has, such as `AAD_PREMIUM_P2`.
    pub(crate) plans: Option<Vec<String>>,
    pub(crate) force_change_needs_password: Option<bool>,
    /// Whether usage reports show names as hashes.
    pub(crate) conceals_names: Option<bool>,
}

/// What `/_sandbox/m365/users/{id}` takes.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    pub(crate) enabled: Option<bool>,
    #[serde(default)]
    pub(crate) deleted: bool,
}

impl Graph {
    /// False where there is no such application, role or certificate.
    pub(crate) fn edit_application(&mut self, name: &str, change: ApplicationChange) -> bool {
        let certificates = change.certificates.map(|pems| {
            let parsed: Option<Vec<_>> = pems.iter().map(|pem| Certificate::parse(pem)).collect();
            parsed
        });
        let Some(application) = self.login.application_mut(name) else {
            return false;
        };
        if let Some(certificates) = certificates {
            let Some(certificates) = certificates else {
                return false;
            };
            application.certificates = Some(certificates);
        }
        application.standing = change.standing.unwrap_or(application.standing);
        application.reads_vault = change.reads_vault.unwrap_or(application.reads_vault);
        let principal = application.principal.clone();
        if let Some(permissions) = change.permissions {
            application.permissions.clone_from(&permissions);
            self.give_permissions(&principal, name, &permissions);
        }
        change
            .directory_roles
            .is_none_or(|roles| self.give_roles(&principal, &roles))
    }

    pub(crate) fn edit_tenant(&mut self, change: TenantChange) {
        if let Some(plans) = change.plans {
            self.set_plans(&plans);
        }
        if let Some(needs) = change.force_change_needs_password {
            self.force_change_needs_password = needs;
        }
        if let Some(conceals) = change.conceals_names {
            self.conceals_names = conceals;
        }
    }

    /// Changes are noted in the context; false for an unknown user.
    pub(crate) fn edit_account(
        &mut self,
        id: &str,
        change: &AccountChange,
        cx: &mut Context,
    ) -> bool {
        let Ok(account) = self.account(id) else {
            return false;
        };
        if let Some(enabled) = change.enabled {
            self.set_enabled(&account, enabled, cx);
        }
        if change.deleted {
            cx.change(
                "user",
                &account.id,
                super::accounts::state(account.enabled),
                "deleted",
            );
            self.users.change(account.number).deleted = true;
        }
        true
    }

    /// Replaces a collection or a document that there is one of, as the directory keeps it.
    pub(crate) fn replace_document(&mut self, name: &str, document: Value) -> bool {
        self.store.put(name, document)
    }

    /// The directory shows what an application was granted.
    fn give_permissions(&mut self, principal: &str, name: &str, permissions: &BTreeSet<String>) {
        let since = seconds(self.users.begins());
        let whom = (principal, name);
        while self
            .store
            .remove("appRoleAssignments", "principalId", principal)
            .is_some()
        {}
        for permission in permissions {
            generate::grant(&mut self.store, &mut self.rng, whom, permission, &since);
        }
    }

    fn give_roles(&mut self, principal: &str, roles: &[String]) -> bool {
        let wanted: Option<Vec<Value>> = roles
            .iter()
            .map(|role| {
                let definition = self.store.find("roleDefinitions", "displayName", role)?;
                Some(definition["id"].clone())
            })
            .collect();
        let Some(wanted) = wanted else {
            return false;
        };
        while self
            .store
            .remove("roleAssignments", "principalId", principal)
            .is_some()
        {}
        for definition in wanted {
            let assignment = json!({
                "id": self.rng.hex(40),
                "principalId": principal,
                "roleDefinitionId": definition,
                "directoryScopeId": "/",
            });
            self.store.add("roleAssignments", assignment);
        }
        true
    }

    fn set_plans(&mut self, plans: &[String]) {
        let plans: Vec<Value> = plans
            .iter()
            .map(|name| generate::service_plan(name))
            .collect();
        let sku = generate::sku(self.users.len(), &plans);
        self.store.replace("subscribedSkus", vec![sku]);
    }
}
