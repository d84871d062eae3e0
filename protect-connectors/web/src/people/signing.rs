//! A signature under a policy: what somebody says, and what is seen of them while they say it.

use protect_core::engine::Browser;
use protect_core::inbound::InboundRequest;
use protect_core::people::PolicySignature;
use protect_core::{Error, ErrorKind, Result};
use serde::Deserialize;

/// What somebody says who signs. From where and with which program is for nobody to say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signing {
    pub(crate) policy_id: String,
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) typed_name: Option<String>,
}

impl Signing {
    /// With the network address and the program of the request in which it came.
    ///
    /// # Errors
    /// `refused` where this service is not told the address.
    pub(crate) fn seen_in(self, request: &InboundRequest) -> Result<PolicySignature> {
        let browser = Browser::of(request);
        let address = browser.ip_address.ok_or_else(|| {
            Error::new(
                ErrorKind::Refused,
                "this service is not told from which network address you come, which is part of a signature; tell whoever runs it",
            )
        })?;
        Ok(PolicySignature {
            policy_id: self.policy_id,
            version: self.version,
            ip_address: address.to_string(),
            user_agent: browser.user_agent.unwrap_or_default(),
            typed_name: self.typed_name,
        })
    }
}
