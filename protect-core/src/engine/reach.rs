//! Where an action on people goes: to the accounts that directories gave, and to connectors that know
//! people by their address alone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Tenant;
use super::decide::routed;
use super::people::People;
use crate::connector::Connector;
use crate::model::{
    Account, AccountRef, AccountState, ActionKind, Address, Attributes, ConnectorName, Protection,
};

/// Whom an action is for: their known accounts, and their addresses.
#[derive(Debug, Default)]
pub(super) struct Those<'a> {
    accounts: BTreeMap<&'a AccountRef, &'a Account>,
    addresses: BTreeSet<Address>,
}

impl<'a> Those<'a> {
    pub(super) fn add_account(&mut self, account: &'a Account) {
        self.accounts.insert(&account.reference, account);
        self.addresses.extend(account.address.clone());
    }

    pub(super) fn add_address(&mut self, address: Address) {
        self.addresses.insert(address);
    }

    /// The accounts of each person: those with one address together, those without one each alone.
    fn people(&self) -> Vec<(Option<&Address>, Vec<&'a Account>)> {
        let mut people = Vec::new();
        for address in &self.addresses {
            let own = self.accounts.values().copied();
            let own = own.filter(|account| account.address.as_ref() == Some(address));
            people.push((Some(address), own.collect()));
        }
        for account in self.accounts.values().copied() {
            if account.address.is_none() {
                people.push((None, vec![account]));
            }
        }
        people
    }
}

impl Tenant {
    /// The accounts an action goes to: everywhere those people have one, or to one place for each of
    /// them, in the order of the route. `on` restricts it to connectors or kinds.
    ///
    /// A connector that knows people by address takes part in what acts everywhere where `on` names it,
    /// or where nothing else has an account of the person: it changes the same login by another way.
    pub(super) fn places(
        &self,
        kind: ActionKind,
        on: &[String],
        those: &Those<'_>,
        people: &People,
    ) -> Vec<Account> {
        let route: Vec<_> = routed(self.config(), self.connectors(), kind)
            .into_iter()
            .filter(|connector| on.is_empty() || is_one_of(connector, on))
            .collect();
        let mut places = Vec::new();
        for (known, accounts) in those.people() {
            let address = known.filter(|address| self.is_ours(address, people));
            if kind.acts_everywhere() {
                places.extend(self.everywhere(kind, on, &accounts, address, people));
            } else {
                let first = route.iter().find_map(|connector| {
                    let name = &connector.info().name;
                    let known = accounts.iter().find(|it| it.reference.connector == *name);
                    match known {
                        Some(account) => Some((*account).clone()),
                        None => by_address(connector, address?, people),
                    }
                });
                // What is built in knows itself who is ours.
                let own = || by_address(self.built_in(kind)?, known?, people);
                places.extend(first.or_else(own));
            }
        }
        places
    }

    fn everywhere(
        &self,
        kind: ActionKind,
        on: &[String],
        accounts: &[&Account],
        address: Option<&Address>,
        people: &People,
    ) -> Vec<Account> {
        let able: Vec<_> = self
            .connectors()
            .iter()
            .filter(|connector| connector.capability().actions.contains_key(&kind))
            .filter(|connector| on.is_empty() || is_one_of(connector, on))
            .collect();
        let has = |connector: &&&Arc<dyn Connector>, account: &&Account| {
            account.reference.connector == connector.info().name
        };
        let mut places: Vec<Account> = accounts
            .iter()
            .filter(|account| able.iter().any(|connector| has(&connector, account)))
            .map(|account| (*account).clone())
            .collect();
        if places.is_empty() || !on.is_empty() {
            let others = able
                .iter()
                .filter_map(|connector| by_address(connector, address?, people));
            places.extend(others);
        }
        places
    }

    /// Whether somebody of the tenant has the address: an address that is watched beside is nobody's
    /// login here.
    fn is_ours(&self, address: &Address, people: &People) -> bool {
        let domain = address.domain();
        self.config().domains.iter().any(|own| own == domain)
            || !people.accounts_at(address).is_empty()
    }

    /// The account that a reference means, as far as it is known.
    pub(super) fn known_account(&self, people: &People, target: &AccountRef) -> Option<Account> {
        people.account(target).cloned().or_else(|| {
            let connector = self.connector(&target.connector).ok()?;
            by_address(connector, &Address::new(&target.id).ok()?, people)
        })
    }

    /// Why nothing may change a login that a connector reaches by address, where a directory says so.
    pub(super) fn protected_elsewhere(&self, account: Option<&Account>) -> Option<Protection> {
        let account = account?;
        let connector = self.connector(&account.reference.connector).ok()?;
        let by_address = connector.capability().reaches_by_address;
        account.protection.filter(|_| by_address)
    }
}

/// Whether a connector or its kind is named.
fn is_one_of(connector: &Arc<dyn Connector>, names: &[String]) -> bool {
    let info = connector.info();
    let is_it = |name: &String| info.name.as_str() == name || info.kind == *name;
    names.iter().any(is_it)
}

/// What stands for somebody's login at a connector that keeps no list of them. What directories say of
/// the person's accounts holds for it too.
fn by_address(
    connector: &Arc<dyn Connector>,
    address: &Address,
    people: &People,
) -> Option<Account> {
    if !connector.capability().reaches_by_address {
        return None;
    }
    let known = people.accounts_at(address);
    let is_privileged = known.iter().any(|account| account.privileged == Some(true));
    let info = connector.info();
    Some(Account {
        reference: reached(&info.name, address),
        provider: info.kind.clone(),
        address: Some(address.clone()),
        display_name: String::new(),
        state: AccountState::Other("unknown".to_owned()),
        privileged: is_privileged.then_some(true),
        protection: known
            .iter()
            .filter_map(|account| account.protection)
            .find(|protection| follows_the_person(*protection)),
        created_at: None,
        attributes: Attributes::new(),
    })
}

fn reached(connector: &ConnectorName, address: &Address) -> AccountRef {
    AccountRef {
        connector: connector.clone(),
        id: address.as_str().to_owned(),
    }
}

/// That one vendor cannot change an account does not keep another way from it; whose account it is
/// does.
fn follows_the_person(protection: Protection) -> bool {
    !matches!(protection, Protection::ExternallyManaged)
}
