use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::Value;

use super::decide::routed;
use super::triage::MANY_SUBJECTS;
use super::{Authenticator, Engine, Shared, TenantParts, TenantRoutes};
use crate::config::{Config, ConnectorConfig, TenantConfig, unknown_name};
use crate::connector::{Connector, ConnectorInfo};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::model::{ConnectorName, TenantId};
use crate::registry::{ConnectorSetup, Registry};
use crate::store::Store;

/// What the workforce, which does some actions itself, is called among a tenant's connectors.
pub(crate) const WORKFORCE: &str = "workforce";

/// What an [`Engine`] is made from.
#[derive(Debug)]
pub struct EngineBuilder {
    config: Config,
    registry: Registry,
    context: Context,
    lease: Duration,
    authenticator: Option<Arc<dyn Authenticator>>,
    areas: Vec<Arc<dyn TenantRoutes>>,
    many_subjects: usize,
    #[cfg(feature = "report")]
    sections: Vec<&'static dyn crate::report::ReportSection>,
}

impl Engine {
    /// Begins to make an engine from a checked configuration, the kinds of connector the program
    /// knows, and what it gets from outside.
    pub fn builder(config: Config, registry: Registry, context: Context) -> EngineBuilder {
        EngineBuilder {
            config,
            registry,
            context,
            lease: Duration::from_mins(3),
            authenticator: None,
            areas: Vec::new(),
            many_subjects: MANY_SUBJECTS,
            #[cfg(feature = "report")]
            sections: Vec::new(),
        }
    }
}

impl EngineBuilder {
    /// How the program tells who somebody is.
    #[must_use]
    pub fn authenticator(mut self, authenticator: Arc<dyn Authenticator>) -> Self {
        self.authenticator = Some(authenticator);
        self
    }

    /// Adds routes that are answered for every tenant.
    #[must_use]
    pub fn routes(mut self, area: Arc<dyn TenantRoutes>) -> Self {
        self.areas.push(area);
        self
    }

    /// How long a worker may take for one action before another looks after it; 3 minutes by
    /// default. A call to a vendor, its retries included, may take a third of it.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// From how many subjects on findings of one cause make one incident of a tenant, rather than
    /// one for each person; 10 where nobody says.
    #[must_use]
    pub fn many_subjects(mut self, many: usize) -> Self {
        self.many_subjects = many.max(1);
        self
    }

    /// What the program's own reports say beside the library's sections.
    #[cfg(feature = "report")]
    #[must_use]
    pub fn report_sections(
        mut self,
        sections: Vec<&'static dyn crate::report::ReportSection>,
    ) -> Self {
        self.sections = sections;
        self
    }

    /// Makes every connector and the engine over a store. No vendor is called.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector and field.
    pub fn build(self, store: Arc<dyn Store>) -> Result<Engine> {
        let tenants = self
            .config
            .tenants
            .iter()
            .map(|(id, tenant)| self.tenant(id, tenant))
            .collect::<Result<Vec<_>>>()?;
        let own = ConnectorName::new(WORKFORCE)?;
        let shared = Arc::new_cyclic(|shared| Shared {
            tenants: tenants
                .into_iter()
                .map(|parts| at_home(parts, &own, shared))
                .collect(),
            config: self.config,
            context: self.context,
            store,
            lease: self.lease,
            authenticator: self.authenticator,
            many_subjects: self.many_subjects,
            #[cfg(feature = "report")]
            sections: self.sections,
            census: super::census::Known::default(),
            dropped_runs: super::run::Dropped::default(),
            #[cfg(feature = "report")]
            overviews: crate::report::Overviews::default(),
        });
        Ok(Engine {
            shared,
            areas: Arc::new(self.areas),
        })
    }

    fn tenant(&self, id: &TenantId, config: &TenantConfig) -> Result<TenantParts> {
        if config
            .connectors
            .keys()
            .any(|name| name.as_str() == WORKFORCE)
        {
            let message =
                "this is what the workforce itself is called; name the connector otherwise";
            return Err(Error::config(WORKFORCE, message).with_context("tenant", id.as_str()));
        }
        let connectors = config
            .connectors
            .iter()
            .map(|(name, connector)| self.connector(id, name, connector))
            .collect::<Result<Vec<_>>>()?;
        let mut config = config.clone();
        let switched_on = connectors.iter().flat_map(|connector| connector.rules());
        config.rules.extend(switched_on);
        know_their_templates(id, &config, &connectors)?;
        Ok(TenantParts {
            id: id.clone(),
            config,
            connectors,
            built_in: Vec::new(),
            counting: futures::lock::Mutex::default(),
        })
    }

    fn connector(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        config: &ConnectorConfig,
    ) -> Result<Arc<dyn Connector>> {
        let connection = config
            .connection
            .as_ref()
            .map(|name| {
                let connection = self.config.connections.get(name).ok_or_else(|| {
                    Error::config("connection", "there is no connection of this name")
                        .with_context("tenant", tenant.as_str())
                        .with_context("connection", name.as_str())
                })?;
                Ok::<_, Error>((name.clone(), connection.clone()))
            })
            .transpose()?;
        let setup = ConnectorSetup {
            info: ConnectorInfo {
                kind: config.kind.clone(),
                name: name.clone(),
                tenant: tenant.clone(),
            },
            connection,
            settings: config.settings.clone(),
        };
        self.registry.build(setup, &self.context)
    }
}

/// Gives a tenant what the program does itself, which has to know the tenant.
#[cfg_attr(
    not(feature = "people"),
    expect(
        unused_mut,
        unused_variables,
        reason = "the workforce alone is built in"
    )
)]
fn at_home(
    mut parts: TenantParts,
    name: &ConnectorName,
    shared: &Weak<Shared>,
) -> Arc<TenantParts> {
    #[cfg(feature = "people")]
    {
        let home = super::Home {
            shared: Weak::clone(shared),
            id: parts.id.clone(),
        };
        let info = ConnectorInfo {
            kind: WORKFORCE.to_owned(),
            name: name.clone(),
            tenant: parts.id.clone(),
        };
        parts.built_in.push(crate::people::built_in(home, info));
    }
    Arc::new(parts)
}

/// Refuses a rule that names a text which the connector that would use it has not.
fn know_their_templates(
    tenant: &TenantId,
    config: &TenantConfig,
    connectors: &[Arc<dyn Connector>],
) -> Result<()> {
    for rule in &config.rules {
        for step in &rule.then {
            let Some(template) = step.parameters.get("template").and_then(Value::as_str) else {
                continue;
            };
            // A sink that has no texts of its own hands the name on.
            let known = routed(config, connectors, step.kind)
                .first()
                .and_then(|receiver| receiver.as_sink()?.templates());
            let Some(known) = known else { continue };
            if !known.iter().any(|name| name == template) {
                let names = known.iter().map(String::as_str);
                let error = unknown_name("template", template, names);
                return Err(Error::config("template", error.message())
                    .with_context("tenant", tenant.as_str())
                    .with_context("rule", rule.name.as_str()));
            }
        }
    }
    Ok(())
}
