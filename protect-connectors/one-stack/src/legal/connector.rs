//! Legal as a tenant's connector: from its words to ours, nothing else.

use async_trait::async_trait;
use protect_core::connector::{Capability, Connector, ConnectorInfo, Diagnosis, OpContext};
use protect_core::inbound::Inbound;
use protect_core::model::{AcknowledgementStatus, EmployeeId};
use protect_core::publisher::{
    NewAcknowledgement, PolicyInput, PolicyText, PublishedStanding, Publisher, Recorded,
};
use protect_core::{Error, ErrorKind, Result};

use super::client::{AcknowledgementRequest, Legal, LegalStanding};
use crate::hr::KeyHolder;

/// Legal, as far as its credentials reach.
#[derive(Debug)]
pub(crate) struct LegalConnector {
    pub(super) info: ConnectorInfo,
    pub(super) keys: Option<KeyHolder>,
    pub(super) client: Option<Legal>,
}

#[async_trait]
impl Connector for LegalConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability::default()
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        let mut diagnosis = match &self.client {
            Some(client) => client.diagnose(cx).await,
            None => Diagnosis {
                reachable: true,
                ..Diagnosis::default()
            },
        };
        if self.keys.is_some() {
            diagnosis.notes.push(KeyHolder::note());
        }
        Ok(diagnosis)
    }

    fn as_inbound(&self) -> Option<&dyn Inbound> {
        let keys = self.keys.as_ref()?;
        Some(keys)
    }

    fn as_publisher(&self) -> Option<&dyn Publisher> {
        self.client.as_ref().map(|_| self as &dyn Publisher)
    }
}

#[async_trait]
impl Publisher for LegalConnector {
    async fn policies(&self, cx: &OpContext) -> Result<Vec<PolicyInput>> {
        let published = self.client(cx)?.policies().await?.into_iter();
        let policies = published.map(|policy| PolicyInput {
            id: policy.id,
            title: policy.title,
            version: policy.version,
            effective_date: policy.effective_date,
            requires_acknowledgment: policy.requires_acknowledgment,
            due_date: policy.due_date,
        });
        Ok(policies.collect())
    }

    async fn text(&self, cx: &OpContext, policy: &str, version: &str) -> Result<PolicyText> {
        let text = self.client(cx)?.policy_text(policy, version).await?;
        Ok(PolicyText {
            id: text.id,
            version: text.version,
            title: text.title,
            content_html: text.content_html,
            content_sha256: text.content_sha256,
        })
    }

    async fn standing(
        &self,
        cx: &OpContext,
        employee: &EmployeeId,
    ) -> Result<Vec<PublishedStanding>> {
        let client = self.client(cx)?;
        let standing = client.acknowledgments(employee.as_str()).await?;
        Ok(standing.into_iter().map(standing_of).collect())
    }

    async fn record(&self, cx: &OpContext, given: &NewAcknowledgement) -> Result<Recorded> {
        let request = AcknowledgementRequest {
            employee_id: given.employee.to_string(),
            email: given.email.to_string(),
            policy_id: given.policy_id.clone(),
            policy_version: given.version.clone(),
            acknowledged_at: given.acknowledged_at,
            ip_address: given.ip_address.clone(),
            user_agent: given.user_agent.clone(),
            typed_name: given.typed_name.clone(),
        };
        let recorded = self.client(cx)?.acknowledge(request).await?;
        Ok(Recorded {
            id: recorded.id,
            document_id: recorded.vault_document_id,
        })
    }
}

impl LegalConnector {
    fn client(&self, cx: &OpContext) -> Result<Legal> {
        let client = self.client.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "without a `respond` credential Legal cannot be asked",
            )
        })?;
        Ok(client.within(cx))
    }
}

/// A word that Legal invented later is no acknowledgement.
fn standing_of(standing: LegalStanding) -> PublishedStanding {
    let status = match standing.status.as_str() {
        "acknowledged" => AcknowledgementStatus::Acknowledged,
        "overdue" => AcknowledgementStatus::Overdue,
        _ => AcknowledgementStatus::Pending,
    };
    PublishedStanding {
        policy_id: standing.policy_id,
        version: standing.version,
        status,
        due_date: standing.due_date,
        acknowledged_at: standing.acknowledged_at,
    }
}
