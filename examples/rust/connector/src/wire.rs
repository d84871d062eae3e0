//! The vendor's JSON. Fields that nobody needs are left out, and unknown ones are ignored, so that
//! the vendor can add some.

use serde::Deserialize;

/// One page of `GET /people`.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    pub(crate) people: Vec<serde_json::Value>,
    /// The number of the next page; absent on the last.
    pub(crate) next: Option<u32>,
}

/// Somebody with a badge.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    /// `active` or `blocked`; a word we do not know is kept as it is.
    pub(crate) badge: String,
    /// Whether the vendor's own list of staff says that they left.
    #[serde(default)]
    pub(crate) left: bool,
}
