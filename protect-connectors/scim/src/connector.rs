//! The connector: which roles the given tokens allow, and what `doctor` finds out about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use protect_core::clock::Clock;
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, CredentialDiagnosis, Diagnosis, Directory, OpContext,
    Remediator,
};
use protect_core::secret::SecretRef;
use protect_core::{Context, ErrorKind, Result};

use crate::api::{self, Api};
use crate::config::Options;
use crate::model::ServiceProviderConfig;
use crate::remediate::ACTIONS;

/// What no call of SCIM shows.
const SCOPES_ARE_HIDDEN: &str = "cannot tell what else it may do: SCIM has no call that shows a token's permissions. Compare them with the application's documentation: read users for scan; read and change users for respond";

/// A service provider, for one tenant.
#[derive(Debug)]
pub struct ScimConnector {
    pub(crate) info: ConnectorInfo,
    /// Lists users, with the `scan` token.
    pub(crate) scan: Api,
    /// Changes users, with the `respond` token.
    pub(crate) respond: Option<Api>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl ScimConnector {
    /// No I/O.
    ///
    /// # Errors
    /// `config_invalid` for a base URL that is no bare root or not encrypted.
    pub(crate) fn new(
        info: ConnectorInfo,
        base: &str,
        (scan, respond): (SecretRef, Option<SecretRef>),
        options: &Options,
        context: &Context,
    ) -> Result<Self> {
        let budget = api::budget(base, &scan);
        let api = |token| Api::new(base, token, budget.clone(), options.clone(), context);
        Ok(Self {
            info,
            scan: api(scan)?,
            respond: respond.map(api).transpose()?,
            clock: Arc::clone(&context.clock),
        })
    }
}

#[async_trait]
impl Connector for ScimConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: match self.respond {
                Some(_) => ACTIONS.into_iter().collect(),
                None => BTreeMap::new(),
            },
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut found = Diagnosis::default();
        let tokens = [
            ("scan", Some(&self.scan)),
            ("respond", self.respond.as_ref()),
        ];
        for (name, api) in tokens {
            let Some(api) = api else { continue };
            let credential = self.token(name, api.list_one(cx).await, &mut found);
            found.credentials.push(credential);
        }
        match self.scan.provider(cx).await {
            Ok(provider) => {
                found.reachable = true;
                found.notes.extend(notes(&provider, self.respond.is_some()));
            }
            Err(error) => found.notes.push(format!(
                "the service provider does not say what it can do: {}",
                error.message()
            )),
        }
        Ok(found)
    }

    fn as_directory(&self) -> Option<&dyn Directory> {
        Some(self)
    }

    fn as_remediator(&self) -> Option<&dyn Remediator> {
        self.respond.as_ref().map(|_| self as &dyn Remediator)
    }
}

impl ScimConnector {
    /// What listing one user says about a token.
    fn token(
        &self,
        name: &str,
        answer: Result<Option<Timestamp>>,
        found: &mut Diagnosis,
    ) -> CredentialDiagnosis {
        let mut credential = CredentialDiagnosis {
            name: name.to_owned(),
            accepted: Some(true),
            missing: Vec::new(),
            excess: Vec::new(),
            note: Some(SCOPES_ARE_HIDDEN.to_owned()),
        };
        match answer {
            Ok(date) => {
                found.reachable = true;
                let ahead = |date: Timestamp| date.duration_since(self.clock.now()).as_secs();
                found.clock_skew_seconds = date.map(ahead).or(found.clock_skew_seconds);
            }
            Err(error) => {
                found.reachable |= error.http_status().is_some();
                credential.accepted = match error.kind() {
                    ErrorKind::Unauthenticated => Some(false),
                    ErrorKind::PermissionDenied => Some(true),
                    _ => None,
                };
                if error.kind() == ErrorKind::PermissionDenied {
                    credential.missing.push("read users".to_owned());
                }
                credential.note = Some(error.to_string());
            }
        }
        credential
    }
}

/// What somebody should know of a service provider's own account of itself.
fn notes(provider: &ServiceProviderConfig, responds: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if responds && provider.patch == Some(false) {
        notes.push(
            "the service provider takes no PATCH, so that nothing can be suspended".to_owned(),
        );
    }
    if provider.filter == Some(false) {
        notes.push("the service provider has no filter: finding a user by name fails".to_owned());
    }
    notes
}
