//! Google Workspace: the token endpoint, the Directory and Reports API of the Admin SDK, the Cloud
//! Identity Policy API and the Alert Center.
//!
//! Facts: Google's discovery documents and its pages on service accounts, limits, searching users
//! and the logs. Where they are silent the stricter reading is taken.
//!
//! A client is pointed at it by [`crate::Sandbox::google_api_url`] in the place of every host of
//! `googleapis.com`, and by [`crate::Sandbox::google_token_url`]; the key file of a service account
//! is in [`crate::Credentials`].

mod accounts;
mod alerts;
mod domains;
mod error;
mod groups;
mod log;
mod login;
mod operation;
mod page;
mod planted;
mod policies;
mod quota;
mod reports;
mod roles;
mod routes;
mod search;
mod security;
mod settings;
mod units;
mod update;
mod usage;
mod users;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::http::Method;
use serde_json::{Value, json};

use error::{Answer, Refusal};
use groups::Groups;
use log::Logs;
use login::{Login, Subject};
use operation::{Api, Ask, Operation};
pub use planted::PlantedDomain;
use quota::Quota;
use roles::Roles;
pub(crate) use settings::{
    DomainChange, NewActivities, ServiceAccountChange, UnitChange, UserChange,
};
use units::Units;
use users::Users;

use crate::{
    faults::FaultKind,
    rendered::Rendered,
    request::{Call, Context, Reply, Route, changes, reads},
    rng::Rng,
    scenario::Cast,
    token::Sealer,
};

/// Where suspicious sign-ins come from.
const FOREIGN_ADDRESS: &str = "203.0.113.66";

pub(crate) struct Google {
    pub(crate) login: Login,
    users: Users,
    units: Units,
    groups: Groups,
    roles: Roles,
    logs: Logs,
    policies: Vec<Value>,
    alerts: Vec<Value>,
    quota: Quota,
    sealer: Sealer,
    rng: Rng,
    /// Services that are not switched on in the project.
    apis_off: BTreeSet<String>,
    rendered: Rendered,
    orders: HashMap<&'static str, Vec<u32>>,
    planted: PlantedDomain,
}

/// How large a domain is, beside the people of the cast.
#[derive(Debug, Clone, Default)]
pub(crate) struct Size {
    pub(crate) users: usize,
    /// Events in the log of administrators; a few for each account where absent.
    pub(crate) admin_events: Option<usize>,
    /// Whether pages of users and activities are kept as bytes once rendered.
    pub(crate) keep_pages: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Token,
    Operation(&'static Operation),
}

impl Google {
    pub(crate) fn new(seed: u64, cast: Arc<Cast>, size: &Size, base: &str) -> Self {
        let mut rng = Rng::new(seed, "google");
        let project = format!("acme-protect-{}", rng.hex(6));
        let sealer = Sealer::new(&rng.hex(64));
        let users = Users::new(seed, cast, size.users);
        let groups = Groups::new(seed);
        let events = size.admin_events.unwrap_or(users.len() * 3);
        let units = Units::new(seed);
        let mut made = Self {
            policies: policies::policies(seed, &users.customer, &units, groups.id(0)),
            alerts: Vec::new(),
            login: Login::new(seed, format!("{base}/google/token"), &project),
            units,
            roles: Roles::new(&users, groups.id(0)),
            logs: Logs::new(&users, events),
            groups,
            users,
            quota: Quota::default(),
            sealer,
            rng,
            apis_off: BTreeSet::new(),
            rendered: Rendered::new(size.keep_pages),
            orders: HashMap::new(),
            planted: PlantedDomain::default(),
        };
        made.planted = made.plant();
        made.plant_alerts();
        made
    }

    pub(crate) fn planted(&self) -> PlantedDomain {
        self.planted.clone()
    }

    /// The address of the administrator whose rights are used.
    pub(crate) fn subject(&self) -> String {
        self.users.email(users::SUBJECT)
    }

    pub(crate) fn customer(&self) -> &str {
        &self.users.customer
    }

    /// How things are, for tests to look at: what was changed, not a hundred thousand accounts.
    pub(crate) fn snapshot(&self) -> Value {
        let changed: Vec<Value> = self
            .users
            .changes
            .keys()
            .filter_map(|number| self.users.account(*number))
            .map(|it| json!({"id": it.id, "primaryEmail": it.email, "suspended": it.suspended}))
            .collect();
        let events: HashMap<&str, usize> = ["admin", "login", "token", "user_accounts"]
            .into_iter()
            .map(|it| (it, self.logs.len(it)))
            .collect();
        json!({
            "customer_id": self.users.customer,
            "users": self.users.len(),
            "super_admins": self.roles.super_admins().collect::<BTreeSet<_>>().len(),
            "changed_users": changed,
            "events": events,
            "policies": self.policies.len(),
            "alerts": self.alerts.len(),
            "apis_off": self.apis_off,
        })
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        if call.path()[..] == ["token"] && call.method == Method::POST {
            return reads(Endpoint::Token, "/token");
        }
        let operation = routes::find(&call.method, &call.segments)?;
        if operation.changing() {
            return changes(Endpoint::Operation(operation), operation.template);
        }
        reads(Endpoint::Operation(operation), operation.template)
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        cx.tenant = Some(self.users.customer.clone());
        match endpoint {
            Endpoint::Token => {
                let users = &self.users;
                self.login
                    .token(call, |address| subject(users, address), cx)
            }
            Endpoint::Operation(operation) => {
                let answer = self.operate(operation, call, cx);
                answer.unwrap_or_else(|refusal| refusal.into_reply(operation.api))
            }
        }
    }

    /// An error as the service behind this endpoint prints it.
    pub(crate) fn error(endpoint: Option<Endpoint>, status: u16) -> Reply {
        match endpoint {
            Some(Endpoint::Token) => login::by_status(status),
            Some(Endpoint::Operation(operation)) => error::by_status(operation.api, status),
            None => error::by_status(Api::Directory, status),
        }
    }

    /// Who asks, whether the API is on, for what, how often, and with whose rights: in this order.
    fn operate(&mut self, operation: &'static Operation, call: &Call, cx: &mut Context) -> Answer {
        let Some(grant) = self.login.tokens.check(call, cx) else {
            return Err(Refusal::unauthenticated());
        };
        let (account, subject) = (grant.account, grant.subject);
        let opened = grant.has(operation.scopes);
        let service = operation.api.service();
        if self.apis_off.contains(service) || cx.struck.has(FaultKind::ApiSwitchedOff) {
            return Err(Refusal::switched_off(operation.api, &self.login.project));
        }
        if !opened {
            return Err(Refusal::insufficient_scope(operation.api));
        }
        let subject = self.acting(subject, operation.api)?;
        let ask = Ask {
            call,
            operation,
            ids: operation.fits(&call.segments).unwrap_or_default(),
            subject,
            now: cx.now,
        };
        ask.check_parameters(cx);
        self.quota.take((account, subject), &ask, cx)?;
        (operation.act)(self, &ask, cx)
    }

    /// The administrator whose rights are used: a suspended one has none, and policies are for super
    /// administrators alone.
    fn acting(&self, subject: Option<usize>, api: Api) -> Result<usize, Refusal> {
        let number = subject.ok_or_else(Refusal::forbidden)?;
        let account = self.users.account(number);
        if account.is_none_or(|it| it.suspended) {
            return Err(Refusal::unauthenticated());
        }
        let rank = self.roles.rank(number);
        let may = match api {
            Api::Policy => rank.super_admin,
            _ => rank.is_admin(),
        };
        may.then_some(number).ok_or_else(Refusal::forbidden)
    }

    fn version(&self) -> usize {
        self.users.version + self.logs.version
    }

    fn etag(&self, request: &str) -> String {
        let tag = self.sealer.seal("google etag", &(request, self.version()));
        tag.chars()
            .filter(char::is_ascii_alphanumeric)
            .take(24)
            .collect()
    }
}

fn subject(users: &Users, address: &str) -> Subject {
    if !domains::has_address(address) {
        return Subject::Elsewhere;
    }
    let account = users.number(address).and_then(|it| users.account(it));
    match account {
        None => Subject::Unknown,
        Some(account) if account.suspended => Subject::Suspended,
        Some(account) => Subject::Known(account.number),
    }
}
