//! The simulated vendors, called by name.

mod config;
mod engine;
mod table;

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use jiff::SignedDuration;
use protect_core::operation::{Callable, Class, answer, arguments, unknown};
use protect_core::{Context, Error, ErrorKind, Result};
use protect_sandbox::{Fault, FaultKind, HubToken, NewHubWebhook, Sandbox, SandboxError, Vendor};
use serde::Deserialize;
use serde_json::Value;

use super::Nothing;
pub(super) use table::CLASS;
use table::{OPERATIONS, SandboxAddresses};

/// Old enough to be in the log already.
const MINUTES_AGO: i64 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    seed: Option<u64>,
    users: Option<usize>,
    rate_limits: Option<bool>,
    catalogue: Option<String>,
    range_rows: Option<usize>,
    m365_users: Option<usize>,
    google_users: Option<usize>,
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
struct EditNamed {
    name: String,
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Edit {
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditUser {
    key: String,
    change: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetDocuments {
    name: String,
    documents: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlantLogin {
    key: String,
    minutes_ago: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetDocument {
    name: String,
    document: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OpenEngine {
    config: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PublishBreach {
    breach: Value,
    accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignToken {
    organisation_id: String,
    email: Option<String>,
    role: Option<String>,
    client_id: Option<String>,
    session: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    organisation_id: String,
    product: String,
    url: String,
    secret: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetStatus {
    id: String,
    status: String,
}

/// Starts the simulators.
pub(super) fn start(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
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
    if let Some(users) = given.google_users {
        builder = builder.google_users(users);
    }
    let sandbox = builder.start_blocking().map_err(|error| {
        let kind = match error {
            SandboxError::Listen(_) => ErrorKind::Unavailable,
            _ => ErrorKind::InvalidInput,
        };
        Error::new(kind, "the sandbox cannot be started").with_source(error)
    })?;
    Ok(Arc::new(SandboxCalls {
        sandbox: Arc::new(Mutex::new(sandbox)),
        context: context.clone(),
    }))
}

struct SandboxCalls {
    sandbox: engine::Shared,
    context: Context,
}

impl Callable for SandboxCalls {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        if operation == "send_one_stack_webhooks" {
            let given: Result<Nothing> = arguments(given);
            let sending = engine::locked(&self.sandbox).send_one_stack_webhooks();
            return Box::pin(async move {
                given?;
                let statuses = sending.await;
                let taken = statuses.iter().filter(|it| (200..300).contains(*it));
                answer(&taken.count())
            });
        }
        let answered = dispatch(&engine::locked(&self.sandbox), operation, given);
        Box::pin(futures::future::ready(answered))
    }

    fn open(&self, operation: &str, given: Value) -> Result<Arc<dyn Callable>> {
        if operation != "engine" {
            return Err(unknown(&CLASS, operation));
        }
        let OpenEngine { config } = arguments(given)?;
        let opened = engine::open(&self.sandbox, &self.context, &config)?;
        Ok(Arc::new(opened))
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
            let EditNamed { name, change } = arguments(given)?;
            answer(&sandbox.edit_m365_application(&name, change))
        }
        "edit_m365_tenant" => {
            let Edit { change } = arguments(given)?;
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
        _ => one_stack(sandbox, operation, given),
    }
}

/// What Hub signs, and what people do at the other products of The One Stack.
fn one_stack(sandbox: &Sandbox, operation: &str, given: Value) -> Result<Value> {
    match operation {
        "hub_token" => {
            let given: SignToken = arguments(given)?;
            answer(&sandbox.hub_token(&HubToken {
                organisation: given.organisation_id,
                email: given.email,
                role: given.role,
                client_id: given.client_id,
                session: given.session.unwrap_or_default(),
                ..HubToken::default()
            }))
        }
        "subscribe_one_stack" => {
            let given: Subscribe = arguments(given)?;
            answer(&sandbox.subscribe_one_stack(NewHubWebhook {
                organisation: given.organisation_id,
                product: given.product,
                url: given.url,
                secret: given.secret,
            }))
        }
        "set_one_stack_status" => {
            let SetStatus { id, status } = arguments(given)?;
            answer(&sandbox.set_one_stack_status(&id, &status))
        }
        _ => google(sandbox, operation, given),
    }
}

/// What can be changed at Google.
fn google(sandbox: &Sandbox, operation: &str, given: Value) -> Result<Value> {
    match operation {
        "edit_google_service_account" => {
            let EditNamed { name, change } = arguments(given)?;
            answer(&sandbox.edit_google_service_account(&name, change))
        }
        "edit_google_domain" => {
            let Edit { change } = arguments(given)?;
            answer(&sandbox.edit_google_domain(change))
        }
        "edit_google_user" => {
            let EditUser { key, change } = arguments(given)?;
            answer(&sandbox.edit_google_user(&key, change))
        }
        "edit_google_org_unit" => {
            let Edit { change } = arguments(given)?;
            answer(&sandbox.edit_google_org_unit(change))
        }
        "set_google_documents" => {
            let SetDocuments { name, documents } = arguments(given)?;
            answer(&sandbox.set_google_documents(&name, &documents))
        }
        "plant_google_login" => {
            let PlantLogin { key, minutes_ago } = arguments(given)?;
            answer(&sandbox.plant_google_login(&key, minutes_ago.unwrap_or(MINUTES_AGO)))
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
            google_api: sandbox.google_api_url(),
            google_token: sandbox.google_token_url(),
            one_stack: sandbox.one_stack_root(),
            webhook: sandbox.webhook_url(),
            stripe_api: sandbox.stripe_api_url(),
            scim: sandbox.scim_url(),
            smtp: sandbox.smtp_url(),
        }),
        "credentials" => answer(&sandbox.credentials()),
        "config" => Ok(config::config(sandbox)),
        "connections" => Ok(config::connections(sandbox)),
        "secrets" => Ok(config::secrets(sandbox)),
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

#[cfg(test)]
mod tests {
    use protect_core::operation::check_table;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        let context = protect_core::testing::context().context;
        let sandbox = start(json!({}), &context).unwrap();
        assert_eq!(check_table(sandbox).await, Ok(()));
    }
}
