//! Messages on the wire (RFC 1035 section 4, RFC 6891).

use super::zone::{Answer, Name, Rcode, SOA, write_name};

/// The largest answer over UDP without EDNS.
const PLAIN_UDP: usize = 512;
/// The largest over UDP with it, whatever the client offers.
const LARGEST_UDP: usize = 4096;
/// What we offer ourselves (DNS flag day 2020).
const OUR_UDP: u16 = 1232;
/// A length of 16 bits stands before a message over TCP.
pub(super) const LARGEST_TCP: usize = 65_535;

const OPT: u16 = 41;
const IN: u16 = 1;
const TTL: u32 = 60;

const RESPONSE: u16 = 0x8000;
const TRUNCATED: u16 = 0x0200;
const RECURSION_DESIRED: u16 = 0x0100;
const RECURSION_AVAILABLE: u16 = 0x0080;

/// A question as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) id: u16,
    pub(super) name: Name,
    pub(super) kind: u16,
    recursion: bool,
    /// The size of UDP answers the client takes, where it speaks EDNS.
    edns: Option<u16>,
}

/// Why there is nothing to answer but a code, or nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Not even a header, or itself an answer.
    NoQuery,
    /// A query, and this is the answer to it.
    Refusal(u16, Rcode),
}

impl Query {
    pub(super) fn parse(wire: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = Reader { wire, at: 0 };
        let header: Option<[u16; 6]> = (|| {
            let mut fields = [0; 6];
            for field in &mut fields {
                *field = reader.u16()?;
            }
            Some(fields)
        })();
        let [id, flags, questions, answers, authorities, additional] =
            header.ok_or(Unreadable::NoQuery)?;
        if flags & RESPONSE != 0 {
            return Err(Unreadable::NoQuery);
        }
        if flags & 0x7800 != 0 {
            return Err(Unreadable::Refusal(id, Rcode::NotImp));
        }
        let malformed = Unreadable::Refusal(id, Rcode::FormErr);
        if (questions, answers, authorities) != (1, 0, 0) {
            return Err(malformed);
        }
        let name = reader.name().ok_or(malformed)?;
        let (kind, class) = reader.u16().zip(reader.u16()).ok_or(malformed)?;
        if class != IN {
            return Err(Unreadable::Refusal(id, Rcode::Refused));
        }
        let mut edns = None;
        for _ in 0..additional {
            let (kind, size) = reader.record().ok_or(malformed)?;
            if kind == OPT {
                edns = Some(size);
            }
        }
        Ok(Self {
            id,
            name,
            kind,
            recursion: flags & RECURSION_DESIRED != 0,
            edns,
        })
    }

    /// How much of an answer may go over UDP.
    pub(super) fn udp_size(&self) -> usize {
        let offered = self.edns.map_or(PLAIN_UDP, usize::from);
        offered.clamp(PLAIN_UDP, LARGEST_UDP)
    }

    /// The answer as a packet of at most `size` bytes: what does not fit goes whole, and the header
    /// says so.
    pub(super) fn reply(&self, answer: &Answer, size: usize) -> Vec<u8> {
        let whole = self.packet(answer, &self.name, 0);
        if whole.len() <= size {
            return whole;
        }
        self.packet(&Answer::of(answer.rcode), &self.name, TRUNCATED)
    }

    /// An empty answer that says it was cut off.
    pub(super) fn cut_off(&self) -> Vec<u8> {
        self.packet(&Answer::of(Rcode::NoError), &self.name, TRUNCATED)
    }

    /// The answer, as if another name had been asked for.
    pub(super) fn reply_about(&self, other: &Name, answer: &Answer) -> Vec<u8> {
        self.packet(answer, other, 0)
    }

    fn packet(&self, answer: &Answer, name: &Name, more: u16) -> Vec<u8> {
        let mut flags = RESPONSE | RECURSION_AVAILABLE | answer.rcode as u16 | more;
        if self.recursion {
            flags |= RECURSION_DESIRED;
        }
        let mut wire = Vec::new();
        let counts = [
            1,
            answer.records.len(),
            usize::from(answer.apex.is_some()),
            usize::from(self.edns.is_some()),
        ];
        wire.extend(self.id.to_be_bytes());
        wire.extend(flags.to_be_bytes());
        for count in counts {
            wire.extend(u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes());
        }
        wire.extend(write_name(name));
        wire.extend(self.kind.to_be_bytes());
        wire.extend(IN.to_be_bytes());
        for record in &answer.records {
            if record.owner == *name {
                // Compressed: the name in the question.
                wire.extend([0xc0, 12]);
            } else {
                wire.extend(write_name(&record.owner));
            }
            write_rest(&mut wire, record.kind, &record.data);
        }
        if let Some(apex) = &answer.apex {
            wire.extend(write_name(apex));
            write_rest(&mut wire, SOA, &soa(apex));
        }
        if self.edns.is_some() {
            wire.push(0);
            wire.extend(OPT.to_be_bytes());
            wire.extend(OUR_UDP.to_be_bytes());
            wire.extend([0; 6]);
        }
        wire
    }
}

/// A packet that says only why there is no answer.
pub(super) fn refusal(id: u16, rcode: Rcode) -> Vec<u8> {
    let mut wire = id.to_be_bytes().to_vec();
    wire.extend((RESPONSE | RECURSION_AVAILABLE | rcode as u16).to_be_bytes());
    wire.extend([0; 8]);
    wire
}

/// Class, time to live, length and data.
fn write_rest(wire: &mut Vec<u8>, kind: u16, data: &[u8]) {
    wire.extend(kind.to_be_bytes());
    wire.extend(IN.to_be_bytes());
    wire.extend(TTL.to_be_bytes());
    wire.extend(u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    wire.extend(data);
}

/// A zone's own record; its last number is how long "there is nothing" holds (RFC 2308).
fn soa(apex: &Name) -> Vec<u8> {
    let below = |label: &str| {
        let mut name = vec![label.as_bytes().to_vec()];
        name.extend_from_slice(apex);
        write_name(&name)
    };
    let mut data = below("ns");
    data.extend(below("hostmaster"));
    for number in [1, 3600, 600, 86_400, TTL] {
        data.extend(number.to_be_bytes());
    }
    data
}

struct Reader<'a> {
    wire: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.wire.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = self.take(2)?;
        Some(u16::from_be_bytes(bytes.try_into().ok()?))
    }

    /// A name without compression, which no question needs; at most 255 bytes.
    fn name(&mut self) -> Option<Name> {
        let mut labels = Name::new();
        let start = self.at;
        loop {
            match *self.take(1)?.first()? {
                0 => break,
                length @ 1..=63 => labels.push(self.take(usize::from(length))?.to_vec()),
                _ => return None,
            }
        }
        (self.at - start <= 255).then_some(labels)
    }

    /// Skips a record; its type and class.
    fn record(&mut self) -> Option<(u16, u16)> {
        self.name()?;
        let (kind, class) = (self.u16()?, self.u16()?);
        self.take(4)?;
        let length = self.u16()?;
        self.take(usize::from(length))?;
        Some((kind, class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(flags: u16, question: &[u8]) -> Vec<u8> {
        let mut wire = vec![0, 7];
        wire.extend(flags.to_be_bytes());
        wire.extend([0, 1, 0, 0, 0, 0, 0, 0]);
        wire.extend(question);
        wire
    }

    #[test]
    fn what_is_no_query_gets_no_answer_and_what_is_a_bad_one_gets_a_code() {
        let good = query(RECURSION_DESIRED, b"\x01a\x00\x00\x01\x00\x01");
        assert_eq!(Query::parse(&good).unwrap().name, [b"a".to_vec()]);
        let refused = |wire: &[u8]| Query::parse(wire).unwrap_err();
        assert_eq!(refused(&good[..11]), Unreadable::NoQuery);
        let answer = query(RESPONSE, b"\x00\x00\x01\x00\x01");
        assert_eq!(refused(&answer), Unreadable::NoQuery);
        let code = |code| Unreadable::Refusal(7, code);
        for (wire, expected) in [
            (query(0x2800, b"\x00\x00\x01\x00\x01"), Rcode::NotImp),
            (query(0, b"\x00\x00\x01\x00\x03"), Rcode::Refused),
            (query(0, b"\x05a\x00\x00\x01"), Rcode::FormErr),
            (query(0, b"\xc0\x0c\x00\x01\x00\x01"), Rcode::FormErr),
            (query(0, b""), Rcode::FormErr),
        ] {
            assert_eq!(refused(&wire), code(expected));
        }
    }
}
