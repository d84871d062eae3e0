//! SPF records (RFC 7208 sections 4.5, 4.6, 5, 6 and 12).

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::macros::{MacroString, Site};
use super::network::{Ip4Network, Ip6Network};

const VERSION: &str = "v=spf1";

/// A record, with every mistake in it.
///
/// Where there is one, a receiver answers `permerror` for all mail (section 4.6); the terms that can
/// be read are still there for who audits it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    /// What could be read, in order.
    pub terms: Vec<Term>,
    /// What could not.
    pub errors: Vec<SyntaxError>,
}

/// A term and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Its place in the record, in bytes.
    pub place: usize,
    /// What it says.
    pub kind: TermKind,
}

/// A directive or a modifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TermKind {
    /// Whom it concerns, and what follows for them.
    Directive(Qualifier, Mechanism),
    /// What is to be done otherwise.
    Modifier(Modifier),
}

/// What follows for a host that a mechanism matches (section 4.6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Qualifier {
    /// `+`, or nothing.
    #[default]
    Pass,
    /// `-`
    Fail,
    /// `~`
    SoftFail,
    /// `?`
    Neutral,
}

/// Whom a directive concerns (section 5).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// Everybody.
    All,
    /// Whom another domain's record passes.
    Include(MacroString),
    /// The addresses of a name, or of the domain itself.
    A(Option<MacroString>, Prefixes),
    /// The addresses of a name's mail hosts, or of the domain's own.
    Mx(Option<MacroString>, Prefixes),
    /// Hosts whose checked name lies within a name, or within the domain itself.
    Ptr(Option<MacroString>),
    /// IPv4 addresses.
    Ip4(Ip4Network),
    /// IPv6 addresses.
    Ip6(Ip6Network),
    /// Everybody for whom a name exists.
    Exists(MacroString),
}

/// How much of an address must agree, in bits (section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Prefixes {
    /// Of an IPv4 address: 0 to 32.
    pub v4: u8,
    /// Of an IPv6 address: 0 to 128.
    pub v6: u8,
}

impl Prefixes {
    /// The whole address.
    pub const ALL: Self = Self { v4: 32, v6: 128 };
}

/// What is to be done otherwise (section 6).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Modifier {
    /// Another domain's record decides where nothing here matched.
    Redirect(MacroString),
    /// Where the text stands that tells a refused sender why.
    Exp(MacroString),
    /// One that nobody knows; it has no effect.
    Unknown {
        /// Its name.
        name: String,
        /// Its value.
        value: MacroString,
    },
}

/// A mistake and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SyntaxError {
    /// Its place in the record, in bytes.
    pub place: usize,
    /// The term it stands in.
    pub term: String,
    /// What is wrong.
    pub kind: SyntaxErrorKind,
}

/// What is wrong with a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyntaxErrorKind {
    /// Neither a mechanism nor a modifier.
    UnknownMechanism,
    /// A character that may not stand there; only visible ASCII may (section 7.1).
    Character(char),
    /// A `%` that begins nothing.
    LonePercent,
    /// `%{` without `}`.
    MacroNotClosed,
    /// A macro that does not exist or has other parts than letter, digits, `r` and delimiters.
    UnknownMacro,
    /// `c`, `r` or `t` outside the text that `exp` leads to (section 7.2).
    MacroOnlyInText,
    /// Zero parts are to be kept of what a macro stands for (section 7.3).
    NoParts,
    /// The mechanism or modifier needs a name and has none.
    NameMissing,
    /// The name ends in no macro and no top-level domain (section 7.1).
    NameEnd,
    /// The mechanism takes no argument, or another one.
    Argument,
    /// Not an IPv4 address of four numbers.
    Ip4,
    /// Not an IPv6 address.
    Ip6,
    /// Not a length of a prefix: a number without leading zeros, at most 32 or 128.
    Prefix,
    /// `redirect` stands twice (section 6).
    SecondRedirect,
    /// `exp` stands twice (section 6).
    SecondExp,
}

impl Record {
    /// Whether a TXT record is an SPF record: the version in any case, then a blank or the end
    /// (section 4.5).
    pub fn is_spf(text: &str) -> bool {
        body(text).is_some()
    }

    /// Parses a record; `None` where it is none (see [`Record::is_spf`]).
    pub fn parse(text: &str) -> Option<Self> {
        let mut record = Self::default();
        let mut place = VERSION.len();
        // Only blanks separate terms: any other white space is a mistake within one.
        for word in body(text)?.split(' ') {
            if !word.is_empty() {
                record.read(place, word);
            }
            place += word.len() + 1;
        }
        Some(record)
    }

    /// The directives, in order.
    pub fn directives(&self) -> impl Iterator<Item = (&Term, Qualifier, &Mechanism)> {
        self.terms.iter().filter_map(|term| match &term.kind {
            TermKind::Directive(qualifier, mechanism) => Some((term, *qualifier, mechanism)),
            TermKind::Modifier(_) => None,
        })
    }

    /// Whose record decides where nothing here matched.
    pub fn redirect(&self) -> Option<(&Term, &MacroString)> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Redirect(name)) => Some((term, name)),
            _ => None,
        })
    }

    /// Where the text stands that tells a refused sender why.
    pub fn exp(&self) -> Option<&MacroString> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Exp(name)) => Some(name),
            _ => None,
        })
    }

    /// What `all` says, where it stands.
    pub fn all(&self) -> Option<Qualifier> {
        self.directives()
            .find_map(|(_, qualifier, mechanism)| match mechanism {
                Mechanism::All => Some(qualifier),
                _ => None,
            })
    }

    fn read(&mut self, place: usize, word: &str) {
        let read = read_term(word).and_then(|kind| match &kind {
            TermKind::Modifier(Modifier::Redirect(_)) if self.redirect().is_some() => {
                Err((0, SyntaxErrorKind::SecondRedirect))
            }
            TermKind::Modifier(Modifier::Exp(_)) if self.exp().is_some() => {
                Err((0, SyntaxErrorKind::SecondExp))
            }
            _ => Ok(kind),
        });
        match read {
            Ok(kind) => self.terms.push(Term { place, kind }),
            Err((within, kind)) => self.errors.push(SyntaxError {
                place: place + within,
                term: word.to_owned(),
                kind,
            }),
        }
    }
}

/// What follows the version.
fn body(text: &str) -> Option<&str> {
    let (version, rest) = text.split_at_checked(VERSION.len())?;
    let ends = rest.is_empty() || rest.starts_with(' ');
    (version.eq_ignore_ascii_case(VERSION) && ends).then_some(rest)
}

/// A mistake with its place within the term.
type Wrong = (usize, SyntaxErrorKind);

fn read_term(word: &str) -> Result<TermKind, Wrong> {
    if let Some((name, value)) = word.split_once('=')
        && is_modifier_name(name)
    {
        return read_modifier(name, value).map(TermKind::Modifier);
    }
    let (qualifier, rest) = Qualifier::split(word);
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    let place = word.len() - argument.len();
    let mechanism = read_mechanism(name, argument).map_err(|(within, kind)| match kind {
        SyntaxErrorKind::UnknownMechanism => (0, kind),
        kind => (place + within, kind),
    })?;
    Ok(TermKind::Directive(qualifier, mechanism))
}

/// Section 4.6.1, `name`.
fn is_modifier_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

fn read_modifier(name: &str, value: &str) -> Result<Modifier, Wrong> {
    let place = name.len() + 1;
    let shifted = |(within, kind)| (place + within, kind);
    if name.eq_ignore_ascii_case("redirect") {
        return read_name(value).map(Modifier::Redirect).map_err(shifted);
    }
    if name.eq_ignore_ascii_case("exp") {
        return read_name(value).map(Modifier::Exp).map_err(shifted);
    }
    Ok(Modifier::Unknown {
        name: name.to_owned(),
        value: MacroString::parse(value, Site::Unknown).map_err(shifted)?,
    })
}

/// `argument` is empty or begins with `:` or `/`; places are counted from its beginning.
fn read_mechanism(name: &str, argument: &str) -> Result<Mechanism, Wrong> {
    match name.to_ascii_lowercase().as_str() {
        "all" if argument.is_empty() => Ok(Mechanism::All),
        "all" => Err((0, SyntaxErrorKind::Argument)),
        "include" => Ok(Mechanism::Include(needed(argument)?)),
        "exists" => Ok(Mechanism::Exists(needed(argument)?)),
        "ptr" if argument.is_empty() => Ok(Mechanism::Ptr(None)),
        "ptr" => Ok(Mechanism::Ptr(Some(needed(argument)?))),
        "a" => with_prefixes(argument).map(|(name, prefixes)| Mechanism::A(name, prefixes)),
        "mx" => with_prefixes(argument).map(|(name, prefixes)| Mechanism::Mx(name, prefixes)),
        "ip4" => {
            let (address, bits) = network(argument, 32)?;
            let address: Ipv4Addr = address.parse().map_err(|_| (1, SyntaxErrorKind::Ip4))?;
            Ok(Mechanism::Ip4(Ip4Network::new(address, bits)))
        }
        "ip6" => {
            let (address, bits) = network(argument, 128)?;
            let address: Ipv6Addr = address.parse().map_err(|_| (1, SyntaxErrorKind::Ip6))?;
            Ok(Mechanism::Ip6(Ip6Network::new(address, bits)))
        }
        _ => Err((0, SyntaxErrorKind::UnknownMechanism)),
    }
}

fn needed(argument: &str) -> Result<MacroString, Wrong> {
    match argument.strip_prefix(':') {
        Some(name) => read_name(name).map_err(|(within, kind)| (within + 1, kind)),
        None if argument.is_empty() => Err((0, SyntaxErrorKind::NameMissing)),
        None => Err((0, SyntaxErrorKind::Argument)),
    }
}

/// Section 7.1, `domain-spec`.
fn read_name(text: &str) -> Result<MacroString, Wrong> {
    if text.is_empty() {
        return Err((0, SyntaxErrorKind::NameMissing));
    }
    let name = MacroString::parse(text, Site::Domain)?;
    if name.ends_as_name() {
        Ok(name)
    } else {
        Err((0, SyntaxErrorKind::NameEnd))
    }
}

/// `[ ":" domain-spec ] [ dual-cidr-length ]` (sections 5.3 and 5.4).
fn with_prefixes(argument: &str) -> Result<(Option<MacroString>, Prefixes), Wrong> {
    let (rest, v6) = cut_number(argument, "//");
    let (rest, v4) = cut_number(rest, "/");
    // A length at the end belongs to the term, whatever a name may hold (section 5.6).
    let length = |digits: Option<&str>, most: u8, place: usize| match digits {
        Some(digits) => prefix(digits, most).ok_or((place, SyntaxErrorKind::Prefix)),
        None => Ok(most),
    };
    let name = match rest {
        "" => None,
        rest => Some(needed(rest)?),
    };
    let prefixes = Prefixes {
        v4: length(v4, 32, rest.len())?,
        v6: length(v6, 128, rest.len())?,
    };
    Ok((name, prefixes))
}

/// Cuts a number behind slashes from the end.
fn cut_number<'a>(text: &'a str, slashes: &str) -> (&'a str, Option<&'a str>) {
    let rest = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = text.get(rest.len()..).filter(|digits| !digits.is_empty());
    match (rest.strip_suffix(slashes), digits) {
        (Some(before), Some(digits)) if !before.ends_with('/') => (before, Some(digits)),
        _ => (text, None),
    }
}

/// `":" address [ "/" length ]` (section 5.6).
fn network(argument: &str, most: u8) -> Result<(&str, u8), Wrong> {
    let Some(text) = argument.strip_prefix(':') else {
        let kind = match argument {
            "" => SyntaxErrorKind::NameMissing,
            _ => SyntaxErrorKind::Argument,
        };
        return Err((0, kind));
    };
    match text.split_once('/') {
        None => Ok((text, most)),
        Some((address, digits)) => match prefix(digits, most) {
            Some(bits) => Ok((address, bits)),
            None => Err((address.len() + 1, SyntaxErrorKind::Prefix)),
        },
    }
}

/// `"0" / %x31-39 *DIGIT`, up to `most`.
fn prefix(digits: &str, most: u8) -> Option<u8> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    let bits = digits.parse().ok().filter(|bits| *bits <= most);
    bits.filter(|_| plain && !padded)
}

impl Qualifier {
    /// The sign in a record.
    pub const fn sign(self) -> char {
        match self {
            Self::Pass => '+',
            Self::Fail => '-',
            Self::SoftFail => '~',
            Self::Neutral => '?',
        }
    }

    fn split(word: &str) -> (Self, &str) {
        let known = [Self::Pass, Self::Fail, Self::SoftFail, Self::Neutral];
        known
            .into_iter()
            .find_map(|qualifier| Some((qualifier, word.strip_prefix(qualifier.sign())?)))
            .unwrap_or((Self::Pass, word))
    }
}

impl Mechanism {
    /// Whether it counts among the ten terms that may ask DNS (section 4.6.4).
    pub const fn asks_dns(&self) -> bool {
        !matches!(self, Self::All | Self::Ip4(_) | Self::Ip6(_))
    }
}

impl fmt::Display for Record {
    /// The terms that could be read, as they would be written today.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(VERSION)?;
        for term in &self.terms {
            write!(f, " {term}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)
    }
}

impl fmt::Display for TermKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(Qualifier::Pass, mechanism) => write!(f, "{mechanism}"),
            Self::Directive(qualifier, mechanism) => write!(f, "{}{mechanism}", qualifier.sign()),
            Self::Modifier(Modifier::Redirect(name)) => write!(f, "redirect={name}"),
            Self::Modifier(Modifier::Exp(name)) => write!(f, "exp={name}"),
            Self::Modifier(Modifier::Unknown { name, value }) => write!(f, "{name}={value}"),
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Include(name) => write!(f, "include:{name}"),
            Self::Exists(name) => write!(f, "exists:{name}"),
            Self::Ip4(network) => write!(f, "ip4:{network}"),
            Self::Ip6(network) => write!(f, "ip6:{network}"),
            Self::Ptr(None) => f.write_str("ptr"),
            Self::Ptr(Some(name)) => write!(f, "ptr:{name}"),
            Self::A(name, prefixes) => write_hosts(f, "a", name.as_ref(), *prefixes),
            Self::Mx(name, prefixes) => write_hosts(f, "mx", name.as_ref(), *prefixes),
        }
    }
}

fn write_hosts(
    f: &mut fmt::Formatter<'_>,
    mechanism: &str,
    name: Option<&MacroString>,
    prefixes: Prefixes,
) -> fmt::Result {
    f.write_str(mechanism)?;
    if let Some(name) = name {
        write!(f, ":{name}")?;
    }
    if prefixes.v4 != Prefixes::ALL.v4 {
        write!(f, "/{}", prefixes.v4)?;
    }
    if prefixes.v6 != Prefixes::ALL.v6 {
        write!(f, "//{}", prefixes.v6)?;
    }
    Ok(())
}

impl fmt::Display for SyntaxErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownMechanism => "neither a mechanism nor a modifier of SPF",
            Self::Character(character) => {
                return write!(f, "'{}' may not stand here", character.escape_default());
            }
            Self::LonePercent => "a '%' that begins no macro",
            Self::MacroNotClosed => "a macro without its closing brace",
            Self::UnknownMacro => "not a macro of SPF",
            Self::MacroOnlyInText => "this macro may stand only in an explanation",
            Self::NoParts => "a macro that keeps no part",
            Self::NameMissing => "a name or an address is needed here",
            Self::NameEnd => "the name ends in no top-level domain",
            Self::Argument => "no such argument may stand here",
            Self::Ip4 => "not an IPv4 address",
            Self::Ip6 => "not an IPv6 address",
            Self::Prefix => "not a length of a network prefix",
            Self::SecondRedirect => "a second redirect",
            Self::SecondExp => "a second exp",
        })
    }
}

impl fmt::Display for SyntaxError {
    /// What is wrong and where; the term itself stays out, since it may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at character {}: {}", self.place, self.kind)
    }
}
