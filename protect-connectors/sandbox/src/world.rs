//! The simulated world behind one lock: vendors, journal, faults; and the road of a request.

mod edit;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    Credentials,
    chat::{self, Chat},
    clock::Clock,
    distort,
    faults::{Board, FaultKind, Struck},
    google::{self, Google},
    graph::{self, Answers, Graph, Size},
    hibp::{self, Catalogue, Hibp, Plan},
    journal::{Journal, RequestRecord, Transition, Vendor, Violation},
    one_stack::{self, OneStack},
    onepassword::{self, Application, OnePassword, Stream},
    request::{Call, Change, Context, Reply, Route},
    scenario::{Cast, Part, Planted},
    scim::{self, Scim},
    smtp::{self, Smtp},
    stripe::{self, Stripe},
    webhook::{self, Webhook},
};

/// Older tokens of the vendor carry this audience, which names no host.
const EVENTS_AUDIENCE: &str = "com.1password.streamingservice";

/// What a world is made from; `reset` makes the same world again.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) users: usize,
    pub(crate) catalogue: Option<Catalogue>,
    pub(crate) plan: Plan,
    pub(crate) range_rows: usize,
    pub(crate) limits: bool,
    pub(crate) prerender: Option<usize>,
    pub(crate) start_at: Option<Timestamp>,
    pub(crate) tenant: Size,
    pub(crate) domain: google::Size,
    /// `http://ADDRESS` of the sandbox, for links in answers.
    pub(crate) base: String,
}

pub(crate) struct World {
    setup: Setup,
    pub(crate) clock: Clock,
    first_offset: SignedDuration,
    state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) hibp: Hibp,
    pub(crate) onepassword: OnePassword,
    pub(crate) m365: Graph,
    pub(crate) google: Google,
    pub(crate) one_stack: OneStack,
    pub(crate) webhook: Webhook,
    pub(crate) chat: Chat,
    pub(crate) smtp: Smtp,
    pub(crate) stripe: Stripe,
    pub(crate) scim: Scim,
    pub(crate) journal: Journal,
    pub(crate) faults: Board,
    planted: Planted,
    limits: bool,
}

/// What goes back over the wire.
pub(crate) struct Answer {
    pub(crate) struck: Struck,
    pub(crate) reply: Reply,
    pub(crate) now: Timestamp,
}

enum Taken {
    Hibp(Route<hibp::Endpoint>),
    OnePassword(Route<onepassword::Endpoint>),
    M365(Route<graph::Endpoint>),
    Google(Route<google::Endpoint>),
    OneStack(Route<one_stack::Endpoint>),
    Webhook(Route<webhook::Endpoint>),
    Chat(Route<chat::Endpoint>),
    Stripe(Route<stripe::Endpoint>),
    Scim(Route<scim::Endpoint>),
}

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let clock = Clock::starting_at(setup.start_at);
        let state = State::new(&setup, clock.now());
        Self {
            first_offset: clock.offset(),
            clock,
            state: Mutex::new(state),
            setup,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic in one request must not turn every later one into a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn reset(&self) {
        self.clock.set_offset(self.first_offset);
        let fresh = State::new(&self.setup, self.clock.now());
        *self.state() = fresh;
    }

    pub(crate) fn answer(&self, call: &Call) -> Answer {
        let now = self.clock.now();
        self.state().answer(call, now)
    }

    /// One step of a session with the mail server.
    pub(crate) fn smtp(
        &self,
        step: (&'static str, &'static str),
        changing: bool,
        handle: impl FnOnce(&mut Smtp, &mut Context) -> smtp::Reply,
    ) -> (smtp::Reply, Struck) {
        let now = self.clock.now();
        self.state().smtp_step(step, changing, now, handle)
    }
}

impl State {
    fn new(setup: &Setup, now: Timestamp) -> Self {
        let cast = Arc::new(Cast::new(setup.seed, setup.users, now));
        let catalogue = setup.catalogue.clone();
        let catalogue = catalogue.unwrap_or_else(|| Catalogue::generated(setup.seed));
        let hibp = Hibp::new(
            setup.seed,
            &cast,
            catalogue,
            setup.plan.clone(),
            setup.range_rows,
        );
        let mut onepassword = OnePassword::new(setup.seed, &cast, EVENTS_AUDIENCE);
        if let Some(size) = setup.prerender {
            onepassword.users.prerender(size);
        }
        let secrets = vault_secrets(&hibp, &onepassword);
        let secrets: Vec<(&str, &str)> = secrets.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let m365 = Graph::new(
            setup.seed,
            Arc::clone(&cast),
            &setup.tenant,
            &setup.base,
            &secrets,
        );
        let google = Google::new(setup.seed, Arc::clone(&cast), &setup.domain, &setup.base);
        Self {
            planted: planted(&cast, &hibp, &m365, &google),
            m365,
            google,
            hibp,
            onepassword,
            one_stack: OneStack::new(setup.seed),
            webhook: Webhook::new(setup.seed),
            chat: Chat::new(setup.seed, &setup.base),
            smtp: Smtp::new(setup.seed),
            stripe: Stripe::new(setup.seed),
            scim: Scim::new(setup.seed, &cast),
            journal: Journal::default(),
            faults: Board::default(),
            limits: setup.limits,
        }
    }

    fn answer(&mut self, call: &Call, now: Timestamp) -> Answer {
        let number = self.journal.next_number();
        let taken = Taken::route(call);
        let (template, changing) = taken.as_ref().map_or(("unknown", false), Taken::facts);
        let struck = self.faults.strike(call.vendor, template, changing);
        let mut cx = Context::new(now, self.limits, struck);
        let mut reply = self.reply(call, taken.as_ref(), &mut cx);
        distort::content(&cx.struck, &mut reply);
        if call.vendor == Vendor::M365 {
            self.m365.stamp(call, &mut reply, &cx);
        }
        let request = RequestRecord {
            number,
            at: now,
            vendor: call.vendor,
            method: call.method.to_string(),
            route: template.to_owned(),
            status: reply.status.as_u16(),
            changing,
            tenant: cx.tenant.take(),
            idempotency: cx.idempotency.take(),
            faults: cx.struck.names(),
        };
        Answer {
            struck: self.note(request, cx),
            reply,
            now,
        }
    }

    fn smtp_step(
        &mut self,
        (verb, template): (&'static str, &'static str),
        changing: bool,
        now: Timestamp,
        handle: impl FnOnce(&mut Smtp, &mut Context) -> smtp::Reply,
    ) -> (smtp::Reply, Struck) {
        let number = self.journal.next_number();
        let struck = self.faults.strike(Vendor::Smtp, template, changing);
        let mut cx = Context::new(now, self.limits, struck);
        let reply = handle(&mut self.smtp, &mut cx);
        let request = RequestRecord {
            number,
            at: now,
            vendor: Vendor::Smtp,
            method: verb.to_owned(),
            route: template.to_owned(),
            status: reply.code,
            changing,
            tenant: None,
            idempotency: None,
            faults: cx.struck.names(),
        };
        (reply, self.note(request, cx))
    }

    /// Keeps a request in the journal, with what it broke and what it changed.
    fn note(&mut self, request: RequestRecord, cx: Context) -> Struck {
        let (vendor, number, at) = (request.vendor, request.number, request.at);
        self.journal.requests.push(request);
        for (rule, detail) in cx.broken {
            self.journal.violations.push(Violation {
                vendor,
                rule: rule.to_owned(),
                request: number,
                detail,
            });
        }
        for change in cx.changes {
            self.record(vendor, change, at, Some(number));
        }
        cx.struck
    }

    fn reply(&mut self, call: &Call, taken: Option<&Taken>, cx: &mut Context) -> Reply {
        if let Some(reply) = distort::instead(&cx.struck, cx.now, |status, message| {
            error(call.vendor, taken, status, message)
        }) {
            return reply;
        }
        if cx.struck.has(FaultKind::Unauthorized) {
            match taken {
                Some(Taken::OnePassword(route)) if is_user_route(route.endpoint) => {
                    self.onepassword.oauth.tokens.revoke_all();
                }
                Some(Taken::M365(route)) if !matches!(route.endpoint, graph::Endpoint::Token) => {
                    self.m365.login.tokens.revoke_all();
                }
                Some(Taken::Google(route))
                    if !matches!(route.endpoint, google::Endpoint::Token) =>
                {
                    self.google.login.tokens.revoke_all();
                }
                _ => return error(call.vendor, taken, 401, "Unauthorized"),
            }
        }
        match taken {
            Some(Taken::Hibp(route)) => self.hibp.handle(route.endpoint, call, cx),
            Some(Taken::OnePassword(route)) => self.onepassword.handle(route.endpoint, call, cx),
            Some(Taken::M365(route)) => {
                let reply = self.m365.handle(route.endpoint, call, cx);
                reply.unwrap_or_else(|| self.batch(call, cx))
            }
            Some(Taken::Google(route)) => self.google.handle(route.endpoint, call, cx),
            Some(Taken::OneStack(route)) => self.one_stack.handle(route.endpoint, call, cx),
            Some(Taken::Webhook(route)) => self.webhook.handle(route.endpoint, call, cx),
            Some(Taken::Chat(route)) => self.chat.handle(route.endpoint, call, cx),
            Some(Taken::Stripe(route)) => self.stripe.handle(route.endpoint, call, cx),
            Some(Taken::Scim(route)) => self.scim.handle(route.endpoint, call, cx),
            None => {
                cx.violate("unknown_route", "the vendor has no such method and path");
                error(call.vendor, None, 404, "not found")
            }
        }
    }

    /// The requests of a batch are requests of their own: each has its faults and its record.
    fn batch(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let members = match self.m365.members(call, cx) {
            Ok(members) => members,
            Err(reply) => return reply,
        };
        let mut answers = Answers::default();
        for member in members {
            let barred = answers.bar(&member);
            let reply = barred.unwrap_or_else(|| self.answer(&member.call, cx.now).reply);
            answers.add(member.id, &reply);
        }
        answers.reply()
    }

    pub(crate) fn record(
        &mut self,
        vendor: Vendor,
        change: Change,
        at: Timestamp,
        request: Option<u64>,
    ) {
        self.journal.transitions.push(Transition {
            at,
            vendor,
            object: change.object.to_owned(),
            id: change.id,
            from: change.from,
            to: change.to,
            request,
        });
    }

    pub(crate) fn planted(&self) -> Planted {
        self.planted.clone()
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let pair = |name: &str| {
            let found = self.onepassword.oauth.application(name);
            found.map_or_else(Default::default, Application::pair)
        };
        let (scan_client_id, scan_client_secret) = pair("scan");
        let (respond_client_id, respond_client_secret) = pair("respond");
        let app = |name: &str| self.m365.login.credentials(name);
        let (m365_scan_client_id, m365_scan_client_secret) = app("scan");
        let (m365_respond_client_id, m365_respond_client_secret) = app("respond");
        let (m365_vault_client_id, m365_vault_client_secret) = app("vault");
        Credentials {
            hibp_api_key: self.hibp.key.clone(),
            scan_client_id,
            scan_client_secret,
            respond_client_id,
            respond_client_secret,
            events_token: self.onepassword.events.token.clone(),
            account_id: self.onepassword.account.clone(),
            webhook_secret: self.webhook.secret.clone(),
            stripe_restricted_key: self.stripe.restricted_key(),
            stripe_customer_id: self.stripe.customer(),
            scim_scan_token: self.scim.scan_token.clone(),
            scim_respond_token: self.scim.respond_token.clone(),
            smtp_username: self.smtp.username.clone(),
            smtp_password: self.smtp.password.clone(),
            slack_webhook_url: self.chat.slack_url(),
            teams_webhook_url: self.chat.teams_url(),
            m365_tenant_id: self.m365.tenant.clone(),
            m365_scan_client_id,
            m365_scan_client_secret,
            m365_respond_client_id,
            m365_respond_client_secret,
            m365_vault_client_id,
            m365_vault_client_secret,
            google_customer_id: self.google.customer().to_owned(),
            google_subject: self.google.subject(),
            google_scan_key: self.google.login.key("scan").to_string(),
            google_respond_key: self.google.login.key("respond").to_string(),
            one_stack: self.one_stack.accounts.organisations(),
        }
    }

    /// Everything that can differ between two moments, for tests to look at.
    pub(crate) fn snapshot(&self) -> Value {
        let (slack, teams) = self.chat.snapshot();
        json!({
            "onepassword": {
                "account_id": self.onepassword.account,
                "automated_provisioning": self.onepassword.automated_provisioning,
                "users": self.onepassword.users.records(),
                "events": {
                    "signinattempts": self.onepassword.events.len(Stream::SignIn),
                    "itemusages": self.onepassword.events.len(Stream::ItemUsage),
                    "auditevents": self.onepassword.events.len(Stream::Audit),
                },
            },
            "hibp": {
                "plan": self.hibp.plan,
                "breaches": self.hibp.catalogue.all().len(),
                "verified_domains": self.hibp.domains.verified(),
            },
            "m365": self.m365.snapshot(),
            "google": self.google.snapshot(),
            "one_stack": {"items": self.one_stack.items.all()},
            "webhook": {"items": self.webhook.items()},
            "smtp": self.smtp.snapshot(),
            "stripe": self.stripe.snapshot(),
            "scim": self.scim.snapshot(),
            "slack": slack,
            "teams": teams,
        })
    }
}

impl Taken {
    fn route(call: &Call) -> Option<Self> {
        match call.vendor {
            Vendor::Hibp => Hibp::route(call).map(Self::Hibp),
            Vendor::OnePassword => OnePassword::route(call).map(Self::OnePassword),
            Vendor::M365 => Graph::route(call).map(Self::M365),
            Vendor::Google => Google::route(call).map(Self::Google),
            Vendor::OneStack => OneStack::route(call).map(Self::OneStack),
            Vendor::Webhook => Webhook::route(call).map(Self::Webhook),
            Vendor::Slack | Vendor::Teams => Chat::route(call).map(Self::Chat),
            Vendor::Stripe => Stripe::route(call).map(Self::Stripe),
            Vendor::Scim => Scim::route(call).map(Self::Scim),
            // A mail server takes no HTTP.
            Vendor::Smtp => None,
        }
    }

    fn facts(&self) -> (&'static str, bool) {
        match self {
            Self::Hibp(route) => (route.template, route.changing),
            Self::OnePassword(route) => (route.template, route.changing),
            Self::M365(route) => (route.template, route.changing),
            Self::Google(route) => (route.template, route.changing),
            Self::OneStack(route) => (route.template, route.changing),
            Self::Webhook(route) => (route.template, route.changing),
            Self::Chat(route) => (route.template, route.changing),
            Self::Stripe(route) => (route.template, route.changing),
            Self::Scim(route) => (route.template, route.changing),
        }
    }
}

impl Application {
    fn pair(&self) -> (String, String) {
        (self.client_id.clone(), self.client_secret.clone())
    }
}

/// What reads the bearer token that the OAuth endpoints issue.
fn is_user_route(endpoint: onepassword::Endpoint) -> bool {
    use onepassword::Endpoint as E;
    matches!(
        endpoint,
        E::ListUsers | E::GetUser | E::Suspend | E::Reactivate
    )
}

fn error(vendor: Vendor, taken: Option<&Taken>, status: u16, message: &str) -> Reply {
    match (vendor, taken) {
        (Vendor::Hibp, _) => hibp::hibp_error(status, message),
        (_, Some(Taken::OnePassword(route))) => {
            OnePassword::error(Some(route.endpoint), status, message)
        }
        (_, Some(Taken::M365(route))) => Graph::error(Some(route.endpoint), status, message),
        (_, Some(Taken::Google(route))) => Google::error(Some(route.endpoint), status),
        (Vendor::Google, _) => Google::error(None, status),
        (Vendor::M365, _) => Graph::error(None, status, message),
        (Vendor::OnePassword, _) => OnePassword::error(None, status, message),
        (Vendor::OneStack, _) => OneStack::error(status, message),
        (Vendor::Webhook | Vendor::Smtp, _) => Webhook::error(status, message),
        (Vendor::Stripe, _) => Stripe::error(status, message),
        (Vendor::Scim, _) => Scim::error(status, message),
        (Vendor::Slack | Vendor::Teams, _) => Chat::error(vendor, status, message),
    }
}

/// What the key vault holds, by name.
fn vault_secrets(hibp: &Hibp, onepassword: &OnePassword) -> Vec<(&'static str, String)> {
    let secret = |name: &str| {
        let found = onepassword.oauth.application(name);
        found.map_or_else(String::new, |it| it.client_secret.clone())
    };
    vec![
        ("HIBP-API-KEY", hibp.key.clone()),
        ("ONEPASSWORD-SCAN-SECRET", secret("scan")),
        ("ONEPASSWORD-RESPOND-SECRET", secret("respond")),
        ("ONEPASSWORD-EVENTS-TOKEN", onepassword.events.token.clone()),
    ]
}

fn planted(cast: &Cast, hibp: &Hibp, m365: &Graph, google: &Google) -> Planted {
    Planted {
        domain: crate::scenario::DOMAIN.to_owned(),
        leaked: cast.player(Part::Leaked),
        leaked_breach: hibp.leaked_breach.clone(),
        suspicious: cast.player(Part::Suspicious),
        suspicious_failures: onepassword::BURST,
        failures_country: onepassword::FAILURES_COUNTRY.to_owned(),
        success_country: onepassword::SUCCESS_COUNTRY.to_owned(),
        forgotten: cast.player(Part::Forgotten),
        forgotten_breach: hibp.forgotten_breach.clone(),
        mistyped: cast.player(Part::Mistyped),
        owner: cast.player(Part::Owner),
        external_admin: cast.player(Part::ExternalAdmin),
        leaver: cast.player(Part::Leaver),
        m365: m365.planted(),
        google: google.planted(),
    }
}
