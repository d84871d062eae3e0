//! The accounts of the customer.

use async_trait::async_trait;
use protect_core::connector::{Cursor, Directory, DirectoryPage, OpContext};
use protect_core::model::{
    Account, AccountRef, AccountState, Address, Attributes, ConnectorName, Protection,
};
use protect_core::{Error, Result};

use crate::KIND;
use crate::api::{Workspace, is_user_id};
use crate::config::Options;
use crate::connector::GoogleConnector;
use crate::error::is_gone;
use crate::model::User;

#[async_trait]
impl Directory for GoogleConnector {
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let workspace = self.directory_workspace()?;
        let admins = match cursor {
            None => self.admins.again(workspace, cx).await?,
            Some(_) => self.admins.get(workspace, cx).await?,
        };
        let token = cursor.map(|it| it.0.as_str());
        let page = workspace.users(cx, token).await?;
        let people = self.people(workspace, &admins);
        let accounts = page.users.into_iter().map(|user| people.account(user));
        Ok(DirectoryPage {
            accounts: accounts.collect(),
            rejected: page.rejected,
            cursor: page.next_page_token.map(Cursor),
            ..DirectoryPage::default()
        })
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        if !is_user_id(id) {
            return Ok(None);
        }
        let workspace = self.directory_workspace()?;
        let user = match workspace.user(cx, id).await {
            Ok(user) => user,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let admins = self.admins.get(workspace, cx).await?;
        Ok(Some(self.people(workspace, &admins).account(user)))
    }
}

impl GoogleConnector {
    fn directory_workspace(&self) -> Result<&Workspace> {
        self.scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a directory without credentials"))
    }

    /// What is known about accounts besides what Google says of each.
    pub(crate) fn people<'a>(
        &'a self,
        workspace: &'a Workspace,
        admins: &'a [String],
    ) -> People<'a> {
        People {
            connector: &self.info.name,
            workspace,
            admins,
            options: &self.options,
        }
    }
}

/// What is known about accounts besides what Google says of each.
pub(crate) struct People<'a> {
    connector: &'a ConnectorName,
    workspace: &'a Workspace,
    admins: &'a [String],
    options: &'a Options,
}

impl People<'_> {
    fn account(&self, user: User) -> Account {
        let protection = self.protection(&user);
        let mut attributes = Attributes::new();
        let mut put = |name: &str, value: Option<serde_json::Value>| {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("org_unit", user.org_unit_path.map(Into::into));
        put("super_admin", user.is_admin.map(Into::into));
        put(
            "two_step_verification",
            user.is_enrolled_in_2sv.map(Into::into),
        );
        let privileged = match (user.is_admin, user.is_delegated_admin) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), Some(false)) => Some(false),
            _ => None,
        };
        Account {
            reference: AccountRef {
                connector: self.connector.clone(),
                id: user.id,
            },
            provider: KIND.to_owned(),
            address: user.primary_email.and_then(|text| Address::new(text).ok()),
            display_name: user.display_name.unwrap_or_default(),
            state: state(user.suspended, user.archived),
            privileged,
            protection,
            created_at: user.creation_time,
            attributes,
        }
    }

    /// Why nothing may change an account.
    pub(crate) fn protection(&self, user: &User) -> Option<Protection> {
        let address = user.primary_email.as_deref().unwrap_or_default();
        let mut kept = self.options.break_glass.iter();
        if kept.any(|it| *it == user.id || it.trim().eq_ignore_ascii_case(address)) {
            return Some(Protection::BreakGlass);
        }
        if self.workspace.is_subject(address) {
            return Some(Protection::OwnPrincipal);
        }
        if user.is_admin == Some(true) {
            if !self.admins.iter().any(|id| *id != user.id) {
                return Some(Protection::LastOwner);
            }
            if !self.options.act_on_administrators {
                return Some(Protection::Administrator);
            }
        }
        None
    }
}

fn state(suspended: Option<bool>, archived: Option<bool>) -> AccountState {
    match (suspended, archived) {
        (Some(true), _) => AccountState::Suspended,
        (_, Some(true)) => AccountState::Other(ARCHIVED.to_owned()),
        (Some(false), _) => AccountState::Active,
        (None, _) => AccountState::Other(UNKNOWN.to_owned()),
    }
}

/// The state of an account that Google keeps without letting anybody sign in.
pub(crate) const ARCHIVED: &str = "archived";

/// The state of an account of which Google does not say whether it can sign in.
pub(crate) const UNKNOWN: &str = "unknown";
