//! TLS-RPT (RFC 8460): where senders report failures of TLS.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use super::record_at::RecordAt;
use crate::name::DomainName;
use crate::resolve::Resolver;
use crate::tags::{self, NameCase, Problem, RecordIssue, Tags, Version};

/// The version that a record begins with.
pub(crate) const VERSION: &str = "TLSRPTv1";

/// A record at `_smtp._tls`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsRptRecord {
    /// As published.
    pub text: String,
    /// `rua`: the addresses that can be read, `mailto:` or `https:`.
    pub rua: Vec<String>,
    /// What is wrong.
    pub issues: Vec<RecordIssue>,
}

impl TlsRptRecord {
    /// Reads a text that begins with the version; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        if tags::version(text, VERSION) != Version::Exact {
            return None;
        }
        let mut tags = Tags::read(text, NameCase::Exact);
        let written = tags.take("rua", NameCase::Exact);
        let all = written
            .as_ref()
            .map(|tag| tag.value.split(',').map(str::trim));
        let (rua, bad): (Vec<_>, Vec<_>) = all
            .into_iter()
            .flatten()
            .partition(|uri| is_destination(uri));
        match &written {
            None => tags.issue(Problem::Missing, "rua", 0, "there is no `rua`"),
            Some(tag) if !bad.is_empty() => {
                tags.bad_value(tag, "a list of `mailto:` and `https:` addresses");
            }
            Some(_) => {}
        }
        Some(Self {
            text: text.to_owned(),
            rua: rua.into_iter().map(str::to_owned).collect(),
            issues: tags.issues,
        })
    }
}

fn is_destination(uri: &str) -> bool {
    Url::parse(uri).is_ok_and(|url| match url.scheme() {
        "https" => url.host_str().is_some(),
        "mailto" => url
            .path()
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && DomainName::parse(domain).is_ok()),
        _ => false,
    })
}

/// Asks for the record.
pub(crate) async fn audit(resolver: &Resolver, domain: &DomainName) -> RecordAt<TlsRptRecord> {
    match domain.child("_smtp._tls") {
        Ok(name) => RecordAt::of(resolver.txt(&name).await, TlsRptRecord::parse),
        Err(_) => RecordAt::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_mailboxes_and_https() {
        let text = "v=TLSRPTv1; rua=mailto:tls@b.example,https://b.example/in";
        let record = TlsRptRecord::parse(text).unwrap();
        assert_eq!((record.rua.len(), record.issues.len()), (2, 0));
        for text in [
            "v=TLSRPTv1",
            "v=TLSRPTv1; rua=http://b.example",
            "v=TLSRPTv1; rua=a@b.example",
        ] {
            let record = TlsRptRecord::parse(text).unwrap();
            assert_eq!((record.rua.len(), record.issues.len()), (0, 1), "{text}");
        }
        assert!(TlsRptRecord::parse("v=TLSRPTv2; rua=mailto:a@b.example").is_none());
    }
}
