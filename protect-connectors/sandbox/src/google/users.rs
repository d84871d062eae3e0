//! Accounts of the domain, made up one by one from their number, and what was changed since.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::units::{self, Units};
use crate::{
    clock::later,
    people,
    rng::Rng,
    scenario::{Cast, DOMAIN, Part},
};

/// Another domain of the customer.
pub(crate) const SECOND_DOMAIN: &str = "acme-shop.example";
/// An alias of the first domain: every account is also reached there.
pub(crate) const ALIAS_DOMAIN: &str = "acme-parked.example";
/// `lastLoginTime` of an account that nobody ever used.
pub(crate) const NEVER: &str = "1970-01-01T00:00:00.000Z";
/// The administrator whose rights are used, unless told otherwise.
pub(crate) const SUBJECT: usize = 2;
/// Accounts that no person of the cast has; people come after them.
pub(crate) const SPECIAL: [(&str, &str, &str); 4] = [
    ("breakglass1", "Emergency Access", DOMAIN),
    ("breakglass2", "Emergency Access", DOMAIN),
    ("workspace-admin", "Workspace Administrator", DOMAIN),
    ("orders", "Shop Orders", SECOND_DOMAIN),
];
/// Another address of the owner.
const OWNER_ALIAS: &str = "owner";
/// The digits of an identifier that are the account's number.
const NUMBER_DIGITS: usize = 8;
/// How long a search may show what was before (admin-sdk/directory/v1/guides/search-users).
const SEARCH_LAG: SignedDuration = SignedDuration::from_hours(36);

pub(crate) struct Users {
    seed: u64,
    pub(crate) customer: String,
    cast: Arc<Cast>,
    people: usize,
    /// An administrator of users who has not been there for months, without a second factor.
    pub(crate) dormant_admin: Option<usize>,
    /// An administrator of users who is suspended.
    pub(crate) suspended_admin: Option<usize>,
    pub(crate) changes: BTreeMap<usize, Change>,
    /// How often anything was changed.
    pub(crate) version: usize,
}

/// What was done to an account since the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    at: Timestamp,
    pub(crate) suspended: Option<bool>,
    pub(crate) suspended_by: Option<&'static str>,
    pub(crate) archived: Option<bool>,
    pub(crate) password_due: Option<bool>,
    pub(crate) unit: Option<usize>,
    /// A field that was cleared is null.
    pub(crate) fields: BTreeMap<&'static str, Value>,
    pub(crate) second_factor_off: bool,
    pub(crate) deleted: Option<Timestamp>,
    /// Client identifiers of OAuth grants that are gone.
    pub(crate) revoked: BTreeSet<String>,
    /// App passwords that are gone.
    pub(crate) app_passwords_gone: BTreeSet<u32>,
    /// Backup codes in the place of those at the beginning.
    pub(crate) codes: Option<Vec<String>>,
    /// Reads that still show the account as suspended or not, as it was.
    pub(crate) stale: Option<(bool, u32)>,
}

/// One account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) number: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) part: Part,
    pub(crate) unit: usize,
    pub(crate) suspended: bool,
    pub(crate) suspended_by: &'static str,
    pub(crate) archived: bool,
    pub(crate) password_due: bool,
    pub(crate) enrolled: bool,
    pub(crate) created: Timestamp,
    pub(crate) last_login: Option<Timestamp>,
    pub(crate) guest: bool,
    pub(crate) deleted: Option<Timestamp>,
    pub(crate) fields: BTreeMap<&'static str, Value>,
}

impl Users {
    pub(crate) fn new(seed: u64, cast: Arc<Cast>, wanted: usize) -> Self {
        let mut rng = Rng::new(seed, "google customer");
        let members = cast.members.iter().enumerate();
        let nobodies = members.filter(|(_, member)| member.part == Part::Nobody);
        let mut nobodies = nobodies.map(|(place, _)| place + SPECIAL.len());
        let (dormant_admin, suspended_admin) = (nobodies.next(), nobodies.next());
        Self {
            dormant_admin,
            suspended_admin,
            seed,
            customer: format!("C{}", rng.base32(8).to_lowercase()),
            people: wanted.max(cast.members.len()),
            cast,
            changes: BTreeMap::new(),
            version: 0,
        }
    }

    /// How many accounts there are, with those that were deleted.
    pub(crate) fn len(&self) -> usize {
        SPECIAL.len() + self.people
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn begins(&self) -> Timestamp {
        self.cast.begins
    }

    pub(crate) fn id(&self, number: usize) -> String {
        let mut rng = Rng::nth(self.seed, "google user", number);
        let digits = rng.below(1_000_000_000_000);
        format!("1{digits:012}{number:0NUMBER_DIGITS$}")
    }

    /// The number of the account with this identifier or address; addresses of aliases count.
    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        if !key.contains('@') {
            let digits = key.len().checked_sub(NUMBER_DIGITS)?;
            let number = key.get(digits..)?.parse().ok()?;
            return (number < self.len() && self.id(number) == key).then_some(number);
        }
        let wanted = key.to_lowercase();
        let wanted = match wanted.strip_suffix(ALIAS_DOMAIN) {
            Some(local) => format!("{local}{DOMAIN}"),
            None => wanted,
        };
        if wanted.strip_suffix(DOMAIN) == Some(&format!("{OWNER_ALIAS}@")) {
            return self.player(Part::Owner);
        }
        let cast = 0..SPECIAL.len() + self.cast.members.len();
        people::number(&wanted)
            .map(|place| place + SPECIAL.len())
            .filter(|number| *number < self.len())
            .into_iter()
            .chain(cast)
            .find(|number| self.email(*number) == wanted)
    }

    /// The number of the person who plays this part.
    pub(crate) fn player(&self, part: Part) -> Option<usize> {
        let member = self.cast.members.iter().position(|it| it.part == part);
        member.map(|place| place + SPECIAL.len())
    }

    pub(crate) fn email(&self, number: usize) -> String {
        self.named(number).1
    }

    /// `None` for a number that is not there, or no longer.
    pub(crate) fn account(&self, number: usize) -> Option<Account> {
        self.with_deleted(number).filter(|it| it.deleted.is_none())
    }

    /// Whether somebody could sign in there at the beginning, and did.
    pub(crate) fn was_used(&self, number: usize) -> bool {
        let account = self.original(number);
        !account.suspended && !account.archived && account.last_login.is_some()
    }

    pub(crate) fn with_deleted(&self, number: usize) -> Option<Account> {
        let mut account = (number < self.len()).then(|| self.original(number))?;
        if let Some(change) = self.changes.get(&number) {
            change.apply(&mut account);
        }
        Some(account)
    }

    /// What a read of this account shows, which may be a stale state.
    pub(crate) fn seen(&self, number: usize) -> Option<Account> {
        let mut account = self.account(number)?;
        let stale = self.changes.get(&number).and_then(|change| change.stale);
        account.suspended = stale.map_or(account.suspended, |(suspended, _)| suspended);
        Some(account)
    }

    /// The account as a search finds it: changes reach it late.
    pub(crate) fn searched(&self, number: usize, now: Timestamp) -> Option<Account> {
        let fresh = |change: &Change| now.duration_since(change.at) < SEARCH_LAG;
        if self.changes.get(&number).is_some_and(fresh) {
            return (number < self.len()).then(|| self.original(number));
        }
        self.account(number)
    }

    /// The change of an account that is to be changed further.
    pub(crate) fn change(&mut self, number: usize, now: Timestamp) -> &mut Change {
        self.version += 1;
        let change = self.changes.entry(number).or_default();
        change.at = now;
        change
    }

    /// Stale states wear off read by read.
    pub(crate) fn wear(&mut self, number: Option<usize>) {
        for (changed, change) in &mut self.changes {
            if number.is_none_or(|number| number == *changed)
                && let Some((suspended, left)) = change.stale
            {
                change.stale = (left > 1).then_some((suspended, left - 1));
            }
        }
    }

    pub(crate) fn any_stale(&self) -> bool {
        self.changes.values().any(|change| change.stale.is_some())
    }

    /// Full name and address.
    fn named(&self, number: usize) -> (String, String) {
        if let Some((alias, name, domain)) = SPECIAL.get(number) {
            return ((*name).to_owned(), format!("{alias}@{domain}"));
        }
        let place = number - SPECIAL.len();
        if let Some(member) = self.cast.members.get(place) {
            return (member.name.clone(), member.email.clone());
        }
        let person = people::numbered(place);
        let email = format!("{}@{DOMAIN}", person.alias);
        (person.name, email)
    }

    fn part(&self, number: usize) -> Option<Part> {
        let place = number.checked_sub(SPECIAL.len())?;
        let member = self.cast.members.get(place);
        Some(member.map_or(Part::Nobody, |member| member.part))
    }

    /// The account as it was at the beginning.
    fn original(&self, number: usize) -> Account {
        let mut rng = Rng::nth(self.seed, "google account", number);
        let (name, email) = self.named(number);
        let part = self.part(number);
        let ago = |days: usize, minutes: usize| {
            let minutes = i64::try_from(days * 24 * 60 + minutes).unwrap_or(0);
            later(self.begins(), SignedDuration::from_mins(-minutes))
        };
        let mut account = Account {
            number,
            id: self.id(number),
            name,
            email,
            part: part.unwrap_or(Part::Nobody),
            unit: units::ROOT,
            suspended: part == Some(Part::Leaver),
            suspended_by: "ADMIN",
            archived: false,
            password_due: false,
            enrolled: part.is_some() || number == SUBJECT,
            created: ago(rng.between(200, 2500), rng.below(1440)),
            last_login: Some(ago(rng.below(6), 180 + rng.below(1200))),
            guest: false,
            deleted: None,
            fields: BTreeMap::new(),
        };
        match part {
            None if number < SUBJECT => account.last_login = Some(ago(80, 0)),
            None if number > SUBJECT => account.unit = units::SERVICE,
            None => {}
            Some(Part::Nobody) if Some(number) == self.dormant_admin => {
                account.enrolled = false;
                account.last_login = Some(ago(120, 0));
            }
            Some(Part::Nobody) if Some(number) == self.suspended_admin => account.suspended = true,
            Some(Part::Nobody) => self.vary(&mut account, &mut rng),
            Some(Part::Owner) => {
                let phone = Value::from("+4915550100000");
                account.fields.insert("recoveryPhone", phone);
            }
            Some(_) => account.unit = *rng.pick(&units::DEPARTMENTS),
        }
        if account.suspended {
            account.last_login = Some(ago(30 + rng.below(300), rng.below(1440)));
        }
        account
    }

    /// What is wrong with the accounts of people without a part, now and then.
    fn vary(&self, account: &mut Account, rng: &mut Rng) {
        let ago = |days: usize| {
            let days = i64::try_from(days).unwrap_or(0);
            later(self.begins(), SignedDuration::from_hours(-24 * days))
        };
        account.unit = *rng.pick(&units::DEPARTMENTS);
        match rng.below(100) {
            92..97 => account.last_login = Some(ago(rng.between(95, 190))),
            97.. => account.last_login = None,
            _ => {}
        }
        account.enrolled = !rng.percent(8);
        match rng.below(1000) {
            0..40 => account.suspended = true,
            40..44 => {
                account.suspended = true;
                account.suspended_by = "UNDER13";
            }
            44..50 => account.suspended_by = "WEB_LOGIN_REQUIRED",
            50..60 => account.archived = true,
            60..80 => account.password_due = true,
            80..100 => account.unit = units::CONTRACTORS,
            100..104 => account.guest = true,
            _ => {}
        }
        if rng.percent(10) {
            let phone = format!("+49155501{:05}", rng.below(100_000));
            account.fields.insert("recoveryPhone", phone.into());
        }
        if rng.percent(6) {
            let mail = format!("private.{}@home.example", account.number);
            account.fields.insert("recoveryEmail", mail.into());
        }
        if rng.below(1000) < 3 {
            account.fields.insert("ipWhitelisted", true.into());
        }
    }
}

impl Change {
    fn apply(&self, account: &mut Account) {
        account.suspended = self.suspended.unwrap_or(account.suspended);
        account.suspended_by = self.suspended_by.unwrap_or(account.suspended_by);
        account.archived = self.archived.unwrap_or(account.archived);
        account.password_due = self.password_due.unwrap_or(account.password_due);
        account.unit = self.unit.unwrap_or(account.unit);
        account.enrolled &= !self.second_factor_off;
        account.deleted = self.deleted;
        for (name, value) in &self.fields {
            account.fields.insert(name, value.clone());
        }
    }
}

/// Whether an account is an administrator of everything, or of something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Rank {
    pub(crate) super_admin: bool,
    pub(crate) delegated_admin: bool,
}

impl Rank {
    pub(crate) fn is_admin(self) -> bool {
        self.super_admin || self.delegated_admin
    }
}

impl Account {
    /// Whether two-step verification is enforced for it.
    pub(crate) fn enforced(&self) -> bool {
        units::enforces(self.unit) && !self.suspended
    }

    /// Addresses besides its own.
    pub(crate) fn aliases(&self) -> Vec<String> {
        let reached = self.part == Part::Owner;
        let alias = || format!("{OWNER_ALIAS}@{DOMAIN}");
        reached.then(alias).into_iter().collect()
    }

    /// As the Directory API shows it to an administrator.
    pub(crate) fn shown(&self, rank: Rank, units: &Units, customer: &str, full: bool) -> Value {
        let (given, family) = self.name.split_once(' ').unwrap_or((&self.name, ""));
        let last_login = self.last_login.map_or_else(|| NEVER.to_owned(), millis);
        let mut shown = json!({
            "kind": "admin#directory#user",
            "id": self.id,
            "etag": format!("\"{}/{}\"", customer, self.number),
            "primaryEmail": self.email,
            "name": {"givenName": given, "familyName": family, "fullName": self.name},
            "isAdmin": rank.super_admin,
            "isDelegatedAdmin": rank.delegated_admin,
            "lastLoginTime": last_login,
            "creationTime": millis(self.created),
            "agreedToTerms": self.last_login.is_some(),
            "suspended": self.suspended,
            "archived": self.archived,
            "changePasswordAtNextLogin": self.password_due,
            "ipWhitelisted": false,
            "emails": [{"address": self.email, "primary": true}],
            "customerId": customer,
            "orgUnitPath": units.path(self.unit),
            "isMailboxSetup": true,
            "isEnrolledIn2Sv": self.enrolled,
            "isEnforcedIn2Sv": self.enforced(),
            "includeInGlobalAddressList": true,
        });
        if let Some(local) = self.email.strip_suffix(DOMAIN) {
            shown["nonEditableAliases"] = json!([format!("{local}{ALIAS_DOMAIN}")]);
        }
        let aliases = self.aliases();
        if !aliases.is_empty() {
            shown["aliases"] = json!(aliases);
        }
        if self.suspended {
            shown["suspensionReason"] = Value::from(self.suspended_by);
        }
        if self.guest {
            shown["isGuestUser"] = Value::Bool(true);
        }
        if let Some(deleted) = self.deleted {
            shown["deletionTime"] = Value::from(millis(deleted));
        }
        for (name, value) in self.fields.iter().filter(|(_, value)| !value.is_null()) {
            shown[*name] = value.clone();
        }
        if full {
            shown["customSchemas"] = json!({"Employment": {"number": self.number.to_string()}});
        }
        shown
    }
}

/// With milliseconds, as Google prints its times.
pub(crate) fn millis(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}
