//! Reading users, and what changes an account: suspension, passwords, rights.

use serde_json::{Map, Value};

use super::{
    Google,
    domains::check_domain,
    error::{Answer, Refusal},
    operation::{Ask, bad},
    page::Named,
    search::Search,
    users::Account,
};
use crate::{
    clock::seconds,
    faults::FaultKind,
    request::{Context, Reply},
};

const LARGEST: usize = 500;
/// What a user is to those who are no administrators.
const PUBLIC: [&str; 6] = ["kind", "id", "etag", "primaryEmail", "name", "emails"];
/// What an update may hold here; Google takes more.
const FIELDS: [&str; 8] = [
    "archived",
    "changePasswordAtNextLogin",
    "ipWhitelisted",
    "orgUnitPath",
    "password",
    "recoveryEmail",
    "recoveryPhone",
    "suspended",
];
/// Lengths of passwords in characters (not confirmed by the vendor's pages).
const PASSWORD: std::ops::RangeInclusive<usize> = 8..=100;
/// What an update may set to a value of its own or clear.
const PLAIN: [&str; 3] = ["ipWhitelisted", "recoveryEmail", "recoveryPhone"];

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

    pub(super) fn update_user(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        let body = ask.body(&FIELDS, cx)?;
        let account = self.account(ask.id(0))?;
        self.need_rank_over(account.number, ask)?;
        let unit = self.check_update(&body, cx)?;
        let flag = |name: &str| body.get(name).and_then(Value::as_bool);
        if let Some(suspended) = flag("suspended") {
            self.suspend(&account, suspended, ask, cx);
        }
        let must_change = flag("changePasswordAtNextLogin");
        if body.contains_key("password") || must_change.is_some() {
            let new = body.contains_key("password");
            self.set_password(&account, new, must_change, ask, cx);
        }
        if let Some(unit) = unit {
            let (from, to) = (self.units.path(account.unit), self.units.path(unit));
            if from != to {
                cx.change("org_unit", &account.id, &from, &to);
                self.users.change(account.number, cx.now).unit = Some(unit);
                let parameters = [("NEW_VALUE", to)];
                let event = "MOVE_USER_TO_ORG_UNIT";
                self.log_change(event, "USER_SETTINGS", account.number, &parameters, ask);
            }
        }
        if let Some(archived) = flag("archived").filter(|it| *it != account.archived) {
            let states = ["active", "archived"];
            let (from, to) = (
                states[usize::from(account.archived)],
                states[usize::from(archived)],
            );
            cx.change("archive", &account.id, from, to);
            self.users.change(account.number, cx.now).archived = Some(archived);
        }
        for name in PLAIN {
            if let Some(value) = body.get(name) {
                cx.change(
                    "user_field",
                    &account.id,
                    name,
                    if value.is_null() { "cleared" } else { "set" },
                );
                let empty = *value == "";
                let value = if empty { Value::Null } else { value.clone() };
                self.users
                    .change(account.number, cx.now)
                    .fields
                    .insert(name, value);
            }
        }
        let after = self.account(ask.id(0))?;
        Ok(Reply::json(200, &self.shown(&after, false)))
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

    /// Suspends or restores an account, as its change is journalled.
    pub(super) fn set_suspended(&mut self, account: &Account, on: bool, cx: &mut Context) -> bool {
        if account.suspended == on {
            return false;
        }
        let word = |on| if on { "suspended" } else { "active" };
        cx.change("user", &account.id, word(account.suspended), word(on));
        let stale = cx.struck.get(FaultKind::StaleReads);
        let stale = stale.map(|fault| (account.suspended, fault.reads));
        let change = self.users.change(account.number, cx.now);
        change.suspended = Some(on);
        change.suspended_by = Some("ADMIN");
        change.stale = stale;
        true
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

    fn shown(&self, account: &Account, full: bool) -> Value {
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

    /// Whether the update makes sense; the unit where one is named.
    fn check_update(
        &self,
        body: &Map<String, Value>,
        cx: &mut Context,
    ) -> Result<Option<usize>, Refusal> {
        for name in [
            "suspended",
            "archived",
            "changePasswordAtNextLogin",
            "ipWhitelisted",
        ] {
            if body.get(name).is_some_and(|it| !it.is_boolean()) {
                return Err(bad(&format!("Invalid Input: {name}"), cx));
            }
        }
        if let Some(password) = body.get("password") {
            let length = password.as_str().map_or(0, |it| it.chars().count());
            if !PASSWORD.contains(&length) {
                return Err(bad("Invalid Password", cx));
            }
        }
        let Some(path) = body.get("orgUnitPath") else {
            return Ok(None);
        };
        let unit = path.as_str().and_then(|path| self.units.find(path));
        let unit = unit.ok_or_else(|| Refusal::invalid("Invalid Input: INVALID_OU_ID"))?;
        Ok(Some(unit))
    }

    fn suspend(&mut self, account: &Account, on: bool, ask: &Ask<'_>, cx: &mut Context) {
        if self.set_suspended(account, on, cx) {
            let event = if on { "SUSPEND_USER" } else { "UNSUSPEND_USER" };
            self.log_change(event, "USER_SETTINGS", account.number, &[], ask);
        }
    }

    /// A new password ends sessions and app passwords, and grants that read mail.
    fn set_password(
        &mut self,
        account: &Account,
        new: bool,
        must_change: Option<bool>,
        ask: &Ask<'_>,
        cx: &mut Context,
    ) {
        let after = match (new, must_change.unwrap_or(account.password_due)) {
            (true, true) => "reset_must_change",
            (true, false) => "reset",
            (false, true) => "must_change",
            (false, false) => "set",
        };
        let before = if account.password_due {
            "must_change"
        } else {
            "set"
        };
        if !new && before == after {
            return;
        }
        cx.change("password", &account.id, before, after);
        let change = self.users.change(account.number, cx.now);
        change.password_due = must_change.or(change.password_due);
        if new {
            self.log_change("CHANGE_PASSWORD", "USER_SETTINGS", account.number, &[], ask);
            self.end_app_passwords(account.number, cx);
            self.end_mail_grants(account.number, cx);
        }
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
