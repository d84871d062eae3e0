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

use crate::client::Google;
use crate::operations::{CLASS, OPERATIONS, USER_ID};

impl Callable for Google {
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

impl Google {
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
            "groups_page" => {
                let Paged { page_token } = arguments(given)?;
                answer(&self.groups_page(page_token.as_deref()).await?)
            }
            "move_to_org_unit" => {
                let it: Move = arguments(given)?;
                let moved = self.move_to_org_unit(&it.user_id, &it.org_unit_path).await;
                answer(&moved?)
            }
            "set_super_admin" => {
                let it: Power = arguments(given)?;
                let set = self.set_super_admin(&it.user_id, it.is_super_admin).await;
                answer(&set?)
            }
            "activities_page" => {
                let it: Log = arguments(given)?;
                let page = self
                    .activities_page(
                        &it.application,
                        it.start_time,
                        it.user_id.as_deref(),
                        it.event_name.as_deref(),
                        it.page_token.as_deref(),
                    )
                    .await?;
                answer(&page)
            }
            "alerts_page" => {
                let it: Events = arguments(given)?;
                let page = self.alerts_page(it.start_time, it.page_token.as_deref());
                answer(&page.await?)
            }
            "usage" => {
                let Day { date } = arguments(given)?;
                answer(&self.usage(&date).await?)
            }
            "collect" => {
                let Folder { folder } = arguments(given)?;
                answer(&self.collect(&folder).await?)
            }
            _ if is_about_a_user(operation) => {
                let Of { user_id } = arguments(given)?;
                self.about_a_user(operation, &user_id).await
            }
            _ if takes_nothing(operation) => {
                let Nothing {} = arguments(given)?;
                self.about_the_customer(operation).await
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn about_the_customer(&self, operation: &str) -> Result<Value> {
        match operation {
            "domains" => answer(&self.domains().await?),
            "org_units" => answer(&self.org_units().await?),
            "roles" => answer(&self.roles().await?),
            "role_assignments" => answer(&self.role_assignments().await?),
            "granted_scopes" => answer(&self.granted_scopes().await?),
            _ => Err(unknown(&CLASS, operation)),
        }
    }

    async fn about_a_user(&self, operation: &str, id: &str) -> Result<Value> {
        match operation {
            "get_user" => answer(&self.get_user(id).await?),
            "suspend_user" => answer(&self.suspend_user(id).await?),
            "restore_user" => answer(&self.restore_user(id).await?),
            "reset_password" => answer(&self.reset_password(id).await?),
            "require_password_change" => answer(&self.require_password_change(id).await?),
            "sign_out" => answer(&self.sign_out(id).await?),
            "grants" => answer(&self.grants(id).await?),
            "revoke_grants" => answer(&self.revoke_grants(id).await?),
            "app_passwords" => answer(&self.app_passwords(id).await?),
            "revoke_app_passwords" => answer(&self.revoke_app_passwords(id).await?),
            "invalidate_backup_codes" => answer(&self.invalidate_backup_codes(id).await?),
            _ => Err(unknown(&CLASS, operation)),
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

fn takes_nothing(operation: &str) -> bool {
    OPERATIONS
        .iter()
        .any(|it| it.name == operation && it.parameters.is_empty())
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
struct Move {
    user_id: String,
    org_unit_path: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Power {
    user_id: String,
    is_super_admin: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Log {
    application: String,
    start_time: Option<Timestamp>,
    user_id: Option<String>,
    event_name: Option<String>,
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
struct Day {
    date: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Folder {
    folder: String,
}
