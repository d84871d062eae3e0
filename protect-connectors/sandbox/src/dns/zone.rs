//! What names have, and what is answered for them (RFC 1034 section 4.3.2).

use std::collections::{BTreeMap, BTreeSet};

/// A name as its labels, in lower case, from the left.
pub(super) type Name = Vec<Vec<u8>>;

pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const PTR: u16 = 12;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
pub(super) const AAAA: u16 = 28;
pub(super) const SPF: u16 = 99;

pub(super) const TYPES: [(&str, u16); 9] = [
    ("A", A),
    ("NS", NS),
    ("CNAME", CNAME),
    ("SOA", SOA),
    ("PTR", PTR),
    ("MX", MX),
    ("TXT", TXT),
    ("AAAA", AAAA),
    ("SPF", SPF),
];

/// How many aliases are followed.
const LONGEST_CHAIN: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rcode {
    NoError = 0,
    FormErr = 1,
    ServFail = 2,
    NxDomain = 3,
    NotImp = 4,
    Refused = 5,
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DnsFault {
    Timeout,
    ServFail,
    Refused,
    OtherQuestion,
    Oversize,
    Truncated,
}

impl DnsFault {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "timeout" => Self::Timeout,
            "servfail" => Self::ServFail,
            "refused" => Self::Refused,
            "other_question" => Self::OtherQuestion,
            "oversize" => Self::Oversize,
            "truncated" => Self::Truncated,
            _ => return None,
        })
    }
}

/// A record: whose, of which type, its data as on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rr {
    pub(super) owner: Name,
    pub(super) kind: u16,
    pub(super) data: Vec<u8>,
}

/// An answer before it is a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) rcode: Rcode,
    pub(super) records: Vec<Rr>,
    /// The top of the zone, whose SOA goes with a negative answer (RFC 2308).
    pub(super) apex: Option<Name>,
}

impl Answer {
    pub(super) const fn of(rcode: Rcode) -> Self {
        Self {
            rcode,
            records: Vec::new(),
            apex: None,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Zones {
    pub(super) apexes: BTreeSet<Name>,
    pub(super) records: BTreeMap<Name, Vec<(u16, Vec<u8>)>>,
    /// For one type, or for all.
    pub(super) faults: BTreeMap<(Name, Option<u16>), DnsFault>,
}

impl Zones {
    pub(super) fn fault(&self, name: &Name, kind: u16) -> Option<DnsFault> {
        let name = lower(name);
        let of = |kind| self.faults.get(&(name.clone(), kind)).copied();
        of(Some(kind)).or_else(|| of(None))
    }

    /// Answers as a resolver would: with the chain of aliases, and what stands at its end. A fault
    /// at a name on the way fails the whole.
    pub(super) fn answer(&self, name: &Name, kind: u16) -> Answer {
        let mut records = Vec::new();
        let mut owner = name.clone();
        for _ in 0..LONGEST_CHAIN {
            let key = lower(&owner);
            let Some(apex) = self.apex(&key) else {
                return Answer::of(Rcode::Refused);
            };
            let Some(here) = self.at(&key) else {
                return negative(Rcode::NxDomain, records, apex);
            };
            let of = |kind: u16| here.iter().filter(move |(known, _)| *known == kind);
            let found: Vec<_> = of(kind).collect();
            let alias = of(CNAME).next().filter(|_| kind != CNAME);
            if let Some((_, data)) = alias {
                let target = read_name(data);
                records.push(rr(&owner, CNAME, data));
                if self.fault(&target, kind).is_some() {
                    return Answer::of(Rcode::ServFail);
                }
                owner = target;
                continue;
            }
            if found.is_empty() {
                return negative(Rcode::NoError, records, apex);
            }
            records.extend(found.iter().map(|(kind, data)| rr(&owner, *kind, data)));
            return Answer {
                records,
                ..Answer::of(Rcode::NoError)
            };
        }
        // A loop, or as good as one.
        Answer::of(Rcode::ServFail)
    }

    /// The nearest top of a zone.
    fn apex(&self, name: &Name) -> Option<Name> {
        let mut above = (0..=name.len()).filter_map(|cut| name.get(cut..));
        above
            .find(|above| self.apexes.contains(*above))
            .map(<[Vec<u8>]>::to_vec)
    }

    /// What a name has; `None` where it does not exist. A name exists where something stands below
    /// it, or where a wildcard below its nearest existing ancestor makes it (RFC 4592).
    fn at(&self, name: &Name) -> Option<&[(u16, Vec<u8>)]> {
        if let Some(records) = self.records.get(name) {
            return Some(records);
        }
        if self.exists(name) {
            return Some(&[]);
        }
        let encloser = (1..=name.len())
            .filter_map(|cut| name.get(cut..))
            .find(|above| self.exists(above))?;
        let mut wildcard = vec![b"*".to_vec()];
        wildcard.extend_from_slice(encloser);
        self.records.get(&wildcard).map(Vec::as_slice)
    }

    fn exists(&self, name: &[Vec<u8>]) -> bool {
        let at_or_below = |known: &Name| known.ends_with(name);
        self.apexes.contains(name)
            || self.records.keys().any(at_or_below)
            || self.faults.keys().any(|(known, _)| at_or_below(known))
    }
}

fn negative(rcode: Rcode, records: Vec<Rr>, apex: Name) -> Answer {
    Answer {
        rcode,
        records,
        apex: Some(apex),
    }
}

fn rr(owner: &Name, kind: u16, data: &[u8]) -> Rr {
    Rr {
        owner: owner.clone(),
        kind,
        data: data.to_vec(),
    }
}

pub(super) fn lower(name: &Name) -> Name {
    name.iter()
        .map(|label| label.to_ascii_lowercase())
        .collect()
}

/// A name on the wire, without compression: each label after its length, then the root.
pub(super) fn write_name(name: &Name) -> Vec<u8> {
    let mut wire = Vec::new();
    for label in name {
        // Labels were read with at most 63 bytes.
        wire.push(u8::try_from(label.len()).unwrap_or(0));
        wire.extend_from_slice(label);
    }
    wire.push(0);
    wire
}

/// The reverse of [`write_name`], for what it wrote.
fn read_name(wire: &[u8]) -> Name {
    let mut labels = Vec::new();
    let mut rest = wire;
    while let Some((length, after)) = rest.split_first() {
        let Some((label, after)) = after.split_at_checked(usize::from(*length)) else {
            break;
        };
        if !label.is_empty() {
            labels.push(label.to_vec());
        }
        rest = after;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(zones: &str, name: &str, kind: u16) -> Answer {
        let zones: Zones = zones.parse().unwrap();
        let name = name.split('.').map(|label| label.as_bytes().to_vec());
        zones.answer(&name.collect(), kind)
    }

    const ZONES: &str = r"
        ZONE example
        a.b.example  A      192.0.2.1
        *.w.example  A      192.0.2.2
        x.w.example  TXT    here
        c.example    CNAME  a.b.example
        d.example    CNAME  nowhere.example
        e.example    CNAME  f.example
        f.example    CNAME  e.example
        g.example    CNAME  h.example
        h.example    FAULT  servfail
    ";

    #[test]
    fn a_name_with_something_below_it_exists_and_has_nothing() {
        assert_eq!(asked(ZONES, "b.example", A).rcode, Rcode::NoError);
        assert_eq!(asked(ZONES, "b.example", A).records, []);
        assert_eq!(asked(ZONES, "z.example", A).rcode, Rcode::NxDomain);
        assert_eq!(
            asked(ZONES, "z.example", A).apex,
            Some(vec![b"example".to_vec()])
        );
        assert_eq!(asked(ZONES, "a.test", A).rcode, Rcode::Refused);
    }

    #[test]
    fn a_wildcard_makes_names_that_nothing_else_makes() {
        assert_eq!(asked(ZONES, "y.w.example", A).records.len(), 1);
        assert_eq!(asked(ZONES, "z.y.w.example", A).records.len(), 1);
        assert_eq!(asked(ZONES, "x.w.example", A).records, []);
        assert_eq!(asked(ZONES, "z.x.w.example", A).rcode, Rcode::NxDomain);
        assert_eq!(asked(ZONES, "y.w.example", TXT).rcode, Rcode::NoError);
    }

    #[test]
    fn aliases_are_followed_to_their_end_which_decides_the_code() {
        let kinds =
            |answer: Answer| -> Vec<_> { answer.records.iter().map(|rr| rr.kind).collect() };
        assert_eq!(kinds(asked(ZONES, "C.example", A)), [CNAME, A]);
        assert_eq!(kinds(asked(ZONES, "c.example", CNAME)), [CNAME]);
        assert_eq!(asked(ZONES, "d.example", A).rcode, Rcode::NxDomain);
        assert_eq!(asked(ZONES, "e.example", A).rcode, Rcode::ServFail);
        assert_eq!(asked(ZONES, "g.example", A).rcode, Rcode::ServFail);
    }
}
