use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Attributes;
use super::account::AccountRef;
use super::actor::Actor;
use super::id::{ActionId, ConnectorName, IncidentId, PlanId};
use crate::error::Error;

macro_rules! action_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// What can be done.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum ActionKind { $($(#[$doc])* $variant),+ }

        impl ActionKind {
            /// Every kind, in the order of the reference table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

action_kinds! {
    /// Keep an account from being used; `for` makes it end by itself.
    SuspendAccount = "suspend_account",
    /// Let a suspended account be used again.
    ReactivateAccount = "reactivate_account",
    /// Make the owner choose a new password.
    ForcePasswordReset = "force_password_reset",
    /// Sign the account out everywhere.
    RevokeSessions = "revoke_sessions",
    /// Withdraw OAuth grants, tokens and app passwords.
    RevokeGrants = "revoke_grants",
    /// Have the owner set up a second factor.
    EnrollMfa = "enroll_mfa",
    /// Remove registered second factors.
    RemoveMfaMethods = "remove_mfa_methods",
    /// Take administrative roles away.
    RemoveRoles = "remove_roles",
    /// Give back the roles that `remove_roles` took.
    RestoreRoles = "restore_roles",
    /// Tell the vendor that an account is in somebody else's hands.
    ConfirmCompromised = "confirm_compromised",
    /// Tell the vendor that an account is not at risk.
    DismissRisk = "dismiss_risk",
    /// Keep users from letting applications in by themselves.
    BlockAppConsent = "block_app_consent",
    /// Give back what `block_app_consent` took.
    RestoreAppConsent = "restore_app_consent",
    /// Take access to all products away.
    RevokeAccess = "revoke_access",
    /// Give back what `revoke_access` took.
    RestoreAccess = "restore_access",
    /// Watch a person more closely.
    ElevateMonitoring = "elevate_monitoring",
    /// End closer watching.
    EndMonitoring = "end_monitoring",
    /// Open an incident in a security product.
    OpenSecurityIncident = "open_security_incident",
    /// Open a ticket.
    OpenTicket = "open_ticket",
    /// Page whoever is on call.
    Page = "page",
    /// Tell somebody.
    Notify = "notify",
    /// Put an event on a bus.
    EmitEvent = "emit_event",
    /// Hand evidence to a compliance product.
    SubmitEvidence = "submit_evidence",
    /// Publish what a client may see.
    PublishView = "publish_view",
    /// Report usage for billing.
    ReportUsage = "report_usage",
    /// Begin an offboarding.
    StartOffboarding = "start_offboarding",
    /// Begin an onboarding.
    StartOnboarding = "start_onboarding",
    /// Call off an onboarding or offboarding.
    CancelWorkflow = "cancel_workflow",
}

impl ActionKind {
    /// The action that takes this one back, where there is one.
    pub const fn undo(self) -> Option<Self> {
        match self {
            Self::SuspendAccount => Some(Self::ReactivateAccount),
            Self::ReactivateAccount => Some(Self::SuspendAccount),
            Self::RemoveRoles => Some(Self::RestoreRoles),
            Self::BlockAppConsent => Some(Self::RestoreAppConsent),
            Self::RevokeAccess => Some(Self::RestoreAccess),
            Self::ElevateMonitoring => Some(Self::EndMonitoring),
            Self::StartOffboarding | Self::StartOnboarding => Some(Self::CancelWorkflow),
            _ => None,
        }
    }

    /// Whether it acts wherever the person has an account; every other action goes to one place.
    pub const fn acts_everywhere(self) -> bool {
        matches!(
            self,
            Self::SuspendAccount
                | Self::ReactivateAccount
                | Self::RevokeSessions
                | Self::RevokeGrants
                | Self::RemoveRoles
        )
    }

    /// Whether it changes a setting that holds for a vendor's whole tenant.
    pub const fn changes_a_setting(self) -> bool {
        matches!(self, Self::BlockAppConsent | Self::RestoreAppConsent)
    }

    /// Whether it tells somebody something, and changes nothing.
    pub const fn tells(self) -> bool {
        !self.changes_an_account() && !self.changes_a_setting()
    }

    /// Whether it changes an account, or where somebody stands in the workforce.
    pub const fn changes_an_account(self) -> bool {
        matches!(
            self,
            Self::SuspendAccount
                | Self::ReactivateAccount
                | Self::ForcePasswordReset
                | Self::RevokeSessions
                | Self::RevokeGrants
                | Self::EnrollMfa
                | Self::RemoveMfaMethods
                | Self::RemoveRoles
                | Self::RestoreRoles
                | Self::ConfirmCompromised
                | Self::DismissRisk
                | Self::RevokeAccess
                | Self::RestoreAccess
                | Self::ElevateMonitoring
                | Self::EndMonitoring
                | Self::StartOffboarding
                | Self::StartOnboarding
                | Self::CancelWorkflow
        )
    }
}

impl std::fmt::Display for ActionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ActionKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                let names = Self::ALL.iter().map(|kind| kind.as_str());
                crate::config::unknown_name("action", text, names)
            })
    }
}

/// How an effect behaves when it is attempted twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectClass {
    /// A repeat is harmless; the state is read back.
    StateIdempotent,
    /// The receiver knows our key and acts once.
    KeyIdempotent,
    /// Looked for by our reference first, made only on a confirmed miss.
    SearchBeforeCreate,
    /// Never sent again by itself; `unknown` goes to a person.
    NonIdempotent,
}

/// One change to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// The id, which is also the idempotency key.
    pub id: ActionId,
    /// What to do.
    pub kind: ActionKind,
    /// To what, by which connector.
    pub target: ActionTarget,
    /// Why, for people and evidence; without addresses.
    pub reason: String,
    /// Who asked for it.
    pub requested_by: Actor,
    /// The incident it answers, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// The action it takes back, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<ActionId>,
    /// Seconds after which the engine undoes it by itself.
    #[serde(
        default,
        rename = "for",
        with = "seconds",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<u64>")]
    pub lasts: Option<Duration>,
    /// What else the action needs, such as a template's name.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub parameters: Attributes,
}

impl Action {
    /// The parameter that names the workflow whose step the action is.
    pub const WORKFLOW: &'static str = "workflow";

    /// The parameter that says before which moment the action is not attempted.
    pub const NOT_BEFORE: &'static str = "not_before";

    /// The workflow whose step it is, where somebody asked for it as such: no rule can.
    pub fn workflow(&self) -> Option<&str> {
        let named = self.parameters.get(Self::WORKFLOW)?.as_str();
        named.filter(|_| self.requested_by.kind != super::actor::ActorKind::Rule)
    }

    /// Before which moment it is not attempted.
    pub fn not_before(&self) -> Option<Timestamp> {
        self.parameters
            .get(Self::NOT_BEFORE)?
            .as_str()?
            .parse()
            .ok()
    }

    /// What it is about: its incident, or else itself.
    pub fn about(&self) -> &str {
        let incident = self.incident.as_ref();
        incident.map_or(self.id.as_str(), IncidentId::as_str)
    }
}

/// To what an action is done.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionTarget {
    /// An account at a vendor.
    Account(AccountRef),
    /// The settings of a vendor's tenant.
    Setting {
        /// The tenant's connector.
        connector: ConnectorName,
    },
    /// A sink, which is told something.
    Sink {
        /// The tenant's connector.
        connector: ConnectorName,
    },
}

impl ActionTarget {
    /// The connector that does it.
    pub fn connector(&self) -> &ConnectorName {
        match self {
            Self::Account(account) => &account.connector,
            Self::Setting { connector } | Self::Sink { connector } => connector,
        }
    }
}

/// An approved action, stored before it is attempted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Intent {
    /// The action; its id is the intent's id.
    pub action: Action,
    /// The plan it comes from.
    pub plan: PlanId,
    /// Who approved it.
    pub approved_by: Actor,
    /// When the approval stops counting.
    pub approval_expires_at: Timestamp,
    /// Where it stands.
    pub state: IntentState,
    /// How often the vendor was called for it.
    pub attempts: u32,
    /// What kept the last attempt from happening, while it waits for the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// What came of it, once something did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When the engine undoes it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_at: Option<Timestamp>,
}

impl Intent {
    /// From when on it is attempted.
    pub fn begins_at(&self) -> Timestamp {
        let not_before = self.action.not_before();
        not_before.unwrap_or(self.created_at).max(self.created_at)
    }
}

/// Where an intent stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Approved and waiting for a worker.
    Ready,
    /// An attempt was recorded; the vendor may have been called.
    InFlight,
    /// The vendor may have acted: a probe or a person settles it.
    Unknown,
    /// Terminal: the outcome never changes.
    Done,
}

impl IntentState {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::InFlight => "in_flight",
            Self::Unknown => "unknown",
            Self::Done => "done",
        }
    }
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// The result.
    pub status: OutcomeStatus,
    /// Why, for people; without addresses.
    pub reason: String,
    /// The state before, as read.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub before: Attributes,
    /// The state after, as read back.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub after: Attributes,
    /// The vendor's name for what was made, such as a ticket's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor_reference: Option<String>,
    /// When it was known.
    pub at: Timestamp,
}

/// The result of an action. All but `unknown` are terminal and never change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// The change was made.
    Applied,
    /// It was that way before.
    AlreadySo,
    /// A guard, or the vendor for a protected account, said no; nothing changed.
    Refused,
    /// It was tried and did not work; nothing more will be tried.
    Failed,
    /// Somebody called it off before the attempt.
    Cancelled,
    /// The approval lapsed before the attempt.
    Expired,
    /// The vendor may have acted.
    Unknown,
}

impl OutcomeStatus {
    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::AlreadySo => "already_so",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it never changes again.
    pub const fn is_terminal(self) -> bool {
        !matches!(self, Self::Unknown)
    }
}

mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde's `with` fixes the signature")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value
            .map(|duration| duration.as_secs())
            .serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_secs))
    }
}
