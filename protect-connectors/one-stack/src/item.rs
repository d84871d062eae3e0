//! A thing at a product: what we know of it by our names, and everything else as it came.

use protect_core::{Error, ErrorKind, Result};
use serde_json::{Map, Value};

/// A ticket or an incident, after the names were made ours.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) id: String,
    rest: Map<String, Value>,
}

impl Item {
    /// # Errors
    /// `invalid_response` for what has no id.
    pub(crate) fn of(mut fields: Map<String, Value>) -> Result<Self> {
        // Hub's changes of access call it otherwise.
        let id = fields
            .remove("id")
            .or_else(|| fields.remove("revocation_id"));
        let id = match id {
            Some(Value::String(id)) if !id.is_empty() => id,
            Some(Value::Number(id)) => id.to_string(),
            _ => {
                return Err(Error::new(
                    ErrorKind::InvalidResponse,
                    "the answer names no `id`; say what it is called in `conventions.members`",
                )
                // Something may have been made all the same.
                .temporary()
                .persistent());
            }
        };
        Ok(Self { id, rest: fields })
    }

    /// Whether a field is there, even empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.rest.contains_key(name)
    }

    /// A field that is text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.rest.get(name)?.as_str()
    }

    /// A field, whatever it is.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.rest.get(name)
    }

    /// Takes a field that is text, and leaves it where it is something else.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        self.text(name)?;
        match self.rest.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A field that is a list, as far as it holds text.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = self.rest.get(name).and_then(Value::as_array);
        let texts = items.into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.rest
    }
}
