//! Aggregate reports: RFC 9990 and RFC 7489 read as one.

mod draft;
mod model;
mod place;
mod reader;
mod source;
#[cfg(test)]
mod tests;
mod token;
mod words;

pub use model::{DkimResult, Head, Metadata, OverrideReason, PublishedPolicy, Record, SpfResult};
pub use reader::AggregateReader;
pub use words::{
    Aligned, Alignment, Discovery, Disposition, DkimVerdict, OverrideKind, PolicyWord, SpfVerdict,
};
