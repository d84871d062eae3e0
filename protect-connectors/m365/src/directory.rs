//! Users and guests as accounts.

use async_trait::async_trait;
use protect_core::connector::{Cursor, Directory, DirectoryPage, OpContext};
use protect_core::model::{
    Account, AccountRef, AccountState, Address, Attributes, ConnectorName, Protection, hash_fields,
};
use protect_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
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
        let (holders, place) = match cursor {
            None => {
                let holders = self.holders.again(graph, cx).await?;
                // Asked before anybody is listed, so that nothing falls in between. Without it every
                // reading is a listing.
                let from = graph.changed_users(cx, None).await;
                let changes = from.ok().and_then(|page| page.delta).map(|link| Changes {
                    link,
                    known: self.people(&holders).fingerprint(),
                });
                (
                    holders,
                    Listing {
                        link: None,
                        changes,
                    },
                )
            }
            Some(cursor) => (self.holders.get(graph, cx).await?, read(cursor)?),
        };
        let page = graph.users(cx, place.link.as_deref()).await?;
        let people = self.people(&holders);
        let accounts = page.users.into_iter().map(|user| people.account(user));
        let mut listed = DirectoryPage {
            accounts: accounts.collect(),
            rejected: page.rejected,
            ..DirectoryPage::default()
        };
        match (page.next_page_token, place.changes) {
            (None, changes) => {
                listed.changes_from = changes.as_ref().map(write).transpose()?;
            }
            (link, changes) => listed.cursor = Some(write(&Listing { link, changes })?),
        }
        Ok(listed)
    }

    async fn changes(&self, cx: &OpContext, since: &Cursor) -> Result<Option<DirectoryPage>> {
        let graph = self.directory_graph()?;
        let Ok(Changes { link, known }) = read::<Changes>(since) else {
            return Ok(None);
        };
        let holders = self.holders.again(graph, cx).await?;
        let people = self.people(&holders);
        // Roles are no part of a user, so that a change of them is not told.
        if people.fingerprint() != known {
            return Ok(None);
        }
        let page = match graph.changed_users(cx, Some(&link)).await {
            Ok(page) if page.value.len() <= MANY => page,
            Ok(_) => return Ok(None),
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) if error.http_status().is_some() => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut told = DirectoryPage::default();
        for changed in page.value {
            let user = match changed.removed {
                Some(_) => None,
                None => self.user_now(cx, graph, &changed.id).await?,
            };
            match user {
                Some(user) => told.accounts.push(people.account(user)),
                None => told.gone.push(changed.id),
            }
        }
        let next = |link| {
            write(&Changes {
                link,
                known: known.clone(),
            })
        };
        told.cursor = page.next.map(next).transpose()?;
        told.changes_from = page.delta.map(next).transpose()?;
        Ok(Some(told))
    }

    async fn get(&self, cx: &OpContext, id: &str) -> Result<Option<Account>> {
        if !is_guid(id) {
            return Ok(None);
        }
        let graph = self.directory_graph()?;
        let Some(user) = self.user_now(cx, graph, id).await? else {
            return Ok(None);
        };
        let holders = self.holders.get(graph, cx).await?;
        Ok(Some(self.people(&holders).account(user)))
    }
}

impl M365Connector {
    async fn user_now(&self, cx: &OpContext, graph: &Graph, id: &str) -> Result<Option<User>> {
        match graph.user(cx, id).await {
            Ok(user) => Ok(Some(user)),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

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

/// Of so many changes on a page it is cheaper to list everybody.
const MANY: usize = 200;

/// Where a listing stands, and where changes since its beginning are told.
#[derive(Serialize, Deserialize)]
struct Listing {
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
}

/// Where changes are told.
#[derive(Serialize, Deserialize)]
struct Changes {
    link: String,
    /// What was known besides what Graph says of each user: where it is no longer so, every account
    /// may have changed.
    known: String,
}

fn read<T: DeserializeOwned>(cursor: &Cursor) -> Result<T> {
    serde_json::from_str(&cursor.0)
        .map_err(|_| Error::invalid_input("this is not where a listing of users stands"))
}

fn write<T: Serialize>(place: &T) -> Result<Cursor> {
    let text = serde_json::to_string(place);
    let text = text.map_err(|_| Error::unexpected("a place that is no JSON"))?;
    Ok(Cursor(text))
}

/// What is known about accounts besides what Graph says of each.
pub(crate) struct People<'a> {
    connector: &'a ConnectorName,
    holders: &'a Holders,
    break_glass: &'a [Name],
    options: &'a Options,
}

impl People<'_> {
    /// The same for as long as an account's privilege and protection can only change with the user.
    fn fingerprint(&self) -> String {
        let mut facts = self.holders.facts();
        facts.extend(self.break_glass.iter().map(ToString::to_string));
        facts.push(format!(
            "{} {}",
            self.options.act_on_administrators, self.options.act_on_synced
        ));
        let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
        hash_fields("m365.people", &facts)
    }

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
