//! Where the tokens of a report come from.

use std::io::{self, Read};

use super::token::{self, Kind, Token};
use crate::reports::limits;
use crate::reports::text::{HeldText, Utf8};

/// XML that is held as a whole, as nearly every report is small enough for, or a piece at a time.
pub(super) struct Source<'t, R> {
    from: From<'t, R>,
    /// What of the text at hand was given away.
    at: usize,
    /// What was given away before it.
    before: u64,
}

enum From<'t, R> {
    Held(&'t HeldText<'t>),
    /// Only the token at hand is held, and the piece that it came with.
    Streamed {
        utf8: Box<Utf8<R>>,
        text: String,
        is_last: bool,
    },
}

/// Why there is no further token although the document did not end.
pub(super) enum Broken {
    /// It cannot be read.
    Unreadable(io::Error),
    /// One token is longer than any may be.
    TooLong,
    /// It ends within a token.
    EndsEarly,
}

impl<'t, R: Read> Source<'t, R> {
    pub(super) fn held(text: &'t HeldText<'t>) -> Self {
        Self {
            from: From::Held(text),
            at: 0,
            before: 0,
        }
    }

    /// # Errors
    /// What reading gives.
    pub(super) fn streamed(reader: R) -> io::Result<Self> {
        Ok(Self {
            from: From::Streamed {
                utf8: Box::new(Utf8::new(reader)?),
                text: String::new(),
                is_last: false,
            },
            at: 0,
            before: 0,
        })
    }

    /// The next token and what it says; `None` at the end. Blanks between elements are no tokens; in a
    /// value they count.
    ///
    /// # Errors
    /// Why the rest is not read.
    pub(super) fn next(&mut self, in_value: bool) -> Result<Option<(Kind, &str)>, Broken> {
        let Some(token) = self.cut(in_value)? else {
            return Ok(None);
        };
        let begun = self.at;
        self.at += token.length;
        let said = begun + token.said.start..begun + token.said.end;
        Ok(Some((
            token.kind,
            self.text().get(said).unwrap_or_default(),
        )))
    }

    fn cut(&mut self, in_value: bool) -> Result<Option<Token>, Broken> {
        loop {
            if !in_value {
                self.pass_blanks();
            }
            let is_last = self.is_last();
            let rest = self.text().get(self.at..).unwrap_or_default();
            if let Some(token) = token::first(rest, is_last) {
                return Ok(Some(token));
            }
            if is_last {
                return if rest.is_empty() {
                    Ok(None)
                } else {
                    Err(Broken::EndsEarly)
                };
            }
            if rest.len() > limits::EVENT {
                return Err(Broken::TooLong);
            }
            self.read_on()?;
        }
    }

    fn pass_blanks(&mut self) {
        let rest = self.text().as_bytes().get(self.at..).unwrap_or_default();
        self.at += rest.len() - without_blanks(rest).len();
    }

    fn read_on(&mut self) -> Result<(), Broken> {
        if let From::Streamed {
            utf8,
            text,
            is_last,
        } = &mut self.from
        {
            text.drain(..self.at);
            self.before += self.at as u64;
            self.at = 0;
            *is_last = !utf8.append_to(text).map_err(Broken::Unreadable)?;
        }
        Ok(())
    }
}

impl<R> Source<'_, R> {
    /// The byte that is reached, counted in UTF-8.
    pub(super) fn place(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Whether some bytes so far were not text in the document's character set.
    pub(super) fn is_lossy(&self) -> bool {
        match &self.from {
            From::Held(text) => text.lossy,
            From::Streamed { utf8, .. } => utf8.is_lossy(),
        }
    }

    /// Whether the document names a character set that nobody knows.
    pub(super) fn is_charset_unknown(&self) -> bool {
        match &self.from {
            From::Held(text) => text.unknown_charset,
            From::Streamed { utf8, .. } => utf8.is_charset_unknown(),
        }
    }

    fn text(&self) -> &str {
        match &self.from {
            From::Held(held) => &held.text,
            From::Streamed { text, .. } => text,
        }
    }

    const fn is_last(&self) -> bool {
        match &self.from {
            From::Held(_) => true,
            From::Streamed { is_last, .. } => *is_last,
        }
    }
}

/// What is left without the blanks at the start. Reports are indented, so a fifth of them is spaces: those go
/// by four.
fn without_blanks(bytes: &[u8]) -> &[u8] {
    let mut rest = match bytes {
        [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
        _ => bytes,
    };
    while let Some((b"    ", behind)) = rest.split_first_chunk() {
        rest = behind;
    }
    rest.trim_ascii_start()
}
