//! Reports out of messages.

use std::borrow::Cow;
use std::panic::catch_unwind;

use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use protect_core::{Error, Result};

use super::failure::{self, FailureReport};
use super::limits;

/// Parts of a message that are looked at.
const PARTS: usize = 64;

/// How far into a part the name of the root is searched; declarations and wrappers come before it.
const ROOT_WITHIN: usize = 4 << 10;

/// What a message holds.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    /// What may be a report, with the part's number, counted through nested messages.
    pub(super) attached: Vec<(usize, Cow<'a, [u8]>)>,
    /// What the message reports itself.
    pub(super) failure: Option<FailureReport>,
}

/// Whether bytes begin as a message does: with the name of a header, or with a mailbox's `From `.
pub(super) fn begins(text: &[u8]) -> bool {
    let name = text.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    text.starts_with(b"From ")
        || (!name.is_empty() && name.len() < text.len() && name.iter().all(is_name))
}

/// Takes a message apart, nested messages too, whatever its parts call themselves.
pub(super) fn parts(bytes: &[u8]) -> Result<Parts<'_>> {
    // In a debug build the parser asserts what a broken message does not keep.
    let message = catch_unwind(|| MessageParser::default().parse(bytes))
        .map_err(|_| Error::invalid_input("a message that cannot be taken apart"))?
        .ok_or_else(|| Error::invalid_input("a message without headers"))?;
    let mut parts = Parts::default();
    if is_failure(&message) {
        parts.failure = failure::read(&message);
    }
    let mut number = 0;
    collect(message, &mut parts, &mut number, limits::NESTING);
    Ok(parts)
}

fn collect<'a>(message: Message<'a>, parts: &mut Parts<'a>, number: &mut usize, nesting: u8) {
    for part in message.parts {
        if *number >= PARTS {
            return;
        }
        *number += 1;
        let content = match part.body {
            PartType::Message(nested) => {
                if let Some(nesting) = nesting.checked_sub(1) {
                    collect(nested, parts, number, nesting);
                }
                continue;
            }
            PartType::Text(text) | PartType::Html(text) => into_bytes(text),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes,
            PartType::Multipart(_) => continue,
        };
        if may_be_report(&content) {
            parts.attached.push((*number, content));
        }
    }
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// What people write in a message, and its HTML form, are no reports.
fn may_be_report(content: &[u8]) -> bool {
    let packed = content.starts_with(&[0x1f, 0x8b]) || content.starts_with(b"PK\x03\x04");
    let start = content.get(..ROOT_WITHIN).unwrap_or(content);
    let has = |word: &[u8]| start.windows(word.len()).any(|part| part == word);
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    let text = text.trim_ascii_start();
    packed
        || (text.starts_with(b"<") && (has(b"<feedback") || has(b":feedback")))
        || (text.starts_with(b"{") && has(b"\"policies\""))
        || content.starts_with(&[0xff, 0xfe])
        || content.starts_with(&[0xfe, 0xff])
}

fn is_failure(message: &Message<'_>) -> bool {
    message.parts.iter().any(|part| {
        part.content_type().is_some_and(|kind| {
            kind.ctype().eq_ignore_ascii_case("message")
                && kind
                    .subtype()
                    .is_some_and(|name| name.eq_ignore_ascii_case("feedback-report"))
        })
    })
}
