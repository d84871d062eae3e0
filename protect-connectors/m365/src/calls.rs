//! The gate through which other languages call the client's operations; their table stands in
//! `operations.rs`.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use protect_core::Result;
use protect_core::operation::{Callable, Class, Page, answer, arguments, unknown};
use serde::Deserialize;
use serde_json::Value;

use crate::client::M365;
use crate::operations::{CLASS, OPERATIONS, USER_ID};

impl Callable for M365 {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
    }
}

impl M365 {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "users" => {
                let Streamed { cursor } = arguments(given)?;
                self.stream_users(cursor.as_deref()).await
            }
            "users_page" => {
                let Paged { page_token } = arguments(given)?;
                answer(&self.users_page(page_token.as_deref()).await?)
            }
            "devices_page" => {
                let Paged { page_token } = arguments(given)?;
                answer(&self.devices_page(page_token.as_deref()).await?)
            }
            "device_owners" => {
                let Owned { device_id } = arguments(given)?;
                answer(&self.device_owners(&device_id).await?)
            }
            "risky_users_page" => {
                let it: Risky = arguments(given)?;
                let token = it.page_token.as_deref();
                answer(&self.risky_users_page(it.confirmed, token).await?)
            }
            "force_password_change" => {
                let Forced { user_id, with_mfa } = arguments(given)?;
                answer(&self.force_password_change(&user_id, with_mfa).await?)
            }
            "create_temporary_access_pass" => {
                let it: Pass = arguments(given)?;
                let pass = self
                    .create_temporary_access_pass(&it.user_id, it.lifetime_minutes, it.one_time)
                    .await?;
                answer(&pass)
            }
            "remove_role_assignment" => {
                let Assignment { assignment_id } = arguments(given)?;
                answer(&self.remove_role_assignment(&assignment_id).await?)
            }
            "add_role_assignment" => {
                let it: Assign = arguments(given)?;
                let scope = it.scope.as_deref();
                let made = self
                    .add_role_assignment(&it.user_id, &it.role_definition_id, scope)
                    .await?;
                answer(&made)
            }
            "risk_detections_page" | "sign_ins_page" | "directory_audits_page" | "alerts_page" => {
                self.events(operation, arguments(given)?).await
            }
            "set_user_consent" => {
                let it: Consent = arguments(given)?;
                answer(&self.set_user_consent(it.permission_grant_policies).await?)
            }
            "collect" => {
                let Folder { folder } = arguments(given)?;
                answer(&self.collect(&folder).await?)
            }
            "secure_score" | "user_consent" | "block_app_consent" | "granted_permissions" => {
                let Nothing {} = arguments(given)?;
                self.about_the_tenant(operation).await
            }
            _ if is_about_a_user(operation) => {
                let Of { user_id } = arguments(given)?;
                self.about_a_user(operation, &user_id).await
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn about_the_tenant(&self, operation: &str) -> Result<Value> {
        match operation {
            "secure_score" => answer(&self.secure_score().await?),
            "user_consent" => answer(&self.user_consent().await?),
            "block_app_consent" => answer(&self.block_app_consent().await?),
            "granted_permissions" => answer(&self.granted_permissions().await?),
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn about_a_user(&self, operation: &str, id: &str) -> Result<Value> {
        match operation {
            "get_user" => answer(&self.get_user(id).await?),
            "disable_user" => answer(&self.disable_user(id).await?),
            "enable_user" => answer(&self.enable_user(id).await?),
            "revoke_sessions" => answer(&self.revoke_sessions(id).await?),
            "reset_password" => answer(&self.reset_password(id).await?),
            "authentication_methods" => answer(&self.authentication_methods(id).await?),
            "delete_authentication_methods" => {
                answer(&self.delete_authentication_methods(id).await?)
            }
            "role_assignments" => answer(&self.role_assignments(id).await?),
            "grants" => answer(&self.grants(id).await?),
            "revoke_grants" => answer(&self.revoke_grants(id).await?),
            "confirm_compromised" => answer(&self.confirm_compromised(id).await?),
            "dismiss_risk" => answer(&self.dismiss_risk(id).await?),
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn events(&self, operation: &str, given: Events) -> Result<Value> {
        let (start, token) = (given.start_time, given.page_token.as_deref());
        match operation {
            "risk_detections_page" => answer(&self.risk_detections_page(start, token).await?),
            "sign_ins_page" => answer(&self.sign_ins_page(start, token).await?),
            "directory_audits_page" => answer(&self.directory_audits_page(start, token).await?),
            _ => answer(&self.alerts_page(start, token).await?),
        }
    }

    async fn stream_users(&self, cursor: Option<&str>) -> Result<Value> {
        let page = self.users_page(cursor).await?;
        if !page.rejected.is_empty() {
            tracing::warn!(
                rejected = page.rejected.len(),
                "user records that cannot be read"
            );
        }
        answer(&Page {
            items: page.users.iter().map(answer).collect::<Result<_>>()?,
            cursor: page.next_page_token,
        })
    }
}

/// Whether an operation takes a user's id and nothing else.
fn is_about_a_user(operation: &str) -> bool {
    OPERATIONS
        .iter()
        .any(|it| it.name == operation && it.parameters == [USER_ID])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    user_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Risky {
    confirmed: Option<bool>,
    page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Owned {
    device_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Streamed {
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paged {
    page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    start_time: Option<Timestamp>,
    page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forced {
    user_id: String,
    with_mfa: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pass {
    user_id: String,
    lifetime_minutes: Option<u32>,
    one_time: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assignment {
    assignment_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assign {
    user_id: String,
    role_definition_id: String,
    scope: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Consent {
    permission_grant_policies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    folder: String,
}
