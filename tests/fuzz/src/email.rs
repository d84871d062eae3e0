//! What anybody may publish about mail, and what anybody may send: records in DNS, policies, and reports
//! in every wrapping that they come in.

use protect_email::dkim::DkimKey;
use protect_email::dmarc::DmarcRecord;
use protect_email::name::DomainName;
use protect_email::reports::parse_reports;
use protect_email::spf::Record;
use protect_email::transport::{MtaStsPolicy, MtaStsRecord, TlsRptRecord};

pub(crate) fn dkim_key(data: &[u8]) {
    let _ = DkimKey::parse(&text(data));
}

pub(crate) fn dmarc(data: &[u8]) {
    let _ = DmarcRecord::parse(&text(data));
}

pub(crate) fn mta_sts_policy(data: &[u8]) {
    let _ = MtaStsPolicy::parse(&text(data));
}

pub(crate) fn mta_sts_record(data: &[u8]) {
    let _ = MtaStsRecord::parse(&text(data));
}

/// A name that was read is read again as itself.
pub(crate) fn name(data: &[u8]) {
    if let Ok(name) = DomainName::parse(&text(data)) {
        assert_eq!(DomainName::parse(name.as_str()).as_ref(), Ok(&name));
    }
}

pub(crate) fn reports(data: &[u8]) {
    let _ = parse_reports(data);
}

pub(crate) fn spf(data: &[u8]) {
    let _ = Record::parse(&text(data));
}

pub(crate) fn tls_rpt(data: &[u8]) {
    let _ = TlsRptRecord::parse(&text(data));
}

/// As a resolver hands it over: bytes that are not UTF-8 are replaced.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}
