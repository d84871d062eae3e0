//! What every step appends to the ledger.

use super::Tenant;
use crate::model::{Actor, Attributes};
use crate::store::NewEntry;

impl Tenant {
    /// An entry about something that happens now.
    pub(crate) fn entry(&self, kind: &str, actor: &Actor, data: Attributes) -> NewEntry {
        NewEntry {
            kind: kind.to_owned(),
            actor: actor.to_string(),
            at: self.now(),
            data,
        }
    }
}
