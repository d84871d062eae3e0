//! What calls the workforce: the keys of PSA, Defend and Legal, and the organisation that they name. What
//! is answered is the workforce's own (`protect_core::people::routes`).

use async_trait::async_trait;
use protect_core::Result;
use protect_core::config::{CredentialSpec, KindSpec, SettingSpec};
use protect_core::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};
use protect_core::inbound::{Inbound, InboundAnswer, InboundRequest, Route};
use protect_core::registry::ConnectorSetup;
use protect_core::secret::SecretRef;
use protect_core::{Error, ErrorKind};

use crate::config::text;

/// A kind that only holds keys.
pub(crate) struct Caller {
    kind: &'static str,
    docs: &'static str,
    /// The product's own name for the environment variable of the key.
    variable: &'static str,
}

/// Every such kind.
pub(crate) const CALLERS: [Caller; 3] = [
    Caller {
        kind: "people",
        docs: "The One People: lets PSA pull time off and certifications with the key that both sides hold.",
        variable: "INTEGRATION_KEY",
    },
    Caller {
        kind: "defend",
        docs: "The One Defend: lets it look people up, tell insider-threat signals, and ask for an emergency offboarding.",
        variable: "DEFEND_SERVICE_KEY",
    },
    Caller {
        kind: "legal",
        docs: "The One Legal: lets it tell that somebody acknowledged a policy.",
        variable: "LEGAL_INTEGRATION_KEY",
    },
];

impl Caller {
    pub(crate) fn spec(&self) -> KindSpec {
        KindSpec::new(self.kind, self.docs)
            .by_choice()
            .scan(
                CredentialSpec::new()
                    .secret(
                        "inbound_key",
                        "The key that the caller shows, the same on both sides.",
                    )
                    .variable(self.variable)
                    .optional_secret(
                        "inbound_key_before",
                        "The key before, while it is being replaced.",
                    ),
            )
            .setting(
                SettingSpec::text(
                    "organisation_id",
                    "The Hub organisation id, which the callers name the tenant by.",
                )
                .required(),
            )
    }
}

/// The keys of one caller.
///
/// # Errors
/// `config_invalid` naming the field.
pub(crate) fn build(setup: &ConnectorSetup) -> Result<KeyHolder> {
    let Some((_, connection)) = &setup.connection else {
        return Err(setup.error("connection", "this kind needs it"));
    };
    let key = connection
        .scan_secret("inbound_key")
        .ok_or_else(|| setup.error("scan.inbound_key", "missing"))?;
    let before = connection.scan_secret("inbound_key_before");
    let organisation =
        text(setup, "organisation_id").ok_or_else(|| setup.error("organisation_id", "missing"))?;
    Ok(KeyHolder {
        info: setup.info.clone(),
        organisation,
        keys: [Some(key), before].into_iter().flatten().collect(),
    })
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
            notes: vec![
                "this product calls us: whether its key is ours shows when it does".to_owned(),
            ],
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
