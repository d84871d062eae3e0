//! Users and guests as accounts.

use async_trait::async_trait;
use protect_core::connector::{Cursor, Directory, DirectoryPage, OpContext};
use protect_core::model::{
    Account, AccountRef, AccountState, Address, Attributes, ConnectorName, Protection,
};
use protect_core::{Error, Result};
use serde_json::json;

use crate::KIND;
use crate::api::Graph;
use crate::config::{Options, is_guid};
use crate::connector::M365Connector;
use crate::error::is_gone;
use crate::holders::Holders;
use crate::id::Name;
use crate::model::User;

#[async_trait]
impl Directory for M365Connector {
    async fn list(&self, cx: &OpContext, cursor: Option<&Cursor>) -> Result<DirectoryPage> {
        let graph = self.directory_graph()?;
        let holders = match cursor {
            None => self.holders.again(graph, cx).await?,
            Some(_) => self.holders.get(graph, cx).await?,
        };
        let page = graph.users(cx, cursor.map(|it| it.0.as_str())).await?;
        let people = self.people(&holders);
        let accounts = page.users.into_iter().map(|user| people.account(user));
        Ok(DirectoryPage {
            accounts: accounts.collect(),
            rejected: page.rejected,
            cursor: page.next_page_token.map(Cursor),
        })
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        if !is_guid(id) {
            return Ok(None);
        }
        let graph = self.directory_graph()?;
        let user = match graph.user(cx, id).await {
            Ok(user) => user,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let holders = self.holders.get(graph, cx).await?;
        Ok(Some(self.people(&holders).account(user)))
    }
}

impl M365Connector {
    fn directory_graph(&self) -> Result<&Graph> {
        self.scan
            .as_ref()
            .ok_or_else(|| Error::unexpected("a directory without credentials"))
    }

    /// What is known about accounts besides what Graph says of each.
    pub(crate) fn people<'a>(&'a self, holders: &'a Holders) -> People<'a> {
        People {
            connector: &self.info.name,
            holders,
            break_glass: &self.break_glass,
            options: &self.options,
        }
    }
}

/// What is known about accounts besides what Graph says of each.
pub(crate) struct People<'a> {
    connector: &'a ConnectorName,
    holders: &'a Holders,
    break_glass: &'a [Name],
    options: &'a Options,
}

impl People<'_> {
    fn account(&self, user: User) -> Account {
        let id = Name::new(&user.id);
        let protection = self.protection(&user);
        let mut attributes = Attributes::new();
        let mut put = |name: &str, value: serde_json::Value| {
            attributes.insert(name.to_owned(), value);
        };
        if let Some(kind) = &user.user_type {
            put("user_type", kind.to_ascii_lowercase().into());
        }
        if user.on_premises_sync_enabled == Some(true) {
            put("synced", true.into());
        }
        let roles = self.holders.names_of(&id);
        if !roles.is_empty() {
            put("roles", json!(roles));
        }
        Account {
            reference: AccountRef {
                connector: self.connector.clone(),
                id: user.id,
            },
            provider: KIND.to_owned(),
            // What mail reaches is what other products know a person by.
            address: [user.mail, user.user_principal_name]
                .into_iter()
                .flatten()
                .find_map(|text| Address::new(text).ok()),
            display_name: user.display_name.unwrap_or_default(),
            state: state(user.account_enabled),
            privileged: Some(self.holders.is_privileged(&id)),
            protection,
            created_at: user.created_date_time,
            attributes,
        }
    }

    /// Why nothing may change an account.
    pub(crate) fn protection(&self, user: &User) -> Option<Protection> {
        let id = Name::new(&user.id);
        if self.break_glass.contains(&id) {
            return Some(Protection::BreakGlass);
        }
        if self.holders.is_administrator(&id) {
            let others = self.holders.administrators().filter(|other| **other != id);
            if others.count() == 0 {
                return Some(Protection::LastOwner);
            }
            if !self.options.act_on_administrators {
                return Some(Protection::Administrator);
            }
        }
        let is_synced = user.on_premises_sync_enabled == Some(true);
        (is_synced && !self.options.act_on_synced).then_some(Protection::ExternallyManaged)
    }
}

fn state(enabled: Option<bool>) -> AccountState {
    match enabled {
        Some(true) => AccountState::Active,
        Some(false) => AccountState::Suspended,
        None => AccountState::Other(UNKNOWN.to_owned()),
    }
}

/// The state of an account of which Graph does not say whether it can sign in.
pub(crate) const UNKNOWN: &str = "unknown";
