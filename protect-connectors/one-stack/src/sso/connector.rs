use async_trait::async_trait;
use protect_core::Result;
use protect_core::authenticate::Authenticator;
use protect_core::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};

use super::SignIn;

/// A connector that signs people in and does nothing else.
#[derive(Debug)]
pub(crate) struct SignInConnector {
    pub(crate) info: ConnectorInfo,
    pub(crate) sign_in: Option<SignIn>,
}

#[async_trait]
impl Connector for SignInConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    /// Nothing is asked of anybody: tokens come by themselves.
    async fn diagnose(&self, _: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = Diagnosis {
            reachable: true,
            ..Diagnosis::default()
        };
        if let Some(sign_in) = &self.sign_in {
            diagnosis.credentials.push(sign_in.diagnose().await);
        }
        Ok(diagnosis)
    }

    fn as_authenticator(&self) -> Option<&dyn Authenticator> {
        let sign_in = self.sign_in.as_ref()?;
        Some(sign_in)
    }
}
