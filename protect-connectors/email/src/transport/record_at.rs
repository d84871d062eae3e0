//! What stands at a name that should have just one record of a kind.

use protect_core::dns::TxtRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resolve::{Lookup, LookupFailure};

/// What stands at the name of a record `R`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "found", rename_all = "snake_case")]
#[schemars(rename = "{R}At")]
pub enum RecordAt<R> {
    /// One record.
    Record {
        /// What it says.
        record: R,
    },
    /// Several, which is as good as none (RFC 8460 section 3, RFC 8461 section 3.1).
    Several {
        /// As published.
        texts: Vec<String>,
    },
    /// None.
    Nothing,
    /// Nobody could say.
    Unknown {
        /// Why.
        failure: LookupFailure,
    },
}

impl<R> RecordAt<R> {
    /// Reads an answer; `parse` gives `None` for a text that is no such record.
    pub(super) fn of(answer: Lookup<Vec<TxtRecord>>, parse: fn(&str) -> Option<R>) -> Self {
        let texts = match answer {
            Lookup::Found(texts) => texts,
            Lookup::NoData | Lookup::NoName => return Self::Nothing,
            Lookup::Failed(failure) => return Self::Unknown { failure },
        };
        let texts = texts.iter().map(TxtRecord::joined);
        let records = texts.filter_map(|text| Some((parse(&text)?, text)));
        let (mut records, texts): (Vec<_>, Vec<_>) = records.unzip();
        match records.pop() {
            None => Self::Nothing,
            Some(record) if records.is_empty() => Self::Record { record },
            Some(_) => Self::Several { texts },
        }
    }

    /// The record, where there is just one.
    pub fn record(&self) -> Option<&R> {
        match self {
            Self::Record { record } => Some(record),
            _ => None,
        }
    }
}
