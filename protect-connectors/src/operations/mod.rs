//! Everything that can be called by name, which is what the Python and Node packages are made
//! from: see [`protect_core::operation`].

#[cfg(feature = "email")]
mod email;
mod engine;
#[cfg(feature = "web")]
mod exchange;
mod pure;
#[cfg(feature = "sandbox")]
mod sandbox;
mod tenant;

use std::sync::Arc;
use std::time::Duration;

use protect_core::operation::{Callable, Class, Effect, Model, Operation, Parameter, ResultType};
use protect_core::{Context, Error, ErrorKind, Result};
use serde::Deserialize;
use serde_json::Value;

#[cfg(feature = "email")]
pub use email::{PlainReport, email_parse_report, email_read_reports};
#[cfg(feature = "web")]
pub use exchange::{WebHeader, WebResponse};
#[cfg(feature = "hibp")]
pub use pure::hibp_evaluate;
pub use pure::posture_evaluate;
#[cfg(feature = "webhook")]
pub use pure::webhook_verify;
pub use tenant::{ApprovedPlanRecord, PEOPLE_OPERATIONS, TenantCalls};

/// Every class of this build: the vendors' own clients in alphabetical order, then the engine's.
pub fn classes() -> Vec<&'static Class> {
    vec![
        #[cfg(feature = "email")]
        &protect_email::CLASS,
        #[cfg(feature = "google")]
        &protect_google::CLASS,
        #[cfg(feature = "hibp")]
        &protect_hibp::CLASS,
        #[cfg(feature = "m365")]
        &protect_m365::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::bus::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::compliance::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::defend::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::hub::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::legal::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::oncall::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::portal::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::psa::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::rmm::CLASS,
        #[cfg(feature = "one-stack")]
        &protect_one_stack::security::CLASS,
        #[cfg(feature = "notify")]
        &protect_notify::CLASS,
        #[cfg(feature = "onepassword")]
        &protect_onepassword::CLASS,
        #[cfg(feature = "scim")]
        &protect_scim::CLASS,
        #[cfg(feature = "stripe")]
        &protect_stripe::CLASS,
        #[cfg(feature = "sandbox")]
        &sandbox::CLASS,
        &engine::CLASS,
        &tenant::CLASS,
    ]
}

/// Kinds that have models and functions, whether or not they have a class.
pub const PURE: &[&str] = &[
    #[cfg(feature = "email")]
    "email",
    #[cfg(feature = "log")]
    "log",
    #[cfg(feature = "webhook")]
    "webhook",
];

/// Models of a kind that cross without being any operation's parameter or result: what pure
/// functions give, and what connectors written in Python or JavaScript take and give.
pub fn models(kind: &str) -> &'static [Model] {
    match kind {
        "engine" => crate::foreign::MODELS,
        #[cfg(feature = "log")]
        "log" => {
            const MODELS: &[Model] = &[Model::of::<crate::log::LogLine>("LogLine")];
            MODELS
        }
        #[cfg(feature = "email")]
        "email" => email::MODELS,
        #[cfg(feature = "hibp")]
        "hibp" => {
            const MODELS: &[Model] = &[Model::of::<protect_hibp::Assessment>("Assessment")];
            MODELS
        }
        #[cfg(feature = "webhook")]
        "webhook" => {
            const MODELS: &[Model] = &[Model::of::<protect_webhook::VerifiedMessage>(
                "VerifiedMessage",
            )];
            MODELS
        }
        _ => &[],
    }
}

/// Makes a vendor's own client (level 1) from the declared parameters of its constructor. A secret
/// among them is `{"provided": name}`, known to the context's resolver. No vendor is called.
///
/// # Errors
/// `unsupported` for a class that is not one of this build's clients; `invalid_input` or
/// `config_invalid` naming the parameter.
pub fn connect(class: &str, constructor: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    match class {
        #[cfg(feature = "email")]
        "Email" => protect_email::connect(constructor, context),
        #[cfg(feature = "google")]
        "Google" => protect_google::connect(constructor, context.clone()),
        #[cfg(feature = "hibp")]
        "Hibp" => protect_hibp::connect(constructor, context),
        #[cfg(feature = "m365")]
        "M365" => protect_m365::connect(constructor, context.clone()),
        #[cfg(feature = "one-stack")]
        "Bus" => protect_one_stack::bus::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Compliance" => protect_one_stack::compliance::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Defend" => protect_one_stack::defend::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Hub" => protect_one_stack::hub::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Legal" => protect_one_stack::legal::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "OnCall" => protect_one_stack::oncall::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Portal" => protect_one_stack::portal::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Psa" => protect_one_stack::psa::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Rmm" => protect_one_stack::rmm::connect(constructor, context),
        #[cfg(feature = "one-stack")]
        "Security" => protect_one_stack::security::connect(constructor, context),
        #[cfg(feature = "notify")]
        "Notify" => protect_notify::connect(constructor, context.clone()),
        #[cfg(feature = "onepassword")]
        "OnePassword" => protect_onepassword::connect(constructor, context.clone()),
        #[cfg(feature = "scim")]
        "Scim" => protect_scim::connect(constructor, context.clone()),
        #[cfg(feature = "stripe")]
        "Stripe" => protect_stripe::connect(constructor, context.clone()),
        #[cfg(feature = "sandbox")]
        "Sandbox" => sandbox::start(constructor, context),
        _ => {
            let _ = (constructor, context);
            let clients = classes()
                .into_iter()
                .filter(|class| !class.constructor.is_empty());
            let known: Vec<_> = clients.map(|class| class.name).collect();
            Err(Error::new(
                ErrorKind::Unsupported,
                format!("no such client; this build has: {}", known.join(", ")),
            )
            .with_context("class", class))
        }
    }
}

/// How long a call to a vendor's own client may take where its caller does not say: a vendor may ask
/// to wait for an hour, and nobody wants that from a call without being asked.
const PATIENCE: Duration = Duration::from_mins(2);

/// The callable with a deadline for the next call: `timeout`, or else two minutes for a vendor's own
/// client and none for the engine, which has its own.
pub fn within(callable: Arc<dyn Callable>, timeout: Option<Duration>) -> Arc<dyn Callable> {
    callable
        .within(timeout.unwrap_or(PATIENCE))
        .unwrap_or(callable)
}

/// An operation that reads.
const fn read(
    name: &'static str,
    parameters: &'static [Parameter],
    result: ResultType,
    docs: &'static str,
) -> Operation {
    Operation {
        name,
        parameters,
        result,
        effect: Effect::Read,
        permission: "",
        docs,
    }
}

/// An operation that changes something, here or at a vendor.
const fn change(
    name: &'static str,
    parameters: &'static [Parameter],
    result: ResultType,
    docs: &'static str,
) -> Operation {
    Operation {
        effect: Effect::Change,
        ..read(name, parameters, result, docs)
    }
}

/// The arguments of an operation that takes none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}
