use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use protect_core::connector::{
    Capability, Connector, ConnectorInfo, Delivered, Delivery, Diagnosis, OpContext, Sink,
};
use protect_core::model::{ActionKind, Artifact, ArtifactKind, EffectClass};
use protect_core::{Error, Result};
use serde::Deserialize as _;

use super::client::{Compliance, NewEvidence};
use super::controls::Controls;
use crate::config::Common;

/// Compliance as a tenant's connector.
#[derive(Debug)]
pub(crate) struct ComplianceConnector {
    pub(super) info: ConnectorInfo,
    pub(super) client: Compliance,
    pub(super) common: Common,
    pub(super) evidence: Vec<ArtifactKind>,
    pub(super) controls: Controls,
}

#[async_trait]
impl Connector for ComplianceConnector {
    fn info(&self) -> &ConnectorInfo {
        &self.info
    }

    fn capability(&self) -> Capability {
        Capability {
            actions: [(ActionKind::SubmitEvidence, EffectClass::KeyIdempotent)].into(),
            ..Capability::default()
        }
    }

    async fn diagnose(&self, cx: &OpContext) -> Result<Diagnosis> {
        Ok(self.client.diagnose(cx).await)
    }

    fn as_sink(&self) -> Option<&dyn Sink> {
        Some(self)
    }
}

#[async_trait]
impl Sink for ComplianceConnector {
    async fn deliver(&self, cx: &OpContext, delivery: &Delivery) -> Result<Delivered> {
        let evidence = self.handed_in(delivery, &artifact(delivery)?)?;
        let client = self.client.within(cx);
        let key = format!("{}:{}", delivery.source_reference, delivery.action_id);
        let submitted = client.submit(evidence, &key).await?;
        Ok(Delivered {
            id: submitted.id,
            status: None,
        })
    }

    fn declines(&self, delivery: &Delivery) -> Result<Option<String>> {
        let kind = artifact(delivery)?.kind;
        if self.evidence.contains(&kind) {
            return Ok(None);
        }
        Ok(Some(format!(
            "the connector's `evidence` leaves `{}` out",
            kind.as_str()
        )))
    }

    /// What was handed in is not looked up again.
    async fn find(&self, _: &OpContext, _: ActionKind, _: &str) -> Result<Option<Delivered>> {
        Ok(None)
    }
}

impl ComplianceConnector {
    fn handed_in(&self, delivery: &Delivery, artifact: &Artifact) -> Result<NewEvidence> {
        let mapping = self
            .controls
            .of(artifact.kind)
            .ok_or_else(|| Error::unexpected("a kind of evidence has no mapping"))?;
        let now = self.client.now();
        let version = self.controls.version;
        Ok(NewEvidence {
            kind: artifact.kind.as_str().to_owned(),
            evidence_type: mapping.kind.clone(),
            title: artifact.title.clone(),
            description: Some(format!(
                "{} Controls: mapping {version}.",
                mapping.description
            )),
            source_ref: delivery.source_reference.clone(),
            source: Some(self.common.source.clone()),
            client_id: self.common.client_id.clone(),
            effective_date: day(now),
            expiration_date: day(after(now, artifact.kind.valid_days())),
            controls: Some(mapping.controls.clone()),
            content_type: "application/json".to_owned(),
            sha256: artifact.sha256()?,
            content_base64: STANDARD.encode(artifact.bytes()?),
        })
    }
}

fn artifact(delivery: &Delivery) -> Result<Artifact> {
    let given = delivery.data.get("artifact");
    given
        .and_then(|given| Artifact::deserialize(given).ok())
        .ok_or_else(|| Error::invalid_input("the delivery holds no evidence"))
}

fn after(now: Timestamp, days: i64) -> Timestamp {
    let later = now.checked_add(SignedDuration::from_hours(24 * days));
    later.unwrap_or(Timestamp::MAX)
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}
