use protect_core::model::Severity;
use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest title: a subject with its severity stays within one line of RFC 5322 section 2.1.1.
const LONGEST_TITLE: usize = 400;

/// The longest id that a message id is made from.
const LONGEST_ID: usize = 64;

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Unique, and the same when the notice is sent again: 1 to 64 letters, digits, `-`, `_`, `.`.
    pub id: String,
    /// One line.
    pub title: String,
    /// Text in Markdown: paragraphs, lists, bold.
    pub text: String,
    /// How urgent it is.
    pub severity: Severity,
}

impl Notice {
    /// A notice that can be sent.
    ///
    /// # Errors
    /// `invalid_input` for an id of other characters, and for an empty title or one with control
    /// characters: a line break in a title would begin a header of its own (RFC 5322 section 2.2).
    pub fn new(id: &str, title: &str, text: &str, severity: Severity) -> Result<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if id.is_empty() || id.len() > LONGEST_ID || !id.chars().all(is_plain) {
            return Err(
                Error::invalid_input("an id is 1 to 64 letters, digits, `-`, `_` and `.`")
                    .with_context("argument", "id"),
            );
        }
        if title.trim().is_empty() || title.chars().any(char::is_control) {
            return Err(Error::invalid_input(
                "a title is one line, and not empty; it becomes a header",
            )
            .with_context("argument", "title"));
        }
        Ok(Self {
            id: id.to_owned(),
            title: cut(title, LONGEST_TITLE).to_owned(),
            text: text.to_owned(),
            severity,
        })
    }

    /// A notice from what the engine tells, whose title may hold what a vendor wrote: a line break
    /// there must neither become a header nor keep the notice from being sent.
    pub(crate) fn of_delivery(
        id: &str,
        title: &str,
        text: &str,
        severity: Severity,
    ) -> Result<Self> {
        let in_one_line: String = title
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let title = match in_one_line.trim() {
            "" => "Something needs attention",
            title => title,
        };
        Self::new(id, title, text, severity)
    }

    /// The title with its severity, as it stands above the text.
    pub(crate) fn heading(&self) -> String {
        format!("[{}] {}", self.severity, self.title)
    }
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// What the notice is recognised by: a mail's `Message-ID`, or else the notice's id.
    pub id: String,
    /// How many recipients the mail server refused while it took the mail for others.
    pub refused: u32,
}

/// At most so many bytes of a text, whole characters only.
pub(crate) fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_would_begin_a_header_is_refused_by_the_client() {
        for title in ["Leak\r\nBcc: all@acme.example", "Leak\nX: y", "", " \t "] {
            let error = Notice::new("1", title, "", Severity::High).unwrap_err();
            assert_eq!(error.kind(), protect_core::ErrorKind::InvalidInput);
            assert!(!error.to_string().contains("Bcc"));
        }
    }

    #[test]
    fn a_title_that_would_begin_a_header_becomes_one_line_in_the_engine() {
        let notice = Notice::of_delivery("1", "Leak\r\nBcc: x", "", Severity::High).unwrap();
        assert_eq!(notice.heading(), "[high] Leak  Bcc: x");
        let empty = Notice::of_delivery("1", "\n", "", Severity::Low).unwrap();
        assert_eq!(empty.title, "Something needs attention");
    }

    #[test]
    fn an_id_that_would_break_a_message_id_is_refused() {
        for id in ["", "a@b", "a>b", "a b", "a\r\nb", &"x".repeat(65)] {
            assert!(Notice::new(id, "t", "", Severity::Low).is_err(), "{id:?}");
        }
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä");
        assert_eq!(cut("äöü", 100), "äöü");
    }
}
