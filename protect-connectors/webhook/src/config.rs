use std::sync::Arc;

use protect_core::connector::Connector;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::secret::SecretRef;
use protect_core::{Context, Error, Result};

use crate::client::Webhook;
use crate::sink::WebhookConnector;

/// Teaches a registry this kind of connector.
pub fn register(registry: &mut Registry) {
    registry.register(crate::KIND, |setup, context| build(&setup, context));
}

fn build(setup: &ConnectorSetup, context: &Context) -> Result<Arc<dyn Connector>> {
    let Some((_, connection)) = &setup.connection else {
        return Err(setup.error("connection", "a webhook needs a connection"));
    };
    let url = connection
        .endpoints
        .get("url")
        .ok_or_else(|| setup.error("endpoints.url", "a webhook needs the URL to post to"))?;
    let secret = connection
        .respond
        .as_ref()
        .and_then(|respond| respond.get("signing_secret"))
        .ok_or_else(|| {
            setup.error(
                "respond.signing_secret",
                "a webhook needs its signing secret",
            )
        })?;
    let secret: SecretRef = serde_json::from_value(secret.clone()).map_err(|_| {
        setup.error(
            "respond.signing_secret",
            "not a reference to a secret; write { env = \"NAME\" }",
        )
    })?;
    let client = Webhook::new(url, secret, context).map_err(|error| placed(setup, &error))?;
    Ok(Arc::new(WebhookConnector::new(setup.info.clone(), client)))
}

fn placed(setup: &ConnectorSetup, error: &Error) -> Error {
    setup.error("endpoints.url", error.message())
}
