//! Everything about a domain's DMARC.

use protect_core::dns::RecordType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::external::{self, ReportDestination};
use super::record::{DmarcRecord, ReportUri};
use super::walk::{DmarcStep, DmarcWalk, EffectivePolicies, OldView};
use crate::name::DomainName;
use crate::resolve::{Lookup, LookupFailure, Resolver};

/// Everything about a domain's DMARC. What nobody could say is `None`, and `failure` says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DmarcAudit {
    /// What was asked on the way up.
    #[serde(flatten)]
    pub walk: DmarcWalk,
    /// The organisational domain by RFC 9989.
    pub organisational_domain: Option<DomainName>,
    /// Where the record stands that applies to the domain; `None` without one.
    pub applied_at: Option<DomainName>,
    /// What receivers do.
    pub policies: Option<EffectivePolicies>,
    /// Where aggregate reports go.
    pub rua: Vec<ReportDestination>,
    /// Where failure reports go.
    pub ruf: Vec<ReportDestination>,
    /// How a receiver by RFC 7489 sees it.
    pub old_receivers: Option<OldView>,
    /// What `_dmarc` is an alias of, as where a provider keeps the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<DomainName>,
    /// The first question that nobody answered.
    pub failure: Option<LookupFailure>,
}

impl DmarcAudit {
    /// What stands at the domain itself.
    pub fn own(&self) -> Option<&DmarcStep> {
        self.walk.own()
    }

    /// The record that applies to the domain, its own or an inherited one.
    pub fn record(&self) -> Option<&DmarcRecord> {
        let at = self.applied_at.as_ref()?;
        self.walk
            .steps
            .iter()
            .find(|step| step.name == *at)
            .and_then(DmarcStep::record)
    }

    /// Whether the record that applies stands above the domain.
    pub fn is_inherited(&self) -> bool {
        self.applied_at.is_some() && self.applied_at.as_ref() != self.own().map(|step| &step.name)
    }
}

/// Asks everything about a domain's DMARC.
pub(crate) async fn audit(resolver: &Resolver, domain: &DomainName) -> DmarcAudit {
    let walk = DmarcWalk::from(resolver, domain).await;
    let organisation = walk.organisational_domain();
    // Only where there is no record of its own does it matter whether the domain exists.
    let needs_existence = walk.own().and_then(DmarcStep::record).is_none();
    let exists = !needs_existence || exists(resolver, domain).await;
    let policies = EffectivePolicies::of(&walk, exists);
    let old = OldView::of(resolver, &walk).await;
    let applied = walk.applied().ok().flatten();
    let failure = walk.failure().or(old.as_ref().err().copied());
    let (mut rua, mut ruf, mut alias_of) = (Vec::new(), Vec::new(), None);
    if let Some((step, record)) = applied.and_then(|step| Some((step, step.record()?))) {
        // Without the organisational domain the policy's own is the safe reading: more is asked.
        let organisation = organisation.clone().unwrap_or_else(|_| step.name.clone());
        let look = |uris: &[ReportUri]| {
            let uris = uris.to_vec();
            let (at, organisation) = (step.name.clone(), organisation.clone());
            async move { external::destinations(resolver, &at, &organisation, &uris).await }
        };
        rua = look(&record.rua).await;
        ruf = look(&record.ruf).await;
        if step.name == *domain
            && let Ok(at) = domain.child("_dmarc")
        {
            alias_of = resolver.cname(&at).await.known().ok().flatten();
        }
    }
    DmarcAudit {
        applied_at: applied.map(|step| step.name.clone()),
        organisational_domain: organisation.ok(),
        policies: policies.ok(),
        rua,
        ruf,
        old_receivers: old.ok(),
        alias_of,
        failure,
        walk,
    }
}

/// Whether a name exists; what nobody could say counts as existing, since the milder reading of a
/// policy must not follow from an error.
async fn exists(resolver: &Resolver, domain: &DomainName) -> bool {
    !matches!(resolver.query(domain, RecordType::Mx).await, Lookup::NoName)
}
