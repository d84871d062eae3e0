//! Pages as bytes, kept until something changes.

use std::collections::HashMap;

use bytes::Bytes;

#[derive(Default)]
pub(crate) struct Rendered {
    keep: bool,
    version: usize,
    pages: HashMap<String, Bytes>,
}

impl Rendered {
    pub(crate) fn new(keep: bool) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    pub(crate) fn keeps(&self) -> bool {
        self.keep
    }

    /// What was rendered for this request while everything was in this version.
    pub(crate) fn get(&mut self, request: &str, version: usize) -> Option<Bytes> {
        if self.version != version {
            self.pages.clear();
            self.version = version;
        }
        self.pages.get(request).cloned()
    }

    pub(crate) fn put(&mut self, request: String, body: Bytes) {
        if self.keep {
            self.pages.insert(request, body);
        }
    }
}
