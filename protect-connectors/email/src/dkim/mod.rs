//! DKIM: which keys a domain publishes, as far as names can be found out, and what they are worth.

mod der;
mod key;
#[cfg(test)]
pub(crate) mod testing;

pub use key::{DkimKey, KeyMaterial};
