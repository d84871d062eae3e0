//! Records of an aggregate report, one at a time.

use std::io::Read;

use protect_core::{Error, Result};

use super::draft::{Draft, set_head};
use super::model::{Head, Record};
use super::place::{Field, Section, Start};
use super::source::{Broken, Source};
use super::token::Kind;
use crate::reports::issue::{Issues, ParseIssue, Place, Problem};
use crate::reports::limits;
use crate::reports::text::{HeldText, TooMuch};

/// Reads a report without holding it: an iterator over its good records.
///
/// A record that cannot be used is listed among the issues and left out. What stands around the
/// records may come in any order, so [`head`](Self::head) is complete only at the end.
///
/// Seen in the wild and read: any or no namespace and prefix; a wrapper around the report that is
/// never closed; tag-like text in a value; bytes that are not text; words in any case; empty
/// elements; repeated ones.
///
/// `'t` is the life of a text that is held as a whole; a reader of anything else holds none.
pub struct AggregateReader<'t, R> {
    source: Source<'t, R>,
    state: State,
    ended: bool,
}

impl<R> std::fmt::Debug for AggregateReader<'_, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AggregateReader")
            .field("records", &self.state.records)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl<'t, R: Read> AggregateReader<'t, R> {
    /// Begins reading XML in any character set, not compressed, a piece at a time.
    ///
    /// # Errors
    /// `invalid_input` where not even the first bytes can be read.
    pub fn new(reader: R) -> Result<Self> {
        let source = Source::streamed(reader).map_err(|error| cannot_read(error, 0))?;
        Ok(Self::over(source))
    }

    /// Begins reading a text that is held.
    pub(in crate::reports) fn held(text: &'t HeldText<'t>) -> Self {
        Self::over(Source::held(text))
    }

    fn over(source: Source<'t, R>) -> Self {
        let mut state = State::default();
        if source.is_charset_unknown() {
            state.note("", Problem::UnknownCharset, 0);
        }
        Self {
            source,
            state,
            ended: false,
        }
    }

    /// The same for a document whose head was read before, since it stands behind the records.
    pub(in crate::reports) fn knowing(mut self, head: Head) -> Self {
        self.state.head = head;
        self.state.head.metadata.errors.clear();
        self
    }

    /// The next good record.
    ///
    /// # Errors
    /// `invalid_input` with the place, where this is no report: it is HTML, has a document type
    /// declaration, is empty, or breaks off before anything was said. After a first record there is no
    /// error any more: what breaks off then is an issue.
    pub fn next_record(&mut self) -> Result<Option<Record>> {
        while !self.ended {
            let begun = self.source.place();
            let step = match self.source.next(self.state.field.is_some()) {
                Ok(Some((kind, said))) => self.state.take(kind, said, begun)?,
                Ok(None) => self.state.eof(begun)?,
                Err(broken) => self.state.broken(&broken, begun)?,
            };
            match step {
                Step::Go => {}
                Step::Record => return Ok(self.state.ready.take()),
                Step::End => self.ended = true,
            }
        }
        Ok(None)
    }

    /// What the report says beside its records, as far as it was read.
    pub fn head(&self) -> &Head {
        &self.state.head
    }

    /// Whether the head is complete enough before the records to tell which report it is.
    pub fn is_identified(&self) -> bool {
        let head = &self.state.head;
        !head.policy.domain.is_empty()
            && !head.metadata.report_id.is_empty()
            && head.metadata.end.is_some()
    }

    /// What could not be used so far.
    pub fn issues(&self) -> &Issues {
        &self.state.issues
    }

    /// Whether some bytes were not text in the report's character set; they stand as U+FFFD.
    pub fn is_lossy(&self) -> bool {
        self.source.is_lossy()
    }

    /// The head and what could not be used, after the last record.
    ///
    /// # Errors
    /// As for [`next_record`](Self::next_record), for what follows the records that were read.
    pub fn finish(mut self) -> Result<(Head, Issues)> {
        while self.next_record()?.is_some() {}
        Ok((self.state.head, self.state.issues))
    }
}

impl<R: Read> Iterator for AggregateReader<'_, R> {
    type Item = Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record();
        self.ended |= next.is_err();
        next.transpose()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Go,
    /// A record is ready.
    Record,
    End,
}

/// Where the reader is, and what it has.
struct State {
    section: Section,
    field: Option<Field>,
    text: String,
    too_long: bool,
    in_extension: bool,
    unknown: u32,
    open: i64,
    head: Head,
    draft: Draft,
    ready: Option<Record>,
    records: u64,
    issues: Issues,
}

impl Default for State {
    fn default() -> Self {
        Self {
            section: Section::Outside,
            field: None,
            text: String::new(),
            too_long: false,
            in_extension: false,
            unknown: 0,
            open: 0,
            head: Head::default(),
            draft: Draft::default(),
            ready: None,
            records: 0,
            issues: Issues::default(),
        }
    }
}

impl State {
    fn take(&mut self, kind: Kind, said: &str, at: u64) -> Result<Step> {
        match kind {
            Kind::Text | Kind::CData if self.field.is_some() => self.append(said),
            Kind::Reference if self.field.is_some() => self.append_character(said),
            Kind::Start => {
                self.open += 1;
                return self.start(local(said), at);
            }
            Kind::Empty if self.section == Section::Outside => refuse_html(local(said), at)?,
            Kind::End => {
                self.open -= 1;
                return Ok(self.end(local(said), at));
            }
            Kind::DocType if self.said_nothing() => {
                return Err(not_a_report(
                    "it has a document type declaration, which no report needs and which is not read",
                    at,
                ));
            }
            Kind::DocType | Kind::Unknown => return self.broken_off(Problem::Malformed, at),
            Kind::Text | Kind::CData | Kind::Reference | Kind::Empty | Kind::Aside => {}
        }
        Ok(Step::Go)
    }

    fn start(&mut self, name: &str, at: u64) -> Result<Step> {
        if self.section == Section::Outside {
            refuse_html(name, at)?;
        }
        match self.known_start(name) {
            Some(Start::Section(section)) => return Ok(self.enter(section, at)),
            Some(Start::Field(field)) => {
                self.field = Some(field);
                self.text.clear();
                self.too_long = false;
            }
            None if self.field.is_some() => self.append(name),
            None => {
                self.in_extension |= name == "extension" && self.section != Section::Outside;
                self.unknown += 1;
            }
        }
        if self.unknown > limits::DEPTH || self.open > limits::UNCLOSED {
            return Ok(self.stop(Problem::TooMany, at));
        }
        Ok(Step::Go)
    }

    /// In an extension only the next record is known; in a value only the great parts.
    fn known_start(&self, name: &str) -> Option<Start> {
        if self.in_extension {
            return (name == "record").then_some(Start::Section(Section::Record));
        }
        let start = self.section.start(name)?;
        let in_value = self.field.is_some() && matches!(start, Start::Field(_));
        (!in_value).then_some(start)
    }

    fn enter(&mut self, section: Section, at: u64) -> Step {
        if let Some(parent) = section.parent().filter(|parent| *parent != self.section) {
            self.note(self.section.name(), Problem::Unclosed, at);
            self.leave_until(parent, at);
        }
        (self.field, self.in_extension, self.unknown) = (None, false, 0);
        self.section = section;
        if section == Section::Record {
            self.records += 1;
            self.draft = Draft::default();
            if self.records > limits::RECORDS {
                return self.stop(Problem::TooMany, at);
            }
        } else {
            self.draft.enter(section);
        }
        self.step()
    }

    fn step(&self) -> Step {
        match self.ready {
            Some(_) => Step::Record,
            None => Step::Go,
        }
    }

    fn end(&mut self, name: &str, at: u64) -> Step {
        if let Some(field) = self.field {
            if field.name() == name {
                self.finish_value(field, at);
                return Step::Go;
            }
        } else if self.in_extension && name == "extension" {
            (self.in_extension, self.unknown) = (false, 0);
            return Step::Go;
        }
        let mut section = self.section;
        while section.name() != name {
            let Some(parent) = section.parent() else {
                self.unknown = self.unknown.saturating_sub(1);
                return Step::Go;
            };
            section = parent;
        }
        let Some(parent) = section.parent() else {
            return Step::Go;
        };
        // In an extension such a name is the extension's own, but for what must end it.
        if self.in_extension && !matches!(section, Section::Record | Section::Feedback) {
            return Step::Go;
        }
        self.leave_until(parent, at);
        (self.field, self.in_extension, self.unknown) = (None, false, 0);
        if section == Section::Feedback {
            self.check_head(at);
            return Step::End;
        }
        self.step()
    }

    /// Leaves sections outwards; a record that ends on the way is ready, or listed.
    fn leave_until(&mut self, reached: Section, at: u64) {
        while self.section != reached {
            let Some(parent) = self.section.parent() else {
                break;
            };
            if self.section == Section::Record {
                self.finish_record(at);
            } else {
                self.draft.leave(self.section);
            }
            self.section = parent;
        }
    }

    fn finish_record(&mut self, at: u64) {
        match std::mem::take(&mut self.draft).finish() {
            Ok(record) => self.ready = Some(record),
            Err((field, problem)) => self.issues.add(ParseIssue {
                place: self.place(field.path(), at),
                problem,
                lost: true,
            }),
        }
    }

    fn finish_value(&mut self, field: Field, at: u64) {
        self.field = None;
        let text = self.text.trim();
        let set = match (self.too_long, self.section.is_within(Section::Record)) {
            (true, _) => Err(Problem::TooLong),
            (false, true) => self.draft.set(field, text),
            (false, false) => set_head(&mut self.head, field, text),
        };
        match set {
            Ok(()) => {}
            Err(problem) if is_needed(field) => {
                self.draft.fault.get_or_insert((field, problem));
            }
            Err(problem) => self.note(field.path(), problem, at),
        }
    }

    fn append(&mut self, text: &str) {
        if self.text.len() + text.len() > limits::TEXT {
            self.too_long = true;
        } else {
            self.text.push_str(text);
        }
    }

    /// Appends what a reference stands for; there are no entities but those of XML itself.
    fn append_character(&mut self, reference: &str) {
        let character = match reference {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.strip_prefix('#').and_then(numbered),
        };
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        self.append(character.encode_utf8(&mut [0; 4]));
    }

    fn place(&self, element: &str, at: u64) -> Place {
        let in_record = self.section.is_within(Section::Record);
        Place {
            record: in_record.then_some(self.records),
            element: element.to_owned(),
            byte: at,
        }
    }

    fn note(&mut self, element: &str, problem: Problem, at: u64) {
        self.issues.add(ParseIssue {
            place: self.place(element, at),
            problem,
            lost: false,
        });
    }

    /// Ends reading: what comes after this place is lost.
    fn stop(&mut self, problem: Problem, at: u64) -> Step {
        self.issues.add(ParseIssue {
            place: Place {
                record: None,
                element: self.section.name().to_owned(),
                byte: at,
            },
            problem,
            lost: true,
        });
        self.check_head(at);
        Step::End
    }

    fn eof(&mut self, at: u64) -> Result<Step> {
        if self.section == Section::Outside && self.records == 0 {
            return Err(not_a_report("it has no `feedback` element", at));
        }
        self.broken_off(Problem::EndsEarly, at)
    }

    /// There is more, and it is not read.
    fn broken(&mut self, why: &Broken, at: u64) -> Result<Step> {
        let problem = match why {
            Broken::TooLong => Problem::TooLong,
            Broken::Unreadable(error) if is_too_long(error) => Problem::TooLong,
            Broken::Unreadable(error) if self.said_nothing() => {
                return Err(not_a_report(&error.to_string(), at));
            }
            Broken::Unreadable(_) | Broken::EndsEarly => Problem::EndsEarly,
        };
        self.broken_off(problem, at)
    }

    fn broken_off(&mut self, problem: Problem, at: u64) -> Result<Step> {
        if self.said_nothing() {
            let words = format!("{} {}", self.element(), problem.as_words());
            return Err(not_a_report(&words, at));
        }
        Ok(self.stop(problem, at))
    }

    fn element(&self) -> &'static str {
        match self.field {
            Some(field) => field.path(),
            None if self.section == Section::Outside => "the document",
            None => self.section.name(),
        }
    }

    fn said_nothing(&self) -> bool {
        self.records == 0 && self.head.policy.domain.is_empty()
    }

    /// What every report must say (RFC 9990, section 3.1.1).
    fn check_head(&mut self, at: u64) {
        self.section = Section::Feedback;
        if self.head.policy.domain.is_empty() {
            self.note(Field::PolicyDomain.path(), Problem::Missing, at);
        }
        if self.head.metadata.report_id.is_empty() {
            self.note(Field::ReportId.path(), Problem::Missing, at);
        }
        match (self.head.metadata.begin, self.head.metadata.end) {
            (Some(begin), Some(end)) if begin <= end => {}
            (Some(_), Some(_)) => self.note("date_range", Problem::OutOfRange, at),
            _ => self.note("date_range", Problem::Missing, at),
        }
        if self.records == 0 {
            self.note("record", Problem::Missing, at);
        }
    }
}

/// Whether a record is nothing without it.
fn is_needed(field: Field) -> bool {
    matches!(field, Field::SourceIp | Field::Count | Field::HeaderFrom)
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    let colon = name.bytes().position(|byte| byte == b':');
    colon.and_then(|at| name.get(at + 1..)).unwrap_or(name)
}

/// The character with a number (XML 1.0 section 4.1).
fn numbered(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, radix).ok()?;
    char::from_u32(number).filter(|character| *character != '\0')
}

fn refuse_html(name: &str, at: u64) -> Result<()> {
    if name.eq_ignore_ascii_case("html") {
        return Err(not_a_report("it is a web page", at));
    }
    Ok(())
}

fn is_too_long(error: &std::io::Error) -> bool {
    let inner: Option<&TooMuch> = error.get_ref().and_then(|inner| inner.downcast_ref());
    inner.is_some()
}

fn cannot_read(error: std::io::Error, at: u64) -> Error {
    not_a_report("it cannot be read", at).with_source(error)
}

fn not_a_report(why: &str, at: u64) -> Error {
    Error::invalid_input(format!("not an aggregate report: {why}"))
        .with_context("place", format!("byte {at}"))
}
