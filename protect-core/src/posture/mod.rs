//! What every posture scanner shares: a [`Snapshot`] of a vendor's answers, a table of checks
//! ([`Catalogue`]), and the pure evaluation of the one by the other.
//!
//! A snapshot holds what the vendor answered, in the vendor's own shapes, by vendor path. A check
//! declares which paths it needs ([`Needs`]) and is a function of a [`Reader`], which refuses every
//! path that was not declared. What is missing, refused or unreadable makes a check `not_evaluated`
//! with the reason; it never makes it pass or fail. No clock is read: now is when the snapshot was
//! collected.
//!
//! Large collections are read as streams. What several checks want to know of one is a [`View`],
//! made once per evaluation: the collection is gone through once, and only what the view keeps stays
//! in memory.

mod catalogue;
mod collector;
mod decision;
mod evaluate;
mod folder;
mod format;
mod happened;
mod items;
mod profile;
mod reader;
mod reference;
mod refusal;
mod result;
mod run;
mod snapshot;
#[cfg(test)]
mod tests;

pub use catalogue::{
    Affects, Catalogue, Check, Level, LevelForm, Needs, Resource, Source, VendorError,
};
pub use collector::{Answered, Asker, Collection, EXPIRED_PAGE, Question, REPEATED_PAGE};
pub use decision::Decision;
pub use evaluate::{Evaluation, Inspection};
pub use folder::FolderWriter;
pub use format::{Bodies, Format, Paging};
pub use happened::{Log, Logs};
pub use profile::{CheckSettings, EvaluateConfig, Profile};
pub use reader::{Read, Reader, Unread, View};
pub use reference::reference_markdown;
pub use refusal::{Refusal, settle};
pub use result::{covered, observations};
pub use run::{Collecting, Collects, Noticed, Phase, Position, PostureRun, stream_verdict};
pub use snapshot::{MAX_FILE_BYTES, Snapshot};
