//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::{KIND, NewSecurityIncident, PRODUCT, Security, SecurityAlert, SecurityIncident};
use crate::direct::{
    API_KEY, BASE_URL, CONVENTIONS, Construct, INTEGRATION_KEY, ORGANISATION, nobody,
};

/// The class `Security`.
pub static CLASS: Class = Class {
    name: "Security",
    kind: KIND,
    docs: "Acts at once at The One Security: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, the limit of the organisation and typed errors are inside.",
    constructor: &[
        ORGANISATION,
        API_KEY,
        INTEGRATION_KEY,
        BASE_URL,
        CONVENTIONS,
    ],
    operations: OPERATIONS,
};

const INCIDENT: Model = Model::of::<SecurityIncident>("SecurityIncident");
const INCIDENT_ID: Parameter = Parameter::required(
    "incident_id",
    ParameterKind::Text,
    "Security's id of the incident.",
);

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "create_incident",
        parameters: &[Parameter::required(
            "incident",
            ParameterKind::One(Model::of::<NewSecurityIncident>("NewSecurityIncident")),
            "What to open.",
        )],
        result: ResultType::One(INCIDENT),
        effect: Effect::Change,
        permission: "",
        docs: "Opens an incident. Look with `find_incidents` first: whether Security acts once for a repeated key is not documented.",
    },
    Operation {
        name: "find_incidents",
        parameters: &[Parameter::required(
            "source_ref",
            ParameterKind::Text,
            "The reference that the incident was opened with.",
        )],
        result: ResultType::List(INCIDENT),
        effect: Effect::Read,
        permission: "",
        docs: "The incidents under one reference, whatever their status.",
    },
    Operation {
        name: "find_alerts",
        parameters: &[
            Parameter::required(
                "account",
                ParameterKind::Text,
                "The login or address that they are about.",
            ),
            Parameter::required(
                "from",
                ParameterKind::Text,
                "The first moment, in RFC 3339.",
            ),
            Parameter::required("to", ParameterKind::Text, "The last moment, in RFC 3339."),
        ],
        result: ResultType::List(Model::of::<SecurityAlert>("SecurityAlert")),
        effect: Effect::Read,
        permission: "",
        docs: "The alerts about one account between two moments.",
    },
    Operation {
        name: "get_incident",
        parameters: &[INCIDENT_ID],
        result: ResultType::One(INCIDENT),
        effect: Effect::Read,
        permission: "",
        docs: "One incident, with its status.",
    },
    Operation {
        name: "update_incident",
        parameters: &[
            INCIDENT_ID,
            Parameter::optional("status", ParameterKind::Text, "Where it is to stand."),
            Parameter::optional("note", ParameterKind::Text, "What to add to it."),
        ],
        result: ResultType::Nothing,
        effect: Effect::Change,
        permission: "",
        docs: "Moves an incident on, adds a note to it, or both. A note sent twice stands there twice.",
    },
];

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: &Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let platform = given.platform(&PRODUCT, false, context)?;
    Ok(Arc::new(Security::over(platform, &nobody()?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIncidentArgument {
    incident: NewSecurityIncident,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceArgument {
    source_ref: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AlertsArguments {
    account: String,
    from: Timestamp,
    to: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IncidentArgument {
    incident_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateArguments {
    incident_id: String,
    status: Option<String>,
    note: Option<String>,
}

impl Callable for Security {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move { self.dispatch(&operation, given).await })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
    }
}

impl Security {
    async fn dispatch(&self, operation: &str, given: Value) -> Result<Value> {
        match operation {
            "create_incident" => {
                let NewIncidentArgument { incident } = arguments(given)?;
                answer(&self.create_incident(incident).await?)
            }
            "find_incidents" => {
                let ReferenceArgument { source_ref } = arguments(given)?;
                answer(&self.find_incidents(&source_ref).await?)
            }
            "find_alerts" => {
                let given: AlertsArguments = arguments(given)?;
                answer(
                    &self
                        .find_alerts(&given.account, given.from, given.to)
                        .await?,
                )
            }
            "get_incident" => {
                let IncidentArgument { incident_id } = arguments(given)?;
                answer(&self.get_incident(&incident_id).await?)
            }
            "update_incident" => {
                let given: UpdateArguments = arguments(given)?;
                let (status, note) = (given.status.as_deref(), given.note.as_deref());
                self.update_incident(&given.incident_id, status, note)
                    .await?;
                Ok(Value::Null)
            }
            _ => Err(unknown(&CLASS, operation)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_table_the_gate_and_the_constructor_agree() {
        crate::direct::agree(&CLASS, connect).await;
    }
}
