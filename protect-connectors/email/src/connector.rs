//! The connector: one tenant's domains.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Diagnosis, OpContext, ScanPage, ScanRequest, Scanner,
};
use protect_core::dns::{DnsAnswer, DnsFailure, RecordType};
use protect_core::model::CheckId;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Result};

use crate::checks;
use crate::config::{self, Settings};
use crate::scan::Scan;

/// A run makes sense every six hours: records change seldom, and reports arrive through the day.
const SCAN_EVERY_SECONDS: u64 = 6 * 3_600;

/// Makes the kind known.
pub fn register(registry: &mut Registry) {
    registry.register(config::spec(), |setup, context| {
        Ok(Arc::new(EmailConnector::new(setup, context)?))
    });
}

/// The mail authentication of one tenant's domains.
#[derive(Debug)]
pub struct EmailConnector {
    info: ConnectorInfo,
    checks: Vec<CheckId>,
    scan: Scan,
}

impl EmailConnector {
    /// Checks the settings; does no I/O.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector and field.
    pub fn new(setup: ConnectorSetup, context: &Context) -> Result<Self> {
        let settings = Settings::read(&setup)?;
        let mut context = context.clone();
        if let Some(server) = settings.resolver {
            context.dns = context.dns.by_server(server).ok_or_else(|| {
                setup.error("resolver", "this program cannot ask another name server")
            })?;
        }
        let checks = checks::ids().map(CheckId::new).collect::<Result<_>>()?;
        Ok(Self {
            checks,
            scan: Scan::new(settings, context),
            info: setup.info,
        })
    }
}

#[async_trait]
impl Connector for EmailConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            checks: self.checks.iter().cloned().collect(),
            actions: BTreeMap::new(),
            scan_every_seconds: Some(SCAN_EVERY_SECONDS),
            ..Capability::default()
        }
    }

    /// Asks about a name that never exists (RFC 2606 section 2): whatever comes, something answers.
    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        let answer = self.scan.context.dns.query("example", RecordType::Ns).await;
        let silent = match answer {
            DnsAnswer::Failed(failure @ (DnsFailure::Timeout | DnsFailure::Network)) => {
                Some(failure)
            }
            _ => None,
        };
        let reachable = silent.is_none();
        let mut notes: Vec<_> = silent
            .map(|failure| format!("the name server does not answer: {failure}"))
            .into_iter()
            .collect();
        if let Some(folder) = &self.scan.settings.reports
            && !folder.is_dir()
        {
            notes.push(format!(
                "the folder of reports is not there: {}",
                folder.display()
            ));
        }
        Ok(Diagnosis {
            reachable,
            notes,
            ..Diagnosis::default()
        })
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }
}

#[async_trait]
impl Scanner for EmailConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        self.scan.page(cx, request).await
    }
}
