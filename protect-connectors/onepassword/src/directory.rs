//! Users as accounts.

use async_trait::async_trait;
use protect_core::connector::{Cursor, Directory, DirectoryPage, OpContext};
use protect_core::model::{Account, AccountRef, AccountState, Address, Attributes, ConnectorName};
use protect_core::{Error, ErrorKind, Result};

use crate::KIND;
use crate::api::UsersApi;
use crate::connector::OnePasswordConnector;
use crate::model::{User, UserState};

#[async_trait]
impl Directory for OnePasswordConnector {
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let token = cursor.map(|cursor| cursor.0.as_str());
        let page = self.directory_api()?.list_users(cx, None, token).await?;
        let name = &self.info.name;
        Ok(DirectoryPage {
            accounts: page
                .users
                .into_iter()
                .map(|user| account(user, name))
                .collect(),
            rejected: page.rejected,
            cursor: page.next_page_token.map(Cursor),
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        match self.directory_api()?.get_user(cx, id).await {
            Ok(user) => Ok(Some(account(user, &self.info.name))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl OnePasswordConnector {
    fn directory_api(&self) -> Result<&UsersApi> {
        self.scan_users
            .as_ref()
            .ok_or_else(|| Error::unexpected("a directory without credentials"))
    }
}

/// The Users API has no roles and no sort of user, so privilege and protection stay unknown; an
/// attempt to suspend the last owner is refused by the vendor.
fn account(user: User, connector: &ConnectorName) -> Account {
    Account {
        reference: AccountRef {
            connector: connector.clone(),
            id: user.id,
        },
        provider: KIND.to_owned(),
        address: user.email.and_then(|email| Address::new(email).ok()),
        display_name: user.display_name,
        state: match user.state {
            UserState::Active => AccountState::Active,
            UserState::Suspended => AccountState::Suspended,
            UserState::Unspecified => AccountState::Other("unspecified".to_owned()),
            UserState::Other(word) => AccountState::Other(word),
        },
        privileged: None,
        protection: None,
        created_at: user.create_time,
        attributes: Attributes::new(),
    }
}
