//! The append-only, hash-chained record of what was seen, decided and done.
//!
//! Stores [`seal`] entries inside their commits. What leaves the store is an [`export`], which
//! [`verify`] checks from the file alone, best together with a [`Checkpoint`] that was published
//! elsewhere. People stand in it as [`pseudonyms`].

mod checkpoint;
mod entry;
mod export;
mod key;
mod kinds;
mod pseudonym;
mod verify;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, checkpoint};
#[cfg(feature = "sqlite")]
pub(crate) use entry::seal_as_text;
pub use entry::{FIRST_PREVIOUS, canonical, hash_of, seal};
pub use export::export;
pub use key::{LedgerKey, LedgerPublicKey};
pub use kinds::ENTRY_KINDS;
pub use pseudonym::{erase, pseudonym, pseudonyms};
pub use verify::{CheckpointStanding, Problem, VerifyReport, verify};
