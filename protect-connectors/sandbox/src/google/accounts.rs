//! Reading users, the rights of administrators, and signing out.

use serde_json::{Value, json};

use super::{
    Google,
    domains::{check_domain, whole},
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    search::Search,
    users::Account,
};
use crate::{
    clock::seconds,
    request::{Context, Reply},
};

const LARGEST: usize = 500;
/// What a user is to those who are no administrators.
const PUBLIC: [&str; 6] = ["kind", "id", "etag", "primaryEmail", "name", "emails"];
impl Google {
    pub(super) fn list_users(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let plain = cx.struck.0.is_empty() && !self.users.any_stale();
        let request = format!("{}&{:?}", ask.request(), ask.parameter("pageToken"));
        let version = self.version();
        let kept = self.rendered.get(&request, version);
        if let Some(body) = kept.filter(|_| plain && self.rendered.keeps()) {
            return Ok(Reply::rendered(200, body));
        }
        let reply = self.user_page(ask, cx)?;
        if plain {
            self.rendered.put(request, reply.body.clone());
        }
        self.users.wear(None);
        Ok(reply)
    }

    pub(super) fn get_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let view = View::of(ask, cx)?;
        let number = self.account(ask.id(0))?.number;
        let seen = self.users.seen(number);
        let seen = seen.ok_or_else(|| Refusal::not_found("userKey"))?;
        self.users.wear(Some(number));
        Ok(Reply::json(200, &self.viewed(&seen, view)))
    }

    /// Those that were given; those of a domain's alias are the user's own.
    pub(super) fn list_aliases(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let account = self.account(ask.id(0))?;
        let row = |alias: &String| {
            json!({
                "kind": "admin#directory#alias",
                "id": account.id,
                "primaryEmail": account.email,
                "alias": alias,
            })
        };
        let rows = account.aliases().iter().map(row).collect();
        let named = Named {
            kind: Some("admin#directory#aliases"),
            list: "aliases",
        };
        Ok(self.listed(ask, named, whole(rows), cx))
    }

    pub(super) fn make_admin(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&["status"], cx)?;
        let Some(on) = body.get("status").and_then(Value::as_bool) else {
            return Err(bad("Required field: status", cx));
        };
        let account = self.account(ask.id(0))?;
        self.need_super(ask)?;
        let before = self.roles.rank(account.number).super_admin;
        if before != on {
            let word = |on| if on { "super_admin" } else { "no_super_admin" };
            cx.change("super_admin", &account.id, word(before), word(on));
            self.roles.set_super_admin(account.number, on);
            self.users.change(account.number, cx.now);
            let event = if on {
                "GRANT_ADMIN_PRIVILEGE"
            } else {
                "REVOKE_ADMIN_PRIVILEGE"
            };
            self.log_change(event, "DELEGATED_ADMIN_SETTINGS", account.number, &[], ask);
        }
        Ok(Reply::empty(204))
    }

    pub(super) fn sign_out(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        ask.no_body(cx)?;
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        cx.change("sessions", &account.id, "signed_in", &seconds(cx.now));
        self.users.change(account.number, cx.now);
        Ok(Reply::empty(204))
    }

    /// The account with this identifier or address.
    pub(super) fn account(&self, key: &str) -> Result<Account, Refusal> {
        let number = self.users.number(key);
        let found = number.and_then(|number| self.users.account(number));
        found.ok_or_else(|| Refusal::not_found("userKey"))
    }

    fn viewed(&self, account: &Account, view: View) -> Value {
        let mut shown = self.shown(account, view.full);
        if let (true, Some(fields)) = (view.public, shown.as_object_mut()) {
            fields.retain(|name, _| PUBLIC.contains(&name.as_str()));
        }
        shown
    }

    pub(super) fn shown(&self, account: &Account, full: bool) -> Value {
        let rank = self.roles.rank(account.number);
        account.shown(rank, &self.units, &self.users.customer, full)
    }

    /// Only a super administrator may act on an administrator.
    pub(super) fn need_rank_over(&self, number: usize, ask: &Ask<'_>) -> Result<(), Refusal> {
        if self.roles.rank(number).is_admin() {
            return self.need_super(ask);
        }
        Ok(())
    }

    pub(super) fn need_super(&self, ask: &Ask<'_>) -> Result<(), Refusal> {
        let rank = self.roles.rank(ask.subject);
        rank.super_admin
            .then_some(())
            .ok_or_else(Refusal::forbidden)
    }

    fn user_page(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let view = View::of(ask, cx)?;
        let domain = match (ask.parameter("customer"), ask.parameter("domain")) {
            (Some(customer), None) => {
                self.check_customer(customer)?;
                None
            }
            (None, Some(domain)) => {
                check_domain(domain)?;
                Some(format!("@{}", domain.to_lowercase()))
            }
            _ => return Err(bad("Bad Request", cx)),
        };
        let size = ask.count("maxResults", LARGEST, 100, cx)?;
        let deleted = ask.flag("showDeleted", cx)?;
        let search = match ask.parameter("query") {
            Some(query) => Search::parse(query).ok_or_else(|| bad("Invalid Input: query", cx))?,
            None => Search::default(),
        };
        let order = self.order(ask, cx)?;
        let now = cx.now;
        let row = |at: usize| {
            let number = match &order {
                Some(order) => usize::try_from(*order.get(at)?).ok()?,
                None => at,
            };
            if let Some(domain) = &domain
                && !self.users.email(number).ends_with(domain)
            {
                return None;
            }
            if deleted {
                let account = self.users.with_deleted(number)?;
                return account.deleted.map(|_| self.viewed(&account, view));
            }
            let account = self.users.seen(number)?;
            if !search.is_empty() {
                let searched = self.users.searched(number, now)?;
                search.fits(&self.shown(&searched, false)).then_some(())?;
            }
            Some(self.viewed(&account, view))
        };
        let named = Named {
            kind: Some("admin#directory#users"),
            list: "users",
        };
        self.page(ask, (named, size, self.users.len()), &row, cx)
    }

    /// Numbers of accounts in the order that was asked for; made once.
    fn order(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Result<Option<Vec<u32>>, Refusal> {
        let descending = ask.word("sortOrder", &["ASCENDING", "DESCENDING"], cx)? == "DESCENDING";
        let by = ask.word("orderBy", &["", "email", "givenName", "familyName"], cx)?;
        if by.is_empty() {
            return Ok(None);
        }
        let users = &self.users;
        let order = self.orders.entry(by).or_insert_with(|| {
            let mut numbers: Vec<u32> = (0..users.len())
                .filter_map(|it| u32::try_from(it).ok())
                .collect();
            numbers.sort_by_cached_key(|number| {
                let account = usize::try_from(*number)
                    .ok()
                    .and_then(|it| users.with_deleted(it));
                account.map(|it| match by {
                    "email" => it.email,
                    "givenName" => it.name,
                    _ => it.name.rsplit(' ').next().unwrap_or_default().to_owned(),
                })
            });
            numbers
        });
        let mut order = order.clone();
        if descending {
            order.reverse();
        }
        Ok(Some(order))
    }
}

/// How much of a user is shown.
#[derive(Clone, Copy)]
struct View {
    full: bool,
    public: bool,
}

impl View {
    fn of(ask: &Ask<'_>, cx: &mut Context) -> Result<Self, Refusal> {
        let projection = ask.word("projection", &["basic", "custom", "full"], cx)?;
        let mask = ask.parameter("customFieldMask").is_some();
        if mask != (projection == "custom") {
            return Err(bad("customFieldMask goes with projection=custom", cx));
        }
        let views = ["admin_view", "domain_public"];
        Ok(Self {
            full: projection != "basic",
            public: ask.word("viewType", &views, cx)? == views[1],
        })
    }
}
