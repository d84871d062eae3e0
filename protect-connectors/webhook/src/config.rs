use std::sync::Arc;

use protect_core::config::{CredentialSpec, EndpointSpec, KindSpec, SettingSpec};
use protect_core::connector::Connector;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Result};

use crate::client::{Format, Webhook};
use crate::inbound::{self, Messages};
use crate::sink::WebhookConnector;

/// Teaches a registry this kind of connector.
pub fn register(registry: &mut Registry) {
    registry.register(spec(), |setup, context| build(&setup, context));
}

fn spec() -> KindSpec {
    let url = EndpointSpec::new("url", "Where to post to.").required();
    let secret = CredentialSpec::new().secret(
        "signing_secret",
        "The Standard Webhooks secret: `whsec_` and 24 to 64 random bytes in base64.",
    );
    let received = CredentialSpec::new()
        .secret(
            inbound::SECRET,
            "The Standard Webhooks secret that the receiver signs with when it tells that a ticket has moved; without it tickets are looked up every hour alone.",
        )
        .optional_secret(
            inbound::PREVIOUS,
            "The secret before: messages signed with it are still taken.",
        );
    KindSpec::new(
        crate::KIND,
        "A receiver of your own, told about incidents, tickets and events by signed messages.",
    )
    .endpoint(url)
    .required_respond(secret)
    .optional_scan(received)
    .connection_setting(
        SettingSpec::one_of(
            "format",
            ["plain", "cloudevents"],
            "The form of a message: `plain`, or Cloud Events 1.0 in structured JSON. Never switched by itself.",
        )
        .default("plain"),
    )
}

fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let missing = |field: &str| setup.error(field, "a webhook needs this");
    let (_, connection) = setup
        .connection
        .as_ref()
        .ok_or_else(|| missing("connection"))?;
    let url = connection
        .endpoints
        .get("url")
        .ok_or_else(|| missing("endpoints.url"))?;
    let secret = connection
        .respond_secret("signing_secret")
        .ok_or_else(|| missing("respond.signing_secret"))?;
    let format = connection.settings.get("format");
    let format = match format.and_then(|format| format.as_str()) {
        Some("cloudevents") => Format::CloudEvents,
        _ => Format::Plain,
    };
    let client = Webhook::new(url, secret, context)
        .map_err(|error| setup.error("endpoints.url", error.message()))?
        .format(format);
    let secrets = [inbound::SECRET, inbound::PREVIOUS].map(|name| connection.scan_secret(name));
    let secrets: Vec<_> = secrets.into_iter().flatten().collect();
    let messages = (!secrets.is_empty()).then(|| Messages::new(secrets, context));
    Ok(Arc::new(WebhookConnector::new(
        setup.info.clone(),
        client,
        messages,
    )))
}
