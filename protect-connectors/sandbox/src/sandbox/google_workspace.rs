//! What a sandbox offers of Google Workspace.

use serde_json::{Map, Value};

use super::Sandbox;
use crate::google;

impl Sandbox {
    /// Root that stands in the place of every host of `googleapis.com`: `/admin/directory/v1`,
    /// `/admin/reports/v1`, `/v1/policies` and `/v1beta1/alerts` are below it.
    pub fn google_api_url(&self) -> String {
        self.url("/google")
    }

    /// Google's token endpoint, which the key files name too.
    pub fn google_token_url(&self) -> String {
        self.url("/google/token")
    }

    /// Changes a service account of Google (`scan`, `respond`), as
    /// `PATCH /_sandbox/google/service_accounts/{name}` does. False for what does not fit.
    pub fn edit_google_service_account(&self, name: &str, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| self.world.state().google.edit_service_account(name, change))
    }

    /// Changes the project, as `POST /_sandbox/google/settings` does. False for what does not fit.
    pub fn edit_google_domain(&self, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| self.world.state().google.edit_domain(change))
    }

    /// Changes a Google account as an administrator would, as `PATCH /_sandbox/google/users/{key}`
    /// does. False for an unknown one or what does not fit.
    pub fn edit_google_user(&self, key: &str, change: Value) -> bool {
        let now = self.now();
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| self.world.state().edit_google_user(key, &change, now))
    }

    /// Renames or deletes an organizational unit, as `POST /_sandbox/google/org_units` does. False
    /// for an unknown one or what does not fit.
    pub fn edit_google_org_unit(&self, change: Value) -> bool {
        let change = serde_json::from_value(change);
        change.is_ok_and(|change| self.world.state().google.edit_unit(change))
    }

    /// Replaces the policies or the alerts (`policies`, `alerts`), by a list or by a page of Google's,
    /// as `PUT /_sandbox/google/documents/{name}` does. False for another name or type.
    pub fn set_google_documents(&self, name: &str, documents: &Value) -> bool {
        self.world.state().google.replace_documents(name, documents)
    }

    /// Appends activities to a log of Google's, in the vendor's shape; of their `id` only `time` is
    /// read. False for an unknown application.
    pub fn append_google_activities(
        &self,
        application: &str,
        items: Vec<Map<String, Value>>,
    ) -> bool {
        let now = self.now();
        let application = application.to_owned();
        let new = google::NewActivities { application, items };
        self.world.state().add_activities(new, now)
    }

    /// Lets somebody (by address or identifier) have signed in to Google so many minutes ago in a way
    /// that Google holds to be suspicious: it is in the login log, at once and in every poll that
    /// reaches back so far, and in an alert. False for an unknown user, and for one who
    /// is suspended and so cannot sign in.
    pub fn plant_google_login(&self, key: &str, minutes_ago: i64) -> bool {
        let now = self.now();
        self.world.state().plant_login(key, minutes_ago, now)
    }
}
