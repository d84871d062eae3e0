//! Who else a credential works for: what a vendor counts by key, it counts for all tenants at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Tenant;
use crate::config::{ConnectionConfig, TenantConfig};
use crate::connector::Connector;
use crate::model::{ConnectorName, TenantId, WatchCensus, WatchList};

/// How many addresses each tenant watches, as last counted. A run counts its own tenant's anew, so
/// that the lists of the others are read once in a process and not with every run.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<HashMap<TenantId, Arc<WatchCensus>>>);

impl Known {
    fn get(&self, tenant: &TenantId) -> Option<Arc<WatchCensus>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(tenant).cloned()
    }

    fn set(&self, tenant: &TenantId, census: Arc<WatchCensus>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(tenant.clone(), census);
    }
}

impl Tenant {
    /// Notes how many addresses this tenant watches.
    pub(super) fn count_watched(&self, watched: &WatchList) {
        let census = Arc::new(watched.census());
        self.shared.census.set(self.id(), census);
    }

    /// How many addresses each other tenant has this connector's credential ask about. A tenant
    /// whose list cannot be read counts as watching nobody: its own run says why.
    pub(super) async fn others_on(&self, connector: &dyn Connector) -> Vec<Arc<WatchCensus>> {
        let Some(mine) = self.connection_of(self.config(), &connector.info().name) else {
            return Vec::new();
        };
        let mut others = Vec::new();
        for parts in &self.shared.tenants {
            let shares = parts.config.connectors.keys().any(|name| {
                let theirs = self.connection_of(&parts.config, name);
                theirs.is_some_and(|theirs| is_same_credential(mine, theirs))
            });
            if parts.id == *self.id() || !shares {
                continue;
            }
            let other = Self {
                shared: Arc::clone(&self.shared),
                parts: Arc::clone(parts),
            };
            others.extend(other.census().await);
        }
        others
    }

    async fn census(&self) -> Option<Arc<WatchCensus>> {
        if let Some(known) = self.shared.census.get(self.id()) {
            return Some(known);
        }
        match self.watch_list().await {
            Ok(watched) => self.count_watched(&watched),
            Err(error) => tracing::warn!(
                tenant = %self.id(), kind = %error.kind(),
                "whom a tenant watches could not be counted"
            ),
        }
        self.shared.census.get(self.id())
    }

    fn connection_of<'a>(
        &'a self,
        tenant: &TenantConfig,
        connector: &ConnectorName,
    ) -> Option<&'a ConnectionConfig> {
        let connection = tenant.connectors.get(connector)?.connection.as_ref()?;
        self.shared.config.connections.get(connection)
    }
}

/// Whether two connections are the same to the vendor, whatever they are called here.
fn is_same_credential(a: &ConnectionConfig, b: &ConnectionConfig) -> bool {
    a.kind == b.kind && a.endpoints == b.endpoints && a.scan == b.scan
}
