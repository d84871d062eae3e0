//! DKIM: which keys a domain publishes, as far as names can be found out, and what they are worth.

mod der;
mod discover;
mod key;
mod selectors;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use discover::discover;
pub use discover::{DkimAudit, DkimSelector, SelectorFound};
pub use key::{DkimKey, KeyMaterial};
pub(crate) use selectors::Hints;
pub use selectors::{Candidate, Guess, SelectorSource, is_selector, providers};
