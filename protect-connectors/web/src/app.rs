//! From a request to a response: who calls, which part answers, and what every response has.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::Timestamp;
use protect_core::engine::{Browser, Caller, Engine, Session, Shown};
use protect_core::inbound::{InboundAnswer, InboundRequest, body_too_large, refusal};
use protect_core::secret::{ExposeSecret, SecretString};
use protect_core::{Error, ErrorKind, Result};

use crate::pages::{self, CLIENT_VIEW, Pages};
use crate::people::PeopleApi;
use crate::{address, api, cookie, csrf, headers, sign_in};

/// Below this path everything of one tenant stands that a session opens.
const TENANT: &str = "/t/";

/// Below this path the connectors' own routes stand.
const MOUNT: &str = "/in/";

/// The largest body of a form.
const FORM_LIMIT: usize = 16 * 1024;

/// What can be said otherwise.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The origin that browsers see (`https://protect.example`), where a proxy hides it.
    pub origin: Option<String>,
    /// Where people begin to sign in, for a link on the page that says they must.
    pub sign_in_url: Option<String>,
    /// How many proxies of one's own stand before it, each of which adds to `X-Forwarded-For` whom it
    /// answers. Without any, the header says what anybody may have written, and is not read.
    pub proxies: usize,
}

/// What comes in, answered over an opened engine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Web {
    engine: Engine,
    pages: Arc<Pages>,
    options: Arc<Options>,
}

/// Who calls, and by what their browser would be made to call too.
pub(crate) struct Visitor {
    pub(crate) session: Session,
    /// What a page of ours sends back with each change; `None` where no browser sends the credential
    /// by itself.
    pub(crate) csrf: Option<String>,
    /// The time of the request.
    pub(crate) now: Timestamp,
}

impl Web {
    /// Answers over this engine.
    pub fn new(engine: &Engine) -> Self {
        Self::with(engine, Options::default())
    }

    /// Answers over this engine, with something said otherwise.
    pub fn with(engine: &Engine, options: Options) -> Self {
        Self {
            engine: engine
                .with_routes(Arc::new(api::Api::new()))
                .with_routes(Arc::new(PeopleApi::new())),
            pages: Arc::new(Pages::new()),
            options: Arc::new(options),
        }
    }

    /// The most bytes of a body that is worth reading, before anybody reads it.
    pub fn body_limit(&self, method: &Method, path: &str) -> usize {
        let (_, path) = split_tenant(path);
        let route = self.engine.body_limit(method, path);
        route.unwrap_or(0).max(FORM_LIMIT)
    }

    /// Answers one request. Nothing goes wrong without a response.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Bytes> {
        let is_head = request.method() == Method::HEAD;
        let mut request = InboundRequest::of(request);
        if self.options.proxies > 0 {
            request.from = address::behind(&request, self.options.proxies);
        }
        let wants_page = wants_page(&request);
        let answer = match Box::pin(self.answer(request)).await {
            Ok(answer) => answer,
            Err(error) if wants_page => self.pages.refusal(&error, &self.options),
            Err(error) => refusal(&error),
        };
        let mut response = Response::from(answer);
        headers::add(&mut response);
        if is_head {
            *response.body_mut() = Bytes::new();
        }
        response
    }

    /// The answer to a body that is larger than [`Web::body_limit`] and was not read.
    pub fn too_large(&self, limit: usize) -> Response<Bytes> {
        let mut response = Response::from(refusal(&body_too_large(limit)));
        headers::add(&mut response);
        response
    }

    /// The answer to a body that came to no end.
    #[cfg(feature = "serve")]
    pub(crate) fn broken_off() -> Response<Bytes> {
        let mut response = Response::from(refusal(&Error::invalid_input("the body broke off")));
        headers::add(&mut response);
        response
    }

    async fn answer(&self, mut request: InboundRequest) -> Result<InboundAnswer> {
        let limit = self.body_limit(&request.method, &request.path);
        if request.body.len() > limit {
            return Err(body_too_large(limit));
        }
        if let Some(answer) = pages::asset(&request.path) {
            return Ok(answer);
        }
        if request.method == Method::GET && sign_in::PATHS.contains(&request.path.as_str()) {
            return sign_in::land(&self.engine, &request).await;
        }
        let visitor = self.visitor(&request).await?;
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/sign-out") => {
                csrf::check(&request, visitor.as_ref(), &self.options)?;
                return sign_in::leave(&self.engine, &request).await;
            }
            ("GET" | "HEAD", "/") => return self.home(visitor.as_ref()),
            _ => {}
        }
        let (tenant, rest) = split_tenant(&request.path);
        let Some(tenant) = tenant.map(str::to_owned) else {
            return self.inbound(request, visitor.as_ref(), None).await;
        };
        request.path = rest.to_owned();
        let visitor = visitor.ok_or_else(sign_in_first)?;
        let caller = visitor.session.caller(&tenant).ok_or_else(not_yours)?;
        if request.path.starts_with("/api/") && request.path != CLIENT_VIEW {
            return self.inbound(request, Some(&visitor), Some(caller)).await;
        }
        if request.method == Method::POST {
            csrf::check(&request, Some(&visitor), &self.options)?;
        }
        let tenant = self.engine.tenant(&tenant)?;
        self.pages
            .answer(&tenant, &caller, &visitor, &request)
            .await
    }

    /// Has a connector, the API or a part of the engine answer.
    async fn inbound(
        &self,
        request: InboundRequest,
        visitor: Option<&Visitor>,
        caller: Option<Caller>,
    ) -> Result<InboundAnswer> {
        let (method, path) = (&request.method, &request.path);
        if self.engine.is_change_by_session(method, path) {
            csrf::check(&request, visitor, &self.options)?;
        }
        let caller = caller.or_else(|| visitor?.session.only_caller());
        Ok(self.engine.receive(request, caller.as_ref()).await)
    }

    /// One tenant's dashboard, or a list to choose from.
    fn home(&self, visitor: Option<&Visitor>) -> Result<InboundAnswer> {
        let visitor = visitor.ok_or_else(sign_in_first)?;
        match visitor.session.only_caller() {
            Some(caller) => see_other(&format!("{TENANT}{}/", caller.tenant)),
            None => self.pages.choose(&self.engine, visitor),
        }
    }

    /// Who calls: by our cookie, a bearer token of Hub, or Hub's own cookie.
    async fn visitor(&self, request: &InboundRequest) -> Result<Option<Visitor>> {
        if request.path.starts_with(MOUNT) {
            // What a connector knows its callers by is the connector's.
            return Ok(None);
        }
        let now = self.engine.context().clock.now();
        let known = |session, csrf| Visitor { session, csrf, now };
        if let Some(token) = cookie::read(request, cookie::SESSION) {
            let session = self.engine.session(&token).await?;
            let csrf = csrf::token(&token);
            return Ok(session.map(|session| known(session, Some(csrf))));
        }
        if let Some(token) = bearer(request) {
            let session = self.session_of_token(&token).await?;
            return Ok(Some(known(session, None)));
        }
        let Some(token) = cookie::read(request, cookie::HUB_SESSION) else {
            return Ok(None);
        };
        match self.session_of_token(&token).await {
            Ok(session) => Ok(Some(known(session, Some(csrf::token(&token))))),
            // A cookie that is over is no reason to refuse what needs no session.
            Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn session_of_token(&self, token: &SecretString) -> Result<Session> {
        // A credential that comes with every request is no sign-in to tell of.
        let unsaid = Browser::default();
        let signed_in = self.engine.sign_in(token, Shown::Always, &unsaid).await?;
        let now = self.engine.context().clock.now();
        Session::of(&signed_in, now).ok_or_else(sign_in_first)
    }
}

/// The tenant of a path below `/t/`, and what stands behind it.
fn split_tenant(path: &str) -> (Option<&str>, &str) {
    let Some(below) = path.strip_prefix(TENANT) else {
        return (None, path);
    };
    match below.find('/') {
        Some(end) => {
            let (tenant, rest) = below.split_at(end);
            (Some(tenant), rest)
        }
        None => (Some(below), "/"),
    }
}

fn bearer(request: &InboundRequest) -> Option<SecretString> {
    let value = request.header(AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| SecretString::from(token.trim()))
}

/// Whether a person looks at it rather than a program.
fn wants_page(request: &InboundRequest) -> bool {
    let accepts = request.header("accept").unwrap_or_default();
    accepts.contains("text/html")
}

pub(crate) fn see_other(path: &str) -> Result<InboundAnswer> {
    let location = HeaderValue::try_from(path)
        .map_err(|_| Error::unexpected("a path of ours cannot stand in a header"))?;
    Ok(InboundAnswer::no_content()
        .with_status(StatusCode::SEE_OTHER)
        .with_header(LOCATION, location))
}

fn sign_in_first() -> Error {
    Error::new(
        ErrorKind::Unauthenticated,
        "sign in first; your session may have ended",
    )
}

/// One and the same for a tenant of others and for none at all.
fn not_yours() -> Error {
    Error::new(ErrorKind::NotFound, "you have no such tenant")
}

impl Visitor {
    /// What the text of a credential is known by, for tests of it.
    pub(crate) fn is_token(&self, given: &str) -> bool {
        self.csrf
            .as_deref()
            .is_some_and(|token| csrf::is_same(token, given))
    }
}

/// For a cookie's value.
pub(crate) fn exposed(token: &SecretString) -> &str {
    token.expose_secret()
}
