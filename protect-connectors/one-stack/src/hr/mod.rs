//! What calls the workforce: the keys of PSA, Defend and Legal, and the organisation that they name. What
//! is answered is the workforce's own (`protect_core::people::routes`). The kind `people` is nothing else.

use async_trait::async_trait;
use protect_core::Result;
use protect_core::config::{CredentialSpec, KindSpec, SettingSpec};
use protect_core::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};
use protect_core::inbound::{Inbound, InboundAnswer, InboundRequest, Route};
use protect_core::registry::ConnectorSetup;
use protect_core::secret::SecretRef;
use protect_core::{Error, ErrorKind};

use crate::config::text;

/// The kind, as it stands in the configuration.
const KIND: &str = "people";

/// The product's own name for the environment variable of the key.
const VARIABLE: &str = "INTEGRATION_KEY";

pub(crate) fn spec() -> KindSpec {
    let spec = KindSpec::new(
        KIND,
        "The One People: lets PSA pull time off and certifications with the key that both sides hold.",
    );
    let spec = spec.by_choice().setting(
        SettingSpec::text(
            "organisation_id",
            "The Hub organisation id, which the callers name the tenant by.",
        )
        .required(),
    );
    with_keys(spec, VARIABLE, true)
}

/// Adds the key that a caller shows, and the one before.
pub(crate) fn with_keys(spec: KindSpec, variable: &str, required: bool) -> KindSpec {
    let keys = CredentialSpec::new()
        .secret(
            "inbound_key",
            "The key that the caller shows, the same on both sides.",
        )
        .variable(variable)
        .optional_secret(
            "inbound_key_before",
            "The key before, while it is being replaced.",
        );
    if required {
        spec.scan(keys)
    } else {
        spec.optional_scan(keys)
    }
}

/// The keys of PSA.
///
/// # Errors
/// `config_invalid` naming the field.
pub(crate) fn build(setup: &ConnectorSetup) -> Result<KeyHolder> {
    KeyHolder::read(setup)?.ok_or_else(|| setup.error("scan.inbound_key", "missing"))
}

impl KeyHolder {
    /// The keys of a caller; `None` where the connection has none.
    ///
    /// # Errors
    /// `config_invalid` naming the field.
    pub(crate) fn read(setup: &ConnectorSetup) -> Result<Option<Self>> {
        let Some((_, connection)) = &setup.connection else {
            return Err(setup.error("connection", "this kind needs it"));
        };
        let before = connection.scan_secret("inbound_key_before");
        let organisation = text(setup, "organisation_id")
            .ok_or_else(|| setup.error("organisation_id", "missing"))?;
        let Some(key) = connection.scan_secret("inbound_key") else {
            return Ok(None);
        };
        Ok(Some(Self {
            info: setup.info.clone(),
            organisation,
            keys: [Some(key), before].into_iter().flatten().collect(),
        }))
    }

    /// What can be said of the keys without being called.
    pub(crate) fn note() -> String {
        "this product calls us: whether its key is ours shows when it does".to_owned()
    }
}

/// Holds the keys; what is asked with them is answered elsewhere.
#[derive(Debug)]
pub(crate) struct KeyHolder {
    info: ConnectorInfo,
    organisation: String,
    keys: Vec<SecretRef>,
}

#[async_trait]
impl Connector for KeyHolder {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    /// Nothing is called, so that nothing can be asked.
    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        Ok(Diagnosis {
            reachable: true,
            notes: vec![Self::note()],
            ..Diagnosis::default()
        })
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        Some(self)
    }
}

#[async_trait]
impl Inbound for KeyHolder {
    fn routes(&self) -> &[Route] {
        &[]
    }

    fn tenant_alias(&self) -> &str {
        &self.organisation
    }

    fn integration_keys(&self) -> &[SecretRef] {
        &self.keys
    }

    async fn handle(&self, _: &OpContext, _: &InboundRequest) -> Result<InboundAnswer> {
        Err(Error::new(ErrorKind::NotFound, "there is nothing here"))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protect_core::ErrorKind;
    use protect_core::config::Config;
    use protect_core::engine::Engine;
    use protect_core::registry::Registry;
    use protect_core::store::MemoryStore;

    fn made(of: &str) -> protect_core::Result<usize> {
        let mut registry = Registry::new();
        crate::register(&mut registry);
        let text = format!(
            "[connections.dispatch]\nkind = \"people\"\n{of}\ntenants = [\"acme\"]\n\
             [tenants.acme.connectors.dispatch]\nconnection = \"dispatch\"\norganisation_id = \"org-1\"\n"
        );
        let config = Config::from_toml(&text, &registry)?;
        let context = protect_core::testing::context().context;
        let engine = Engine::builder(config, registry, context);
        let engine = engine.build(Arc::new(MemoryStore::new()))?;
        let acme = engine.tenant("acme")?;
        let connector = &acme.connectors()[0];
        let inbound = connector.as_inbound().map(|it| it.integration_keys().len());
        Ok(inbound.unwrap_or_default())
    }

    #[test]
    fn a_key_can_be_replaced_without_a_gap_and_none_is_no_configuration() {
        let key = "scan = { inbound_key = { env = \"A\" } }";
        assert_eq!(made(key).unwrap(), 1);
        let both = "scan = { inbound_key = { env = \"A\" }, inbound_key_before = { env = \"B\" } }";
        assert_eq!(made(both).unwrap(), 2);
        let error = made("scan = {}").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    }
}
