//! The One Stack: PSA, Security, RMM, Hub, Portal, On-Call, Bus, Compliance, Defend and Legal for two organisations. What its documentation says is
//! kept as it says; where that is silent, the shapes are those of our conventions, listed in `docs.md`.

mod accounts;
mod body;
mod bus;
mod compliance;
mod defend;
mod hooks;
mod hub;
mod items;
mod legal;
mod oncall;
mod portal;
mod records;
mod rmm;
mod sso;
mod users;

use axum::http::{HeaderName, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::request::{Call, Context, Reply, Route, changes, reads};

pub(crate) use accounts::Accounts;
use hooks::Hooks;
pub use hooks::{HubMessage, NewHubWebhook};
pub(crate) use items::Items;
pub use legal::LegalSignature;
use sso::Sso;
pub use sso::{HubSso, HubToken};
pub use users::HubUser;

/// What one organisation's callers are known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OneStackOrganisation {
    /// The Hub organisation id, which the products call tenant id.
    pub id: String,
    /// An API key with every scope.
    pub api_key: String,
    /// The key that other products use; also that of On-Call's ingest address.
    pub integration_key: String,
}

/// Every product, each below its name.
const PRODUCTS: [&str; 10] = [
    "psa",
    "security",
    "rmm",
    "hub",
    "portal",
    "oncall",
    "bus",
    "compliance",
    "defend",
    "legal",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Root,
    CreateTicket,
    ListTickets,
    BatchTickets,
    GetTicket,
    NoteTicket,
    CreateIncident,
    ListIncidents,
    GetIncident,
    EditIncident,
    Escalate,
    Ingest,
    EmitA,
    EmitB,
    Submit,
    CreateAlert,
    ListAlerts,
    CreateRemediation,
    ListRemediations,
    GetRemediation,
    CancelRemediation,
    ApproveRemediation,
    RevokeAccess,
    RestoreAccess,
    ListRevocations,
    GetRevocation,
    CancelRevocation,
    ListUsers,
    PutSnapshot,
    Elevate,
    ListElevations,
    EndElevation,
    ListPolicies,
    GetPolicy,
    ListAcknowledgments,
    Acknowledge,
}

impl Endpoint {
    /// Whether it is for other products alone, so that an API key opens nothing.
    fn is_internal(self) -> bool {
        matches!(
            self,
            Self::Escalate
                | Self::EmitA
                | Self::EmitB
                | Self::Submit
                | Self::CreateRemediation
                | Self::ListRemediations
                | Self::GetRemediation
                | Self::CancelRemediation
                | Self::ApproveRemediation
                | Self::RevokeAccess
                | Self::RestoreAccess
                | Self::ListRevocations
                | Self::GetRevocation
                | Self::CancelRevocation
                | Self::ListUsers
                | Self::PutSnapshot
                | Self::Elevate
                | Self::ListElevations
                | Self::EndElevation
                | Self::ListPolicies
                | Self::GetPolicy
                | Self::ListAcknowledgments
                | Self::Acknowledge
        )
    }
}

/// Which form of events the bus takes; the other path is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Style {
    A,
    B,
}

/// `POST /_sandbox/one_stack/settings`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    style: Option<Style>,
    drop_references: Option<bool>,
    rmm_approval: Option<bool>,
    stubborn_product: Option<String>,
    policies: Option<Vec<legal::Policy>>,
}

pub(crate) struct OneStack {
    pub(crate) accounts: Accounts,
    pub(crate) items: Items,
    pub(crate) sso: Sso,
    pub(crate) hooks: Hooks,
    pub(crate) users: Vec<HubUser>,
    style: Style,
    /// Tickets and incidents say nothing of their reference, as an API might that keeps none.
    drop_references: bool,
    /// The organisation wants an approval for every remediation.
    rmm_approval: bool,
    /// A product that Hub cannot take access to away; empty for none.
    stubborn_product: String,
    /// What Legal has published, the same for every organisation.
    policies: Vec<legal::Policy>,
}

/// How a request ends that is not taken.
pub(crate) struct Refusal {
    status: u16,
    details: Value,
    rule: Option<(&'static str, &'static str)>,
}

impl OneStack {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            accounts: Accounts::new(seed),
            items: Items::new(seed),
            sso: Sso::new(seed),
            hooks: Hooks::new(seed),
            users: Vec::new(),
            style: Style::A,
            drop_references: false,
            rmm_approval: false,
            stubborn_product: String::new(),
            policies: legal::standard(),
        }
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        use Endpoint as E;
        let path = &call.path()[..];
        match (&call.method, path) {
            (&Method::GET, [product, ""]) if PRODUCTS.contains(product) => reads(E::Root, "/"),
            (&Method::POST, ["psa", "api", "tickets"]) => {
                changes(E::CreateTicket, "/psa/api/tickets")
            }
            (&Method::GET, ["psa", "api", "tickets"]) => reads(E::ListTickets, "/psa/api/tickets"),
            (&Method::POST, ["psa", "api", "tickets", "batch"]) => {
                reads(E::BatchTickets, "/psa/api/tickets/batch")
            }
            (&Method::GET, ["psa", "api", "tickets", _]) => {
                reads(E::GetTicket, "/psa/api/tickets/{id}")
            }
            (&Method::POST, ["psa", "api", "tickets", _, "notes"]) => {
                changes(E::NoteTicket, "/psa/api/tickets/{id}/notes")
            }
            (&Method::POST, ["security", "api", "incidents"]) => {
                changes(E::CreateIncident, "/security/api/incidents")
            }
            (&Method::GET, ["security", "api", "incidents"]) => {
                reads(E::ListIncidents, "/security/api/incidents")
            }
            (&Method::GET, ["security", "api", "incidents", _]) => {
                reads(E::GetIncident, "/security/api/incidents/{id}")
            }
            (&Method::PATCH, ["security", "api", "incidents", _]) => {
                changes(E::EditIncident, "/security/api/incidents/{id}")
            }
            (&Method::POST, ["oncall", "api", "internal", "escalations", "create"]) => {
                changes(E::Escalate, "/oncall/api/internal/escalations/create")
            }
            (&Method::POST, ["oncall", "api", "webhooks", "ingest"]) => {
                changes(E::Ingest, "/oncall/api/webhooks/ingest")
            }
            (&Method::POST, ["bus", "api", "bus", "events"]) => {
                changes(E::EmitA, "/bus/api/bus/events")
            }
            (&Method::POST, ["bus", "api", "events"]) => changes(E::EmitB, "/bus/api/events"),
            (&Method::POST, ["compliance", "api", "internal", "evidence"]) => {
                changes(E::Submit, "/compliance/api/internal/evidence")
            }
            (&Method::POST, ["security", "api", "alerts"]) => {
                changes(E::CreateAlert, "/security/api/alerts")
            }
            (&Method::GET, ["security", "api", "alerts"]) => {
                reads(E::ListAlerts, "/security/api/alerts")
            }
            (method, ["rmm", "api", "internal", "remediations", rest @ ..]) => {
                rmm::route(method, rest)
            }
            (method, ["hub", "api", "internal", "users", rest @ ..]) => hub::route(method, rest),
            (method, ["defend", "api", "internal", "monitoring", rest @ ..]) => {
                defend::route(method, rest)
            }
            (method, ["legal", "api", "people", rest @ ..]) => legal::route(method, rest),
            (
                &Method::PUT,
                [
                    "portal",
                    "api",
                    "internal",
                    "protect",
                    "clients",
                    _,
                    "snapshot",
                ],
            ) => changes(
                E::PutSnapshot,
                "/portal/api/internal/protect/clients/{client_id}/snapshot",
            ),
            _ => None,
        }
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        cx.idempotency = call.header("idempotency-key").map(str::to_owned);
        if endpoint == Endpoint::Root {
            return Self::error(404, "there is no page here");
        }
        let organisation = match self.accounts.admit(endpoint, call, cx) {
            Ok(organisation) => organisation,
            Err(refusal) => return refusal.reply(cx),
        };
        cx.tenant = Some(organisation.clone());
        let reply = self
            .answer(endpoint, &organisation, call, cx)
            .unwrap_or_else(|refusal| refusal.reply(cx));
        self.hooks.notice(&self.items, cx.now);
        self.stamp(&organisation, reply, cx)
    }

    pub(crate) fn settings(&mut self, settings: &Settings) {
        self.style = settings.style.unwrap_or(self.style);
        self.drop_references = settings.drop_references.unwrap_or(self.drop_references);
        self.rmm_approval = settings.rmm_approval.unwrap_or(self.rmm_approval);
        if let Some(product) = &settings.stubborn_product {
            self.stubborn_product.clone_from(product);
        }
        if let Some(policies) = &settings.policies {
            self.policies.clone_from(policies);
        }
    }

    /// The platform's error body.
    pub(crate) fn error(status: u16, message: &str) -> Reply {
        let code = match status {
            400 => "VALIDATION_ERROR",
            401 => "UNAUTHORIZED",
            403 => "FORBIDDEN",
            404 => "NOT_FOUND",
            409 => "CONFLICT",
            429 => "RATE_LIMIT_EXCEEDED",
            _ => "INTERNAL_ERROR",
        };
        let details = match status {
            403 => json!({"requiredProduct": "psa", "requiredPermission": "tickets.write"}),
            429 => json!({"limit": accounts::LIMIT, "window": "1m", "retryAfter": 7}),
            _ => Value::Null,
        };
        Self::error_with(status, message, code, &details)
    }

    fn error_with(status: u16, message: &str, code: &str, details: &Value) -> Reply {
        let mut body = json!({"error": message, "code": code});
        if !details.is_null() {
            body["details"] = details.clone();
        }
        Reply::json(status, &body)
    }

    fn answer(
        &mut self,
        endpoint: Endpoint,
        organisation: &str,
        call: &Call,
        cx: &mut Context,
    ) -> Result<Reply, Refusal> {
        use Endpoint as E;
        match endpoint {
            E::Root => Ok(Self::error(404, "there is no page here")),
            E::CreateTicket => self.create_ticket(organisation, call, cx),
            E::CreateIncident => self.create_incident(organisation, call, cx),
            E::ListTickets => self.list("ticket", "tickets", organisation, call),
            E::BatchTickets => self.batch("ticket", "tickets", organisation, call, cx),
            E::ListIncidents => self.list("incident", "incidents", organisation, call),
            E::GetTicket => self.get("ticket", organisation, call),
            E::GetIncident => self.get("incident", organisation, call),
            E::NoteTicket => self.note_ticket(organisation, call, cx),
            E::EditIncident => self.edit_incident(organisation, call, cx),
            E::Escalate => self.escalate(organisation, call, cx),
            E::Ingest => self.ingest(organisation, call, cx),
            E::EmitA => self.emit(Style::A, organisation, call, cx),
            E::EmitB => self.emit(Style::B, organisation, call, cx),
            E::Submit => self.submit(organisation, call, cx),
            E::CreateAlert => self.create_alert(organisation, call, cx),
            E::ListAlerts => self.list("alert", "alerts", organisation, call),
            E::CreateRemediation => self.create_remediation(organisation, call, cx),
            E::ListRemediations => self.list("remediation", "remediations", organisation, call),
            E::GetRemediation => self.get_remediation(organisation, call, cx),
            E::CancelRemediation => self.cancel_remediation(organisation, call, cx),
            E::ApproveRemediation => self.approve_remediation(organisation, call, cx),
            E::RevokeAccess => self.revoke_access(organisation, call, cx),
            E::RestoreAccess => self.restore_access(organisation, call, cx),
            E::ListRevocations => self.list_revocations(organisation, call, cx),
            E::GetRevocation => self.get_revocation(organisation, call, cx),
            E::CancelRevocation => self.cancel_revocation(organisation, call, cx),
            E::ListUsers => self.list_users(organisation, call, cx),
            E::PutSnapshot => self.put_snapshot(organisation, call, cx),
            E::Elevate => self.elevate(organisation, call, cx),
            E::ListElevations => self.list_elevations(organisation, call),
            E::EndElevation => self.end_elevation(organisation, call, cx),
            E::ListPolicies => self.list_policies(organisation, call),
            E::GetPolicy => self.get_policy(organisation, call),
            E::ListAcknowledgments => self.list_acknowledgments(organisation, call, cx),
            E::Acknowledge => self.acknowledge(organisation, call, cx),
        }
    }

    /// Every answer says how the limit stands.
    fn stamp(&self, organisation: &str, reply: Reply, cx: &Context) -> Reply {
        let (left, reset) = self.accounts.standing(organisation, cx.now);
        let header = HeaderName::from_static;
        reply
            .with(header("x-ratelimit-limit"), &accounts::LIMIT.to_string())
            .with(header("x-ratelimit-remaining"), &left.to_string())
            .with(header("x-ratelimit-reset"), &reset.to_string())
    }
}

impl Refusal {
    /// What a correct client may meet all the same.
    fn plain(status: u16) -> Self {
        Self {
            status,
            details: Value::Null,
            rule: None,
        }
    }

    /// What a correct client does not do.
    fn violation(status: u16, rule: &'static str, detail: &'static str) -> Self {
        Self {
            rule: Some((rule, detail)),
            ..Self::plain(status)
        }
    }

    /// A body with a field that the product does not take.
    fn field(name: &str, message: &str) -> Self {
        let fields = Map::from_iter([(name.to_owned(), Value::from(message))]);
        Self {
            details: json!({"fields": fields}),
            ..Self::violation(
                400,
                "field",
                "a field is missing, unknown or has a wrong value",
            )
        }
    }

    fn reply(self, cx: &mut Context) -> Reply {
        if let Some((rule, detail)) = self.rule {
            cx.violate(rule, detail);
        }
        if self.details.is_null() {
            return OneStack::error(self.status, "refused");
        }
        let code = match self.status {
            400 => "VALIDATION_ERROR",
            _ => "RATE_LIMIT_EXCEEDED",
        };
        let wait = self.details.get("retryAfter").and_then(Value::as_i64);
        let reply = OneStack::error_with(self.status, "refused", code, &self.details);
        wait.map_or(reply.clone(), |wait| reply.retry_after(&wait.to_string()))
    }
}
