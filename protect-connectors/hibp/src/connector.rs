//! The connector: one tenant's use of a connection.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Diagnosis, OpContext, ScanPage,
    ScanRequest, Scanner, Watching,
};
use protect_core::model::hash_fields;
use protect_core::registry::{ConnectorSetup, Registry};
use protect_core::{Context, Error, ErrorKind, Result};

use crate::client::Hibp;
use crate::config::{self, Settings};
use crate::models::SubscriptionStatus;
use crate::observe::Checks;
use crate::planner::{Capacity, Cover, Decision, Demand};
use crate::requests::effective_rate;
use crate::scan::Scan;

/// A run makes sense every twelve hours.
const SCAN_EVERY_SECONDS: u64 = 12 * 3_600;

/// Makes the kind known.
pub fn register(registry: &mut Registry) {
    registry.register(config::spec(), |setup, context| {
        Ok(Arc::new(HibpConnector::new(setup, context)?))
    });
}

/// One tenant's use of a Have I Been Pwned connection.
#[derive(Debug)]
pub struct HibpConnector {
    info: ConnectorInfo,
    scan: Scan,
}

impl HibpConnector {
    /// Checks the settings; does no I/O.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub fn new(setup: ConnectorSetup, context: &Context) -> Result<Self> {
        let settings = Settings::read(&setup)?;
        let Some((connection, _)) = setup.connection.clone() else {
            return Err(setup.error("connection", "a hibp connector needs a connection"));
        };
        let mut builder = Hibp::builder()
            .api_key(settings.api_key.clone())
            .api_url(&settings.api)
            .passwords_url(&settings.passwords)
            .budget(budget_name(&settings))
            .kanon_weight(settings.kanon_weight)
            .tenant(setup.info.tenant.clone());
        if let Some(rate) = settings.requests_per_minute {
            builder = builder.requests_per_minute(rate);
        }
        let api = builder
            .build(context)
            .map_err(|error| locate(&setup, &error))?;
        Ok(Self {
            scan: Scan::new(
                api,
                settings,
                connection,
                setup.info.tenant.clone(),
                context.clone(),
                Checks::new()?,
            ),
            info: setup.info,
        })
    }

    /// The client, for what a run does not ask: domain verification, the password check.
    pub fn client(&self) -> &Hibp {
        &self.scan.api
    }
}

#[async_trait]
impl Connector for HibpConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            checks: self.scan.checks.all().into_iter().cloned().collect(),
            actions: BTreeMap::new(),
            scan_every_seconds: Some(SCAN_EVERY_SECONDS),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let api = self.scan.api.on_behalf(cx);
        match api.subscription_answer().await {
            Ok(answer) => {
                let status: SubscriptionStatus = answer.json()?;
                let skew = answer
                    .date()
                    .map(|theirs| skew(theirs, self.scan.context.clock.now()));
                Ok(self.diagnosis(&status, skew))
            }
            Err(error) => refused(error),
        }
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        Some(self)
    }
}

#[async_trait]
impl Scanner for HibpConnector {
    async fn scan(&self, cx: &OpContext, request: ScanRequest<'_>) -> Result<ScanPage> {
        self.scan.page(cx, request).await
    }

    async fn capacity(&self, cx: &OpContext, who: Watching<'_>) -> Result<Vec<String>> {
        let api = self.scan.api.on_behalf(cx);
        let settings = &self.scan.settings;
        let status = api.subscription_status().await?;
        let subscribed = api.subscribed_domains().await?;
        let cover = Cover {
            settings,
            status: &status,
            subscribed: &subscribed,
        };
        let demand = cover.with_others(cover.demand(&who.own.census()), who.others);
        let capacity = Capacity::of(effective_rate(&status, settings.requests_per_minute));
        let decision = cover.decide(demand, capacity);
        Ok(in_words(demand, &decision))
    }
}

fn in_words(demand: Demand, decision: &Decision) -> Vec<String> {
    let whose = match demand.tenants {
        1 => String::new(),
        many => format!(" of {many} tenants"),
    };
    let takes = format!(
        "{} addresses{whose} beside verified domains: {} searches a minute, cadence {}",
        demand.searches,
        demand.per_minute(),
        decision.cadence.as_str(),
    );
    std::iter::once(takes)
        .chain(decision.infeasible.clone())
        .collect()
}

impl HibpConnector {
    fn diagnosis(&self, status: &SubscriptionStatus, skew: Option<i64>) -> Diagnosis {
        let settings = &self.scan.settings;
        let rate = effective_rate(status, settings.requests_per_minute);
        let capacity = Capacity::of(rate);
        let mut missing = Vec::new();
        for (wanted, has, feature) in [
            (
                settings.k_anonymity,
                status.includes_k_anon,
                "IncludesKAnon",
            ),
            (true, status.includes_stealer_logs, "IncludesStealerLogs"),
            (
                settings.serves_several,
                status.includes_customer_domains,
                "IncludesCustomerDomains",
            ),
        ] {
            if wanted && !has {
                missing.push(feature.to_owned());
            }
        }
        let weight = if settings.k_anonymity && status.includes_k_anon {
            settings.kanon_weight
        } else {
            1
        };
        let mut notes = vec![format!(
            "plan {}: {rate} searches a minute, of which {:.0} are planned with: {} addresses every 12 hours beside those that verified domains cover",
            status.subscription_name,
            capacity.sweep_per_minute().floor(),
            capacity.per_window() / u64::from(weight),
        )];
        if settings.serves_several && !status.includes_customer_domains {
            notes.push(
                "this connection serves several tenants, which the vendor's Core plans do not allow: a provider needs Pro, High RPM or Enterprise".to_owned(),
            );
        }
        if self.scan.api.is_shared_with_others() {
            notes.push(
                "the vendor closed the key several times in ten minutes: does another program use it?".to_owned(),
            );
        }
        Diagnosis {
            reachable: true,
            credentials: vec![CredentialDiagnosis {
                name: "scan".into(),
                accepted: Some(true),
                missing,
                excess: Vec::new(),
                note: None,
            }],
            clock_skew_seconds: skew,
            notes,
        }
    }
}

/// Whoever shares a key shares its budget, whatever connection names it.
fn budget_name(settings: &Settings) -> String {
    let key = format!("{:?}", settings.api_key);
    let hash = hash_fields("hibp.budget", &[&settings.api, &key]);
    hash.chars().take(12).collect()
}

/// A refused key is part of the diagnosis.
fn refused(error: Error) -> Result<Diagnosis> {
    let (reachable, accepted) = match error.kind() {
        ErrorKind::Unauthenticated => (true, Some(false)),
        ErrorKind::PermissionDenied | ErrorKind::RateLimited | ErrorKind::InvalidResponse => {
            (true, None)
        }
        ErrorKind::Unavailable | ErrorKind::Timeout => (false, None),
        _ => return Err(error),
    };
    Ok(Diagnosis {
        reachable,
        credentials: vec![CredentialDiagnosis {
            name: "scan".into(),
            accepted,
            missing: Vec::new(),
            excess: Vec::new(),
            note: Some(error.message().to_owned()),
        }],
        ..Diagnosis::default()
    })
}

fn skew(theirs: Timestamp, ours: Timestamp) -> i64 {
    theirs.as_second() - ours.as_second()
}

/// An error of the client's builder, with tenant, connector and connection.
fn locate(setup: &ConnectorSetup, error: &Error) -> Error {
    let field = error
        .context()
        .iter()
        .find(|(key, _)| *key == "field")
        .map_or("endpoints", |(_, field)| field.as_str());
    let field = if field == "base_url" {
        "endpoints"
    } else {
        field
    };
    setup.error(field, error.message())
}
