//! Accounts of the tenant, made up one by one from their number, and what was changed since.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{generate::E5_SKU, methods::Pass};
use crate::{
    clock::{later, seconds},
    people,
    rng::Rng,
    scenario::{Cast, DOMAIN, Part},
};

/// Every property that the sandbox knows of a user.
pub(crate) const PROPERTIES: &[&str] = &[
    "id",
    "accountEnabled",
    "assignedLicenses",
    "businessPhones",
    "city",
    "companyName",
    "country",
    "createdDateTime",
    "creationType",
    "department",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "givenName",
    "jobTitle",
    "lastPasswordChangeDateTime",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesSamAccountName",
    "onPremisesSyncEnabled",
    "otherMails",
    "passwordPolicies",
    "preferredLanguage",
    "proxyAddresses",
    "signInActivity",
    "signInSessionsValidFromDateTime",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

/// What a user shows without `$select`.
pub(crate) const DEFAULTS: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];

const DEPARTMENTS: [&str; 7] = [
    "Engineering",
    "Finance",
    "IT",
    "Legal",
    "Operations",
    "People",
    "Sales",
];
const TITLES: [&str; 5] = ["Analyst", "Director", "Engineer", "Manager", "Specialist"];
/// Emergency accounts come first.
pub(crate) const EMERGENCY: usize = 2;
/// One guest for so many people, and these at least.
const PEOPLE_FOR_A_GUEST: usize = 12;
const FEWEST_GUESTS: usize = 2;

pub(crate) struct Users {
    seed: u64,
    cast: Arc<Cast>,
    people: usize,
    /// The head of each identifier to the account's number.
    index: HashMap<u64, usize>,
    pub(crate) changes: BTreeMap<usize, Change>,
    /// Numbers of changed accounts in the order of the changes, for delta queries.
    pub(crate) log: Vec<usize>,
}

/// What was done to an account since the beginning.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) enabled: Option<bool>,
    pub(crate) policies: Option<String>,
    pub(crate) password_set: Option<Timestamp>,
    pub(crate) forced: Option<bool>,
    pub(crate) sessions_from: Option<Timestamp>,
    pub(crate) deleted: bool,
    pub(crate) removed_methods: BTreeSet<String>,
    pub(crate) pass: Option<Pass>,
    /// Reads that still show the account as enabled or not, as it was.
    pub(crate) stale: Option<(bool, u32)>,
}

/// One account.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    pub(crate) number: usize,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) upn: String,
    pub(crate) mail: String,
    pub(crate) kind: Kind,
    pub(crate) enabled: bool,
    pub(crate) synced: bool,
    pub(crate) created: Timestamp,
    pub(crate) password_changed: Timestamp,
    pub(crate) last_sign_in: Option<Timestamp>,
    pub(crate) licensed: bool,
    pub(crate) policies: Option<String>,
    pub(crate) sessions_from: Timestamp,
    pending_guest: bool,
    department: &'static str,
    title: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Emergency,
    Member(Part),
    Guest,
}

impl Users {
    pub(crate) fn new(seed: u64, cast: Arc<Cast>, wanted: usize) -> Self {
        let people = wanted.max(cast.members.len());
        let mut users = Self {
            seed,
            cast,
            people,
            index: HashMap::new(),
            changes: BTreeMap::new(),
            log: Vec::new(),
        };
        users.index = (0..users.len())
            .filter_map(|number| Some((head(&users.id(number))?, number)))
            .collect();
        users
    }

    /// How many accounts there are, with those that were deleted.
    pub(crate) fn len(&self) -> usize {
        self.first_guest() + self.people / PEOPLE_FOR_A_GUEST + FEWEST_GUESTS
    }

    pub(crate) fn first_guest(&self) -> usize {
        EMERGENCY + self.people
    }

    pub(crate) fn begins(&self) -> Timestamp {
        self.cast.begins
    }

    pub(crate) fn id(&self, number: usize) -> String {
        Rng::nth(self.seed, "graph user", number).uuid()
    }

    /// The number of the account with this identifier or principal name.
    pub(crate) fn number(&self, id_or_name: &str) -> Option<usize> {
        if !id_or_name.contains('@') {
            let number = *self.index.get(&head(id_or_name)?)?;
            return self
                .id(number)
                .eq_ignore_ascii_case(id_or_name)
                .then_some(number);
        }
        let wanted = id_or_name.to_lowercase();
        let cast = 0..EMERGENCY + self.cast.members.len();
        let candidates = people::number(&wanted).map(|place| place + EMERGENCY);
        candidates
            .into_iter()
            .chain(cast)
            .find(|number| self.upn(*number) == wanted)
    }

    /// The number of the person who plays this part.
    pub(crate) fn player(&self, part: Part) -> Option<usize> {
        let member = self.cast.members.iter().position(|it| it.part == part);
        member.map(|place| place + EMERGENCY)
    }

    /// Numbers of people without a part, in order.
    pub(crate) fn bystanders(&self) -> impl Iterator<Item = usize> {
        let members = self.cast.members.iter().enumerate();
        let bystanders = members.filter(|(_, member)| member.part == Part::Nobody);
        bystanders.map(|(place, _)| place + EMERGENCY)
    }

    /// `None` for a number that is not there, or no longer.
    pub(crate) fn account(&self, number: usize) -> Option<Account> {
        let change = self.changes.get(&number);
        if number >= self.len() || change.is_some_and(|it| it.deleted) {
            return None;
        }
        let mut account = self.original(number);
        if let Some(change) = change {
            change.apply(&mut account);
        }
        Some(account)
    }

    /// The change of an account that is to be changed further; it is noted for delta queries.
    pub(crate) fn change(&mut self, number: usize) -> &mut Change {
        self.log.push(number);
        self.changes.entry(number).or_default()
    }

    /// What a read of this account shows, which may be a stale state.
    pub(crate) fn seen(&self, number: usize) -> Option<Account> {
        let mut account = self.account(number)?;
        let stale = self.changes.get(&number).and_then(|change| change.stale);
        account.enabled = stale.map_or(account.enabled, |(enabled, _)| enabled);
        Some(account)
    }

    /// Stale states wear off read by read.
    pub(crate) fn wear(&mut self, number: Option<usize>) {
        for (changed, change) in &mut self.changes {
            if number.is_none_or(|number| number == *changed)
                && let Some((enabled, left)) = change.stale
            {
                change.stale = (left > 1).then_some((enabled, left - 1));
            }
        }
    }

    pub(crate) fn any_stale(&self) -> bool {
        self.changes.values().any(|change| change.stale.is_some())
    }

    fn upn(&self, number: usize) -> String {
        self.named(number).1
    }

    /// Display name, principal name and mail address.
    fn named(&self, number: usize) -> (String, String, String) {
        if number < EMERGENCY {
            let upn = format!("breakglass{}@{DOMAIN}", number + 1);
            return (format!("Emergency Access {}", number + 1), upn.clone(), upn);
        }
        let place = number - EMERGENCY;
        if number >= self.first_guest() {
            let guest = people::numbered(place);
            let partner = ["partner.example", "supplier.example"][place % 2];
            let upn = format!("{}_{partner}#EXT#@{TENANT_DOMAIN}", guest.alias);
            let mail = format!("{}@{partner}", guest.alias);
            return (guest.name, upn.to_lowercase(), mail);
        }
        if let Some(member) = self.cast.members.get(place) {
            return (
                member.name.clone(),
                member.email.clone(),
                member.email.clone(),
            );
        }
        let person = people::numbered(place);
        let mail = format!("{}@{DOMAIN}", person.alias);
        (person.name, mail.clone(), mail)
    }

    fn kind(&self, number: usize) -> Kind {
        if number < EMERGENCY {
            return Kind::Emergency;
        }
        if number >= self.first_guest() {
            return Kind::Guest;
        }
        let member = self.cast.members.get(number - EMERGENCY);
        Kind::Member(member.map_or(Part::Nobody, |member| member.part))
    }

    /// The account as it was at the beginning.
    fn original(&self, number: usize) -> Account {
        let mut rng = Rng::nth(self.seed, "graph account", number);
        let (name, upn, mail) = self.named(number);
        let kind = self.kind(number);
        let begins = self.begins();
        let ago = |days: usize, minutes: usize| {
            let days = i64::try_from(days * 24 * 60 + minutes).unwrap_or(0);
            later(begins, SignedDuration::from_mins(-days))
        };
        let created = ago(rng.between(200, 2500), rng.below(1440));
        let habit = rng.below(100);
        let last_sign_in = match (kind, habit) {
            (Kind::Emergency, _) => Some(ago(80, 0)),
            (Kind::Member(Part::Nobody), 92..97) | (Kind::Guest, 60..90) => {
                Some(ago(rng.between(95, 190), rng.below(1440)))
            }
            (Kind::Member(Part::Nobody), 97..) | (Kind::Guest, 90..) => None,
            _ => Some(ago(rng.below(6), rng.below(1440))),
        };
        let nobody = kind == Kind::Member(Part::Nobody);
        let weak = rng.below(1000);
        Account {
            number,
            id: self.id(number),
            name,
            upn,
            mail,
            kind,
            enabled: match kind {
                Kind::Member(Part::Leaver) => false,
                Kind::Emergency => true,
                _ => !(nobody && rng.percent(4)),
            },
            synced: kind == Kind::Member(Part::ExternalAdmin) || (nobody && rng.percent(12)),
            created,
            password_changed: ago(rng.between(1, 190), rng.below(1440)),
            last_sign_in,
            licensed: matches!(kind, Kind::Member(_)) && !rng.percent(6),
            policies: match (kind, weak) {
                (Kind::Emergency, _) | (_, 3..20) => Some("DisablePasswordExpiration".to_owned()),
                (Kind::Member(Part::Nobody), ..3) => {
                    Some("DisablePasswordExpiration, DisableStrongPassword".to_owned())
                }
                _ => None,
            },
            sessions_from: created,
            pending_guest: kind == Kind::Guest && habit >= 90,
            department: rng.pick::<&str>(&DEPARTMENTS),
            title: rng.pick::<&str>(&TITLES),
        }
    }
}

/// The domain that every tenant has from its beginning.
pub(crate) const TENANT_DOMAIN: &str = "acmeexample.onmicrosoft.example";

impl Change {
    fn apply(&self, account: &mut Account) {
        account.enabled = self.enabled.unwrap_or(account.enabled);
        account.password_changed = self.password_set.unwrap_or(account.password_changed);
        account.sessions_from = self.sessions_from.unwrap_or(account.sessions_from);
        if let Some(policies) = &self.policies {
            account.policies = Some(policies.clone()).filter(|it| it != "None");
        }
    }
}

impl Account {
    pub(crate) fn is_guest(&self) -> bool {
        self.kind == Kind::Guest
    }

    /// A user as Graph shows it, with these of [`PROPERTIES`].
    pub(crate) fn shown<'a>(&self, names: impl Iterator<Item = &'a str>) -> Value {
        let shown = names.filter_map(|name| Some((name.to_owned(), self.property(name)?)));
        Value::Object(shown.collect())
    }

    /// Each is made up only where it is asked for, since most are not.
    fn property(&self, name: &str) -> Option<Value> {
        let member = matches!(self.kind, Kind::Member(_));
        let guest = self.is_guest();
        let employed = |value: &str| Value::from(member.then_some(value));
        let synced = |value: String| Value::from(self.synced.then_some(value));
        Some(match name {
            "id" => self.id.as_str().into(),
            "accountEnabled" => self.enabled.into(),
            "assignedLicenses" if self.licensed => json!([{"disabledPlans": [], "skuId": E5_SKU}]),
            "assignedLicenses" | "businessPhones" | "otherMails" => json!([]),
            "city" => employed("Hamburg"),
            "companyName" => employed("Acme"),
            "country" => employed("Germany"),
            "createdDateTime" => seconds(self.created).into(),
            "creationType" => guest.then_some("Invitation").into(),
            "department" => employed(self.department),
            "displayName" => self.name.as_str().into(),
            "employeeHireDate" => employed(&seconds(self.created)),
            "employeeId" => employed(&format!("{:06}", self.number)),
            "employeeType" => employed("Employee"),
            "externalUserState" if self.pending_guest => "PendingAcceptance".into(),
            "externalUserState" => guest.then_some("Accepted").into(),
            "externalUserStateChangeDateTime" => guest.then(|| seconds(self.created)).into(),
            "givenName" => self.name.split(' ').next().into(),
            "jobTitle" => employed(self.title),
            "lastPasswordChangeDateTime" => seconds(self.password_changed).into(),
            "mail" => self.mail.as_str().into(),
            "mailNickname" => self.upn.split('@').next().into(),
            "mobilePhone" => Value::Null,
            "officeLocation" => employed("Hamburg 2/14"),
            "onPremisesDistinguishedName" => {
                synced(format!("CN={},OU=Staff,DC=acme,DC=example", self.name))
            }
            "onPremisesImmutableId" => synced(format!("{:022}==", self.number)),
            "onPremisesLastSyncDateTime" => synced(seconds(self.password_changed)),
            "onPremisesSamAccountName" => synced(format!("u{:07}", self.number)),
            "onPremisesSyncEnabled" => self.synced.then_some(true).into(),
            "passwordPolicies" => self.policies.as_deref().into(),
            "preferredLanguage" => employed("de-DE"),
            "proxyAddresses" => json!([format!("SMTP:{}", self.mail)]),
            "signInActivity" => self.activity(),
            "signInSessionsValidFromDateTime" => seconds(self.sessions_from).into(),
            "surname" => self.name.split_once(' ').map(|(_, surname)| surname).into(),
            "usageLocation" => employed("DE"),
            "userPrincipalName" => self.upn.as_str().into(),
            "userType" => if guest { "Guest" } else { "Member" }.into(),
            _ => return None,
        })
    }

    fn activity(&self) -> Value {
        let Some(at) = self.last_sign_in else {
            return Value::Null;
        };
        let request = Rng::nth(at.as_second().unsigned_abs(), "sign-in", self.number).uuid();
        json!({
            "lastSignInDateTime": seconds(at),
            "lastSignInRequestId": request,
            "lastNonInteractiveSignInDateTime": seconds(at),
            "lastNonInteractiveSignInRequestId": request,
            "lastSuccessfulSignInDateTime": seconds(at),
            "lastSuccessfulSignInRequestId": request,
        })
    }
}

/// The first half of a GUID, in either case.
fn head(id: &str) -> Option<u64> {
    let digits: String = id.chars().filter(|it| *it != '-').take(16).collect();
    u64::from_str_radix(&digits, 16).ok()
}
