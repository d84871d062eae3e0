//! The connector: which roles the given credentials allow, and what `doctor` finds out about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Detection, Diagnosis, Directory,
    OpContext, Remediator, Scanner,
};
use protect_core::context::Context;
use protect_core::model::CheckId;
use protect_core::posture::PostureRun;
use protect_core::registry::ConnectorSetup;
use protect_core::{Error, ErrorKind, Result};

use crate::CATALOGUE;
use crate::admins::Remembered;
use crate::api::{Access, Workspace};
use crate::auth::Signing;
use crate::config::{Options, Settings};
use crate::detections::{self, OTHER_ALERT};
use crate::doctor;
use crate::history::DRIFT;
use crate::remediate::ACTIONS;
use crate::scope::Scope;

/// How often what happened is asked for, in seconds: Google's logs lag by minutes.
const SCAN_EVERY_SECONDS: u64 = 300;

/// The check whose level says where keys for signing mail are looked for.
const DKIM: &str = "google.domain.dkim";

/// Google Workspace, for one customer.
#[derive(Debug)]
pub struct GoogleConnector {
    pub(crate) info: ConnectorInfo,
    /// Reads, with the `scan` credential.
    pub(crate) scan: Option<Workspace>,
    /// Changes accounts, with the `respond` credential.
    pub(crate) respond: Option<Workspace>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: PostureRun,
    pub(crate) options: Options,
    pub(crate) admins: Remembered,
    pub(crate) selectors: String,
    detections: Vec<Box<dyn Detection>>,
}

impl GoogleConnector {
    /// Reads the configuration. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub fn new(setup: &ConnectorSetup, context: &Context) -> Result<Self> {
        let settings = Settings::read(setup)?;
        let place = settings.place;
        let workspace = |signing: Signing| {
            Workspace::new(context, &place, signing, true)
                .map_err(|error| setup.error("endpoints", error.message()))
        };
        let scan = settings.scan.map(workspace).transpose()?;
        let respond = settings.respond.map(workspace).transpose()?;
        let detections = match scan {
            Some(_) => detections::all(&settings.options),
            None => Vec::new(),
        };
        let selectors = selectors(settings.evaluate.checks.get(DKIM));
        Ok(Self {
            info: setup.info.clone(),
            scan,
            respond,
            clock: Arc::clone(&context.clock),
            settings: PostureRun::new(
                &CATALOGUE,
                settings.evaluate,
                settings.options.posture_every,
                Arc::clone(&context.clock),
            ),
            options: settings.options,
            admins: Remembered::default(),
            selectors,
            detections,
        })
    }
}

/// Where keys for signing mail are looked for: as the check is told.
pub(crate) fn selectors(settings: Option<&protect_core::posture::CheckSettings>) -> String {
    let configured = settings.and_then(|it| it.level.clone());
    let known = CATALOGUE.check(DKIM).and_then(|it| it.default_level(""));
    configured.unwrap_or_else(|| known.unwrap_or_default().to_owned())
}

/// Every check that a scan decides.
fn checks() -> BTreeSet<CheckId> {
    let catalogue = CATALOGUE.checks.iter().map(|check| check.id);
    let events = detections::checks().map(|(check, ..)| check);
    let all = catalogue.chain(events).chain([OTHER_ALERT, DRIFT]);
    all.filter_map(|id| CheckId::new(id).ok()).collect()
}

#[async_trait]
impl Connector for GoogleConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        let actions = ACTIONS
            .iter()
            .filter(|action| self.respond.is_some() && action.is_possible(&self.options));
        Capability {
            checks: match self.scan {
                Some(_) => checks(),
                None => BTreeSet::new(),
            },
            actions: actions
                .map(|it| (it.kind, it.class(&self.options)))
                .collect(),
            scan_every_seconds: self.scan.as_ref().map(|_| SCAN_EVERY_SECONDS),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = Diagnosis::default();
        if let Some(workspace) = &self.scan {
            let looked = look(workspace, cx, Scope::SCAN).await;
            let credential = self.credential("scan", looked, &mut diagnosis, doctor::scan);
            diagnosis.credentials.push(credential);
        }
        if let Some(workspace) = &self.respond {
            let looked = look(workspace, cx, Scope::RESPOND).await;
            let credential = self.credential("respond", looked, &mut diagnosis, |access| {
                doctor::respond(access, &self.options)
            });
            diagnosis.credentials.push(credential);
        }
        Ok(diagnosis)
    }

    fn as_scanner(&self) -> Option<&dyn Scanner> {
        self.scan.as_ref().map(|_| self as &dyn Scanner)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        self.scan.as_ref().map(|_| self as &dyn Directory)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.respond.as_ref().map(|_| self as &dyn Remediator)
    }

    fn detections(&self) -> &[Box<dyn Detection>] {
        &self.detections
    }
}

/// What a credential may do, what the vendor's clock showed, and what is wrong though the scopes are
/// there.
struct Looked {
    access: Access,
    date: Option<Timestamp>,
    troubles: Vec<String>,
}

/// A token of each scope, and of each interface the smallest question: whether it is enabled, and
/// whether the administrator may ask it.
async fn look(workspace: &Workspace, cx: &OpContext, scopes: &[Scope]) -> Result<Looked> {
    let access = workspace.access(cx, scopes).await?;
    let mut looked = Looked {
        access,
        date: None,
        troubles: Vec::new(),
    };
    for scope in [
        Scope::Users,
        Scope::ChangeUsers,
        Scope::Logs,
        Scope::Policies,
        Scope::Alerts,
    ] {
        if !looked.access.granted.contains(&scope) {
            continue;
        }
        match workspace.try_out(cx, scope).await {
            Ok(date) => looked.date = looked.date.or(date),
            Err(error) if error.http_status().is_some() && !error.is_retryable() => {
                let api = scope.api();
                looked
                    .troubles
                    .push(format!("{} does not answer: {error}", api.title()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(looked)
}

impl GoogleConnector {
    fn credential(
        &self,
        name: &str,
        looked: Result<Looked>,
        diagnosis: &mut Diagnosis,
        judge: impl FnOnce(&Access) -> doctor::Judged,
    ) -> CredentialDiagnosis {
        let mut credential = CredentialDiagnosis {
            name: name.to_owned(),
            accepted: None,
            missing: Vec::new(),
            excess: Vec::new(),
            note: None,
        };
        match looked {
            Ok(looked) => {
                credential.accepted = Some(true);
                diagnosis.reachable = true;
                if let Some(date) = looked.date {
                    let skew = date.duration_since(self.clock.now()).as_secs();
                    diagnosis.clock_skew_seconds = Some(skew);
                }
                let judged = judge(&looked.access);
                credential.missing = judged.missing;
                if looked.access.granted.is_empty() {
                    let why = looked.access.refused.values().next();
                    credential.note = why.map(ToString::to_string);
                }
                diagnosis.notes.extend(judged.notes);
                diagnosis.notes.extend(looked.troubles);
            }
            Err(error) => {
                diagnosis.reachable |= error.http_status().is_some();
                credential.accepted = is_accepted(&error);
                credential.note = Some(error.to_string());
            }
        }
        credential
    }
}

/// Whether a refusal still means that the credential is good.
fn is_accepted(error: &Error) -> Option<bool> {
    match error.kind() {
        // The key is none or is no longer known, or there is no such administrator.
        ErrorKind::Unauthenticated | ErrorKind::ConfigInvalid => Some(false),
        ErrorKind::PermissionDenied => Some(true),
        _ => None,
    }
}
