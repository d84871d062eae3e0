//! The CSV of the people to watch.

use protect_core::engine::parse_people;

pub(crate) fn csv(data: &[u8]) {
    let _ = parse_people(data);
}
