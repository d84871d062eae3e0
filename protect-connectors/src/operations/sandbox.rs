use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use jiff::SignedDuration;
use protect_core::operation::{
    Callable, Class, Model, Operation, Parameter, ParameterKind, ResultType, answer, arguments,
    unknown,
};
use protect_core::{Error, ErrorKind, Result};
use protect_sandbox::{
    Credentials, Fault, FaultKind, Planted, RequestRecord, Sandbox, SandboxError, Transition,
    Vendor, Violation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Nothing, change, read};

/// Where the simulated vendors are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
struct SandboxAddresses {
    /// The root of everything.
    base: String,
    /// Have I Been Pwned's API, with `/api/v3`.
    hibp_api: String,
    /// Pwned Passwords.
    hibp_passwords: String,
    /// 1Password's OAuth and Users API.
    onepassword_api: String,
    /// 1Password's Events API.
    onepassword_events: String,
    /// Microsoft's token endpoint.
    m365_login: String,
    /// Microsoft Graph.
    m365_graph: String,
    /// The Azure Key Vault.
    m365_vault: String,
    /// The receiver of webhooks.
    webhook: String,
}

const FAULT: Model = Model::of::<Fault>("Fault");

/// The simulated vendors in this process.
pub(super) static CLASS: Class = Class {
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
    ],
    operations: &OPERATIONS,
};

const OPERATIONS: [Operation; 20] = [
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
        "secrets",
        &[],
        ResultType::Object,
        "The secrets of `config`, by name.",
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    seed: Option<u64>,
    users: Option<usize>,
    rate_limits: Option<bool>,
    catalogue: Option<String>,
    range_rows: Option<usize>,
    m365_users: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetFault {
    kind: FaultKind,
    vendor: Option<Vendor>,
    route: Option<String>,
    count: Option<u32>,
    skip: Option<u32>,
    millis: Option<u64>,
    reads: Option<u32>,
    seconds: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetSuspended {
    id: String,
    suspended: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetEnabled {
    id: String,
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditApplication {
    name: String,
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditTenant {
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetDocument {
    name: String,
    document: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishBreach {
    breach: Value,
    accounts: Vec<String>,
}

/// Starts the simulators.
pub(super) fn start(given: Value) -> Result<Arc<dyn Callable>> {
    let given: Start = arguments(given)?;
    let mut builder = Sandbox::builder();
    if let Some(seed) = given.seed {
        builder = builder.seed(seed);
    }
    if let Some(users) = given.users {
        builder = builder.users(users);
    }
    if let Some(on) = given.rate_limits {
        builder = builder.rate_limits(on);
    }
    if let Some(catalogue) = given.catalogue {
        builder = builder.catalogue(catalogue);
    }
    if let Some(rows) = given.range_rows {
        builder = builder.range_rows(rows);
    }
    if let Some(users) = given.m365_users {
        builder = builder.m365_users(users);
    }
    let sandbox = builder.start_blocking().map_err(|error| {
        let kind = match error {
            SandboxError::Listen(_) => ErrorKind::Unavailable,
            _ => ErrorKind::InvalidInput,
        };
        Error::new(kind, "the sandbox cannot be started").with_source(error)
    })?;
    Ok(Arc::new(SandboxCalls(Mutex::new(sandbox))))
}

struct SandboxCalls(Mutex<Sandbox>);

impl Callable for SandboxCalls {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let sandbox = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = dispatch(&sandbox, operation, given);
        Box::pin(futures::future::ready(answered))
    }
}

fn dispatch(sandbox: &Sandbox, operation: &str, given: Value) -> Result<Value> {
    match operation {
        "set_fault" => {
            sandbox.set_fault(fault(arguments(given)?));
            Ok(Value::Null)
        }
        "advance_clock" => {
            let Advance { seconds } = arguments(given)?;
            sandbox.advance_clock(SignedDuration::from_secs(seconds));
            Ok(Value::Null)
        }
        "set_user_suspended" => {
            let SetSuspended { id, suspended } = arguments(given)?;
            answer(&sandbox.set_user_suspended(&id, suspended))
        }
        "set_m365_user_enabled" => {
            let SetEnabled { id, enabled } = arguments(given)?;
            answer(&sandbox.set_m365_user_enabled(&id, enabled))
        }
        "edit_m365_application" => {
            let EditApplication { name, change } = arguments(given)?;
            answer(&sandbox.edit_m365_application(&name, change))
        }
        "edit_m365_tenant" => {
            let EditTenant { change } = arguments(given)?;
            answer(&sandbox.edit_m365_tenant(change))
        }
        "set_m365_document" => {
            let SetDocument { name, document } = arguments(given)?;
            answer(&sandbox.set_m365_document(&name, document))
        }
        "publish_breach" => {
            let PublishBreach { breach, accounts } = arguments(given)?;
            answer(&sandbox.publish_breach(breach, &accounts))
        }
        _ => without_arguments(sandbox, operation, given),
    }
}

fn without_arguments(sandbox: &Sandbox, operation: &str, given: Value) -> Result<Value> {
    if !OPERATIONS.iter().any(|it| it.name == operation) {
        return Err(unknown(&CLASS, operation));
    }
    let Nothing {} = arguments(given)?;
    match operation {
        "addresses" => answer(&SandboxAddresses {
            base: sandbox.base_url(),
            hibp_api: sandbox.hibp_api_url(),
            hibp_passwords: sandbox.hibp_passwords_url(),
            onepassword_api: sandbox.onepassword_api_url(),
            onepassword_events: sandbox.onepassword_events_url(),
            m365_login: sandbox.m365_login_url(),
            m365_graph: sandbox.m365_graph_url(),
            m365_vault: sandbox.m365_vault_url(),
            webhook: sandbox.webhook_url(),
        }),
        "credentials" => answer(&sandbox.credentials()),
        "config" => Ok(config(sandbox)),
        "secrets" => Ok(secrets(&sandbox.credentials())),
        "planted" => answer(&sandbox.planted()),
        "requests" => answer(&sandbox.requests()),
        "transitions" => answer(&sandbox.transitions()),
        "violations" => answer(&sandbox.violations()),
        "state" => Ok(sandbox.state()),
        "faults" => answer(&sandbox.faults()),
        "clear_faults" => {
            sandbox.clear_faults();
            Ok(Value::Null)
        }
        "reset" => {
            sandbox.reset();
            Ok(Value::Null)
        }
        _ => Err(unknown(&CLASS, operation)),
    }
}

fn fault(given: SetFault) -> Fault {
    let mut fault = Fault::new(given.kind);
    fault.vendor = given.vendor;
    fault.route = given.route;
    fault.count = given.count;
    fault.skip = given.skip.unwrap_or(fault.skip);
    fault.millis = given.millis.unwrap_or(fault.millis);
    fault.reads = given.reads.unwrap_or(fault.reads);
    fault.seconds = given.seconds.unwrap_or(fault.seconds);
    fault
}

fn secret(name: &str) -> Value {
    json!({ "provided": format!("sandbox.{name}") })
}

fn secrets(credentials: &Credentials) -> Value {
    let named = [
        ("hibp_api_key", &credentials.hibp_api_key),
        ("scan_client_secret", &credentials.scan_client_secret),
        ("respond_client_secret", &credentials.respond_client_secret),
        ("events_token", &credentials.events_token),
        ("webhook_secret", &credentials.webhook_secret),
        (
            "m365_scan_client_secret",
            &credentials.m365_scan_client_secret,
        ),
        (
            "m365_respond_client_secret",
            &credentials.m365_respond_client_secret,
        ),
        (
            "m365_vault_client_secret",
            &credentials.m365_vault_client_secret,
        ),
    ];
    let secrets =
        named.map(|(name, value)| (format!("sandbox.{name}"), Value::from(value.clone())));
    Value::Object(Map::from_iter(secrets))
}

fn config(sandbox: &Sandbox) -> Value {
    let credentials = sandbox.credentials();
    let planted = sandbox.planted();
    json!({
        "mode": "enforce",
        "connections": {
            "hibp": {
                "kind": "hibp",
                "endpoints": {
                    "api": sandbox.hibp_api_url(),
                    "passwords": sandbox.hibp_passwords_url(),
                },
                "scan": { "api_key": secret("hibp_api_key") },
                "tenants": ["acme"],
            },
            "acme-passwords": {
                "kind": "onepassword",
                "endpoints": {
                    "api": sandbox.onepassword_api_url(),
                    "events": sandbox.onepassword_events_url(),
                },
                "scan": {
                    "client_id": credentials.scan_client_id,
                    "client_secret": secret("scan_client_secret"),
                    "events_token": secret("events_token"),
                },
                "respond": {
                    "client_id": credentials.respond_client_id,
                    "client_secret": secret("respond_client_secret"),
                },
                "tenants": ["acme"],
            },
            "tickets": {
                "kind": "webhook",
                "endpoints": { "url": sandbox.webhook_url() },
                "respond": { "signing_secret": secret("webhook_secret") },
                "tenants": ["acme"],
            },
        },
        "tenants": {
            "acme": {
                "name": "Acme GmbH",
                "domains": [planted.domain],
                "protected": [planted.owner.email],
                "monitor": { "domains": true, "directories": ["passwords"] },
                "connectors": {
                    "breaches": { "connection": "hibp" },
                    "passwords": {
                        "connection": "acme-passwords",
                        "account_id": credentials.account_id,
                    },
                    "tickets": { "connection": "tickets" },
                },
                "rules": [{
                    "name": "leaked password",
                    "when": { "kind": "credential_exposure", "severity": ">=high" },
                    "then": ["suspend_account"],
                }, {
                    "name": "suspicious sign-in",
                    "when": { "kind": "suspicious_sign_in", "severity": ">=high" },
                    "then": ["suspend_account"],
                }],
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use protect_core::config::Config;
    use protect_core::operation::check_table;

    use super::*;

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        let sandbox = start(json!({})).unwrap();
        assert_eq!(check_table(sandbox).await, Ok(()));
    }

    #[test]
    fn its_configuration_is_one_that_this_build_takes() {
        let sandbox = Sandbox::builder().start_blocking().unwrap();
        let config = Config::from_value(&config(&sandbox), &crate::registry()).unwrap();
        assert_eq!(config.tenants.len(), 1);
    }
}
