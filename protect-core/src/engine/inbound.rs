//! What comes in: finds the route and the tenant of a request, knows its caller, and has it answered.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use ::http::header::ALLOW;
use ::http::{HeaderName, HeaderValue, Method, StatusCode};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::authenticate::{once_key, put_once};
use super::{Engine, Tenant};
use crate::clock::later;
use crate::connector::{Connector, OpContext};
use crate::error::{Error, ErrorKind, Result};
use crate::inbound::{
    Access, Inbound, InboundAnswer, InboundRequest, Route, TenantFrom, body_too_large, refusal,
};
use crate::model::{Actor, TenantId};
use crate::secret::{ExposeSecret, SecretRef};
use crate::store::{Commit, RecordKind};

/// Below this path each connector's mounted routes stand: `/in/{tenant}/{connector}/...`.
const MOUNT: &str = "/in/";

/// Routes that a part of the engine answers, for every tenant alike: what the workforce serves, what a
/// page shows.
#[async_trait]
pub trait TenantRoutes: Debug + Send + Sync + 'static {
    /// What it answers. [`TenantFrom::Mount`] is for connectors alone.
    fn routes(&self) -> &[Route];

    /// The kind of connector whose [`Inbound::integration_keys`] open the routes, and whose
    /// [`Inbound::tenant_alias`] names the tenant. A tenant without one has none of the routes that
    /// take a key.
    fn key_kind(&self) -> Option<&str> {
        None
    }

    /// Answers one request. `cx.actor` is who calls.
    ///
    /// # Errors
    /// Each becomes an answer with the fitting status.
    async fn handle(
        &self,
        tenant: &Tenant,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer>;
}

/// Somebody who has a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// In which tenant.
    pub tenant: TenantId,
    /// Who.
    pub actor: Actor,
}

impl Engine {
    /// Answers a request that came in; `session` is who signed in, where somebody did. What goes wrong
    /// becomes an answer, too, and a line in the log that holds nothing of the request but its route.
    pub async fn receive(
        &self,
        request: InboundRequest,
        session: Option<&Caller>,
    ) -> InboundAnswer {
        let found = match self.find(&request, session) {
            Ok(found) => found,
            Err(unrouted) => return unrouted.answer(),
        };
        let name = found.first().map_or("", |found| found.route.name);
        match choose_and_handle(found, request, session).await {
            Ok(answer) => answer,
            Err(Refused { tenant, error }) => {
                let answer = refusal(&error);
                let status = answer.status.as_u16();
                let tenant = tenant.as_ref().map(tracing::field::display);
                if answer.status.is_server_error() {
                    tracing::error!(tenant, route = name, status, error = %error, "a request could not be answered");
                } else {
                    tracing::warn!(tenant, route = name, status, kind = %error.kind(), "a request was refused");
                }
                answer
            }
        }
    }

    /// The most bytes that a body for this method and path may have; `None` where nothing answers
    /// there. Whoever reads bodies from the network asks before it reads one.
    pub fn body_limit(&self, method: &Method, path: &str) -> Option<usize> {
        let routes = self.matching(path).into_iter();
        let fitting = routes.filter(|found| is_method(&found.route, method));
        fitting.map(|found| found.route.body_limit).max()
    }

    /// Whether what answers there changes something on behalf of a session: a browser's request must
    /// then prove where it comes from.
    pub fn is_change_by_session(&self, method: &Method, path: &str) -> bool {
        self.matching(path).iter().any(|found| {
            is_method(&found.route, method)
                && found.route.changes
                && found.route.access.needs_session()
        })
    }

    /// Every route that this could be for, of the right method.
    fn find(
        &self,
        request: &InboundRequest,
        session: Option<&Caller>,
    ) -> Result<Vec<Found>, Unrouted> {
        let mut matching = self.matching(&request.path);
        if let Some(session) = session {
            // A session is of one tenant, and so are the routes that go by it.
            matching.retain(|found| {
                found.route.tenant != TenantFrom::Session || *found.tenant.id() == session.tenant
            });
        }
        if matching.is_empty() {
            return Err(Unrouted::Path);
        }
        let methods = matching.iter().map(|found| found.route.method.to_string());
        let methods: BTreeSet<String> = methods.collect();
        matching.retain(|found| is_method(&found.route, &request.method));
        if matching.is_empty() {
            return Err(Unrouted::Method(methods));
        }
        Ok(matching)
    }

    fn matching(&self, path: &str) -> Vec<Found> {
        if let Some(mounted) = path.strip_prefix(MOUNT) {
            return self.mounted(mounted).unwrap_or_default();
        }
        let mut found = Vec::new();
        for tenant in self.tenants() {
            for connector in tenant.connectors() {
                let Some(inbound) = connector.as_inbound() else {
                    continue;
                };
                let by = || Handler::Connector(Arc::clone(connector));
                tenant.add_matching(inbound.routes(), path, by, &mut found);
            }
            for area in self.areas.iter() {
                let by = || Handler::Area(Arc::clone(area));
                tenant.add_matching(area.routes(), path, by, &mut found);
            }
        }
        found
    }

    fn mounted(&self, path: &str) -> Option<Vec<Found>> {
        let (tenant, rest) = path.split_once('/')?;
        let tenant = self.tenant(tenant).ok()?;
        let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let path = format!("/{rest}");
        let connector = tenant.connector(&name.parse().ok()?).ok()?;
        let routes = connector.as_inbound()?.routes().iter();
        let mounted = routes.filter(|route| route.tenant == TenantFrom::Mount);
        let found = mounted.filter_map(|route| {
            Some(Found {
                parameters: route.matches(&path)?,
                tenant: tenant.clone(),
                by: Handler::Connector(Arc::clone(connector)),
                route: route.clone(),
            })
        });
        Some(found.collect())
    }
}

/// A route of one tenant that a request could be for.
#[derive(Debug)]
struct Found {
    tenant: Tenant,
    by: Handler,
    route: Route,
    parameters: BTreeMap<String, String>,
}

#[derive(Debug)]
enum Handler {
    Connector(Arc<dyn Connector>),
    Area(Arc<dyn TenantRoutes>),
}

/// Why nothing answers.
enum Unrouted {
    Path,
    Method(BTreeSet<String>),
}

impl Unrouted {
    fn answer(self) -> InboundAnswer {
        match self {
            Self::Path => refusal(&Error::new(ErrorKind::NotFound, "there is nothing here")),
            Self::Method(allowed) => {
                let allowed = allowed.into_iter().collect::<Vec<_>>().join(", ");
                let body = json!({
                    "error": format!("the method is not allowed here; there is: {allowed}"),
                    "code": "METHOD_NOT_ALLOWED",
                });
                let answer = InboundAnswer::bytes("application/json", body.to_string())
                    .with_status(StatusCode::METHOD_NOT_ALLOWED);
                match HeaderValue::try_from(allowed) {
                    Ok(allowed) => answer.with_header(ALLOW, allowed),
                    Err(_) => answer,
                }
            }
        }
    }
}

/// Why a request is refused, and whose it was as far as it said so.
struct Refused {
    tenant: Option<TenantId>,
    error: Error,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            tenant: None,
            error,
        }
    }
}

/// Of the routes that a request could be for, has the one answer whose tenant it names and whose caller
/// it knows.
async fn choose_and_handle(
    found: Vec<Found>,
    mut request: InboundRequest,
    session: Option<&Caller>,
) -> Result<InboundAnswer, Refused> {
    let limit = found.iter().map(|found| found.route.body_limit).max();
    if limit.is_some_and(|limit| request.body.len() > limit) {
        return Err(body_too_large(limit.unwrap_or_default()).into());
    }
    let mut refused: Option<Refused> = None;
    for found in found {
        if !found.is_named_by(&request)? {
            continue;
        }
        request.parameters.clone_from(&found.parameters);
        let by_tenant = |error| Refused {
            tenant: Some(found.tenant.id().clone()),
            error,
        };
        match found.authenticate(&request, session).await {
            Ok(actor) => return found.handle(actor, &request).await.map_err(by_tenant),
            Err(error) => refused = refused.or_else(|| Some(by_tenant(error))),
        }
    }
    // A tenant that is not here is answered as a key that is wrong: nobody can ask for names.
    Err(refused.unwrap_or_else(|| wrong_key().into()))
}

impl Found {
    /// Whether a request is for this tenant, as far as it says so.
    fn is_named_by(&self, request: &InboundRequest) -> Result<bool> {
        let (field, named) = match &self.route.tenant {
            TenantFrom::Mount | TenantFrom::Session => return Ok(true),
            TenantFrom::Query(name) => (name, request.query(name).map(str::to_owned)),
            TenantFrom::Body(member) => (member, request.body_text(member)),
        };
        let named = named.filter(|named| !named.is_empty()).ok_or_else(|| {
            Error::invalid_input(format!("`{field}` is missing")).with_context("field", field)
        })?;
        let holder = self.key_holder();
        let alias = holder.map_or_else(|| self.tenant.id().as_str(), Inbound::tenant_alias);
        Ok(alias == named)
    }

    /// The connector whose keys open the route.
    fn key_holder(&self) -> Option<&dyn Inbound> {
        match &self.by {
            Handler::Connector(connector) => connector.as_inbound(),
            Handler::Area(area) => {
                let kind = area.key_kind()?;
                let mut connectors = self.tenant.connectors().iter();
                let holder = connectors.find(|connector| connector.info().kind == kind)?;
                holder.as_inbound()
            }
        }
    }

    async fn authenticate(
        &self,
        request: &InboundRequest,
        session: Option<&Caller>,
    ) -> Result<Actor> {
        match &self.route.access {
            Access::Open => Ok(Actor::service("anonymous", Actor::UNVERIFIED)),
            // Verified where it is handled, since the connector is told on whose behalf.
            Access::Signed => Ok(Actor::service(self.caller(), "signature")),
            Access::IntegrationKey { header } => {
                self.know_key(request, header).await?;
                Ok(Actor::service(self.caller(), "integration_key"))
            }
            Access::SignedIn => Ok(signed_in(session)?.actor.clone()),
            Access::Permission(permission) => {
                let actor = &signed_in(session)?.actor;
                actor.need(*permission)?;
                Ok(actor.clone())
            }
        }
    }

    /// What a program that calls is named.
    fn caller(&self) -> String {
        let holder = self.key_holder().map(|holder| holder.info().name.as_str());
        holder.unwrap_or(self.route.name).to_owned()
    }

    async fn know_key(&self, request: &InboundRequest, header: &HeaderName) -> Result<()> {
        let given = request.headers.get(header).ok_or_else(wrong_key)?;
        let keys = self.key_holder().map_or(&[][..], Inbound::integration_keys);
        if keys.is_empty() {
            tracing::warn!(
                route = self.route.name,
                tenant = %self.tenant.id(),
                "no `inbound_key` is configured, so nobody can call this"
            );
        }
        let mut unread = None;
        for key in keys {
            match self.is_key(key, given).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) => unread = Some(error),
            }
        }
        Err(unread.unwrap_or_else(wrong_key))
    }

    async fn is_key(&self, key: &SecretRef, given: &HeaderValue) -> Result<bool> {
        let key = self.tenant.context().secrets.resolve(key).await?;
        let key = key.expose_secret().as_bytes();
        Ok(!key.is_empty() && bool::from(key.ct_eq(given.as_bytes())))
    }

    async fn handle(&self, actor: Actor, request: &InboundRequest) -> Result<InboundAnswer> {
        let cx = self.tenant.op(actor, self.tenant.vendor_budget());
        match &self.by {
            Handler::Area(area) => area.handle(&self.tenant, &cx, request).await,
            Handler::Connector(connector) => {
                let inbound = connector.as_inbound().ok_or_else(wrong_key)?;
                match self.route.access {
                    Access::Signed => self.tenant.receive_message(inbound, &cx, request).await,
                    _ => self.tenant.hand_over(inbound, &cx, request).await,
                }
            }
        }
    }
}

/// What is kept of a message that was handled.
#[derive(Deserialize)]
struct Received {
    signed_at: Option<Timestamp>,
}

impl Tenant {
    fn add_matching(
        &self,
        routes: &[Route],
        path: &str,
        by: impl Fn() -> Handler,
        found: &mut Vec<Found>,
    ) {
        for route in routes {
            if route.tenant == TenantFrom::Mount {
                continue;
            }
            if let Some(parameters) = route.matches(path) {
                found.push(Found {
                    tenant: self.clone(),
                    by: by(),
                    route: route.clone(),
                    parameters,
                });
            }
        }
    }

    /// Has a connector answer, takes what it was told is wrong, and looks up what it was told has moved.
    async fn hand_over(
        &self,
        inbound: &dyn Inbound,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        let mut answer = inbound.handle(cx, request).await?;
        let observations = std::mem::take(&mut answer.observations);
        if !observations.is_empty() {
            self.observe(&inbound.info().name, observations).await?;
            self.triage().await?;
        }
        for news in std::mem::take(&mut answer.news) {
            self.look_again(&inbound.info().name, news).await?;
        }
        Ok(answer)
    }

    /// Handles a signed message once. One that its sender repeats, because our answer was lost, is
    /// acknowledged and not handled again; a copy of one, whose time is that of the first, is refused.
    async fn receive_message(
        &self,
        inbound: &dyn Inbound,
        cx: &OpContext,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        let message = inbound.verify(cx, request).await?;
        let connector = inbound.info().name.as_str();
        let what = ["message", connector, &message.id];
        let known = self
            .read::<Received>(RecordKind::Once, &once_key(&what))
            .await?;
        if let Some(known) = known {
            if known.value.signed_at == message.signed_at {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "this message was received before",
                ));
            }
            return InboundAnswer::json(&json!({ "status": "already_received" }));
        }
        let answer = self.hand_over(inbound, cx, request).await?;
        let until = later(self.now(), message.remember);
        let put = put_once(&what, message.signed_at, until)?;
        let commit = self.forgetting(Commit::default().put(put)).await?;
        match self.store().commit(self.id(), commit).await {
            // Somebody else handled the same message meanwhile.
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(answer),
            result => result.map(|_| answer),
        }
    }
}

fn signed_in(session: Option<&Caller>) -> Result<&Caller> {
    session.ok_or_else(|| {
        Error::new(
            ErrorKind::Unauthenticated,
            "sign in first; your session may have ended",
        )
    })
}

fn wrong_key() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "the key is missing or wrong, or not for this tenant; compare it on both sides",
    )
}

/// `HEAD` is answered like `GET`.
fn is_method(route: &Route, method: &Method) -> bool {
    route.method == *method || (*method == Method::HEAD && route.method == Method::GET)
}
