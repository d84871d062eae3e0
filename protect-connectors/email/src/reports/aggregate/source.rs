//! Where the events of a report come from.

use std::io::{self, Read};

use quick_xml::events::Event;
use quick_xml::reader::{Config, Reader};

use crate::reports::text::{HeldText, Utf8};

/// XML that is held as a whole, as nearly every report is small enough for, or a piece at a time.
pub(super) enum Source<'t, R> {
    /// Events borrow from the text: nothing is copied.
    Held {
        xml: Reader<&'t [u8]>,
        text: &'t HeldText<'t>,
    },
    /// Only the event at hand is held.
    Streamed {
        xml: Box<Reader<Utf8<R>>>,
        event: Vec<u8>,
    },
}

impl<'t, R: Read> Source<'t, R> {
    pub(super) fn held(text: &'t HeldText<'t>) -> Self {
        let mut xml = Reader::from_str(&text.text);
        be_lenient(xml.config_mut());
        Self::Held { xml, text }
    }

    /// # Errors
    /// What reading gives.
    pub(super) fn streamed(reader: R) -> io::Result<Self> {
        let mut xml = Reader::from_reader(Utf8::new(reader)?);
        be_lenient(xml.config_mut());
        Ok(Self::Streamed {
            xml: Box::new(xml),
            event: Vec::with_capacity(1024),
        })
    }

    /// The place that is reached, and the event there. Blanks between elements are no events; in a
    /// value they count, as it may come in pieces.
    pub(super) fn next(&mut self, in_value: bool) -> (u64, Result<Event<'_>, quick_xml::Error>) {
        match self {
            Self::Held { xml, .. } => {
                xml.config_mut().trim_text_start = !in_value;
                (xml.buffer_position(), xml.read_event())
            }
            Self::Streamed { xml, event } => {
                event.clear();
                xml.get_mut().begin_event();
                xml.config_mut().trim_text_start = !in_value;
                (xml.buffer_position(), xml.read_event_into(event))
            }
        }
    }
}

impl<R> Source<'_, R> {
    /// Whether some bytes so far were not text in the document's character set.
    pub(super) fn is_lossy(&self) -> bool {
        match self {
            Self::Held { text, .. } => text.lossy,
            Self::Streamed { xml, .. } => xml.get_ref().is_lossy(),
        }
    }

    /// Whether the document names a character set that nobody knows.
    pub(super) fn is_charset_unknown(&self) -> bool {
        match self {
            Self::Held { text, .. } => text.unknown_charset,
            Self::Streamed { xml, .. } => xml.get_ref().is_charset_unknown(),
        }
    }
}

/// As reporters need it.
fn be_lenient(config: &mut Config) {
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
}
