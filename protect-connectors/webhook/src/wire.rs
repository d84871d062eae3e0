//! The receiver's JSON.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Serialize)]
pub(crate) struct Message<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'a str,
    pub(crate) source_reference: &'a str,
    pub(crate) data: Value,
}

#[derive(Deserialize)]
pub(crate) struct Accepted {
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct Items {
    pub(crate) items: Vec<crate::client::Item>,
}
