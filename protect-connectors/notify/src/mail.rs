//! A notice as a mail (RFC 5322).

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::{Address, Message};
use protect_core::{Error, Result};

use crate::format;
use crate::notice::Notice;

/// Says that no person wrote it, so that no other program answers (RFC 3834 section 5).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> std::result::Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// An address, whose text an error does not repeat.
pub(crate) fn address(text: &str) -> Result<Address> {
    text.trim()
        .parse()
        .map_err(|_| Error::invalid_input("not a mail address"))
}

/// The `Message-ID` of a notice: the same whenever it is sent, so that a repeat is recognised.
pub(crate) fn message_id(notice: &Notice, sender: &Address) -> String {
    format!("<protect.{}@{}>", notice.id, sender.domain())
}

/// The mail, ready for the wire.
pub(crate) fn write(
    notice: &Notice,
    sender: &Address,
    to: &[Address],
    at: Timestamp,
) -> Result<Vec<u8>> {
    let mut mail = Message::builder()
        .from(Mailbox::new(Some("protect".to_owned()), sender.clone()))
        .subject(notice.heading())
        .message_id(Some(message_id(notice, sender)))
        .date(SystemTime::from(at))
        .header(ContentType::TEXT_PLAIN)
        .header(AutoSubmitted);
    for recipient in to {
        mail = mail.to(Mailbox::new(None, recipient.clone()));
    }
    let mail = mail
        .body(format::plain(notice))
        // The cause could repeat an address.
        .map_err(|_| Error::unexpected("a mail could not be put together"))?;
    Ok(mail.formatted())
}

#[cfg(test)]
mod tests {
    use protect_core::model::Severity;

    use super::*;

    fn written(title: &str, text: &str) -> String {
        let notice = Notice::new("abc", title, text, Severity::High).unwrap();
        let sender = address("protect@acme.example").unwrap();
        let to = [address("security@acme.example").unwrap()];
        let at = "2026-11-26T10:00:00Z".parse().unwrap();
        String::from_utf8(write(&notice, &sender, &to, at).unwrap()).unwrap()
    }

    #[test]
    fn a_mail_has_the_headers_that_make_it_recognisable() {
        let mail = written("A leak", "**Adobe**");
        for line in [
            "From: protect <protect@acme.example>\r\n",
            "To: security@acme.example\r\n",
            "Subject: [high] A leak\r\n",
            "Message-ID: <protect.abc@acme.example>\r\n",
            "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "\r\n\r\nAdobe",
        ] {
            assert!(mail.contains(line), "{line:?} in {mail}");
        }
    }

    #[test]
    fn what_is_not_ascii_is_encoded_for_servers_that_take_nothing_else() {
        let mail = written("Ein Leck in Köln", "Größe");
        assert!(mail.is_ascii(), "{mail}");
    }

    #[test]
    fn an_address_that_would_begin_a_header_is_none() {
        for text in [
            "a@b.example\r\nBcc: c@d.example",
            "a",
            "a@",
            "a@b.example, c@d.example",
        ] {
            let error = address(text).unwrap_err();
            assert!(!error.to_string().contains("b.example"));
        }
    }
}
