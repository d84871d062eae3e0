//! The client's operations as data, and the gate through which other languages call them.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use protect_core::context::Context;
use protect_core::model::Severity;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, answer,
    arguments, unknown,
};
use protect_core::secret::SecretRef;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::client::Notify;
use crate::notice::Sent;

/// The class `Notify`.
pub static CLASS: Class = Class {
    name: "Notify",
    kind: crate::KIND,
    docs: "Sends at once, without plan, guards, store or ledger: notices by mail, Slack or Microsoft Teams. For those, use the engine.",
    constructor: &[
        text(
            "smtp",
            "The mail server: `smtp://host` (STARTTLS) or `smtps://host`.",
        ),
        text("username", "The mail server's user name."),
        Parameter::optional(
            "password",
            ParameterKind::Secret,
            "The mail server's password.",
        ),
        text(
            "sender",
            "The address that mails come from; `username` where that is an address.",
        ),
        Parameter::optional("to", ParameterKind::Texts, "Who gets the mails."),
        Parameter::optional(
            "url",
            ParameterKind::Secret,
            "The address of an incoming webhook of Slack or Teams, instead of a mail server.",
        ),
        text(
            "format",
            "Whose webhook it is, where the host is none of the vendor's own: `slack` or `teams`.",
        ),
    ],
    operations: OPERATIONS,
};

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[Operation {
    name: "send",
    parameters: &[
        Parameter::required("title", ParameterKind::Text, "One line."),
        Parameter::required(
            "text",
            ParameterKind::Text,
            "Text in Markdown: paragraphs, lists, bold.",
        ),
        text(
            "severity",
            "`info` (default), `low`, `medium`, `high` or `critical`; stands before the title.",
        ),
        Parameter::optional(
            "to",
            ParameterKind::Texts,
            "Who gets this mail instead of the client's `to`.",
        ),
        text(
            "id",
            "What a repeat is recognised by: 1 to 64 letters, digits, `-`, `_`, `.`; made up where absent.",
        ),
    ],
    result: ResultType::One(Model::of::<Sent>("Sent")),
    effect: Effect::Change,
    permission: "",
    docs: "Sends a notice once. A retryable error may mean that it was sent and the answer was lost; sending it again with the same `id` makes a mail that programs recognise as the same.",
}];

const fn text(name: &'static str, docs: &'static str) -> Parameter {
    Parameter::optional(name, ParameterKind::Text, docs)
}

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let mut builder = Notify::builder()
        .context(context)
        .to(given.to.unwrap_or_default());
    if let Some(smtp) = given.smtp {
        builder = builder.smtp(smtp);
    }
    if let Some(username) = given.username {
        builder = builder.username(username);
    }
    if let Some(password) = given.password {
        builder = builder.password(password);
    }
    if let Some(sender) = given.sender {
        builder = builder.sender(sender);
    }
    if let Some(url) = given.url {
        builder = builder.url(url);
    }
    if let Some(format) = given.format {
        let format = format.parse();
        builder = builder.format(format.map_err(|e: Error| Error::config("format", e.message()))?);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    smtp: Option<String>,
    username: Option<String>,
    password: Option<SecretRef>,
    sender: Option<String>,
    to: Option<Vec<String>>,
    url: Option<SecretRef>,
    format: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    title: String,
    text: String,
    severity: Option<Severity>,
    to: Option<Vec<String>>,
    id: Option<String>,
}

impl Callable for Notify {
    fn class(&self) -> &'static Class {
        &CLASS
    }

    fn call(self: Arc<Self>, operation: &str, given: Value) -> BoxFuture<'static, Result<Value>> {
        let operation = operation.to_owned();
        Box::pin(async move {
            match operation.as_str() {
                "send" => {
                    let given: Send = arguments(given)?;
                    let sent = self.send(
                        &given.title,
                        &given.text,
                        given.severity,
                        given.to,
                        given.id.as_deref(),
                    );
                    answer(&sent.await?)
                }
                _ => Err(unknown(&CLASS, &operation)),
            }
        })
    }

    fn within(&self, timeout: Duration) -> Option<Arc<dyn Callable>> {
        Some(Arc::new(self.with_timeout(timeout)))
    }
}

#[cfg(test)]
mod tests {
    use protect_core::operation::check_table;
    use protect_core::testing;
    use serde_json::json;

    use super::*;

    fn connected(given: Value) -> Result<Arc<dyn Callable>> {
        connect(given, testing::context().context)
    }

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        let mail = json!({ "smtp": "smtp://127.0.0.1", "sender": "a@acme.example" });
        assert_eq!(check_table(connected(mail).unwrap()).await, Ok(()));
    }

    #[test]
    fn what_a_client_cannot_be_made_from_is_named() {
        for (given, field) in [
            (json!({}), "smtp"),
            (json!({ "smtp": "smtp://mail.example" }), "sender"),
            (
                json!({ "smtp": "smtp://mail.example", "username": "a@acme.example" }),
                "password",
            ),
            (
                json!({ "smtp": "smtp://mail.example", "sender": "nobody" }),
                "sender",
            ),
            (
                json!({ "smtp": "smtp://m.example", "sender": "a@b.example", "to": ["x\r\ny"] }),
                "to",
            ),
            (
                json!({ "url": { "provided": "u" }, "to": ["a@b.example"] }),
                "to",
            ),
            (
                json!({ "url": { "provided": "u" }, "smtp": "smtp://mail.example" }),
                "url",
            ),
            (
                json!({ "url": { "provided": "u" }, "format": "irc" }),
                "format",
            ),
        ] {
            let error = connected(given.clone()).err().unwrap();
            let named = error.context().iter().any(|(_, value)| value == field);
            assert!(named, "{given}: {error}");
        }
    }
}
