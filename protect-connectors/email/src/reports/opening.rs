//! Opens a document of XML in the way that suits its size.

use std::cell::Cell;
use std::io::{Cursor, Read};

use protect_core::Result;

use super::aggregate::AggregateReader;
use super::input::Document;
use super::limits;
use super::text::HeldText;

/// A document that can be read from its start, more than once.
pub(super) struct Opening<'b, 'd> {
    document: &'b Document<'d>,
    held: Option<HeldText<'b>>,
    /// What was read of a document that is too large to be held, and the rest.
    begun: Cell<Option<Box<dyn Read + 'b>>>,
}

/// A reader of it.
pub(super) type Opened<'o, 'b> = AggregateReader<'o, Box<dyn Read + 'b>>;

impl<'b, 'd: 'b> Opening<'b, 'd> {
    /// Holds the document in `buffer` where it is no larger than a single event may be, so that the
    /// limits are the same whichever way it is read.
    ///
    /// # Errors
    /// `unavailable` where the file cannot be read any more.
    pub(super) fn new(document: &'b Document<'d>, buffer: &'b mut Vec<u8>) -> Result<Self> {
        let mut reader = document.open()?;
        let most = limits::EVENT as u64 + 1;
        buffer.clear();
        let read = reader.by_ref().take(most).read_to_end(buffer);
        let buffer: &'b [u8] = buffer;
        let (mut held, mut begun): (_, Option<Box<dyn Read + 'b>>) = (None, None);
        match read {
            Ok(length) if length <= limits::EVENT => held = Some(HeldText::of(buffer)),
            Ok(_) => begun = Some(Box::new(Cursor::new(buffer).chain(reader))),
            // What is wrong is said by whoever comes to that place again.
            Err(_) => {}
        }
        Ok(Self {
            document,
            held,
            begun: Cell::new(begun),
        })
    }

    /// A reader at the start.
    ///
    /// # Errors
    /// `unavailable` where the file cannot be read any more; `invalid_input` where not even the first
    /// bytes can.
    pub(super) fn reader(&self) -> Result<Opened<'_, 'b>> {
        if let Some(text) = &self.held {
            return Ok(AggregateReader::held(text));
        }
        match self.begun.take() {
            Some(begun) => AggregateReader::new(begun),
            None => AggregateReader::new(self.document.open()?),
        }
    }
}
