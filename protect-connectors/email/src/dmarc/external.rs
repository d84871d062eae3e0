//! Whether reports may go where a record sends them (RFC 9990 section 4, before it RFC 7489 section
//! 7.1), and whether mail arrives there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::record::{ReportUri, VERSION};
use super::walk::DmarcWalk;
use crate::name::DomainName;
use crate::resolve::{Family, Lookup, LookupFailure, Resolver};
use crate::tags::{self, Version};

/// One destination of reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportDestination {
    /// The address, as the record has it.
    pub uri: ReportUri,
    /// Whether it agreed to receive them.
    #[serde(flatten)]
    pub consent: Consent,
    /// Whether mail can be delivered there; `None` where nobody could say, or where it is no mailbox.
    pub deliverable: Option<bool>,
}

/// Whether a destination agreed to receive a domain's reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "consent", rename_all = "snake_case")]
pub enum Consent {
    /// It belongs to the same organisation, so nobody asks.
    SameOrganisation,
    /// It says so in DNS.
    Given {
        /// Where.
        at: DomainName,
    },
    /// It does not say so: reporters send nothing.
    Missing {
        /// Where it would have to.
        at: DomainName,
    },
    /// The address cannot be read.
    NoAddress,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

/// Looks at every destination of a record found at `policy_domain`, whose organisational domain is
/// `organisation`.
pub(crate) async fn destinations(
    resolver: &Resolver,
    policy_domain: &DomainName,
    organisation: &DomainName,
    uris: &[ReportUri],
) -> Vec<ReportDestination> {
    let mut destinations = Vec::with_capacity(uris.len());
    for uri in uris {
        let (consent, deliverable) = match &uri.host {
            None => (Consent::NoAddress, None),
            Some(host) => (
                consent(resolver, policy_domain, organisation, host).await,
                if uri.mailto {
                    takes_mail(resolver, host).await
                } else {
                    None
                },
            ),
        };
        destinations.push(ReportDestination {
            uri: uri.clone(),
            consent,
            deliverable,
        });
    }
    destinations
}

async fn consent(
    resolver: &Resolver,
    policy_domain: &DomainName,
    organisation: &DomainName,
    host: &DomainName,
) -> Consent {
    if host == policy_domain || host == organisation {
        return Consent::SameOrganisation;
    }
    match DmarcWalk::from(resolver, host)
        .await
        .organisational_domain()
    {
        Ok(theirs) if theirs == *organisation => return Consent::SameOrganisation,
        Ok(_) => {}
        Err(failure) => return Consent::Unknown { failure },
    }
    let Ok(at) = host.child(&format!("{policy_domain}._report._dmarc")) else {
        return Consent::Unknown {
            failure: LookupFailure::NotAsked,
        };
    };
    match resolver.txt(&at).await {
        Lookup::Found(texts) => {
            let says_so = texts
                .iter()
                .any(|text| tags::version(&text.joined(), VERSION) == Version::Exact);
            if says_so {
                Consent::Given { at }
            } else {
                Consent::Missing { at }
            }
        }
        Lookup::NoData | Lookup::NoName => Consent::Missing { at },
        Lookup::Failed(failure) => Consent::Unknown { failure },
    }
}

/// Whether a host takes mail: it has an MX that is not null, or none and an address (RFC 5321
/// section 5.1, RFC 7505). `None` where nobody could say.
async fn takes_mail(resolver: &Resolver, host: &DomainName) -> Option<bool> {
    match resolver.mx(host).await {
        Lookup::Found(hosts) => return Some(hosts.iter().any(|mx| !mx.is_null())),
        Lookup::NoName => return Some(false),
        Lookup::Failed(_) => return None,
        Lookup::NoData => {}
    }
    let mut known = true;
    for family in [Family::V4, Family::V6] {
        match resolver.addresses(host, family).await {
            Lookup::Found(_) => return Some(true),
            Lookup::Failed(_) => known = false,
            Lookup::NoData | Lookup::NoName => {}
        }
    }
    known.then_some(false)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protect_core::dns::{DnsAnswer, DnsFailure, DnsRecord, RecordType};
    use protect_core::testing::MapDns;

    use super::*;
    use crate::dmarc::DmarcRecord;

    async fn looked(rua: &str, zone: impl Fn(&MapDns)) -> ReportDestination {
        let dns = Arc::new(MapDns::default());
        zone(&dns);
        let record = DmarcRecord::parse(&format!("v=DMARC1; p=none; rua={rua}")).unwrap();
        let domain = DomainName::parse("b.example").unwrap();
        let resolver = Resolver::new(dns);
        let mut found = destinations(&resolver, &domain, &domain, &record.rua).await;
        found.remove(0)
    }

    const MX: fn() -> DnsRecord = || DnsRecord::Mx {
        preference: 10,
        exchange: "mx.r.example".to_owned(),
    };

    #[tokio::test]
    async fn ones_own_organisation_needs_no_consent() {
        let found = looked("mailto:d@b.example", |dns| dns.add("b.example", MX())).await;
        assert_eq!(
            (found.consent, found.deliverable),
            (Consent::SameOrganisation, Some(true))
        );
        let found = looked("mailto:d@mail.b.example", |dns| {
            dns.set_txt("_dmarc.b.example", &["v=DMARC1; p=none"]);
        })
        .await;
        assert_eq!(
            (found.consent, found.deliverable),
            (Consent::SameOrganisation, Some(false))
        );
    }

    #[tokio::test]
    async fn another_organisation_says_so_at_a_name_of_its_own() {
        let at = "b.example._report._dmarc.r.example";
        let found = looked("mailto:d@r.example", |dns| dns.set_txt(at, &["v=DMARC1"])).await;
        assert!(matches!(found.consent, Consent::Given { .. }));
        let found = looked("mailto:d@r.example", |dns| dns.set_txt(at, &["yes"])).await;
        assert!(matches!(found.consent, Consent::Missing { .. }));
        let found = looked("mailto:d@r.example", |dns| {
            dns.set(at, RecordType::Txt, DnsAnswer::Failed(DnsFailure::Timeout));
            dns.set(
                "r.example",
                RecordType::Mx,
                DnsAnswer::Failed(DnsFailure::Timeout),
            );
        })
        .await;
        assert!(matches!(found.consent, Consent::Unknown { .. }));
        assert_eq!(found.deliverable, None);
    }

    #[tokio::test]
    async fn a_host_with_an_address_or_a_null_mx_is_read_as_senders_do() {
        let address = |dns: &MapDns| dns.add("r.example", DnsRecord::A([192, 0, 2, 1].into()));
        assert_eq!(
            looked("mailto:d@r.example", address).await.deliverable,
            Some(true)
        );
        let null = |dns: &MapDns| {
            dns.add(
                "r.example",
                DnsRecord::Mx {
                    preference: 0,
                    exchange: String::new(),
                },
            );
        };
        assert_eq!(
            looked("mailto:d@r.example", null).await.deliverable,
            Some(false)
        );
        assert_eq!(looked("nonsense", |_| ()).await.consent, Consent::NoAddress);
    }
}
