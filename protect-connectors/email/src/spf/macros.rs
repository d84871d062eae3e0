//! Macros (RFC 7208 section 7).

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use super::record::SyntaxErrorKind;
use crate::name::{DomainName, LONGEST_NAME, NameError};

/// A text with macros in it, parsed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MacroString(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Piece {
    Literal(String),
    /// `%%`, `%_` or `%-`, by its second character.
    Escape(char),
    Expand(Macro),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Macro {
    /// In lower case.
    letter: char,
    /// Written in upper case: what it stands for is percent-encoded.
    encoded: bool,
    /// How many parts to keep, counted from the right.
    keep: Option<u32>,
    reversed: bool,
    delimiters: String,
}

/// Where a text stands, which decides what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// The name in a mechanism, in `redirect` or in `exp`: no `c`, `r`, `t` (section 7.2).
    Domain,
    /// The value of a modifier that nobody knows.
    Unknown,
    /// The text that `exp` leads to: blanks too.
    Explanation,
}

impl MacroString {
    /// Parses; the error comes with its place in the text, in bytes.
    pub(super) fn parse(text: &str, site: Site) -> Result<Self, (usize, SyntaxErrorKind)> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let place = text.len() - rest.len();
            let at = |kind| (place, kind);
            if first != '%' {
                let end = rest.find('%').unwrap_or(rest.len());
                let (literal, after) = rest.split_at(end);
                check_literal(literal, site).map_err(|(within, kind)| (place + within, kind))?;
                pieces.push(Piece::Literal(literal.to_owned()));
                rest = after;
                continue;
            }
            let after = &rest[1..];
            match after.chars().next() {
                Some(second @ ('%' | '_' | '-')) => {
                    pieces.push(Piece::Escape(second));
                    rest = &after[1..];
                }
                Some('{') => {
                    let (body, after) = after[1..]
                        .split_once('}')
                        .ok_or(at(SyntaxErrorKind::MacroNotClosed))?;
                    pieces.push(Piece::Expand(parse_macro(body, site).map_err(at)?));
                    rest = after;
                }
                _ => return Err(at(SyntaxErrorKind::LonePercent)),
            }
        }
        Ok(Self(pieces))
    }

    /// Whether it holds no macro: it says the same for every message.
    pub fn is_fixed(&self) -> bool {
        let expands = |piece: &Piece| matches!(piece, Piece::Expand(_));
        !self.0.iter().any(expands)
    }

    /// Whether what it says depends on the message, beyond the domain whose record it stands in.
    pub fn is_dynamic(&self) -> bool {
        let dynamic =
            |piece: &Piece| matches!(piece, Piece::Expand(expand) if expand.letter != 'd');
        self.0.iter().any(dynamic)
    }

    /// Whether expanding it needs the checked name of the sending host.
    pub fn needs_validated_name(&self) -> bool {
        let needs = |piece: &Piece| matches!(piece, Piece::Expand(expand) if expand.letter == 'p');
        self.0.iter().any(needs)
    }

    /// What it says for one message.
    pub fn expand(&self, values: &Values<'_>) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Escape('_') => text.push(' '),
                Piece::Escape('-') => text.push_str("%20"),
                Piece::Escape(character) => text.push(*character),
                Piece::Expand(expand) => text.push_str(&expand.of(values)),
            }
        }
        text
    }

    /// The name it says for one message; one that is too long loses labels from the left (section
    /// 7.3).
    ///
    /// # Errors
    /// Where what it says is no name.
    pub fn expand_name(&self, values: &Values<'_>) -> Result<DomainName, NameError> {
        let expanded = self.expand(values);
        let mut name = expanded.strip_suffix('.').unwrap_or(&expanded);
        while name.len() > LONGEST_NAME {
            (_, name) = name.split_once('.').ok_or(NameError::TooLong)?;
        }
        DomainName::literal(name)
    }

    /// Whether the text ends as a name must: in a macro, or in a top label that is not a number
    /// (section 7.1, `domain-end`).
    pub(super) fn ends_as_name(&self) -> bool {
        match self.0.last() {
            Some(Piece::Expand(_) | Piece::Escape(_)) => true,
            Some(Piece::Literal(literal)) => {
                let literal = literal.strip_suffix('.').unwrap_or(literal);
                let top = literal.rsplit_once('.');
                top.is_some_and(|(_, label)| is_top_label(label))
            }
            None => false,
        }
    }
}

/// `*alphanum ALPHA *alphanum`, or with hyphens inside.
fn is_top_label(label: &str) -> bool {
    let bytes = label.as_bytes();
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let ends = [bytes.first(), bytes.last()];
    bytes.iter().all(inside)
        && ends
            .iter()
            .all(|byte| byte.is_some_and(u8::is_ascii_alphanumeric))
        && !bytes.iter().all(u8::is_ascii_digit)
}

fn check_literal(literal: &str, site: Site) -> Result<(), (usize, SyntaxErrorKind)> {
    let allowed = |c: char| matches!(c, '!'..='~') || (c == ' ' && site == Site::Explanation);
    match literal.char_indices().find(|(_, c)| !allowed(*c)) {
        Some((place, character)) => Err((place, SyntaxErrorKind::Character(character))),
        None => Ok(()),
    }
}

fn parse_macro(body: &str, site: Site) -> Result<Macro, SyntaxErrorKind> {
    let mut characters = body.chars();
    let written = characters.next().ok_or(SyntaxErrorKind::UnknownMacro)?;
    let letter = written.to_ascii_lowercase();
    match letter {
        'c' | 'r' | 't' if site == Site::Domain => return Err(SyntaxErrorKind::MacroOnlyInText),
        's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'v' | 'c' | 'r' | 't' => {}
        _ => return Err(SyntaxErrorKind::UnknownMacro),
    }
    let rest = characters.as_str();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = rest.split_at(digits);
    let keep = match digits {
        "" => None,
        // More than there can be parts is all of them.
        digits => Some(digits.parse().unwrap_or(u32::MAX)),
    };
    if keep == Some(0) {
        return Err(SyntaxErrorKind::NoParts);
    }
    let without = rest.strip_prefix(['r', 'R']);
    let delimiters = without.unwrap_or(rest);
    let delimits = |c: char| matches!(c, '.' | '-' | '+' | ',' | '/' | '_' | '=');
    if !delimiters.chars().all(delimits) {
        return Err(SyntaxErrorKind::UnknownMacro);
    }
    Ok(Macro {
        letter,
        encoded: written.is_ascii_uppercase(),
        keep,
        reversed: without.is_some(),
        delimiters: delimiters.to_owned(),
    })
}

/// What the macros stand for in one message.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// The part of the sender before the `@`.
    pub local: &'a str,
    /// The part of the sender behind the `@`.
    pub sender_domain: &'a str,
    /// The domain whose record is evaluated.
    pub domain: &'a DomainName,
    /// The sending host's address.
    pub ip: IpAddr,
    /// What the sending host calls itself.
    pub helo: &'a str,
    /// The checked name of the sending host, where one is known.
    pub validated: Option<&'a DomainName>,
    /// Who checks.
    pub receiver: &'a str,
    /// When, in seconds since 1970.
    pub time: i64,
}

impl Macro {
    fn of(&self, values: &Values<'_>) -> String {
        let value = match self.letter {
            's' => format!("{}@{}", values.local, values.sender_domain),
            'l' => values.local.to_owned(),
            'o' => values.sender_domain.to_owned(),
            'd' => values.domain.to_string(),
            'i' => dotted(values.ip),
            'p' => values
                .validated
                .map_or_else(|| "unknown".to_owned(), ToString::to_string),
            'v' if values.ip.is_ipv4() => "in-addr".to_owned(),
            'v' => "ip6".to_owned(),
            'h' => values.helo.to_owned(),
            'c' => values.ip.to_string(),
            'r' => values.receiver.to_owned(),
            _ => values.time.to_string(),
        };
        let value = self.transformed(value);
        if self.encoded {
            percent_encoded(&value)
        } else {
            value
        }
    }

    fn transformed(&self, value: String) -> String {
        if self.keep.is_none() && !self.reversed && self.delimiters.is_empty() {
            return value;
        }
        let delimiters = match self.delimiters.as_str() {
            "" => ".",
            delimiters => delimiters,
        };
        let mut parts: Vec<&str> = value.split(|c| delimiters.contains(c)).collect();
        if self.reversed {
            parts.reverse();
        }
        let keep = self.keep.map_or(parts.len(), |keep| keep as usize);
        let kept = parts.get(parts.len().saturating_sub(keep)..);
        kept.unwrap_or_default().join(".")
    }
}

/// An address in parts: four numbers, or thirty-two hexadecimal digits (section 7.3).
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => {
            let digits = format!("{:032X}", u128::from(ip));
            let digits: Vec<_> = digits.chars().map(String::from).collect();
            digits.join(".")
        }
    }
}

/// All but the unreserved characters of RFC 3986 section 2.3.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

impl fmt::Display for MacroString {
    /// As it is written in a record.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => f.write_str(literal)?,
                Piece::Escape(character) => write!(f, "%{character}")?,
                Piece::Expand(expand) => write!(f, "{expand}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Macro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = if self.encoded {
            self.letter.to_ascii_uppercase()
        } else {
            self.letter
        };
        write!(f, "%{{{letter}")?;
        if let Some(keep) = self.keep {
            write!(f, "{keep}")?;
        }
        if self.reversed {
            f.write_str("r")?;
        }
        write!(f, "{}}}", self.delimiters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str, ip: &str) -> String {
        let domain = DomainName::parse("email.example.com").unwrap();
        let values = Values {
            local: "strong-bad",
            sender_domain: "email.example.com",
            domain: &domain,
            ip: ip.parse().unwrap(),
            helo: "mx.example.org",
            validated: None,
            receiver: "here.example",
            time: 7,
        };
        let text = MacroString::parse(text, Site::Explanation).unwrap();
        text.expand(&values)
    }

    #[test]
    fn the_examples_of_section_7_4_expand_as_printed_there() {
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d3}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr}", "strong-bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            (
                "%{ir}.%{v}._spf.%{d2}",
                "3.2.0.192.in-addr._spf.example.com",
            ),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            (
                "%{d2}.trusted-domains.example.net",
                "example.com.trusted-domains.example.net",
            ),
        ] {
            assert_eq!(expanded(text, "192.0.2.3"), expected, "{text}");
        }
        assert_eq!(
            expanded("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01"),
            "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"
        );
    }

    #[test]
    fn upper_case_letters_are_percent_encoded_and_the_rest_of_the_letters_stand_for_the_check() {
        assert_eq!(
            expanded("%{S}", "192.0.2.3"),
            "strong-bad%40email.example.com"
        );
        assert_eq!(
            expanded("%{c} %{r} %{t} %{p}%%%_%-", "2001:db8::1"),
            "2001:db8::1 here.example 7 unknown% %20"
        );
    }

    #[test]
    fn each_mistake_has_its_name_and_place() {
        let wrong = |text: &str| MacroString::parse(text, Site::Domain).unwrap_err();
        assert_eq!(wrong("ab%x"), (2, SyntaxErrorKind::LonePercent));
        assert_eq!(wrong("ab%"), (2, SyntaxErrorKind::LonePercent));
        assert_eq!(wrong("a%{d"), (1, SyntaxErrorKind::MacroNotClosed));
        assert_eq!(wrong("%{x}"), (0, SyntaxErrorKind::UnknownMacro));
        assert_eq!(wrong("%{}"), (0, SyntaxErrorKind::UnknownMacro));
        assert_eq!(wrong("%{d2x}"), (0, SyntaxErrorKind::UnknownMacro));
        assert_eq!(wrong("%{d0}"), (0, SyntaxErrorKind::NoParts));
        assert_eq!(wrong("%{t}"), (0, SyntaxErrorKind::MacroOnlyInText));
        assert_eq!(wrong("a b"), (1, SyntaxErrorKind::Character(' ')));
    }
}
