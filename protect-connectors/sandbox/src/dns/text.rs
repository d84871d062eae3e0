//! Zones as text.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::zone::{
    A, AAAA, CNAME, DnsFault, MX, NS, Name, PTR, SPF, TXT, TYPES, Zones, lower, write_name,
};

const LONGEST_LABEL: usize = 63;
const LONGEST_STRING: usize = 255;

/// What is wrong with zones, and in which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct ZoneError {
    /// The line, counted from one.
    pub line: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl FromStr for Zones {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Self, ZoneError> {
        let mut zones = Self::default();
        for (index, line) in text.lines().enumerate() {
            let words = words(line).and_then(|words| zones.read(&words));
            words.map_err(|what| ZoneError {
                line: index + 1,
                what,
            })?;
        }
        if zones.apexes.is_empty() {
            zones.apexes.insert(Name::new());
        }
        Ok(zones)
    }
}

impl Zones {
    fn read(&mut self, words: &[Word]) -> Result<(), &'static str> {
        match words {
            [] => Ok(()),
            [zone, apex] if zone.is("ZONE") => {
                self.apexes.insert(lower(&apex.name()?));
                Ok(())
            }
            [name, fault, which, kind @ ..] if fault.is("FAULT") => {
                let name = lower(&name.name()?);
                let which = DnsFault::named(&which.text()).ok_or("no such fault")?;
                let kind = match kind {
                    [] => None,
                    [kind] => Some(kind.kind()?),
                    _ => return Err("a fault is of one type or of all"),
                };
                self.faults.insert((name, kind), which);
                Ok(())
            }
            [name, kind, data @ ..] => {
                let (name, kind) = (lower(&name.name()?), kind.kind()?);
                let data = rdata(kind, data)?;
                self.records.entry(name).or_default().push((kind, data));
                Ok(())
            }
            _ => Err("a record is a name, a type and its data"),
        }
    }
}

fn rdata(kind: u16, words: &[Word]) -> Result<Vec<u8>, &'static str> {
    match (kind, words) {
        (A, [address]) => {
            let address: Ipv4Addr = address.text().parse().map_err(|_| "not an IPv4 address")?;
            Ok(address.octets().to_vec())
        }
        (AAAA, [address]) => {
            let address: Ipv6Addr = address.text().parse().map_err(|_| "not an IPv6 address")?;
            Ok(address.octets().to_vec())
        }
        (CNAME | NS | PTR, [target]) => Ok(write_name(&target.name()?)),
        (MX, [preference, host]) => {
            let preference: u16 = preference.text().parse().map_err(|_| "not a preference")?;
            let mut data = preference.to_be_bytes().to_vec();
            data.extend(write_name(&host.name()?));
            Ok(data)
        }
        (TXT | SPF, strings) => {
            let mut data = Vec::new();
            for string in strings {
                if string.bytes.len() > LONGEST_STRING {
                    return Err("a string of more than 255 bytes");
                }
                data.push(u8::try_from(string.bytes.len()).unwrap_or(u8::MAX));
                data.extend_from_slice(&string.bytes);
            }
            Ok(data)
        }
        _ => Err("data that does not fit the type"),
    }
}

/// A word of a line; `dots` are those of its bytes that were written as a plain dot.
#[derive(Default)]
struct Word {
    bytes: Vec<u8>,
    dots: Vec<usize>,
}

impl Word {
    fn is(&self, word: &str) -> bool {
        self.bytes == word.as_bytes()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn kind(&self) -> Result<u16, &'static str> {
        let known = TYPES.iter().find(|(name, _)| self.is(name));
        known.map(|(_, kind)| *kind).ok_or("no such type")
    }

    /// The labels between the dots; `.` and the empty word are the root.
    fn name(&self) -> Result<Name, &'static str> {
        let mut labels = Name::new();
        let mut start = 0;
        for end in self.dots.iter().copied().chain([self.bytes.len()]) {
            let label = self.bytes.get(start..end).unwrap_or_default();
            start = end + 1;
            match label.len() {
                0 if end + 1 >= self.bytes.len() => {}
                0 => return Err("an empty label"),
                1..=LONGEST_LABEL => labels.push(label.to_vec()),
                _ => return Err("a label of more than 63 bytes"),
            }
        }
        Ok(labels)
    }
}

/// Words apart by blanks; in quotes, blanks belong to the word.
fn words(line: &str) -> Result<Vec<Word>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quoted = false;
    let mut bytes = line.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            b';' if !quoted => break,
            b' ' | b'\t' if !quoted => words.extend(word.take()),
            b'\\' => {
                let byte = escaped(&mut bytes)?;
                word.get_or_insert_default().bytes.push(byte);
            }
            byte => {
                let word = word.get_or_insert_default();
                if byte == b'.' {
                    word.dots.push(word.bytes.len());
                }
                word.bytes.push(byte);
            }
        }
    }
    if quoted {
        return Err("a quote that does not end");
    }
    words.extend(word);
    Ok(words)
}

/// `\DDD` is a byte by its decimal number, `\X` the character itself.
fn escaped(bytes: &mut impl Iterator<Item = u8>) -> Result<u8, &'static str> {
    let first = bytes.next().ok_or("nothing after a backslash")?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut number = u32::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit);
        let digit = digit.ok_or("three digits are needed after a backslash")?;
        number = number * 10 + u32::from(digit - b'0');
    }
    u8::try_from(number).map_err(|_| "no byte has such a number")
}

/// A name as it may be read again, without the final dot.
pub(super) struct Printed<'a>(pub(super) &'a Name);

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' => write!(f, "\\{}", char::from(*byte))?,
                    b'!'..=b'~' => write!(f, "{}", char::from(*byte))?,
                    byte => write!(f, "\\{byte:03}")?,
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_with_its_line() {
        for (text, what) in [
            ("\na.example A 1.2.3", "not an IPv4 address"),
            ("\na.example WKS x", "no such type"),
            ("\na..example A 1.2.3.4", "an empty label"),
            ("\na.example FAULT slow", "no such fault"),
            ("\na.example TXT \"x", "a quote that does not end"),
            ("\na.example", "a record is a name, a type and its data"),
        ] {
            let error = text.parse::<Zones>().unwrap_err();
            assert_eq!((error.line, error.what), (2, what), "{text}");
        }
    }

    #[test]
    fn bytes_may_be_written_by_their_number_and_dots_may_belong_to_a_label() {
        let words = words(r#"a\032b\.c.example. TXT "; \"x\150" ; comment"#).unwrap();
        let name = words[0].name().unwrap();
        assert_eq!(name, [b"a b.c".to_vec(), b"example".to_vec()]);
        assert_eq!(Printed(&name).to_string(), r"a\032b\.c.example");
        assert_eq!(words[2].bytes, b"; \"x\x96");
        assert_eq!(words.len(), 3);
    }
}
