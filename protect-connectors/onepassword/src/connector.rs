//! The connector: which roles the given credentials allow, and what `doctor` finds out about them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Detection, Diagnosis, Directory,
    OpContext, Remediator, Scanner,
};
use protect_core::context::Context;
use protect_core::registry::ConnectorSetup;
use protect_core::{Error, ErrorKind, Result};

use crate::api::{EventStream, EventsApi, UsersApi};
use crate::config::{Settings, Thresholds};
use crate::detections;
use crate::model::Introspection;
use crate::remediate::ACTIONS;

/// How often new events are asked for, in seconds: four requests, far below the vendor's 600 a
/// minute (<https://developer.1password.com/docs/events-api/rate-limits>).
const SCAN_EVERY_SECONDS: u64 = 60;

/// What `respond` should be able to do and nobody can see: the vendor keeps the permissions with
/// the application, not in the token.
const SCOPES_ARE_HIDDEN: &str = "cannot tell which permissions it has: 1Password keeps them with the application and no reading call shows them. Compare the application with the documentation: list users and get user for scan; get, suspend and reactivate user for respond";

/// 1Password, for one tenant.
#[derive(Debug)]
pub struct OnePasswordConnector {
    pub(crate) info: ConnectorInfo,
    /// Lists users, with the `scan` credential.
    pub(crate) scan_users: Option<UsersApi>,
    /// Changes users, with the `respond` credential.
    pub(crate) respond_users: Option<UsersApi>,
    /// Reads events.
    pub(crate) events: Option<EventsApi>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lookback: Duration,
    pub(crate) thresholds: Thresholds,
    detections: Vec<Box<dyn Detection>>,
}

impl OnePasswordConnector {
    /// Reads the configuration. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub fn new(setup: &ConnectorSetup, context: &Context) -> Result<Self> {
        let settings = Settings::read(setup)?;
        let here = |field: &'static str| move |error: Error| setup.error(field, error.message());
        let users = |credential| {
            let base = settings.api.as_deref().unwrap_or_default();
            let account = settings.account.clone();
            UsersApi::new(context, base, account, settings.version, credential, true)
        };
        let scan_users = settings.scan.map(users).transpose();
        let respond_users = settings.respond.map(users).transpose();
        let events = settings
            .events_token
            .map(|token| EventsApi::new(context, &settings.events, &settings.account, token))
            .transpose()
            .map_err(here("endpoints.events"))?;
        let detections = if events.is_some() {
            detections::all(&settings.thresholds)
        } else {
            Vec::new()
        };
        Ok(Self {
            info: setup.info.clone(),
            scan_users: scan_users.map_err(here("endpoints.api"))?,
            respond_users: respond_users.map_err(here("endpoints.api"))?,
            events,
            clock: Arc::clone(&context.clock),
            lookback: settings.lookback,
            thresholds: settings.thresholds,
            detections,
        })
    }
}

#[async_trait]
impl Connector for OnePasswordConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let checks = self.detections.iter();
        Capability {
            checks: checks.map(|detection| detection.check().clone()).collect(),
            actions: match self.respond_users {
                Some(_) => ACTIONS.into_iter().collect(),
                None => BTreeMap::new(),
            },
            scan_every_seconds: self.events.as_ref().map(|_| SCAN_EVERY_SECONDS),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut found = Findings {
            now: self.clock.now(),
            diagnosis: Diagnosis::default(),
        };
        if let Some(users) = &self.scan_users {
            found.users("scan", users.list_one(cx).await, &["list users"]);
        }
        if let Some(events) = &self.events {
            found.events(events.introspect(cx).await);
        }
        if let Some(users) = &self.respond_users {
            // Only a token: any call that would show more could change something.
            found.users("respond", users.check_token(cx).await, &[]);
        }
        Ok(found.diagnosis)
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        self.events.as_ref().map(|_| self as &dyn Scanner)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        self.scan_users.as_ref().map(|_| self as &dyn Directory)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.respond_users.as_ref().map(|_| self as &dyn Remediator)
    }

    fn detections(&self) -> &[Box<dyn Detection>] {
        &self.detections
    }
}

/// A diagnosis in the making.
struct Findings {
    now: Timestamp,
    diagnosis: Diagnosis,
}

impl Findings {
    /// What one call with an application's credential says about it; `needs` is what the call
    /// needs to be permitted.
    fn users(&mut self, name: &str, answer: Result<Option<Timestamp>>, needs: &[&str]) {
        let is_refused =
            matches!(&answer, Err(error) if error.kind() == ErrorKind::PermissionDenied);
        let mut credential = self.credential(name, answer, Self::skew);
        if is_refused {
            credential.missing = needs.iter().map(|need| (*need).to_owned()).collect();
        } else if credential.accepted == Some(true) {
            credential.note = Some(SCOPES_ARE_HIDDEN.to_owned());
        }
        self.diagnosis.credentials.push(credential);
    }

    /// What introspection says about the Events API token.
    fn events(&mut self, answer: Result<(Introspection, Option<Timestamp>)>) {
        let mut features = Vec::new();
        let mut credential = self.credential("scan.events_token", answer, |found, answer| {
            found.skew(answer.1);
            features = answer.0.features;
        });
        if credential.accepted == Some(true) {
            let wanted = EventStream::ALL.map(EventStream::feature);
            let is_granted = |name: &&str| features.iter().any(|feature| feature == name);
            let lacks = wanted.iter().filter(|name| !is_granted(name));
            credential.missing = lacks.map(|name| (*name).to_owned()).collect();
            features.retain(|feature| !wanted.contains(&feature.as_str()));
            credential.excess = features;
        }
        self.diagnosis.credentials.push(credential);
    }

    fn credential<T>(
        &mut self,
        name: &str,
        answer: Result<T>,
        accepted: impl FnOnce(&mut Self, T),
    ) -> CredentialDiagnosis {
        let mut credential = CredentialDiagnosis {
            name: name.to_owned(),
            accepted: None,
            missing: Vec::new(),
            excess: Vec::new(),
            note: None,
        };
        match answer {
            Ok(answer) => {
                credential.accepted = Some(true);
                self.diagnosis.reachable = true;
                accepted(self, answer);
            }
            Err(error) => {
                self.diagnosis.reachable |= error.http_status().is_some();
                credential.accepted = match error.kind() {
                    ErrorKind::Unauthenticated => Some(false),
                    ErrorKind::PermissionDenied => Some(true),
                    _ => None,
                };
                credential.note = Some(error.to_string());
            }
        }
        credential
    }

    fn skew(&mut self, date: Option<Timestamp>) {
        if let Some(date) = date {
            self.diagnosis.clock_skew_seconds = Some(date.duration_since(self.now).as_secs());
        }
    }
}
