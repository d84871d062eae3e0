//! Asking whoever publishes policies, and the way of a signature: read there, recorded there, remembered
//! here. While the publisher is not heard of, what is known is shown as old and never as compliant.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::acknowledgement::seen_id;
use super::role::PeopleOperation;
use crate::connector::{Connector, OpContext};
use crate::engine::{Browser, Tenant};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{
    Acknowledgement, AcknowledgementStatus, Actor, Employee, EmployeeId, Policy, PolicyStanding,
};
use crate::publisher::{NewAcknowledgement, PolicyText, PublishedStanding, Publisher};
use crate::store::{Change, Commit, Expect, Put, RecordKind};

/// Since when the publisher is not heard of.
const UNHEARD: &str = "policies/unheard";

/// Longer than this is no name.
const LONGEST_NAME: usize = 200;

/// Where one employee stands with a policy that must be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyOfEmployee {
    /// The policy.
    pub policy: Policy,
    /// Where they stand.
    pub status: AcknowledgementStatus,
    /// When they acknowledged the version that counts.
    pub acknowledged_at: Option<Timestamp>,
    /// Whether the publisher could not be asked, so that this is what was last known.
    pub stale: bool,
    /// Whether they acknowledged it, and that is known.
    pub compliant: bool,
}

/// A signature as it was given.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySignature {
    /// The publisher's id of the policy.
    pub policy_id: String,
    /// The version that was read.
    pub version: String,
    /// From which network address.
    pub ip_address: String,
    /// With which program.
    pub user_agent: String,
    /// The name that was typed.
    #[serde(default)]
    pub typed_name: Option<String>,
}

impl std::fmt::Debug for PolicySignature {
    /// Leaves out from where and by whom: `Debug` ends up in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicySignature")
            .field("policy_id", &self.policy_id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

impl Tenant {
    /// Asks the publisher for its policies, and takes them over. Where it cannot be asked, what is known
    /// is old from now on. The engine does it by itself once an hour.
    ///
    /// # Errors
    /// `permission_denied`; `unsupported` where no connector publishes policies; what the publisher said;
    /// `store`.
    pub async fn sync_policies(&self, actor: &Actor) -> Result<Vec<PolicyStanding>> {
        super::PeopleRole::need(actor, PeopleOperation::ManagePolicies)?;
        let (publisher, cx) = self.publisher(actor)?;
        match publisher.policies(&cx).await {
            Ok(policies) => {
                self.take_policies(&policies, actor).await?;
                self.heard_of(true).await?;
                self.policies().await
            }
            Err(error) => {
                self.heard_of(false).await?;
                Err(error)
            }
        }
    }

    /// The text of a policy for signing, as its publisher gives it now.
    ///
    /// # Errors
    /// `unsupported`; `not_found`; what the publisher said.
    pub async fn policy_text(
        &self,
        policy_id: &str,
        version: &str,
        actor: &Actor,
    ) -> Result<PolicyText> {
        let (publisher, cx) = self.publisher(actor)?;
        publisher.text(&cx, policy_id, version).await
    }

    /// Where an employee stands with each policy that must be acknowledged, asked of the publisher. Where
    /// it cannot be asked, what was last known, as old; where no connector publishes policies, what was told.
    ///
    /// # Errors
    /// `permission_denied`; `not_found`; `store`.
    pub async fn policies_of(
        &self,
        employee: &EmployeeId,
        actor: &Actor,
    ) -> Result<Vec<PolicyOfEmployee>> {
        let employee = self.employee(employee).await?;
        let operation = PeopleOperation::ViewAcknowledgements;
        self.may(actor, operation, &employee).await?;
        let published = match self.publisher(actor) {
            Ok((publisher, cx)) => match publisher.standing(&cx, &employee.id).await {
                Ok(standing) => Some(standing),
                Err(error) if error.kind() == ErrorKind::Store => return Err(error),
                Err(_) => None,
            },
            Err(_) => None,
        };
        if let Some(standing) = &published {
            self.catch_up(&employee, standing).await?;
        }
        let own = self.acknowledgements_by(&employee.id).await?;
        let (now, today) = (self.now(), self.today());
        // Where nobody can be asked at all, what was told counts as long as on the dashboard.
        let (asks, unheard) = (self.has_publisher(), self.is_publisher_unheard().await?);
        let known = self.known_policies().await?.into_iter();
        let needed = known.filter(|policy| policy.requires_acknowledgment);
        let shown = needed.map(|mut policy| {
            let done = own.iter().find(|done| done.is_of(&policy));
            let said = published
                .iter()
                .flatten()
                .find(|said| said.policy_id == policy.id && said.version == policy.version);
            // The publisher holds the record: its word counts for more than ours.
            let status = said.map_or_else(
                || policy.status_on(today, done.is_some()),
                |said| said.status,
            );
            let stale = said.is_none() && (asks || unheard || policy.is_stale(now));
            policy.due_date = said.and_then(|it| it.due_date).or(policy.due_date);
            PolicyOfEmployee {
                policy,
                status,
                acknowledged_at: done.map(|it| it.acknowledged_at),
                stale,
                compliant: !stale && status == AcknowledgementStatus::Acknowledged,
            }
        });
        Ok(shown.collect())
    }

    /// Records at the publisher that an employee acknowledged a policy, and remembers it here with version,
    /// network address and program. The same one twice is one. Nothing is remembered that the publisher
    /// did not record.
    ///
    /// # Errors
    /// `permission_denied` for anybody else's; `conflict` for a version that is not the current one, and
    /// for somebody who left; `invalid_input`; what the publisher said; `store`.
    pub async fn acknowledge_policy(
        &self,
        employee: &EmployeeId,
        signature: &PolicySignature,
        actor: &Actor,
    ) -> Result<Acknowledgement> {
        let employee = self.employee(employee).await?;
        let operation = PeopleOperation::AcknowledgePolicy;
        self.may(actor, operation, &employee).await?;
        if employee.status.has_left() {
            return Err(Error::new(ErrorKind::Conflict, "they left"));
        }
        check(signature)?;
        if let Some(done) = self.acknowledged(&employee.id, signature).await? {
            return Ok(done);
        }
        let (publisher, cx) = self.publisher(actor)?;
        // An answer that was lost, of a signature that was recorded.
        let standing = publisher.standing(&cx, &employee.id).await?;
        self.catch_up(&employee, &standing).await?;
        if let Some(done) = self.acknowledged(&employee.id, signature).await? {
            return Ok(done);
        }
        let of = |it: &&PublishedStanding| it.policy_id == signature.policy_id;
        if standing
            .iter()
            .find(of)
            .is_some_and(|it| it.version != signature.version)
        {
            return Err(Error::new(
                ErrorKind::Conflict,
                "another version of this policy counts by now; read that one",
            ));
        }
        let given = NewAcknowledgement {
            employee: employee.id.clone(),
            email: employee.work_email.clone(),
            policy_id: signature.policy_id.clone(),
            version: signature.version.clone(),
            acknowledged_at: self.now(),
            ip_address: signature.ip_address.clone(),
            user_agent: signature.user_agent.clone(),
            typed_name: signature.typed_name.clone(),
        };
        let recorded = publisher.record(&cx, &given).await?;
        let acknowledgement = Acknowledgement {
            id: recorded.id,
            employee: employee.id,
            policy_id: given.policy_id,
            version: given.version,
            acknowledged_at: given.acknowledged_at,
            ip_address: Some(given.ip_address),
            user_agent: Some(given.user_agent),
        };
        self.keep_acknowledgement(&acknowledgement, actor).await?;
        Ok(acknowledgement)
    }

    /// Asks for policies once in a while; a publisher that is away makes what is known old.
    pub(crate) async fn sync_policies_by_itself(&self) -> Result<()> {
        self.sync_policies(&Actor::engine()).await.map(drop)
    }

    /// Whether a connector publishes policies.
    pub(crate) fn has_publisher(&self) -> bool {
        self.publishing().is_some()
    }

    /// Whether the publisher could not be asked when it last was.
    pub(super) async fn is_publisher_unheard(&self) -> Result<bool> {
        let since = self.read::<Timestamp>(RecordKind::Control, UNHEARD).await?;
        Ok(since.is_some())
    }

    /// Remembers what the publisher recorded and no callback told.
    async fn catch_up(&self, employee: &Employee, standing: &[PublishedStanding]) -> Result<()> {
        let known = self.acknowledgements_by(&employee.id).await?;
        for it in standing {
            let is_known = known
                .iter()
                .any(|known| known.policy_id == it.policy_id && known.version == it.version);
            let (AcknowledgementStatus::Acknowledged, false) = (it.status, is_known) else {
                continue;
            };
            let acknowledgement = Acknowledgement {
                id: seen_id(&it.policy_id, &it.version, &employee.id),
                employee: employee.id.clone(),
                policy_id: it.policy_id.clone(),
                version: it.version.clone(),
                acknowledged_at: it.acknowledged_at.unwrap_or_else(|| self.now()),
                ip_address: None,
                user_agent: None,
            };
            self.take_acknowledgement(&acknowledgement).await?;
        }
        Ok(())
    }

    async fn acknowledged(
        &self,
        employee: &EmployeeId,
        signature: &PolicySignature,
    ) -> Result<Option<Acknowledgement>> {
        let mut own = self.acknowledgements_by(employee).await?.into_iter();
        Ok(own.find(|it| it.policy_id == signature.policy_id && it.version == signature.version))
    }

    fn publishing(&self) -> Option<&dyn Connector> {
        let mut connectors = self.connectors().iter();
        let connector = connectors.find(|it| it.as_publisher().is_some())?;
        Some(&**connector)
    }

    fn publisher(&self, actor: &Actor) -> Result<(&dyn Publisher, OpContext)> {
        let publisher = self.publishing().and_then(Connector::as_publisher);
        let publisher = publisher.ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "no connector of this tenant publishes policies; one of kind `legal` with a `respond` credential does",
            )
            .with_context("tenant", self.id().as_str())
        })?;
        Ok((publisher, self.op(actor.clone(), self.vendor_budget())))
    }

    async fn heard_of(&self, heard: bool) -> Result<()> {
        if heard != self.is_publisher_unheard().await? {
            return Ok(());
        }
        let change = if heard {
            Change::Delete {
                kind: RecordKind::Control,
                key: UNHEARD.to_owned(),
                expect: Expect::Anything,
            }
        } else {
            Change::Put(Put::new(RecordKind::Control, UNHEARD, &self.now())?)
        };
        let commit = Commit {
            changes: vec![change],
            entries: Vec::new(),
        };
        self.store().commit(self.id(), commit).await.map(drop)
    }
}

/// # Errors
/// `invalid_input` naming the field.
fn check(signature: &PolicySignature) -> Result<()> {
    let wrong =
        |field, message: &str| Err(Error::invalid_input(message).with_context("field", field));
    if signature.ip_address.parse::<std::net::IpAddr>().is_err() {
        return wrong("ip_address", "not a network address");
    }
    let agent = signature.user_agent.trim();
    if agent.is_empty() || agent.len() > Browser::LONGEST_AGENT {
        return wrong("user_agent", "say which program, in at most 512 bytes");
    }
    let name = signature.typed_name.as_deref();
    if name.is_some_and(|name| name.trim().is_empty() || name.len() > LONGEST_NAME) {
        return wrong("typed_name", "a name of at most 200 bytes");
    }
    Ok(())
}
