//! Who is who: the accounts that directories gave, looked up by address and by vendor's id, and the
//! departments of the employees behind them.

use std::collections::BTreeMap;

use super::Tenant;
use super::records::{Versioned, account_key};
use crate::error::Result;
use crate::model::{
    Account, AccountRef, AccountState, Address, Employee, PersonId, Subject, SubjectKind,
};
use crate::store::{Query, RecordKind};

/// The stored accounts of a tenant, joined to people by address. Exact addresses only: a name that
/// looks alike is somebody else.
#[derive(Debug)]
pub(crate) struct People {
    accounts: Vec<Account>,
    by_address: BTreeMap<Address, Vec<usize>>,
    /// Of employees, where a rule asks for it.
    departments: BTreeMap<Address, String>,
}

impl People {
    /// An index over accounts.
    pub(crate) fn new(accounts: Vec<Account>) -> Self {
        let mut by_address: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        for (place, account) in accounts.iter().enumerate() {
            if let Some(address) = &account.address {
                by_address.entry(address.clone()).or_default().push(place);
            }
        }
        Self {
            accounts,
            by_address,
            departments: BTreeMap::new(),
        }
    }

    /// One account by its vendor's id.
    pub(crate) fn account(&self, reference: &AccountRef) -> Option<&Account> {
        self.accounts
            .iter()
            .find(|account| account.reference == *reference)
    }

    /// Every account with an address.
    pub(crate) fn accounts_at(&self, address: &Address) -> Vec<&Account> {
        let places = self.by_address.get(address).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.accounts[*place]).collect()
    }

    /// Every account of the person a finding is about.
    pub(crate) fn accounts_behind(&self, subject: &Subject) -> Vec<&Account> {
        match self.address_of(subject) {
            Some(address) => self.accounts_at(&address),
            None => self.own_account(subject).into_iter().collect(),
        }
    }

    /// The address of the person a finding is about, where it is about one.
    pub(crate) fn address_of(&self, subject: &Subject) -> Option<Address> {
        match subject.kind {
            SubjectKind::Address => Address::new(&subject.id).ok(),
            SubjectKind::Account => self.own_account(subject)?.address.clone(),
            SubjectKind::Domain | SubjectKind::Setting => None,
        }
    }

    /// The department of the employee behind an account, or else behind what a finding is about.
    pub(crate) fn department_of(
        &self,
        subject: &Subject,
        account: Option<&Account>,
    ) -> Option<&str> {
        let address = account.and_then(|account| account.address.clone());
        let address = address.or_else(|| self.address_of(subject))?;
        self.departments.get(&address).map(String::as_str)
    }

    fn own_account(&self, subject: &Subject) -> Option<&Account> {
        self.accounts.iter().find(|account| {
            subject.kind == SubjectKind::Account
                && account.provider == subject.provider
                && account.reference.id == subject.id
        })
    }
}

impl Tenant {
    /// The stored accounts, indexed.
    pub(crate) async fn people(&self) -> Result<People> {
        let accounts = self.read_all(Query::all(RecordKind::Account)).await?;
        let accounts = accounts
            .into_iter()
            .map(|account: Versioned<Account>| account.value);
        let there = accounts.filter(|account| account.state != AccountState::Deleted);
        let mut people = People::new(there.collect());
        // An employee is read only where somebody asks for one.
        let mut rules = self.config().rules.iter();
        if rules.any(|rule| rule.when.is_about_employees()) {
            people.departments = self.departments().await?;
        }
        Ok(people)
    }

    /// Of the stored accounts those by which a change of one is judged: that account, or, where no
    /// directory names it, those of the person whose address it is.
    pub(crate) async fn people_around(&self, target: &AccountRef) -> Result<People> {
        let key = account_key(&target.connector, &target.id);
        if let Some(account) = self.read::<Account>(RecordKind::Account, &key).await? {
            let account = Some(account.value).filter(|it| it.state != AccountState::Deleted);
            return Ok(People::new(account.into_iter().collect()));
        }
        self.people_at(Address::new(&target.id).iter()).await
    }

    /// Of the stored accounts those at these addresses.
    pub(crate) async fn people_at(
        &self,
        addresses: impl Iterator<Item = &Address>,
    ) -> Result<People> {
        let person = |address: &Address| PersonId::of(self.id(), address).to_string();
        let persons: Vec<String> = addresses.map(person).collect();
        if persons.is_empty() {
            return Ok(People::new(Vec::new()));
        }
        let query = Query::all(RecordKind::Account).in_groups(persons);
        let mut own = self.stored_accounts(query).await?;
        own.retain(|account| account.state != AccountState::Deleted);
        Ok(People::new(own))
    }

    async fn departments(&self) -> Result<BTreeMap<Address, String>> {
        let employees = self.read_all::<Employee>(Query::all(RecordKind::Employee));
        let employees = employees.await?.into_iter().map(|found| found.value);
        let mut departments = BTreeMap::new();
        for employee in employees {
            let Some(department) = &employee.department else {
                continue;
            };
            for address in employee.emails() {
                departments.insert(address.clone(), department.clone());
            }
        }
        Ok(departments)
    }

    /// How many accounts the tenant has.
    pub(crate) async fn count_accounts(&self) -> Result<usize> {
        Ok(self.people().await?.accounts.len())
    }
}
