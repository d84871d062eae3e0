//! Which service sends from an address or signs with a domain.
//!
//! The table is data with a version. It holds what the providers publish in their own SPF records
//! and sign with; it only names a source for people and tells a service that somebody of the house
//! uses from a stranger. It authorises nobody.

use std::net::IpAddr;

use super::aggregate::Record;
use super::domain::is_within;

/// When the table was last compared with what the providers publish.
pub const VERSION: &str = "2026-11";

/// A service that sends mail for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender {
    /// What people call it.
    pub name: &'static str,
    /// Domains that it signs with or sends from, with everything below them.
    pub domains: &'static [&'static str],
    /// Networks that it sends from, as its SPF record lists them.
    pub networks: &'static [&'static str],
}

/// The services, by name.
pub const SENDERS: &[Sender] = &[
    Sender {
        name: "Amazon SES",
        domains: &["amazonses.com"],
        networks: &[
            "199.255.192.0/22",
            "199.127.232.0/22",
            "54.240.0.0/18",
            "69.169.224.0/20",
            "23.249.208.0/20",
            "23.251.224.0/19",
            "76.223.176.0/20",
        ],
    },
    Sender {
        name: "Apple iCloud",
        domains: &["icloud.com"],
        networks: &["17.0.0.0/8"],
    },
    Sender {
        name: "Brevo",
        domains: &[
            "sendinblue.com",
            "sender-sib.com",
            "brevo.com",
            "brevosend.com",
        ],
        networks: &["185.41.28.0/22", "77.32.128.0/18", "1.179.112.0/20"],
    },
    Sender {
        name: "Constant Contact",
        domains: &["constantcontact.com", "ccsend.com", "confirmedcc.com"],
        networks: &["208.75.120.0/22", "205.207.104.0/22"],
    },
    Sender {
        name: "Everlytic",
        domains: &["everlytic.net", "everlytic.co.za"],
        networks: &[],
    },
    Sender {
        name: "Fastmail",
        domains: &["messagingengine.com", "fastmail.com"],
        networks: &["103.168.172.128/27", "202.12.124.128/27"],
    },
    Sender {
        name: "Google Workspace",
        domains: &["google.com", "gappssmtp.com", "googlemail.com", "gmail.com"],
        networks: &[
            "35.190.247.0/24",
            "64.233.160.0/19",
            "66.102.0.0/20",
            "66.249.80.0/20",
            "72.14.192.0/18",
            "74.125.0.0/16",
            "108.177.8.0/21",
            "173.194.0.0/16",
            "209.85.128.0/17",
            "216.58.192.0/19",
            "216.239.32.0/19",
            "2001:4860:4000::/36",
            "2404:6800:4000::/36",
            "2607:f8b0:4000::/36",
            "2800:3f0:4000::/36",
            "2a00:1450:4000::/36",
            "2c0f:fb50:4000::/36",
        ],
    },
    Sender {
        name: "HubSpot",
        domains: &["hubspotemail.net", "hubspot.com"],
        networks: &[],
    },
    Sender {
        name: "Klaviyo",
        domains: &["klaviyomail.com", "klaviyo.com"],
        networks: &[],
    },
    Sender {
        name: "Mailchimp",
        domains: &[
            "mcsv.net",
            "mcdlv.net",
            "rsgsv.net",
            "mailchimp.com",
            "mailchimpapp.net",
        ],
        networks: &["205.201.128.0/20", "198.2.128.0/18", "148.105.8.0/21"],
    },
    Sender {
        name: "Mailchimp Transactional",
        domains: &["mandrillapp.com"],
        networks: &[],
    },
    Sender {
        name: "Mailgun",
        domains: &["mailgun.org", "mailgun.net", "mailgun.com"],
        networks: &[],
    },
    Sender {
        name: "Mailjet",
        domains: &["mailjet.com"],
        networks: &["87.253.232.0/21", "185.189.236.0/22", "185.211.120.0/22"],
    },
    Sender {
        name: "Marketo",
        domains: &["mktomail.com", "marketo.com"],
        networks: &[],
    },
    Sender {
        name: "Microsoft 365",
        domains: &["outlook.com", "onmicrosoft.com", "mail.microsoft"],
        networks: &[
            "40.92.0.0/15",
            "40.107.0.0/16",
            "52.100.0.0/15",
            "52.102.0.0/16",
            "52.103.0.0/17",
            "104.47.0.0/17",
            "2a01:111:f400::/48",
            "2a01:111:f403::/49",
        ],
    },
    Sender {
        name: "Mimecast",
        domains: &["mimecast.com"],
        networks: &[],
    },
    Sender {
        name: "Postmark",
        domains: &["mtasv.net", "postmarkapp.com"],
        networks: &["50.31.156.96/27", "104.245.209.192/26"],
    },
    Sender {
        name: "Proofpoint",
        domains: &["pphosted.com", "ppe-hosted.com"],
        networks: &[],
    },
    Sender {
        name: "Proton",
        domains: &["protonmail.ch", "proton.me", "protonmail.com"],
        networks: &["185.70.40.0/22"],
    },
    Sender {
        name: "Salesforce",
        domains: &["salesforce.com", "exacttarget.com", "pardot.com"],
        networks: &[],
    },
    Sender {
        name: "SendGrid",
        domains: &["sendgrid.net", "sendgrid.info", "sendgrid.com"],
        networks: &[
            "167.89.0.0/17",
            "208.117.48.0/20",
            "50.31.32.0/19",
            "198.37.144.0/20",
            "198.21.0.0/21",
            "192.254.112.0/20",
            "168.245.0.0/17",
            "149.72.0.0/16",
            "159.183.0.0/16",
        ],
    },
    Sender {
        name: "SparkPost",
        domains: &["sparkpostmail.com"],
        networks: &[],
    },
    Sender {
        name: "Zendesk",
        domains: &["zendesk.com"],
        networks: &[
            "192.161.144.0/20",
            "185.12.80.0/22",
            "188.172.128.0/20",
            "103.151.192.0/23",
        ],
    },
    Sender {
        name: "Zoho",
        domains: &["zoho.com", "zohomail.com", "zoho.eu", "zcsend.net"],
        networks: &["136.143.160.0/19"],
    },
];

/// The service that sent a record's messages: by a domain that passed, else by the address.
pub fn identify(record: &Record) -> Option<&'static Sender> {
    by_domains(record).or_else(|| by_address(record.source_ip))
}

/// The service whose domain passed DKIM or SPF. What did not pass is anybody's text.
pub fn by_domains(record: &Record) -> Option<&'static Sender> {
    record
        .verified()
        .filter(|domain| *domain != record.header_from)
        .find_map(by_domain)
}

/// The service that a domain belongs to.
pub fn by_domain(domain: &str) -> Option<&'static Sender> {
    SENDERS
        .iter()
        .find(|sender| sender.domains.iter().any(|own| is_within(domain, own)))
}

/// The service that an address belongs to.
pub fn by_address(address: IpAddr) -> Option<&'static Sender> {
    SENDERS.iter().find(|sender| {
        sender
            .networks
            .iter()
            .any(|network| covers(network, address))
    })
}

/// The service of this name.
pub fn by_name(name: &str) -> Option<&'static Sender> {
    SENDERS.iter().find(|sender| sender.name == name)
}

/// Whether a network in the table's notation covers an address.
fn covers(network: &str, address: IpAddr) -> bool {
    let Some((base, bits)) = network.split_once('/') else {
        return false;
    };
    let (Ok(base), Ok(bits)) = (base.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let differs = base.to_bits() ^ address.to_bits();
            differs.leading_zeros() >= bits
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let differs = base.to_bits() ^ address.to_bits();
            differs.leading_zeros() >= bits
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_the_table_covers_its_own_base() {
        for sender in SENDERS {
            for network in sender.networks {
                let base = network.split('/').next().unwrap().parse().unwrap();
                assert!(covers(network, base), "{network}");
                assert_eq!(by_address(base).unwrap().name, sender.name, "{network}");
            }
        }
    }

    #[test]
    fn a_service_is_known_by_its_domains_and_what_lies_below_them() {
        assert_eq!(by_domain("eu.amazonses.com").unwrap().name, "Amazon SES");
        assert_eq!(by_domain("notamazonses.com"), None);
        assert_eq!(by_address("10.0.0.1".parse().unwrap()), None);
    }
}
