//! Groups and who is in them.

use serde_json::{Value, json};

use super::{
    Google,
    domains::check_domain,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    users::Users,
};
use crate::{request::Context, rng::Rng, scenario::DOMAIN};

const GROUPS: [(&str, &str); 8] = [
    ("auditors", "Auditors"),
    ("board", "Board"),
    ("engineering", "Engineering"),
    ("finance", "Finance"),
    ("it", "IT"),
    ("on-call", "On Call"),
    ("sales", "Sales"),
    ("vip", "Very Important People"),
];
/// Only so many accounts are in groups at all.
const MEMBERS: usize = 400;

pub(crate) struct Groups {
    ids: Vec<String>,
}

impl Groups {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "google groups");
        let ids = GROUPS
            .iter()
            .map(|_| format!("03{}", rng.base32(13).to_lowercase()));
        Self { ids: ids.collect() }
    }

    pub(crate) fn id(&self, group: usize) -> &str {
        self.ids.get(group).map_or("", String::as_str)
    }

    /// The group with this identifier or address.
    pub(crate) fn find(&self, key: &str) -> Option<usize> {
        let at = |(group, (alias, _)): (usize, &(&str, &str))| {
            let is = self.ids[group] == key || key.eq_ignore_ascii_case(&address(alias));
            is.then_some(group)
        };
        GROUPS.iter().enumerate().find_map(at)
    }

    /// The groups that this account is in.
    pub(crate) fn of(&self, number: usize) -> impl Iterator<Item = usize> {
        (0..self.ids.len()).filter(move |group| is_in(*group, number))
    }

    fn shown(&self, group: usize, users: &Users) -> Value {
        let (alias, name) = GROUPS[group];
        let members = members(group, users).count();
        json!({
            "kind": "admin#directory#group",
            "id": self.ids[group],
            "etag": format!("\"{}\"", self.ids[group]),
            "email": address(alias),
            "name": name,
            "directMembersCount": members.to_string(),
            "description": "",
            "adminCreated": true,
        })
    }
}

impl Google {
    pub(super) fn list_groups(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let size = ask.count("maxResults", 200, 200, cx)?;
        let given = ["customer", "domain", "userKey"].map(|it| ask.parameter(it));
        let found: Vec<usize> = match given {
            [Some(customer), None, None] => {
                self.check_customer(customer)?;
                (0..GROUPS.len()).collect()
            }
            [None, Some(domain), None] => {
                check_domain(domain)?;
                let all = 0..GROUPS.len();
                all.filter(|_| domain == DOMAIN).collect()
            }
            [None, None, Some(key)] => self.groups.of(self.account(key)?.number).collect(),
            _ => return Err(bad("Bad Request", cx)),
        };
        let row = |at: usize| Some(self.groups.shown(*found.get(at)?, &self.users));
        let named = Named {
            kind: Some("admin#directory#groups"),
            list: "groups",
        };
        self.page(ask, (named, size, found.len()), &row, cx)
    }

    pub(super) fn list_members(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let size = ask.count("maxResults", 200, 200, cx)?;
        let group = self.groups.find(ask.id(0));
        let group = group.ok_or_else(|| Refusal::not_found("groupKey"))?;
        let members: Vec<usize> = members(group, &self.users).collect();
        let row = |at: usize| {
            let account = self.users.account(*members.get(at)?)?;
            Some(json!({
                "kind": "admin#directory#member",
                "etag": format!("\"{}\"", account.id),
                "id": account.id,
                "email": account.email,
                "role": if at == 0 { "OWNER" } else { "MEMBER" },
                "type": "USER",
                "status": if account.suspended { "SUSPENDED" } else { "ACTIVE" },
            }))
        };
        let named = Named {
            kind: Some("admin#directory#members"),
            list: "members",
        };
        self.page(ask, (named, size, members.len()), &row, cx)
    }
}

fn members(group: usize, users: &Users) -> impl Iterator<Item = usize> {
    (0..users.len().min(MEMBERS)).filter(move |number| is_in(group, *number))
}

fn is_in(group: usize, number: usize) -> bool {
    number < MEMBERS && number % (GROUPS.len() + 1) == group
}

fn address(alias: &str) -> String {
    format!("{alias}@{DOMAIN}")
}
