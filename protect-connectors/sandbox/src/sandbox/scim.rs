//! What a sandbox offers of an application that speaks SCIM.

use serde_json::Value;

use super::Sandbox;

impl Sandbox {
    /// Base of the application's SCIM interface; `/Users` is below it.
    pub fn scim_url(&self) -> String {
        self.url("/scim/v2")
    }

    /// The identifier of the user with this address.
    pub fn scim_user_id(&self, email: &str) -> Option<String> {
        self.world.state().scim.id_of(email)
    }

    /// Changes how the application speaks SCIM, as `POST /_sandbox/scim/settings` does; what is left out
    /// is as at the start. False for what does not fit.
    pub fn edit_scim(&self, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| {
            self.world.state().scim.settings(change);
            true
        })
    }

    /// Deletes a user as an administrator would, as `DELETE /_sandbox/scim/users/{id}` does. False for
    /// an unknown one.
    pub fn delete_scim_user(&self, id: &str) -> bool {
        let now = self.now();
        self.world.state().delete_scim_user(id, now)
    }
}
