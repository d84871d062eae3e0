//! The pages: made here, with no script, from what the engine says. A user of a client sees their own view
//! and nothing else; staff see what their role allows.

mod client;
mod glance;
mod people;
mod portal;
mod staff;
mod style;
mod waiting;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use protect_core::engine::{Caller, Engine, Tenant};
use protect_core::inbound::{InboundAnswer, InboundRequest, refusal};
use protect_core::model::{Authority, Permission};
use protect_core::{Error, ErrorKind, Result};
use serde::Serialize;

use crate::app::{Options, Visitor};

pub(crate) use client::JSON as CLIENT_VIEW;
pub(crate) use style::with_own_styles;

const HTML: &str = "text/html; charset=utf-8";

/// The templates, by name.
const TEMPLATES: &[(&str, &str)] = &[
    ("alerts.html", include_str!("templates/alerts.html")),
    ("base.html", include_str!("templates/base.html")),
    ("client.html", include_str!("templates/client.html")),
    ("choose.html", include_str!("templates/choose.html")),
    ("dashboard.html", include_str!("templates/dashboard.html")),
    ("domains.html", include_str!("templates/domains.html")),
    ("evidence.html", include_str!("templates/evidence.html")),
    ("finding.html", include_str!("templates/finding.html")),
    ("findings.html", include_str!("templates/findings.html")),
    ("glance.html", include_str!("templates/glance.html")),
    ("macros.html", include_str!("templates/macros.html")),
    ("message.html", include_str!("templates/message.html")),
    (
        "people_confirm.html",
        include_str!("templates/people_confirm.html"),
    ),
    (
        "people_directory.html",
        include_str!("templates/people_directory.html"),
    ),
    (
        "people_employee.html",
        include_str!("templates/people_employee.html"),
    ),
    (
        "people_insider.html",
        include_str!("templates/people_insider.html"),
    ),
    (
        "people_leaving.html",
        include_str!("templates/people_leaving.html"),
    ),
    (
        "people_policies.html",
        include_str!("templates/people_policies.html"),
    ),
    (
        "people_task.html",
        include_str!("templates/people_task.html"),
    ),
    (
        "people_workflow.html",
        include_str!("templates/people_workflow.html"),
    ),
    (
        "people_workflows.html",
        include_str!("templates/people_workflows.html"),
    ),
    ("plan.html", include_str!("templates/plan.html")),
    ("plans.html", include_str!("templates/plans.html")),
    ("portal.html", include_str!("templates/portal.html")),
    (
        "portal_chart.html",
        include_str!("templates/portal_chart.html"),
    ),
    (
        "portal_documents.html",
        include_str!("templates/portal_documents.html"),
    ),
    (
        "portal_policy.html",
        include_str!("templates/portal_policy.html"),
    ),
    (
        "portal_profile.html",
        include_str!("templates/portal_profile.html"),
    ),
    (
        "portal_team.html",
        include_str!("templates/portal_team.html"),
    ),
    (
        "portal_time_off.html",
        include_str!("templates/portal_time_off.html"),
    ),
    ("reports.html", include_str!("templates/reports.html")),
    ("start.html", include_str!("templates/start.html")),
];

/// The pages of this build.
#[derive(Debug)]
pub(crate) struct Pages {
    environment: Environment<'static>,
    glances: glance::Glances,
}

/// One request for a page, and for whom it is answered.
pub(super) struct Visit<'a> {
    pub(super) tenant: &'a Tenant,
    pub(super) caller: &'a Caller,
    pub(super) visitor: &'a Visitor,
    pub(super) request: &'a InboundRequest,
    /// Whether the workforce knows them, so that they have pages of an employee.
    pub(super) is_employee: bool,
    /// Whether their role has pages of Human Resources.
    pub(super) has_people: bool,
}

/// A link in the head of a page.
#[derive(Serialize)]
struct Link {
    path: &'static str,
    title: &'static str,
    current: bool,
}

impl Pages {
    pub(crate) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.add_filter("when", when);
        environment.add_filter("words", words);
        environment.add_filter("fact", fact);
        environment.add_filter("hours", hours);
        environment.add_filter("query", query);
        for (name, source) in TEMPLATES {
            if let Err(error) = environment.add_template(name, source) {
                tracing::error!(template = name, error = %error, "a page has a defect");
            }
        }
        Self {
            environment,
            glances: glance::Glances::default(),
        }
    }

    /// Answers a request below a tenant; `request.path` is what stands behind it.
    pub(crate) async fn answer(
        &self,
        tenant: &Tenant,
        caller: &Caller,
        visitor: &Visitor,
        request: &InboundRequest,
    ) -> Result<InboundAnswer> {
        let seen = tenant.workforce_as(&caller.actor).await?;
        let visit = Visit {
            tenant,
            caller,
            visitor,
            request,
            is_employee: seen.own().await?.is_some(),
            has_people: people::is_for(&seen),
        };
        match visit.path().first() {
            Some(&portal::PART) => return portal::answer(self, &visit).await,
            Some(&people::PART) => return people::answer(self, &visit).await,
            _ => {}
        }
        match visit.client() {
            _ if visit.request.path == client::JSON => client::json(&visit).await,
            Some(_) => client::answer(self, &visit).await,
            None => staff::answer(self, &visit).await,
        }
    }

    /// The list of tenants that a session may look after.
    pub(crate) fn choose(&self, engine: &Engine, visitor: &Visitor) -> Result<InboundAnswer> {
        let ids = visitor.session.tenants.keys();
        let known = ids.filter_map(|id| engine.tenant(id.as_str()).ok());
        let tenants: Vec<_> = known
            .map(|tenant| context! { id => tenant.id().as_str(), name => tenant.config().name.as_str() })
            .collect();
        let page = context! {
            title => "Choose",
            tenants => tenants,
            ..bare(visitor)
        };
        self.page("choose.html", page)
    }

    /// What is wrong, as a page.
    pub(crate) fn refusal(&self, error: &Error, options: &Options) -> InboundAnswer {
        let plain = refusal(error);
        let is_ours = plain.status.is_server_error();
        let message = if is_ours {
            "This cannot be shown at the moment. The log of the service says why."
        } else {
            error.message()
        };
        let title = match plain.status {
            StatusCode::UNAUTHORIZED => "Sign in",
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::CONFLICT => "Changed meanwhile",
            StatusCode::BAD_REQUEST => "Not understood",
            _ => "Not possible",
        };
        let page = context! {
            title => title,
            message => message,
            sign_in => options.sign_in_url.as_deref().filter(|_| error.kind() == ErrorKind::Unauthenticated),
            ..nobody()
        };
        match self.page("message.html", page) {
            Ok(page) => InboundAnswer {
                status: plain.status,
                ..page
            },
            Err(_) => plain,
        }
    }

    /// A page of a template.
    pub(super) fn page(&self, template: &str, context: Value) -> Result<InboundAnswer> {
        Ok(InboundAnswer::bytes(HTML, self.render(template, context)?))
    }

    fn render(&self, template: &str, context: Value) -> Result<String> {
        let rendered = self
            .environment
            .get_template(template)
            .and_then(|template| template.render(context));
        rendered.map_err(|error| {
            tracing::error!(template, error = %error, "a page has a defect");
            Error::unexpected("a page has a defect")
        })
    }
}

impl Visit<'_> {
    /// Whose data a user of a client sees.
    pub(super) fn client(&self) -> Option<&protect_core::model::ClientAccess> {
        let authority = self.caller.actor.authority.as_ref()?;
        authority.client.as_ref()
    }

    pub(super) fn may(&self, permission: Permission) -> bool {
        let authority = self.caller.actor.authority.as_ref();
        authority.is_none_or(|authority: &Authority| authority.allows(permission))
    }

    /// The parts of the path.
    pub(super) fn path(&self) -> Vec<&str> {
        self.request.path.trim_matches('/').split('/').collect()
    }

    pub(super) fn is_get(&self) -> bool {
        matches!(self.request.method.as_str(), "GET" | "HEAD")
    }

    /// What every page of a tenant is told, beside its own.
    pub(super) fn common(&self, title: &str, links: &[(&'static str, &'static str)]) -> Value {
        let path = self.path().join("/");
        // The longest link that the page stands below.
        let is_above = |link: &&str| {
            let rest = path.strip_prefix(*link);
            rest.is_some_and(|rest| rest.is_empty() || (!link.is_empty() && rest.starts_with('/')))
        };
        let above = links.iter().map(|(path, _)| *path).filter(is_above);
        let here = above.max_by_key(|link| link.len());
        let links = links.iter().map(|(path, title)| Link {
            path,
            title,
            current: Some(*path) == here,
        });
        context! {
            title => title,
            base => base(self.tenant),
            tenant_name => self.tenant.config().name.as_str(),
            links => links.map(|link| Value::from(Serde(link))).collect::<Vec<_>>(),
            several => self.visitor.session.tenants.len() > 1,
            has_portal => self.is_employee,
            has_people => self.has_people,
            has_security => self.client().is_some() || self.may(Permission::FindingsView),
            ..bare(self.visitor)
        }
    }
}

/// Below which path a tenant's pages stand. Its id has no character that would have to be escaped.
fn base(tenant: &Tenant) -> Value {
    Value::from_safe_string(format!("/t/{}/", tenant.id()))
}

/// What a page outside any tenant is told.
fn bare(visitor: &Visitor) -> Value {
    context! {
        user => visitor.session.name.as_str(),
        csrf => visitor.csrf.as_deref().unwrap_or_default(),
        ..nobody()
    }
}

fn nobody() -> Value {
    let none: Vec<Value> = Vec::new();
    context! {
        base => "/",
        tenant_name => "",
        links => none,
        is_client => false,
        is_portal => false,
        is_people => false,
        has_portal => false,
        has_people => false,
        has_security => false,
        several => false,
        user => "",
        csrf => "",
    }
}

/// What is asked for is not there.
pub(super) fn nothing_here() -> Error {
    Error::new(ErrorKind::NotFound, "there is no such page")
}

/// Content that never changes while the program runs.
pub(crate) fn asset(path: &str) -> Option<InboundAnswer> {
    let (content, bytes): (_, &'static [u8]) = match path {
        "/assets/style.css" => (
            "text/css; charset=utf-8",
            include_bytes!("templates/style.css"),
        ),
        "/assets/icon.svg" => ("image/svg+xml", include_bytes!("templates/icon.svg")),
        _ => return None,
    };
    let kept = HeaderValue::from_static("public, max-age=300");
    let answer = InboundAnswer::bytes(content, Bytes::from_static(bytes));
    Some(answer.with_header(CACHE_CONTROL, kept))
}

/// A time for people, in UTC.
fn when(time: &str) -> String {
    match time.parse::<Timestamp>() {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => time.to_owned(),
    }
}

/// A name of ours for people: `credential_exposure` reads `credential exposure`.
fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// Hours with as many digits as they have, at most two.
fn hours(hours: f64) -> String {
    let text = format!("{hours:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Text as it stands in a query.
fn query(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A fact of any shape: text as it is, everything else as JSON.
fn fact(value: &Value) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => serde_json::to_string(value).unwrap_or_default(),
    }
}

/// For an answer that brings its own policy.
pub(super) fn with_policy(answer: InboundAnswer, policy: &str) -> InboundAnswer {
    match HeaderValue::try_from(policy) {
        Ok(policy) => answer.with_header(CONTENT_SECURITY_POLICY, policy),
        Err(_) => answer,
    }
}
