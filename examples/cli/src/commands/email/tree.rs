//! The include tree of SPF, for people.

use protect_connectors::email::SpfAudit;

use crate::page::Page;

/// Who is authorised, and what it costs.
pub(super) fn spf(page: &mut Page, spf: &SpfAudit) {
    let _ = (page, spf);
}
