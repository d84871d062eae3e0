//! How mail reaches the domain: its hosts, MTA-STS and TLS-RPT. Scored apart from authentication.

mod mail_hosts;
pub(crate) mod mta_sts;
mod record_at;
pub(crate) mod tls_rpt;

pub use mail_hosts::MailHosts;
pub use mta_sts::{MtaStsAudit, MtaStsMode, MtaStsPolicy, MtaStsPolicyAt, MtaStsRecord};
pub use record_at::RecordAt;
pub use tls_rpt::TlsRptRecord;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a domain publishes about the way that its mail comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransportAudit {
    /// Whether mail must come by TLS.
    pub mta_sts: MtaStsAudit,
    /// Where failures of TLS are reported.
    pub tls_rpt: RecordAt<TlsRptRecord>,
}
