//! Text cut into the tokens of XML (XML 1.0, fifth edition), as far as a report is made of them: what
//! stands in attributes and comments says nothing about mail.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Characters, up to the next tag or reference.
    Text,
    /// A reference to a character or an entity.
    Reference,
    /// Characters that are no markup, whatever they look like.
    CData,
    /// An element begins.
    Start,
    /// An element without anything in it.
    Empty,
    /// An element ends.
    End,
    /// A comment or a processing instruction.
    Aside,
    /// The beginning of a document type declaration. No report needs one, so none is read.
    DocType,
    /// Markup that there is not.
    Unknown,
}

/// A token at the start of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    /// Its characters, or the element's name, within the text.
    pub(super) said: Range<usize>,
    /// How much of the text it is.
    pub(super) length: usize,
}

impl Token {
    const fn new(kind: Kind, said: Range<usize>, length: usize) -> Self {
        Self { kind, said, length }
    }
}

/// The first token; `None` where the text ends within it, and where there is no text.
///
/// Lenient as reporters need it: a lone `&` is text, and no name is looked at.
pub(super) fn first(text: &str, is_last: bool) -> Option<Token> {
    match text.as_bytes() {
        [] => None,
        [b'<', b'/', rest @ ..] => end_tag(rest),
        [b'<', b'!', rest @ ..] => declaration(rest),
        [b'<', b'?', rest @ ..] => until(rest, 0, b"?>", Kind::Aside),
        [b'<', rest @ ..] => start_tag(rest),
        [b'&', rest @ ..] => reference(rest, is_last),
        bytes => characters(bytes, 0, is_last),
    }
}

/// Characters up to the next tag or reference behind the first `from` bytes.
fn characters(bytes: &[u8], from: usize, is_last: bool) -> Option<Token> {
    let rest = bytes.get(from..)?;
    let next = memchr::memchr2(b'<', b'&', rest).map(|at| at + from);
    let length = next.or(is_last.then_some(bytes.len()))?;
    Some(Token::new(Kind::Text, 0..length, length))
}

fn reference(rest: &[u8], is_last: bool) -> Option<Token> {
    match memchr::memchr3(b';', b'<', b'&', rest) {
        Some(at) if rest.get(at) == Some(&b';') => {
            Some(Token::new(Kind::Reference, 1..1 + at, at + 2))
        }
        Some(at) => Some(Token::new(Kind::Text, 0..1 + at, 1 + at)),
        None if is_last => Some(Token::new(Kind::Text, 0..1 + rest.len(), 1 + rest.len())),
        None => None,
    }
}

/// A tag ends at the first `>` that is in no value of an attribute.
fn start_tag(rest: &[u8]) -> Option<Token> {
    let name_ends = rest.iter().position(|byte| ends_a_name(*byte))?;
    let mut quote = None;
    for (at, byte) in rest.iter().enumerate().skip(name_ends) {
        match (quote, byte) {
            (None, b'>') => return Some(tag(rest, name_ends, at)),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(begun), byte) if begun == byte => quote = None,
            _ => {}
        }
    }
    None
}

fn ends_a_name(byte: u8) -> bool {
    matches!(byte, b'>' | b'"' | b'\'') || byte.is_ascii_whitespace()
}

fn tag(rest: &[u8], name_ends: usize, ends: usize) -> Token {
    let is_empty = ends > 0 && rest.get(ends - 1) == Some(&b'/');
    let (kind, last) = if is_empty {
        (Kind::Empty, ends - 1)
    } else {
        (Kind::Start, ends)
    };
    Token::new(kind, 1..1 + name_ends.min(last), ends + 2)
}

fn end_tag(rest: &[u8]) -> Option<Token> {
    let ends = rest.iter().position(|byte| *byte == b'>')?;
    let name = rest.get(..ends)?.trim_ascii_end();
    Some(Token::new(Kind::End, 2..2 + name.len(), ends + 3))
}

/// A comment, a section of characters, or a document type declaration.
fn declaration(rest: &[u8]) -> Option<Token> {
    const CDATA: &[u8] = b"[CDATA[";
    const DOCTYPE: &[u8] = b"DOCTYPE";
    if rest.starts_with(b"--") {
        return until(rest, 2, b"-->", Kind::Aside);
    }
    if rest.starts_with(CDATA) {
        return until(rest, CDATA.len(), b"]]>", Kind::CData);
    }
    let word = rest.get(..DOCTYPE.len())?;
    let kind = if word.eq_ignore_ascii_case(DOCTYPE) {
        Kind::DocType
    } else {
        Kind::Unknown
    };
    Some(Token::new(kind, 2..2, 2))
}

/// Markup that goes on behind `opening` bytes until `closing`; two bytes stand before `rest`.
fn until(rest: &[u8], opening: usize, closing: &[u8], kind: Kind) -> Option<Token> {
    let length = memchr::memmem::find(rest.get(opening..)?, closing)?;
    let begins = 2 + opening;
    let ends = begins + length;
    Some(Token::new(kind, begins..ends, ends + closing.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Every token with what it says, as long as there is one.
    fn all(mut text: &str) -> Vec<(Kind, &str)> {
        let mut tokens = Vec::new();
        while let Some(token) = first(text, true) {
            tokens.push((token.kind, &text[token.said]));
            text = &text[token.length..];
        }
        tokens
    }

    #[test]
    fn a_document_is_cut_into_its_tokens() {
        let text = "<?xml version='1.0'?><!-- <a> --><x:a b=\"1>2\" c='/'>t &amp; u<b/><b /><![CDATA[<c>]]></x:a >";
        let tokens = [
            (Kind::Aside, "xml version='1.0'"),
            (Kind::Aside, " <a> "),
            (Kind::Start, "x:a"),
            (Kind::Text, "t "),
            (Kind::Reference, "amp"),
            (Kind::Text, " u"),
            (Kind::Empty, "b"),
            (Kind::Empty, "b"),
            (Kind::CData, "<c>"),
            (Kind::End, "x:a"),
        ];
        assert_eq!(all(text), tokens);
    }

    #[test]
    fn a_lone_ampersand_is_text() {
        assert_eq!(
            all("a & b<c>&&d"),
            [
                (Kind::Text, "a "),
                (Kind::Text, "& b"),
                (Kind::Start, "c"),
                (Kind::Text, "&"),
                (Kind::Text, "&d"),
            ]
        );
    }

    #[test]
    fn a_document_type_is_known_at_its_beginning_and_other_markup_is_unknown() {
        assert_eq!(all("<!DOCTYPE a [")[0].0, Kind::DocType);
        assert_eq!(all("<!doctype html>")[0].0, Kind::DocType);
        assert_eq!(all("<!ELEMENT a>")[0].0, Kind::Unknown);
    }

    #[test]
    fn a_text_that_ends_within_a_token_has_none() {
        for text in [
            "",
            "<",
            "<a",
            "<a b='>",
            "</a",
            "<!",
            "<!-- -",
            "<![CDATA[ ]]",
            "<?xml ?",
        ] {
            assert_eq!(first(text, true), None, "{text}");
        }
        for text in ["text", "&amp", "<!DOC"] {
            assert_eq!(first(text, false), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_cover_any_text_and_lie_on_its_characters(text in "[<>/!?&;\\[\\]a-zé'\" \\-]{0,60}") {
            let mut rest = text.as_str();
            while let Some(token) = first(rest, true) {
                prop_assert!(rest.get(token.said.clone()).is_some());
                prop_assert!(token.length > 0 && token.said.end <= token.length);
                rest = rest.get(token.length..).unwrap();
            }
            prop_assert!(rest.is_empty() || rest.starts_with('<'));
        }

        #[test]
        fn more_text_never_changes_a_token(text in "[<>/!?&;\\[\\]a-zé'\" \\-]{0,40}", more in "[<>/!?&;a-z]{0,20}") {
            if let Some(token) = first(&text, false) {
                let whole = format!("{text}{more}");
                prop_assert_eq!(first(&whole, false), Some(token));
            }
        }
    }
}
