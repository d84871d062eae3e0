//! How receivers find a policy: the tree walk of RFC 9989 section 4.10, and beside it what RFC 7489
//! section 6.6.3 made of the public suffix list.

use protect_core::dns::TxtRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{DmarcRecord, Policy, Psd, VERSION};
use crate::name::DomainName;
use crate::resolve::{Lookup, LookupFailure, Resolver};
use crate::tags::{self, Version};

/// Labels of the longest name that the walk asks about, after the name it begins with.
const LONGEST: usize = 7;

/// Questions that a walk asks at most.
const STEPS: usize = 8;

/// What stands at `_dmarc` below one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DmarcStep {
    /// The name, without `_dmarc`.
    pub name: DomainName,
    /// What stands there.
    #[serde(flatten)]
    pub found: DmarcAt,
    /// Texts there that are no DMARC record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_texts: Vec<String>,
}

/// What the question for a DMARC record gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum DmarcAt {
    /// One record.
    Record {
        /// What it says.
        record: Box<DmarcRecord>,
    },
    /// Several, which is as good as none (RFC 9989 section 4.10).
    Several {
        /// As published.
        texts: Vec<String>,
    },
    /// None.
    Nothing,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

impl DmarcStep {
    /// The record, where there is just one.
    pub fn record(&self) -> Option<&DmarcRecord> {
        match &self.found {
            DmarcAt::Record { record } => Some(record),
            _ => None,
        }
    }

    /// Why nobody could say, where that is so.
    pub const fn failure(&self) -> Option<LookupFailure> {
        match self.found {
            DmarcAt::Unknown { failure } => Some(failure),
            _ => None,
        }
    }

    /// Texts that would be a DMARC record but for their first letters: `v=dmarc1`, a leading blank.
    pub fn almost(&self) -> impl Iterator<Item = &str> {
        let texts = self.other_texts.iter().map(String::as_str);
        texts.filter(|text| {
            matches!(
                tags::version(text, VERSION),
                Version::WrongCase | Version::Shifted
            )
        })
    }
}

/// A walk from a name towards the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DmarcWalk {
    /// What was asked, in order; the first is the name it began with.
    pub steps: Vec<DmarcStep>,
}

impl DmarcWalk {
    /// Walks from a name.
    pub async fn from(resolver: &Resolver, name: &DomainName) -> Self {
        let mut steps = Vec::new();
        for name in names(name) {
            let step = ask(resolver, name).await;
            let psd = step.record().map(|record| record.psd);
            steps.push(step);
            if matches!(psd, Some(Psd::Yes | Psd::No)) {
                break;
            }
        }
        Self { steps }
    }

    /// What stands at the name it began with.
    pub fn own(&self) -> Option<&DmarcStep> {
        self.steps.first()
    }

    /// The first answer that did not come: then neither the organisational domain nor an inherited
    /// policy is known.
    pub fn failure(&self) -> Option<LookupFailure> {
        self.steps.iter().find_map(DmarcStep::failure)
    }

    /// The organisational domain (RFC 9989 section 4.10.2).
    ///
    /// # Errors
    /// Where a question was not answered that could have shown another one.
    pub fn organisational_domain(&self) -> Result<DomainName, LookupFailure> {
        if let Some(failure) = self.failure() {
            return Err(failure);
        }
        let start = self.steps.first().map(|step| &step.name);
        for (index, step) in self.steps.iter().enumerate() {
            match step.record().map(|record| record.psd) {
                Some(Psd::No) => return Ok(step.name.clone()),
                Some(Psd::Yes) if index > 0 => {
                    return Ok(start.map_or(step.name.clone(), |start| below(start, &step.name)));
                }
                _ => {}
            }
        }
        let topmost = self.steps.iter().rev().find(|step| step.record().is_some());
        let found = topmost.or_else(|| self.steps.first());
        found
            .map(|step| step.name.clone())
            .ok_or(LookupFailure::NotAsked)
    }

    /// The record that receivers apply to the name the walk began with (RFC 9989 section 4.10.1):
    /// its own, else the organisational domain's, else the public suffix's. `None` where there is
    /// none.
    ///
    /// # Errors
    /// Where a question was not answered that could have shown another one.
    pub fn applied(&self) -> Result<Option<&DmarcStep>, LookupFailure> {
        let Some(own) = self.own() else {
            return Ok(None);
        };
        if own.record().is_some() {
            return Ok(Some(own));
        }
        let organisation = self.organisational_domain()?;
        let at = |step: &&DmarcStep| step.record().is_some() && step.name == organisation;
        let suffix = |step: &&DmarcStep| step.record().is_some_and(|record| record.psd == Psd::Yes);
        let steps = self.steps.iter();
        Ok(steps
            .clone()
            .find(at)
            .or_else(|| steps.clone().find(suffix)))
    }
}

/// The names that a walk asks about.
fn names(start: &DomainName) -> Vec<DomainName> {
    let parents = start.parents().filter(|name| name.label_count() <= LONGEST);
    std::iter::once(start.clone())
        .chain(parents)
        .take(STEPS)
        .collect()
}

/// The name one label below `suffix` on the way to `start`.
fn below(start: &DomainName, suffix: &DomainName) -> DomainName {
    let labels = suffix.label_count() + 1;
    let parents = std::iter::once(start.clone()).chain(start.parents());
    let mut found = parents.filter(|name| name.label_count() == labels);
    found.next().unwrap_or_else(|| start.clone())
}

async fn ask(resolver: &Resolver, name: DomainName) -> DmarcStep {
    let answer = match name.child("_dmarc") {
        Ok(at) => resolver.txt(&at).await,
        // A name too long to have a record has none.
        Err(_) => Lookup::NoName,
    };
    let (found, other_texts) = match answer {
        Lookup::Found(texts) => sort(&texts),
        Lookup::NoData | Lookup::NoName => (DmarcAt::Nothing, Vec::new()),
        Lookup::Failed(failure) => (DmarcAt::Unknown { failure }, Vec::new()),
    };
    DmarcStep {
        name,
        found,
        other_texts,
    }
}

fn sort(texts: &[TxtRecord]) -> (DmarcAt, Vec<String>) {
    let texts = texts.iter().map(TxtRecord::joined);
    let is_record = |text: &String| tags::version(text, VERSION) == Version::Exact;
    let (records, other): (Vec<_>, Vec<_>) = texts.partition(is_record);
    let found = match records.as_slice() {
        [] => DmarcAt::Nothing,
        [text] => DmarcRecord::parse(text).map_or(DmarcAt::Nothing, |record| DmarcAt::Record {
            record: Box::new(record),
        }),
        _ => DmarcAt::Several { texts: records },
    };
    (found, other)
}

/// What receivers do with mail that fails, and where they have it from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectivePolicy {
    /// Where the record stands; `None` where there is none, or none that does anything.
    pub found_at: Option<DomainName>,
    /// What the record asks; `None` where there is none.
    pub asked: Option<Policy>,
    /// What receivers by RFC 9989 do: one level less while the owner is testing.
    pub applied: Option<Policy>,
}

/// What receivers do, by where the author's domain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EffectivePolicies {
    /// With mail of the domain itself.
    pub domain: EffectivePolicy,
    /// With mail of a subdomain that exists and has no record of its own.
    pub subdomain: EffectivePolicy,
    /// With mail of a subdomain that does not exist.
    pub missing_subdomain: EffectivePolicy,
}

impl EffectivePolicies {
    /// What a walk shows. `exists` says whether the domain itself exists.
    ///
    /// # Errors
    /// Where a question was not answered that could have shown another record.
    pub fn of(walk: &DmarcWalk, exists: bool) -> Result<Self, LookupFailure> {
        let applied = walk.applied()?;
        let own = walk.own().map(|step| &step.name);
        let at = |policy: fn(&DmarcRecord) -> Option<Policy>, step: Option<&DmarcStep>| {
            let record = step.and_then(DmarcStep::record);
            let asked = record.and_then(policy);
            EffectivePolicy {
                found_at: asked.and(step).map(|step| step.name.clone()),
                asked,
                applied: record
                    .zip(asked)
                    .map(|(record, asked)| record.applied(asked)),
            }
        };
        let is_own = applied.is_some_and(|step| Some(&step.name) == own);
        let for_domain: fn(&DmarcRecord) -> Option<Policy> = match (is_own, exists) {
            (true, _) => DmarcRecord::policy,
            (false, true) => DmarcRecord::subdomain_policy,
            (false, false) => DmarcRecord::missing_subdomain_policy,
        };
        // A receiver that walks up from a subdomain ends at the organisational domain's record, not
        // at one on the way.
        let above = above(walk)?;
        Ok(Self {
            domain: at(for_domain, applied),
            subdomain: at(DmarcRecord::subdomain_policy, above),
            missing_subdomain: at(DmarcRecord::missing_subdomain_policy, above),
        })
    }
}

/// The record that a subdomain without one of its own inherits.
fn above(walk: &DmarcWalk) -> Result<Option<&DmarcStep>, LookupFailure> {
    let steps = walk.steps.iter();
    let records = steps.filter(|step| step.record().is_some());
    if let Some(failure) = walk.failure() {
        return Err(failure);
    }
    let psd = |step: &&DmarcStep| {
        step.record()
            .is_some_and(|record| record.psd != Psd::Unknown)
    };
    // Seen from a subdomain the name the walk began with is one above: its `psd` counts as any other.
    let Some(settled) = records.clone().find(psd) else {
        return Ok(records.clone().next_back());
    };
    if settled.record().is_some_and(|record| record.psd == Psd::No) {
        return Ok(Some(settled));
    }
    // Below a public suffix the organisational domain is one label longer; the suffix's own record
    // is the last resort.
    let labels = settled.name.label_count() + 1;
    Ok(records
        .clone()
        .find(|step| step.name.label_count() == labels)
        .or(Some(settled)))
}

/// How a receiver by RFC 7489 sees it: the organisational domain from the public suffix list, `pct`
/// read, `np` and `t` not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OldView {
    /// The organisational domain by the public suffix list; `None` for a public suffix itself.
    pub organisational_domain: Option<DomainName>,
    /// Where the record stands that applies.
    pub found_at: Option<DomainName>,
    /// What it asks for the domain.
    pub policy: Option<Policy>,
    /// The share of failing mail that it is applied to, in percent.
    pub percent: u8,
}

/// The organisational domain by the public suffix list compiled in.
pub fn registrable(name: &DomainName) -> Option<DomainName> {
    DomainName::literal(psl::domain_str(name.as_str())?).ok()
}

impl OldView {
    /// Asks what such a receiver would ask; what the walk asked is not asked again.
    ///
    /// # Errors
    /// Where a question was not answered.
    pub async fn of(resolver: &Resolver, walk: &DmarcWalk) -> Result<Self, LookupFailure> {
        let Some(own) = walk.own() else {
            return Err(LookupFailure::NotAsked);
        };
        let organisation = registrable(&own.name);
        let mut at = own.clone();
        if at.record().is_none()
            && let Some(parent) = organisation.clone().filter(|parent| *parent != own.name)
        {
            if let Some(failure) = at.failure() {
                return Err(failure);
            }
            at = ask(resolver, parent).await;
        }
        if let Some(failure) = at.failure() {
            return Err(failure);
        }
        let policy = at.record().and_then(|record| {
            if at.name == own.name {
                record.policy()
            } else {
                record.subdomain_policy()
            }
        });
        Ok(Self {
            organisational_domain: organisation,
            percent: at.record().and_then(|record| record.pct).unwrap_or(100),
            found_at: policy.map(|_| at.name),
            policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protect_core::dns::{DnsAnswer, DnsFailure, RecordType};
    use protect_core::testing::MapDns;

    use super::*;

    fn name(text: &str) -> DomainName {
        DomainName::parse(text).unwrap()
    }

    async fn walked(records: &[(&str, &str)], from: &str) -> (DmarcWalk, Arc<MapDns>) {
        let dns = Arc::new(MapDns::default());
        for (at, text) in records {
            dns.set_txt(&format!("_dmarc.{at}"), &[text]);
        }
        let resolver = Resolver::new(Arc::<MapDns>::clone(&dns));
        (DmarcWalk::from(&resolver, &name(from)).await, dns)
    }

    fn organisation(walk: &DmarcWalk) -> String {
        walk.organisational_domain().unwrap().to_string()
    }

    #[tokio::test]
    async fn a_long_name_is_cut_to_seven_labels_and_eight_questions() {
        let (walk, dns) = walked(&[], "a.b.c.d.e.f.g.h.i.j.mail.example.com").await;
        let asked: Vec<_> = dns.asked().into_iter().map(|(name, _)| name).collect();
        assert_eq!(asked.len(), 8);
        assert_eq!(asked[0], "_dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com");
        assert_eq!(asked[1], "_dmarc.g.h.i.j.mail.example.com");
        assert_eq!(asked[7], "_dmarc.com");
        assert_eq!(organisation(&walk), "a.b.c.d.e.f.g.h.i.j.mail.example.com");
    }

    #[tokio::test]
    async fn the_organisation_is_the_shortest_name_with_a_record() {
        let records = [
            ("a.b.example.com", "v=DMARC1;p=none"),
            ("example.com", "v=DMARC1;p=reject"),
        ];
        let (walk, _) = walked(&records, "a.b.example.com").await;
        assert_eq!(organisation(&walk), "example.com");
        assert_eq!(
            walk.applied().unwrap().unwrap().name,
            name("a.b.example.com")
        );
        let (walk, _) = walked(&records, "c.example.com").await;
        assert_eq!(walk.applied().unwrap().unwrap().name, name("example.com"));
    }

    #[tokio::test]
    async fn psd_says_where_the_organisation_begins() {
        let suffix = ("gov.example", "v=DMARC1;p=reject;np=reject;psd=y");
        let (walk, _) = walked(&[suffix], "a.b.gov.example").await;
        assert_eq!(organisation(&walk), "b.gov.example");
        assert_eq!(walk.applied().unwrap().unwrap().name, name("gov.example"));
        let (walk, _) = walked(&[suffix], "gov.example").await;
        assert_eq!(
            organisation(&walk),
            "gov.example",
            "a suffix's own mail is its own"
        );
        let no = [
            ("b.example", "v=DMARC1;p=none;psd=n"),
            ("example", "v=DMARC1;p=reject"),
        ];
        let (walk, dns) = walked(&no, "a.b.example").await;
        assert_eq!(organisation(&walk), "b.example");
        assert_eq!(dns.asked().len(), 2, "the walk ends there");
    }

    #[tokio::test]
    async fn several_records_are_none_and_other_texts_are_kept_apart() {
        let dns = Arc::new(MapDns::default());
        dns.set_txt(
            "_dmarc.b.example",
            &["v=DMARC1;p=none", "v=DMARC1;p=reject"],
        );
        dns.set_txt("_dmarc.c.example", &["v=spf1 -all", "v=dmarc1; p=none"]);
        let resolver = Resolver::new(dns);
        let walk = DmarcWalk::from(&resolver, &name("b.example")).await;
        assert!(matches!(walk.own().unwrap().found, DmarcAt::Several { .. }));
        assert_eq!(walk.applied().unwrap(), None);
        let walk = DmarcWalk::from(&resolver, &name("c.example")).await;
        let own = walk.own().unwrap();
        assert_eq!(own.found, DmarcAt::Nothing);
        assert_eq!(own.almost().collect::<Vec<_>>(), ["v=dmarc1; p=none"]);
    }

    #[tokio::test]
    async fn a_failure_above_is_unknown_and_never_absence() {
        let dns = Arc::new(MapDns::default());
        dns.set(
            "_dmarc.example",
            RecordType::Txt,
            DnsAnswer::Failed(DnsFailure::ServFail),
        );
        let resolver = Resolver::new(Arc::<MapDns>::clone(&dns));
        let walk = DmarcWalk::from(&resolver, &name("b.example")).await;
        assert_eq!(walk.applied(), Err(LookupFailure::ServFail));
        assert!(EffectivePolicies::of(&walk, true).is_err());
        dns.set_txt("_dmarc.b.example", &["v=DMARC1;p=reject"]);
        let walk = DmarcWalk::from(&Resolver::new(dns), &name("b.example")).await;
        assert!(
            walk.applied().unwrap().is_some(),
            "its own record is known all the same"
        );
    }

    #[tokio::test]
    async fn each_kind_of_subdomain_has_its_policy() {
        let records = [(
            "b.example",
            "v=DMARC1; p=reject; sp=quarantine; np=none; t=y",
        )];
        let (walk, _) = walked(&records, "b.example").await;
        let policies = EffectivePolicies::of(&walk, true).unwrap();
        let asked = |policy: &EffectivePolicy| (policy.asked.unwrap(), policy.applied.unwrap());
        assert_eq!(
            asked(&policies.domain),
            (Policy::Reject, Policy::Quarantine)
        );
        assert_eq!(
            asked(&policies.subdomain),
            (Policy::Quarantine, Policy::None)
        );
        assert_eq!(
            asked(&policies.missing_subdomain),
            (Policy::None, Policy::None)
        );
        let (walk, _) = walked(&records, "a.b.example").await;
        for (exists, policy) in [(true, Policy::Quarantine), (false, Policy::None)] {
            let policies = EffectivePolicies::of(&walk, exists).unwrap();
            assert_eq!(policies.domain.asked, Some(policy), "{exists}");
        }
    }

    #[tokio::test]
    async fn an_old_receiver_goes_by_the_public_suffix_list_and_reads_pct() {
        let records = [
            ("b.co.uk", "v=DMARC1; p=reject; sp=none; pct=20"),
            ("co.uk", "v=DMARC1;p=none;psd=y"),
        ];
        let (walk, dns) = walked(&records, "a.x.b.co.uk").await;
        let view = OldView::of(&Resolver::new(dns), &walk).await.unwrap();
        assert_eq!(view.organisational_domain, Some(name("b.co.uk")));
        assert_eq!((view.policy, view.percent), (Some(Policy::None), 20));
        assert_eq!(registrable(&name("co.uk")), None);
    }
}
