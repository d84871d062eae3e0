//! Users as accounts.

use async_trait::async_trait;
use protect_core::connector::{Cursor, Directory, DirectoryPage, OpContext};
use protect_core::model::{Account, AccountRef, Address, Attributes, ConnectorName};
use protect_core::{Error, ErrorKind, Result};

use crate::KIND;
use crate::connector::ScimConnector;
use crate::model::User;

#[async_trait]
impl Directory for ScimConnector {
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let start = cursor.map_or(Ok(1), |cursor| cursor.0.parse());
        let start = start.map_err(|_| Error::invalid_input("a cursor of another listing"))?;
        let page = self.scan.list_users(cx, None, start).await?;
        let name = &self.info.name;
        Ok(DirectoryPage {
            accounts: page
                .users
                .into_iter()
                .map(|user| account(user, name))
                .collect(),
            rejected: page.rejected,
            cursor: page.next_start_index.map(|next| Cursor(next.to_string())),
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        match self.scan.get_user(cx, id).await {
            Ok(user) => Ok(Some(account(user, &self.info.name))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Roles have no common meaning in SCIM (RFC 7643 section 4.1.2), so privilege and protection stay
/// unknown. The address is the primary one, or else the name to sign in with, where that is one.
fn account(user: User, connector: &ConnectorName) -> Account {
    let state = user.state();
    let address = [user.email.as_deref(), Some(&*user.user_name)];
    let address = address
        .into_iter()
        .flatten()
        .find_map(|text| Address::new(text).ok());
    let mut attributes = Attributes::new();
    for (name, value) in [
        ("user_name", Some(user.user_name)),
        ("external_id", user.external_id),
        ("job_title", user.title),
        ("department", user.department),
        ("employee_id", user.employee_number),
        ("employee_type", user.user_type),
        ("manager", user.manager_id),
    ] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            attributes.insert(name.to_owned(), value.into());
        }
    }
    Account {
        reference: AccountRef {
            connector: connector.clone(),
            id: user.id,
        },
        provider: KIND.to_owned(),
        address,
        display_name: user.display_name,
        state,
        privileged: None,
        protection: None,
        created_at: user.created,
        attributes,
    }
}
