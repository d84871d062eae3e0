//! Any document as UTF-8, a piece at a time.

use std::borrow::Cow;
use std::io::{self, Read};

use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

const INPUT: usize = 16 << 10;
/// A byte of a one-byte character set can become three in UTF-8.
const OUTPUT: usize = 3 * INPUT + 16;

/// A document as valid UTF-8 whatever it is written in. What its character set does not have becomes
/// U+FFFD, and [`is_lossy`](Self::is_lossy) says so.
pub(super) struct Utf8<R> {
    inner: R,
    decoder: Decoder,
    input: Box<[u8]>,
    filled: usize,
    ended: bool,
    finished: bool,
    lossy: bool,
    unknown_charset: bool,
}

/// Why reading goes no further although there is more.
#[derive(Debug)]
pub(super) struct TooMuch(pub(super) &'static str);

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for TooMuch {}

impl<R: Read> Utf8<R> {
    /// Looks at the first bytes for a mark or a declaration.
    ///
    /// # Errors
    /// What reading gives.
    pub(super) fn new(mut inner: R) -> io::Result<Self> {
        let mut input = vec![0; INPUT].into_boxed_slice();
        let filled = fill(&mut inner, &mut input)?;
        let start = input.get(..filled).unwrap_or_default();
        let declared = encoding_of(start);
        Ok(Self {
            decoder: declared.unwrap_or(UTF_8).new_decoder_with_bom_removal(),
            unknown_charset: declared.is_none(),
            inner,
            input,
            filled,
            ended: false,
            finished: false,
            lossy: false,
        })
    }

    /// Appends the next piece; `false` once there is none.
    ///
    /// # Errors
    /// What reading gives.
    pub(super) fn append_to(&mut self, text: &mut String) -> io::Result<bool> {
        let before = text.len();
        while text.len() == before && !self.finished {
            if self.filled == 0 && !self.ended {
                self.filled = fill(&mut self.inner, &mut self.input)?;
            }
            self.ended |= self.filled < self.input.len();
            let bytes = self.input.get(..self.filled).unwrap_or_default();
            text.reserve(OUTPUT);
            let (result, read, lossy) = self.decoder.decode_to_string(bytes, text, self.ended);
            self.lossy |= lossy;
            self.input.copy_within(read..self.filled, 0);
            self.filled -= read;
            self.finished = self.ended && result == encoding_rs::CoderResult::InputEmpty;
        }
        Ok(text.len() > before)
    }
}

impl<R> Utf8<R> {
    /// Whether some bytes were not text in the document's character set.
    pub(super) fn is_lossy(&self) -> bool {
        self.lossy
    }

    /// Whether the document names a character set that nobody knows.
    pub(super) fn is_charset_unknown(&self) -> bool {
        self.unknown_charset
    }
}

/// The text of a whole document.
#[derive(Debug)]
pub(super) struct HeldText<'b> {
    pub(super) text: Cow<'b, str>,
    /// Some bytes were not text in its character set.
    pub(super) lossy: bool,
    /// It names a character set that nobody knows.
    pub(super) unknown_charset: bool,
}

impl<'b> HeldText<'b> {
    /// Reads a whole document; UTF-8 stays where it is.
    pub(super) fn of(bytes: &'b [u8]) -> Self {
        let declared = encoding_of(bytes);
        let (text, lossy) = declared.unwrap_or(UTF_8).decode_with_bom_removal(bytes);
        Self {
            text,
            lossy,
            unknown_charset: declared.is_none(),
        }
    }
}

/// Reads until the buffer is full or there is no more.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The character set of a document by its mark, by the width of its first characters, or by what its
/// declaration says; `None` where it declares one that nobody knows.
fn encoding_of(start: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(start) {
        return Some(encoding);
    }
    match start {
        [b'<', 0, ..] => return Some(UTF_16LE),
        [0, b'<', ..] => return Some(UTF_16BE),
        _ => {}
    }
    let Some(label) = declared(start) else {
        return Some(UTF_8);
    };
    let encoding = Encoding::for_label_no_replacement(label)?;
    // Whoever could read the declaration byte by byte did not read UTF-16.
    Some(encoding.output_encoding())
}

/// The label in `<?xml version="1.0" encoding="LABEL"?>`.
fn declared(start: &[u8]) -> Option<&[u8]> {
    let start = start.trim_ascii_start();
    if !start.starts_with(b"<?xml") {
        return None;
    }
    let declaration = start.split(|byte| *byte == b'>').next()?;
    let found = declaration
        .windows(8)
        .position(|word| word.eq_ignore_ascii_case(b"encoding"))?;
    let value = declaration.get(found + 8..)?.trim_ascii_start();
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first()?;
    value.split(|byte| byte == quote).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, bool, bool) {
        let mut utf8 = Utf8::new(bytes).unwrap();
        let mut text = String::new();
        while utf8.append_to(&mut text).unwrap() {}
        (text, utf8.is_lossy(), utf8.is_charset_unknown())
    }

    #[test]
    fn a_declared_one_byte_character_set_is_read() {
        let (text, lossy, _) =
            read(b"<?xml version='1.0' encoding = \"Windows-1252\"?><a>\x80</a>");
        assert!(text.ends_with("<a>\u{20ac}</a>"));
        assert!(!lossy);
    }

    #[test]
    fn utf_16_is_known_by_its_mark_and_without_it() {
        for order in [u16::to_le_bytes, u16::to_be_bytes] {
            for mark in ["", "\u{feff}"] {
                let bytes: Vec<u8> = format!("{mark}<a>é</a>")
                    .encode_utf16()
                    .flat_map(order)
                    .collect();
                assert_eq!(read(&bytes).0, "<a>é</a>");
            }
        }
    }

    #[test]
    fn a_declaration_of_utf_16_that_is_written_in_bytes_is_read_as_utf_8() {
        let (text, lossy, unknown) = read("<?xml encoding='utf-16'?>é".as_bytes());
        assert!(text.ends_with('é'));
        assert!(!lossy && !unknown);
    }

    #[test]
    fn an_unknown_character_set_is_read_as_utf_8_and_said() {
        let (text, lossy, unknown) = read(b"<?xml encoding='klingon'?>\xff.");
        assert!(text.ends_with("\u{fffd}."));
        assert!(lossy && unknown);
    }

    #[test]
    fn a_character_that_lies_across_two_pieces_is_one_character() {
        let text = format!("{}é{}", "x".repeat(INPUT - 1), "y".repeat(2 * INPUT));
        assert_eq!(read(text.as_bytes()).0, text);
    }
}
