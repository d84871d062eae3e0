use std::collections::BTreeMap;

use ::http::{HeaderName, Method};
use percent_encoding::percent_decode_str;

use crate::model::Permission;

/// How large a body may be where a route does not say: 1 MiB.
pub const DEFAULT_BODY_LIMIT: usize = 1024 * 1024;

/// The platform's header for keys between products
/// (<https://docs.theonestack.com/docs/api-reference/errors>).
const INTEGRATION_KEY: HeaderName = HeaderName::from_static("x-integration-key");

/// One thing that can be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it is called in logs: `<kind>.<what>`.
    pub name: &'static str,
    /// The method. `HEAD` is answered like `GET`.
    pub method: Method,
    /// The path. `{name}` stands for one segment.
    pub path: String,
    /// How the tenant is known.
    pub tenant: TenantFrom,
    /// How the caller is known.
    pub access: Access,
    /// The most bytes that a body may have.
    pub body_limit: usize,
    /// Whether it changes something: then a browser's request must prove where it comes from.
    pub changes: bool,
}

impl Route {
    /// A route that reads. Until it says otherwise, the caller has a session, which says the tenant.
    pub fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Method::GET, path.into(), false)
    }

    /// A route that changes something.
    pub fn post(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Method::POST, path.into(), true)
    }

    fn new(name: &'static str, method: Method, path: String, changes: bool) -> Self {
        Self {
            name,
            method,
            path,
            tenant: TenantFrom::Session,
            access: Access::SignedIn,
            body_limit: DEFAULT_BODY_LIMIT,
            changes,
        }
    }

    /// Another method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// How the tenant is known.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantFrom) -> Self {
        self.tenant = tenant;
        self
    }

    /// For those who hold the key, in the platform's header.
    #[must_use]
    pub fn integration_key(self) -> Self {
        self.integration_key_in(INTEGRATION_KEY)
    }

    /// For those who hold the key, in this header.
    #[must_use]
    pub fn integration_key_in(mut self, header: HeaderName) -> Self {
        self.access = Access::IntegrationKey { header };
        self
    }

    /// For those who signed in and have a permission.
    #[must_use]
    pub fn permission(mut self, permission: Permission) -> Self {
        self.access = Access::Permission(permission);
        self
    }

    /// For messages that the connector verifies; mounted below the connector's own name.
    #[must_use]
    pub fn signed(mut self) -> Self {
        self.access = Access::Signed;
        self.tenant = TenantFrom::Mount;
        self
    }

    /// For everybody; mounted below the connector's own name.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.access = Access::Open;
        self.tenant = TenantFrom::Mount;
        self
    }

    /// How large a body may be.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// What the path's `{names}` stand for, where `path` is of this route. Each is one segment, decoded
    /// and not empty.
    pub fn matches(&self, path: &str) -> Option<BTreeMap<String, String>> {
        let mut parameters = BTreeMap::new();
        let mut given = path.split('/');
        for wanted in self.path.split('/') {
            let segment = given.next()?;
            let name = wanted
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match name {
                Some(name) => {
                    let value = percent_decode_str(segment).decode_utf8().ok()?;
                    if value.is_empty() {
                        return None;
                    }
                    parameters.insert(name.to_owned(), value.into_owned());
                }
                None if wanted == segment => {}
                None => return None,
            }
        }
        given.next().is_none().then_some(parameters)
    }
}

/// How the tenant of a request is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TenantFrom {
    /// From where it was sent: the path is `/in/{tenant}/{connector}` with the route's own behind it.
    Mount,
    /// From a parameter of the query, which holds [`Inbound::tenant_alias`](super::Inbound::tenant_alias).
    Query(String),
    /// From a member of the JSON body, which holds the same.
    Body(String),
    /// From the session of whoever signed in.
    Session,
}

impl TenantFrom {
    /// From a parameter of the query.
    pub fn query(name: impl Into<String>) -> Self {
        Self::Query(name.into())
    }

    /// From a member of the JSON body.
    pub fn body(name: impl Into<String>) -> Self {
        Self::Body(name.into())
    }
}

/// How the caller of a route is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Not at all.
    Open,
    /// By a signature that the connector verifies.
    Signed,
    /// By a key that both sides hold, in a header.
    IntegrationKey {
        /// The header.
        header: HeaderName,
    },
    /// By a session, whoever it is: the handler looks at the actor's authority itself.
    SignedIn,
    /// By a session of somebody who has a permission.
    Permission(Permission),
}

impl Access {
    /// Whether a session says who calls.
    pub fn needs_session(&self) -> bool {
        matches!(self, Self::SignedIn | Self::Permission(_))
    }
}
