//! A message as it came in DATA, looked at as RFC 5322 asks.

/// RFC 5322 section 2.1.1, without the CRLF.
const LONGEST_LINE: usize = 998;

/// The headers that a notice has reason to carry; any other was put in by what stands in it.
const KNOWN: [&str; 11] = [
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "auto-submitted",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
];

/// Exactly one each (RFC 5322 section 3.6; the message id is what a repeat is recognised by).
const NEEDED: [&str; 3] = ["from", "date", "message-id"];

/// What the server keeps of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// Reads a message whose dots are unstuffed; an error is the name of the broken rule.
pub(crate) fn read(message: &str, eight_bit: bool) -> Result<Read, &'static str> {
    if !eight_bit && !message.is_ascii() {
        return Err("message_eight_bit");
    }
    if message.split("\r\n").any(|line| line.len() > LONGEST_LINE) {
        return Err("message_line_too_long");
    }
    let (head, text) = message
        .split_once("\r\n\r\n")
        .ok_or("message_without_body")?;
    let headers = headers(head)?;
    let of = |name: &str| -> Vec<&str> {
        let named = headers.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.as_str()).collect()
    };
    if headers
        .iter()
        .any(|(name, _)| !KNOWN.contains(&name.as_str()))
    {
        return Err("message_header_unexpected");
    }
    if NEEDED.iter().any(|name| of(name).is_empty()) {
        return Err("message_header_missing");
    }
    if KNOWN.iter().any(|name| of(name).len() > 1) {
        return Err("message_header_repeated");
    }
    if of("to").is_empty() && of("cc").is_empty() {
        return Err("message_header_missing");
    }
    let id = of("message-id").concat();
    let inside = id.strip_prefix('<').and_then(|id| id.strip_suffix('>'));
    if inside.is_none_or(|id| id.split('@').count() != 2 || id.contains(['<', '>', ' '])) {
        return Err("message_id_malformed");
    }
    Ok(Read {
        id,
        subject: of("subject").concat(),
        text: text.to_owned(),
    })
}

/// The headers by lower-case name, unfolded.
fn headers(head: &str) -> Result<Vec<(String, String)>, &'static str> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            let (_, value) = headers.last_mut().ok_or("message_header_malformed")?;
            value.push_str(line);
            continue;
        }
        let (name, value) = line.split_once(':').ok_or("message_header_malformed")?;
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err("message_header_malformed");
        }
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n y\r\n\
                        Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n\r\nHello\r\n";

    #[test]
    fn a_whole_message_is_read() {
        let read = read(GOOD, false).unwrap();
        assert_eq!(
            (read.id.as_str(), read.subject.as_str()),
            ("<1@b.example>", "x y")
        );
        assert_eq!(read.text, "Hello\r\n");
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        let bcc = GOOD.replacen("To:", "Bcc: e@f.example\r\nTo:", 1);
        for (message, rule) in [
            (bcc, "message_header_unexpected"),
            (GOOD.replace("Date", "X-Date"), "message_header_unexpected"),
            (
                GOOD.replace("Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n", ""),
                "message_header_missing",
            ),
            (GOOD.replace("Subject", "From"), "message_header_repeated"),
            (GOOD.replace("<1@b.example>", "1"), "message_id_malformed"),
            (GOOD.replace("Hello", "Grüße"), "message_eight_bit"),
            (
                GOOD.replace("Hello", &"x".repeat(999)),
                "message_line_too_long",
            ),
            (GOOD.replace("\r\n\r\n", "\r\n"), "message_without_body"),
        ] {
            assert_eq!(read(&message, false).unwrap_err(), rule);
        }
    }
}
