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
use crate::api::Graph;
use crate::config::{Options, Place, Settings};
use crate::detections::{self, USER_AT_RISK};
use crate::doctor;
use crate::holders::Remembered;
use crate::id::Name;
use crate::remediate::ACTIONS;

/// How often what happened is asked for, in seconds: five requests, and the settings again only where
/// `posture_every` has passed.
const SCAN_EVERY_SECONDS: u64 = 300;

/// The check whose exclusions name the emergency accounts.
const BREAK_GLASS: &str = "m365.ca.break_glass_excluded";

/// Microsoft 365, for one tenant.
#[derive(Debug)]
pub struct M365Connector {
    pub(crate) info: ConnectorInfo,
    /// Reads, with the `scan` credential.
    pub(crate) scan: Option<Graph>,
    /// Changes users, with the `respond` credential.
    pub(crate) respond: Option<Graph>,
    pub(crate) place: Place,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: PostureRun,
    pub(crate) options: Options,
    pub(crate) break_glass: Vec<Name>,
    pub(crate) holders: Remembered,
    detections: Vec<Box<dyn Detection>>,
}

impl M365Connector {
    /// Reads the configuration. No I/O.
    ///
    /// # Errors
    /// `config_invalid` naming tenant, connector, connection and field.
    pub fn new(setup: &ConnectorSetup, context: &Context) -> Result<Self> {
        let settings = Settings::read(setup)?;
        let place = settings.place;
        let graph = |credential| {
            Graph::new(context, &place, credential, true)
                .map_err(|error| setup.error("endpoints", error.message()))
        };
        let scan = settings.scan.map(graph).transpose()?;
        let respond = settings.respond.map(graph).transpose()?;
        let detections = match scan {
            Some(_) => detections::all(&settings.options),
            None => Vec::new(),
        };
        let emergency = settings.evaluate.checks.get(BREAK_GLASS);
        let break_glass = emergency.map(|it| it.excluded_users.iter());
        Ok(Self {
            info: setup.info.clone(),
            scan: scan.map(|graph| graph.patient()),
            respond,
            clock: Arc::clone(&context.clock),
            break_glass: break_glass
                .into_iter()
                .flatten()
                .map(|id| Name::new(id))
                .collect(),
            place,
            settings: PostureRun::new(
                &CATALOGUE,
                settings.evaluate,
                settings.options.posture_every,
                Arc::clone(&context.clock),
            ),
            options: settings.options,
            holders: Remembered::default(),
            detections,
        })
    }
}

/// Every check that a scan decides.
fn checks() -> BTreeSet<CheckId> {
    let catalogue = CATALOGUE.checks.iter().map(|check| check.id);
    let events = detections::SPECS.iter().map(|spec| spec.check);
    let all = catalogue.chain(events).chain([USER_AT_RISK]);
    all.filter_map(|id| CheckId::new(id).ok()).collect()
}

#[async_trait]
impl Connector for M365Connector {
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
            actions: actions.map(|it| (it.kind, it.class)).collect(),
            scan_every_seconds: self.scan.as_ref().map(|_| SCAN_EVERY_SECONDS),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = Diagnosis::default();
        if let Some(graph) = &self.scan {
            let looked = look(graph, cx).await;
            let credential = self.credential("scan", looked, &mut diagnosis, doctor::scan);
            diagnosis.credentials.push(credential);
        }
        if let Some(graph) = &self.respond {
            let looked = look(graph, cx).await;
            let credential = self.credential("respond", looked, &mut diagnosis, |granted| {
                doctor::respond(granted, &self.options)
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

/// What a credential may do, and what the vendor's clock showed.
struct Looked {
    granted: Option<BTreeSet<String>>,
    date: Option<Timestamp>,
}

/// A token, which says what was granted, and one small question.
async fn look(graph: &Graph, cx: &OpContext) -> Result<Looked> {
    let granted = graph.granted(cx).await?;
    let answer = graph.organization(cx).await;
    let date = match answer {
        Ok(date) => date,
        // Not every credential may ask this; the token was good all the same.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => None,
        Err(error) => return Err(error),
    };
    Ok(Looked { granted, date })
}

impl M365Connector {
    fn credential(
        &self,
        name: &str,
        looked: Result<Looked>,
        diagnosis: &mut Diagnosis,
        judge: impl FnOnce(&BTreeSet<String>) -> doctor::Judged,
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
                let Some(granted) = looked.granted else {
                    let hidden = "cannot tell which permissions it has: the token cannot be read";
                    credential.note = Some(hidden.to_owned());
                    return credential;
                };
                let judged = judge(&granted);
                credential.missing = judged.missing;
                credential.excess = judged.excess;
                diagnosis.notes.extend(judged.notes);
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
        ErrorKind::Unauthenticated => Some(false),
        // The sign-in service answered that tenant or application are not there.
        ErrorKind::ConfigInvalid if error.http_status().is_some() => Some(false),
        ErrorKind::PermissionDenied => Some(true),
        _ => None,
    }
}
