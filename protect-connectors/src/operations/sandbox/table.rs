//! What can be called of the simulated vendors.

use protect_core::operation::{Class, Model, Operation, Parameter, ParameterKind, ResultType};
use protect_sandbox::{
    Credentials, Fault, FaultKind, Planted, RequestRecord, Transition, Vendor, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{change, read};

/// Where the simulated vendors are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(super) struct SandboxAddresses {
    /// The root of everything.
    pub(super) base: String,
    /// Have I Been Pwned's API, with `/api/v3`.
    pub(super) hibp_api: String,
    /// Pwned Passwords.
    pub(super) hibp_passwords: String,
    /// 1Password's OAuth and Users API.
    pub(super) onepassword_api: String,
    /// 1Password's Events API.
    pub(super) onepassword_events: String,
    /// Microsoft's token endpoint.
    pub(super) m365_login: String,
    /// Microsoft Graph.
    pub(super) m365_graph: String,
    /// The Azure Key Vault.
    pub(super) m365_vault: String,
    /// What stands in the place of every host of `googleapis.com`.
    pub(super) google_api: String,
    /// Google's token endpoint.
    pub(super) google_token: String,
    /// The One Stack: each product is below it, by its kind.
    pub(super) one_stack: String,
    /// The receiver of webhooks.
    pub(super) webhook: String,
    /// Stripe's API.
    pub(super) stripe_api: String,
    /// Base of the SCIM application.
    pub(super) scim: String,
    /// The mail server, `smtp://…`.
    pub(super) smtp: String,
}

const FAULT: Model = Model::of::<Fault>("Fault");

/// The simulated vendors in this process.
pub(in super::super) static CLASS: Class = Class {
    name: "Sandbox",
    kind: "sandbox",
    docs: "Strict, stateful simulators of the vendors, on loopback in this process: what is built on this \
           library is tested without a tenant.",
    constructor: &[
        Parameter::optional(
            "seed",
            ParameterKind::Integer,
            "Decides who works there and everything that is made up.",
        ),
        Parameter::optional(
            "users",
            ParameterKind::Integer,
            "How many people the 1Password account has, at least 8.",
        ),
        Parameter::optional(
            "rate_limits",
            ParameterKind::Boolean,
            "Whether the vendors' rate limits hold; they do unless told.",
        ),
        Parameter::optional(
            "catalogue",
            ParameterKind::Text,
            "A file with the breaches to serve, as HIBP answers them.",
        ),
        Parameter::optional(
            "range_rows",
            ParameterKind::Integer,
            "Other people's rows in each answer to a HIBP range: 40 unless told.",
        ),
        Parameter::optional(
            "m365_users",
            ParameterKind::Integer,
            "How many people the Microsoft 365 tenant has; as many as the 1Password account unless told.",
        ),
        Parameter::optional(
            "google_users",
            ParameterKind::Integer,
            "How many people the Google Workspace domain has; as many as the 1Password account unless told.",
        ),
    ],
    operations: &OPERATIONS,
};

pub(super) const OPERATIONS: [Operation; 32] = [
    read(
        "addresses",
        &[],
        ResultType::One(Model::of::<SandboxAddresses>("SandboxAddresses")),
        "Where the simulated vendors are.",
    ),
    read(
        "credentials",
        &[],
        ResultType::One(Model::of::<Credentials>("Credentials")),
        "What they accept. It opens nothing but the sandbox.",
    ),
    read(
        "config",
        &[],
        ResultType::Object,
        "A configuration of the planted organisation, the tenant `acme`, in which the secrets are \
         references to what `secrets` gives.",
    ),
    read(
        "connections",
        &[],
        ResultType::Object,
        "By kind, the connections that `config` leaves out, each as `connection` and with the tenant's \
         `connector` over it: `m365`, `google`, `stripe`, and of The One Stack `psa`, `security`, `rmm`, \
         `hub`, `portal`, `oncall`, `bus`, `compliance`, `legal`; the last nine also as `beta-psa` and so \
         on, of another organisation.",
    ),
    read(
        "engine",
        &[Parameter::required(
            "config",
            ParameterKind::Object,
            "What `config` gives, or one like it.",
        )],
        ResultType::Handle("Protect"),
        "The engine over a configuration, in memory, with `secrets` at hand and by the sandbox's clock: \
         `advance_clock` moves both.",
    ),
    read(
        "secrets",
        &[],
        ResultType::Object,
        "The secrets of `config` and of `connections`, by name.",
    ),
    read(
        "planted",
        &[],
        ResultType::One(Model::of::<Planted>("Planted")),
        "Who and what was planted: what somebody who watches this organisation should arrive at.",
    ),
    read(
        "requests",
        &[],
        ResultType::List(Model::of::<RequestRecord>("RequestRecord")),
        "Every request so far.",
    ),
    read(
        "transitions",
        &[],
        ResultType::List(Model::of::<Transition>("Transition")),
        "Everything that became different at a vendor.",
    ),
    read(
        "violations",
        &[],
        ResultType::List(Model::of::<Violation>("Violation")),
        "Every broken rule; a correct client leaves this empty.",
    ),
    read("state", &[], ResultType::Object, "How things are now."),
    read(
        "faults",
        &[],
        ResultType::List(FAULT),
        "The faults that are switched on.",
    ),
    change(
        "set_fault",
        &[
            Parameter::required(
                "kind",
                ParameterKind::One(Model::of::<FaultKind>("FaultKind")),
                "What goes wrong.",
            ),
            Parameter::optional(
                "vendor",
                ParameterKind::One(Model::of::<Vendor>("Vendor")),
                "Only there.",
            ),
            Parameter::optional(
                "route",
                ParameterKind::Text,
                "Only where the route contains this, such as `:suspend`.",
            ),
            Parameter::optional("count", ParameterKind::Integer, "For so many requests."),
            Parameter::optional(
                "skip",
                ParameterKind::Integer,
                "After so many requests that pass.",
            ),
            Parameter::optional("millis", ParameterKind::Integer, "Milliseconds of a delay."),
            Parameter::optional(
                "reads",
                ParameterKind::Integer,
                "How many reads after a write stay old.",
            ),
            Parameter::optional(
                "seconds",
                ParameterKind::Integer,
                "Seconds of a `Retry-After` or of clock skew.",
            ),
        ],
        ResultType::Nothing,
        "Switches a fault on.",
    ),
    change(
        "clear_faults",
        &[],
        ResultType::Nothing,
        "Switches every fault off.",
    ),
    change(
        "advance_clock",
        &[SECONDS],
        ResultType::Nothing,
        "Moves the vendors' clock.",
    ),
    change(
        "set_user_suspended",
        &[
            Parameter::required("id", ParameterKind::Text, "The 1Password user's id."),
            Parameter::required("suspended", ParameterKind::Boolean, "Whether suspended."),
        ],
        ResultType::Boolean,
        "Changes a 1Password user as a person in the vendor's console would. Gives whether there is one.",
    ),
    change(
        "set_m365_user_enabled",
        &[
            Parameter::required(
                "id",
                ParameterKind::Text,
                "The Microsoft 365 user's id or principal name.",
            ),
            Parameter::required("enabled", ParameterKind::Boolean, "Whether enabled."),
        ],
        ResultType::Boolean,
        "Changes a Microsoft 365 user as an administrator would. Gives whether there is one.",
    ),
    change(
        "edit_m365_application",
        &[
            Parameter::required("name", ParameterKind::Text, "`scan`, `respond` or `vault`."),
            Parameter::required(
                "change",
                ParameterKind::Object,
                "`permissions`, `standing`, `certificates`, `directory_roles`, `reads_vault`; what is \
                 absent stays.",
            ),
        ],
        ResultType::Boolean,
        "Changes what an application may do in the Microsoft 365 tenant. Gives whether it fits.",
    ),
    change(
        "edit_m365_tenant",
        &[Parameter::required(
            "change",
            ParameterKind::Object,
            "`plans`, `force_change_needs_password`, `conceals_names`; what is absent stays.",
        )],
        ResultType::Boolean,
        "Changes the Microsoft 365 tenant. Gives whether it fits.",
    ),
    change(
        "set_m365_document",
        &[
            Parameter::required(
                "name",
                ParameterKind::Text,
                "For example `riskyUsers` or `authorizationPolicy`.",
            ),
            Parameter::required(
                "document",
                ParameterKind::Object,
                "As Graph answers it; a collection as `{\"value\": [...]}`.",
            ),
        ],
        ResultType::Boolean,
        "Replaces what the Microsoft 365 tenant holds under this name. Gives whether it fits.",
    ),
    change(
        "edit_google_service_account",
        &[
            Parameter::required("name", ParameterKind::Text, "`scan` or `respond`."),
            Parameter::required(
                "change",
                ParameterKind::Object,
                "`scopes`, `standing`; what is absent stays.",
            ),
        ],
        ResultType::Boolean,
        "Changes what is delegated to a service account at Google. Gives whether it fits.",
    ),
    change(
        "edit_google_domain",
        &[Parameter::required(
            "change",
            ParameterKind::Object,
            "`apis_off`: services that are switched off, such as `admin.googleapis.com`.",
        )],
        ResultType::Boolean,
        "Changes the Google Workspace domain and its project. Gives whether it fits.",
    ),
    change(
        "edit_google_user",
        &[
            Parameter::required(
                "key",
                ParameterKind::Text,
                "The Google user's id or address.",
            ),
            Parameter::required(
                "change",
                ParameterKind::Object,
                "`suspended`, `super_admin`, `deleted`; what is absent stays.",
            ),
        ],
        ResultType::Boolean,
        "Changes a Google user as an administrator would. Gives whether there is one and it fits.",
    ),
    change(
        "edit_google_org_unit",
        &[Parameter::required(
            "change",
            ParameterKind::Object,
            "`path` says which; `name`, `deleted`.",
        )],
        ResultType::Boolean,
        "Renames or deletes an organizational unit at Google. Gives whether there is one and it fits.",
    ),
    change(
        "set_google_documents",
        &[
            Parameter::required("name", ParameterKind::Text, "`policies` or `alerts`."),
            Parameter::required(
                "documents",
                ParameterKind::Object,
                "As Google answers them, such as `{\"policies\": [...]}`.",
            ),
        ],
        ResultType::Boolean,
        "Replaces the policies or the alerts at Google. Gives whether it fits.",
    ),
    change(
        "plant_google_login",
        &[
            Parameter::required(
                "key",
                ParameterKind::Text,
                "The Google user's id or address.",
            ),
            Parameter::optional(
                "minutes_ago",
                ParameterKind::Integer,
                "When it was; five minutes ago unless told.",
            ),
        ],
        ResultType::Boolean,
        "Lets somebody have signed in to Google in a way that Google holds to be suspicious, as the \
         login log and an alert say. Gives whether there is such a user.",
    ),
    change(
        "publish_breach",
        &[
            Parameter::required(
                "breach",
                ParameterKind::Object,
                "The breach, in HIBP's own form.",
            ),
            Parameter::required(
                "accounts",
                ParameterKind::Texts,
                "The addresses that are in it.",
            ),
        ],
        ResultType::Boolean,
        "Publishes a breach; one of the same `Name` is replaced. Gives whether it has a name.",
    ),
    change(
        "hub_token",
        &[
            Parameter::required(
                "organisation_id",
                ParameterKind::Text,
                "Of which organisation, by its id at The One Stack.",
            ),
            Parameter::optional(
                "email",
                ParameterKind::Text,
                "Whose; `alice@acme.example` unless told.",
            ),
            Parameter::optional(
                "role",
                ParameterKind::Text,
                "Their role in the organisation; `admin` unless told.",
            ),
            Parameter::optional(
                "client_id",
                ParameterKind::Text,
                "The client company, for the token of one of its users.",
            ),
            Parameter::optional(
                "session",
                ParameterKind::Boolean,
                "For eight hours instead of the minute of a hand-over.",
            ),
        ],
        ResultType::Text,
        "Has Hub sign a token, as when somebody comes from its menu: begin at `/auth/hub-sso?token=`, for a \
         client's user at `/api/auth/client-hub-sso?token=`.",
    ),
    change(
        "subscribe_one_stack",
        &[
            Parameter::required(
                "organisation_id",
                ParameterKind::Text,
                "What happens in which organisation.",
            ),
            Parameter::required(
                "product",
                ParameterKind::Text,
                "`psa` (tickets), `security` (incidents) or `rmm` (remediations).",
            ),
            Parameter::required(
                "url",
                ParameterKind::Text,
                "Where it is told, on this machine.",
            ),
            Parameter::required(
                "secret",
                ParameterKind::Text,
                "What the messages are signed with.",
            ),
        ],
        ResultType::Boolean,
        "Has a product of The One Stack tell an address what happens from now on. Gives whether it tells \
         anything.",
    ),
    change(
        "send_one_stack_webhooks",
        &[],
        ResultType::Integer,
        "Sends the messages that wait, in their order. Gives how many were taken; the others wait on.",
    ),
    change(
        "set_one_stack_status",
        &[
            Parameter::required(
                "id",
                ParameterKind::Text,
                "A ticket, an incident, a remediation.",
            ),
            Parameter::required("status", ParameterKind::Text, "Where it stands now."),
        ],
        ResultType::Boolean,
        "Moves something at a product of The One Stack as a person would. Gives whether it is there.",
    ),
    change(
        "reset",
        &[],
        ResultType::Nothing,
        "Back to the beginning; credentials stay.",
    ),
];

const SECONDS: Parameter = Parameter::required(
    "seconds",
    ParameterKind::Integer,
    "How far; back where negative.",
);
