use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec, SettingType};
use protect_core::connector::Connector;
use protect_core::model::ActionKind;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Result};
use serde_json::{Map, Value};

use crate::client::Notify;
use crate::sink::NotifyConnector;

/// Teaches a registry this kind of connector.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| build(&setup, context));
}

fn spec() -> KindSpec {
    let recipients = "Who gets the mails: addresses. An incoming webhook has none.";
    KindSpec::new(
        crate::KIND,
        "Notices to people: by mail, or by an incoming webhook of Slack or Microsoft Teams.",
    )
    .by_choice()
    .endpoint(
        EndpointSpec::new(
            "smtp",
            "The mail server: `smtp://host` (STARTTLS, port 587) or `smtps://host` (port 465).",
        )
        .mail_server(),
    )
    .endpoint(
        EndpointSpec::new(
            "url",
            "The incoming webhook, where its address may stand in the open; better as `respond.webhook_url`.",
        )
        .whole_url(),
    )
    .respond(
        CredentialSpec::new()
            .optional_plain("username", "The mail server's user name.")
            .optional_secret("password", "The mail server's password.")
            .optional_secret("webhook_url", "The whole address of an incoming webhook."),
    )
    .connection_setting(SettingSpec::text(
        "sender",
        "The address that mails come from; `username` where that is an address.",
    ))
    .connection_setting(SettingSpec::one_of(
        "format",
        ["slack", "teams"],
        "Whose webhook it is, where the host is none of the vendor's own.",
    ))
    .setting(SettingSpec::new("to", SettingType::TextList, recipients))
    .action_parameter(
        ActionKind::Notify,
        SettingSpec::new(
            "to",
            SettingType::TextList,
            "Who gets this mail instead of the connector's `to`: addresses, and `manager` for whoever leads the person concerned.",
        ),
    )
}

fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let Some((_, connection)) = &setup.connection else {
        return Err(setup.error("connection", "notices need a connection"));
    };
    let text = |settings: &Map<String, Value>, name: &str| {
        let value = settings.get(name).and_then(Value::as_str);
        value.map(str::to_owned)
    };
    let mut builder = Notify::builder().context(context.clone());
    if let Some(smtp) = connection.endpoints.get("smtp") {
        builder = builder.smtp(smtp);
    }
    if let Some(url) = connection.endpoints.get("url") {
        builder = builder.plain_url(url);
    }
    if let Some(url) = connection.respond_secret("webhook_url") {
        if connection.endpoints.contains_key("url") {
            return Err(setup.error("endpoints.url", "the webhook is given twice"));
        }
        builder = builder.url(url);
    }
    if let Some(username) = connection.respond_text("username") {
        builder = builder.username(username);
    }
    if let Some(password) = connection.respond_secret("password") {
        builder = builder.password(password);
    }
    if let Some(sender) = text(&connection.settings, "sender") {
        builder = builder.sender(sender);
    }
    if let Some(format) = text(&connection.settings, "format") {
        builder = builder.format(format.parse().map_err(setup.at("format"))?);
    }
    let to = match setup.settings.get("to").and_then(Value::as_array) {
        Some(to) => to
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        None => Vec::new(),
    };
    let has_recipients = !to.is_empty();
    let client = builder.to(to).build().map_err(|error| {
        let field = error.context().iter().find(|(key, _)| *key == "field");
        let field = field.map_or("endpoints", |(_, field)| field.as_str());
        setup.error(field, error.message())
    })?;
    if client.is_mail() && !has_recipients {
        return Err(setup.error("to", "say who gets the mails: a list of addresses"));
    }
    Ok(Arc::new(NotifyConnector::new(setup.info.clone(), client)))
}
