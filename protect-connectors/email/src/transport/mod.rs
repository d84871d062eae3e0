//! How mail reaches the domain: its hosts, MTA-STS and TLS-RPT. Scored apart from authentication.

mod mail_hosts;
pub(crate) mod mta_sts;
pub(crate) mod tls_rpt;

pub use mail_hosts::MailHosts;
pub use mta_sts::{MtaStsAt, MtaStsAudit, MtaStsMode, MtaStsPolicy, MtaStsPolicyAt, MtaStsRecord};
pub use tls_rpt::{TlsRptAt, TlsRptRecord};
