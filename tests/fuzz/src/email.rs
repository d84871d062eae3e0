//! Reports about mail, in every wrapping that they come in.

use protect_email::reports::parse_reports;

pub(crate) fn reports(data: &[u8]) {
    let _ = parse_reports(data);
}
