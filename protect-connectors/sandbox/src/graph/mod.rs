//! Microsoft 365: the Entra token endpoint, Microsoft Graph v1.0, and Azure Key Vault.
//!
//! Facts: Microsoft's pages on the client credentials grant, certificate credentials, Graph's
//! paging, query parameters, batching, throttling limits and errors, and the reference of each
//! operation. Where they are silent the stricter reading is taken.

mod accounts;
mod assertion;
mod batch;
mod delta;
mod documents;
mod error;
mod filter;
mod generate;
mod login;
mod methods;
mod operation;
mod page;
mod protection;
mod query;
mod report;
mod risk;
mod routes;
mod settings;
mod store;
mod throttle;
mod users;
mod vault;

use std::sync::Arc;

use axum::http::Method;
use serde_json::{Value, json};

pub(crate) use batch::Answers;
use error::{Answer, Refusal};
pub use generate::PlantedTenant;
use login::Login;
use operation::{Act, Ask, Licence, Operation};
use page::Rows;
use query::Options;
pub(crate) use settings::{AccountChange, ApplicationChange, TenantChange};
use store::Store;
use throttle::Throttle;
use users::{Account, Users};
use vault::{Secret, Vault};

use crate::{
    faults::FaultKind,
    rendered::Rendered,
    request::{Call, Context, Reply, Route, changes, reads},
    rng::Rng,
    scenario::Cast,
    token::Sealer,
};

pub(crate) struct Graph {
    /// The root of Graph, below which `/v1.0` is.
    root: String,
    pub(crate) tenant: String,
    pub(crate) login: Login,
    vault: Vault,
    users: Users,
    store: Store,
    throttle: Throttle,
    sealer: Sealer,
    rng: Rng,
    planted: PlantedTenant,
    /// Whether a password must be sent for its change to be forced.
    force_change_needs_password: bool,
    /// Whether usage reports show names as hashes.
    conceals_names: bool,
    rendered: Rendered,
}

/// How large a tenant is, beside the people of the cast.
#[derive(Debug, Clone, Default)]
pub(crate) struct Size {
    pub(crate) users: usize,
    pub(crate) policies: usize,
    /// Whether pages of users are kept as bytes once rendered.
    pub(crate) keep_pages: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Token,
    Secret,
    Download,
    Batch,
    Operation(&'static Operation),
}

impl Graph {
    pub(crate) fn new(
        seed: u64,
        cast: Arc<Cast>,
        size: &Size,
        base: &str,
        secrets: &[(&'static str, &str)],
    ) -> Self {
        let mut rng = Rng::new(seed, "graph");
        let tenant = rng.uuid();
        let root = format!("{base}/m365/graph");
        let roots = [
            format!("{base}/m365/login"),
            root.clone(),
            format!("{base}/m365/vault"),
        ];
        let sealer = Sealer::new(&rng.hex(64));
        let applications = generate::applications(&mut rng);
        let users = Users::new(seed, cast, size.users);
        let made = generate::tenant(seed, &users, &applications, size, &tenant);
        let secrets = secrets.iter().map(|(name, value)| Secret {
            name,
            value: (*value).to_owned(),
            version: rng.hex(32),
            enabled: true,
        });
        Self {
            vault: Vault::new(&roots[2], secrets.collect()),
            login: Login::new(
                &tenant,
                &[crate::DOMAIN, users::TENANT_DOMAIN],
                applications,
                roots,
                Rng::new(seed, "graph tokens"),
            ),
            throttle: Throttle::new(&tenant, users.len()),
            root,
            tenant,
            users,
            store: made.store,
            planted: made.planted,
            sealer,
            rng,
            force_change_needs_password: false,
            conceals_names: false,
            rendered: Rendered::new(size.keep_pages),
        }
    }

    pub(crate) fn planted(&self) -> PlantedTenant {
        self.planted.clone()
    }

    /// How things are, for tests to look at: what was changed, not half a million accounts.
    pub(crate) fn snapshot(&self) -> Value {
        let changed: Vec<Value> = self
            .users
            .changes
            .keys()
            .filter_map(|number| self.users.account(*number))
            .map(|it| json!({"id": it.id, "userPrincipalName": it.upn, "accountEnabled": it.enabled}))
            .collect();
        json!({
            "tenant_id": self.tenant,
            "users": self.users.len(),
            "changed_users": changed,
            "risky_users": self.store.list("riskyUsers"),
            "role_assignments": self.store.list("roleAssignments").len(),
        })
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        use Endpoint as E;
        let get = call.method == Method::GET;
        let post = call.method == Method::POST;
        match call.path()[..] {
            ["login", _, "oauth2", "v2.0", "token"] if post => {
                reads(E::Token, "/{tenant}/oauth2/v2.0/token")
            }
            ["vault", "secrets", _] | ["vault", "secrets", _, _] if get => {
                reads(E::Secret, "/secrets/{name}")
            }
            ["reports", _] if get => reads(E::Download, "/reports/{name}"),
            ["graph", "v1.0", "$batch" | "%24batch"] if post => reads(E::Batch, "/$batch"),
            ["graph", "v1.0", ..] => {
                let operation = routes::find(&call.method, &call.segments[2..])?;
                if operation.changing() {
                    return changes(E::Operation(operation), operation.template);
                }
                reads(E::Operation(operation), operation.template)
            }
            _ => None,
        }
    }

    /// `None` for a batch, whose members come one by one.
    pub(crate) fn handle(
        &mut self,
        endpoint: Endpoint,
        call: &Call,
        cx: &mut Context,
    ) -> Option<Reply> {
        Some(match endpoint {
            Endpoint::Token => self.login.token(call, cx),
            Endpoint::Secret => self.vault.secret(&self.login, call, cx),
            Endpoint::Download => self.download(call, cx),
            Endpoint::Batch => return None,
            Endpoint::Operation(operation) => {
                let answer = self.operate(operation, call, cx);
                answer.unwrap_or_else(Refusal::into_reply)
            }
        })
    }

    /// Puts the identifiers of the request on what Graph itself answers.
    pub(crate) fn stamp(&mut self, call: &Call, reply: &mut Reply, cx: &Context) {
        if call.segments.first().is_some_and(|part| part == "graph") {
            let id = self.rng.uuid();
            error::stamp(reply, &id, call.header("client-request-id"), cx.now);
        }
    }

    /// An error as the service behind this endpoint prints it.
    pub(crate) fn error(endpoint: Option<Endpoint>, status: u16, message: &str) -> Reply {
        match endpoint {
            Some(Endpoint::Token) => login::by_status(status),
            Some(Endpoint::Secret) => vault::error(status, "Error", message),
            _ => error::by_status(status, message),
        }
    }

    /// Who asks, how often, for what, whether they may and whether the tenant has it: in this order.
    fn operate(&mut self, operation: &'static Operation, call: &Call, cx: &mut Context) -> Answer {
        let Some(grant) = self.login.tokens.check(call, cx) else {
            return Err(unauthenticated());
        };
        cx.tenant = Some(self.tenant.clone());
        if grant.audience != login::Audience::Graph {
            cx.violate("token_audience", "the token is for another resource");
            return Err(unauthenticated());
        }
        let (granted, denied) = (Arc::clone(&grant.roles), Arc::clone(&grant.denied));
        let application = &self.login.applications[grant.application];
        let options = Options::parse(call, &operation.query(), cx)?;
        let taken = self
            .throttle
            .take(&application.client_id, operation, &options, cx)?;
        let ask = Ask {
            call,
            operation,
            ids: operation.fits(&call.segments[2..]).unwrap_or_default(),
            options,
            granted: &granted,
            denied: &denied,
            principal: application.principal.clone(),
            now: cx.now,
        };
        if !operation.permissions.is_empty() {
            ask.need(operation.permissions, cx)?;
        }
        self.check_licence(operation, cx)?;
        self.act(&ask, cx).map(|reply| taken.tell(reply))
    }

    fn act(&mut self, ask: &Ask<'_>, cx: &mut Context) -> Answer {
        match &ask.operation.act {
            Act::Stored(name, _) => {
                let rows = Rows::of(self.store.list(name).iter().collect());
                self.page(ask, rows, cx)
            }
            Act::Children { of, by, .. } => {
                let rows = Rows::of(self.store.children(of, by, ask.id(0)));
                self.page(ask, rows, cx)
            }
            Act::Item(name, field) => {
                let document = self.store.find(name, field, ask.id(0));
                let document = document.ok_or_else(Refusal::not_found)?.clone();
                self.one(ask, document, None, cx)
            }
            Act::Single(name) => {
                let document = self.store.read_single(name);
                let document = document.ok_or_else(Refusal::not_found)?;
                self.one(ask, document, None, cx)
            }
            Act::Call(call, _) => call(self, ask, cx),
        }
    }

    /// One object, as it was selected.
    fn one(
        &self,
        ask: &Ask<'_>,
        document: Value,
        defaults: Option<&[&str]>,
        cx: &mut Context,
    ) -> Answer {
        ask.options
            .check_select(|name| document.get(name).is_some(), cx)?;
        let mut body = ask.options.shown(document, defaults);
        body["@odata.context"] = Value::from(self.context(ask));
        Ok(Reply::json(200, &body))
    }

    /// The account with this identifier or principal name.
    fn account(&self, id: &str) -> Result<Account, Refusal> {
        let number = self.users.number(id).ok_or_else(Refusal::not_found)?;
        self.users.account(number).ok_or_else(Refusal::not_found)
    }

    fn check_licence(&self, operation: &Operation, cx: &Context) -> Result<(), Refusal> {
        let missing = cx.struck.has(FaultKind::LicenceMissing);
        let lacks = |licence: Licence| missing || !self.has_plan(licence.plan());
        match operation.licence {
            Some(licence) if lacks(licence) => Err(licence.refusal()),
            None if missing => Err(Licence::Protection.refusal()),
            _ => Ok(()),
        }
    }

    fn has_plan(&self, plan: &str) -> bool {
        let skus = self.store.list("subscribedSkus").iter();
        skus.filter_map(|sku| sku["servicePlans"].as_array())
            .flatten()
            .any(|it| it["servicePlanName"] == plan && it["provisioningStatus"] == "Success")
    }
}

impl Licence {
    fn plan(self) -> &'static str {
        match self {
            Self::Premium => "AAD_PREMIUM",
            Self::Protection | Self::Privileged => "AAD_PREMIUM_P2",
        }
    }

    fn refusal(self) -> Refusal {
        match self {
            Self::Premium => Refusal::new(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license.",
            ),
            Self::Protection => {
                let message = "Your tenant is not licensed for this feature.";
                Refusal::new(403, "Forbidden", message)
            }
            Self::Privileged => Refusal::new(
                400,
                "AadPremiumLicenseRequired",
                "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance \
                 license.",
            ),
        }
    }
}

fn unauthenticated() -> Refusal {
    let message = "Access token has expired or is not yet valid.";
    Refusal::new(401, "InvalidAuthenticationToken", message).with(
        "www-authenticate",
        "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\"",
    )
}
