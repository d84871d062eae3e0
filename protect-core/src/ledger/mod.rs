//! The append-only, hash-chained record of what was seen, decided and done.

mod entry;

pub use entry::{FIRST_PREVIOUS, canonical, hash_of, seal};
