//! DMARC: what a domain asks of receivers, as receivers by RFC 9989 and by RFC 7489 find it out.

mod audit;
mod external;
mod record;
mod rollout;
mod walk;

pub use audit::DmarcAudit;
pub(crate) use audit::audit;
pub use external::{Consent, ReportDestination};
pub(crate) use record::VERSION;
pub use record::{Alignment, DmarcRecord, Policy, Psd, ReportUri};
pub use rollout::{ReportEvidence, Rollout, Stage};
pub use walk::{
    DmarcAt, DmarcStep, DmarcWalk, EffectivePolicies, EffectivePolicy, OldView, registrable,
};
