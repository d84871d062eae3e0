//! From files, archives and messages to the documents in them.
//!
//! What something is, its first bytes say: names and declared types are wrong too often. Everything
//! is inflated a piece at a time and bounded by what comes out, never by what a header announces.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use protect_core::{Error, Result};
use zip::{CompressionMethod, ZipArchive};

use super::failure::FailureReport;
use super::text::{TooMuch, fill};
use super::{limits, message};

/// How many first bytes are looked at.
const PEEK: usize = 512;

/// Where reports are read from.
#[derive(Clone, Copy, Debug)]
pub enum Source<'a> {
    /// A file, of which only what is compressed is ever held.
    File(&'a Path),
    /// Bytes that somebody has already.
    Bytes(&'a [u8]),
}

/// The shape of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// XML: an aggregate report.
    Xml,
    /// JSON: a TLS report.
    Json,
}

/// One document, and how to read it.
pub struct Document<'a> {
    /// Where it lies within its file, such as `part 2, entry 1`; empty for the file itself. Names of
    /// entries and attachments are not repeated: anybody may have chosen them.
    pub part: &'a str,
    /// What it looks like.
    pub shape: Shape,
    begun: RefCell<Option<Box<dyn Read + 'a>>>,
    again: &'a (dyn Fn() -> Result<Box<dyn Read + 'a>> + 'a),
}

impl std::fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Document")
            .field("part", &self.part)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}

impl<'a> Document<'a> {
    /// Its bytes from the start, inflated. It may be opened more than once.
    ///
    /// # Errors
    /// `unavailable` where the file cannot be read any more.
    pub fn open(&self) -> Result<Box<dyn Read + 'a>> {
        match self.begun.take() {
            Some(begun) => Ok(begun),
            None => (self.again)(),
        }
    }
}

/// Something in a source.
#[derive(Debug)]
pub enum Found<'f, 'd> {
    /// A document to be read.
    Document(&'f Document<'d>),
    /// A failure report, which a message is rather than holds.
    Failure(&'f str, Box<FailureReport>),
    /// A part that cannot be read, and why.
    Broken(&'f str, Error),
}

/// Shows everything that a source holds, in its order.
///
/// # Errors
/// `invalid_input` where the source is none of the known forms, is empty, is larger than is read, or
/// holds nothing; `not_found` and `unavailable` for a file that cannot be read.
pub fn documents(source: Source<'_>, show: &mut dyn FnMut(Found<'_, '_>)) -> Result<()> {
    let mut walk = Walk {
        left: Cell::new(0),
        shown: 0,
        show,
    };
    match source {
        Source::Bytes(bytes) => {
            walk.left.set(allowance(bytes.len() as u64));
            walk.bytes(bytes, "", limits::NESTING, false)?;
        }
        Source::File(path) => walk.file(path)?,
    }
    if walk.shown == 0 {
        return Err(Error::invalid_input("it holds no report"));
    }
    Ok(())
}

struct Walk<'s> {
    /// Bytes that may still come out of this source.
    left: Cell<u64>,
    shown: usize,
    show: &'s mut dyn FnMut(Found<'_, '_>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Shape(Shape),
    Gzip,
    Zip,
    Message,
}

impl Walk<'_> {
    fn file(&mut self, path: &Path) -> Result<()> {
        let open = || -> Result<File> { File::open(path).map_err(|error| unreadable(&error)) };
        let mut file = open()?;
        let length = file.metadata().map_err(|error| unreadable(&error))?.len();
        let start = peek(&mut file)?;
        if let Form::Shape(shape) = form(&start)? {
            if length > limits::INFLATED {
                return Err(too_large());
            }
            let again = || -> Result<Box<dyn Read>> { Ok(Box::new(open()?)) };
            self.shown += 1;
            (self.show)(Found::Document(&Document {
                part: "",
                shape,
                begun: RefCell::new(Some(Box::new(Cursor::new(start).chain(file)))),
                again: &again,
            }));
            return Ok(());
        }
        let mut bytes = start;
        let rest = limits::COMPRESSED + 1 - bytes.len() as u64;
        file.take(rest)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&error))?;
        self.left.set(allowance(bytes.len() as u64));
        self.bytes(&bytes, "", limits::NESTING, false)
    }

    fn bytes(&mut self, bytes: &[u8], part: &str, nesting: u8, zipped: bool) -> Result<()> {
        let form = form(bytes)?;
        if let Form::Shape(shape) = form {
            self.show_bytes(bytes, part, shape);
            return Ok(());
        }
        if bytes.len() as u64 > limits::COMPRESSED {
            return Err(too_large());
        }
        let Some(nesting) = nesting.checked_sub(1) else {
            return Err(Error::invalid_input(
                "containers lie too deep within containers",
            ));
        };
        match form {
            Form::Gzip => {
                let left = &Cell::new(self.left.get());
                let open = || inflated(MultiGzDecoder::new(bytes), left);
                self.packed(&open, part, nesting, zipped)?;
                self.left.set(left.get());
                Ok(())
            }
            Form::Zip if zipped => Err(Error::invalid_input("a zip archive within a zip archive")),
            Form::Zip => self.archive(bytes, part, nesting),
            Form::Message | Form::Shape(_) => self.message(bytes, part, nesting, zipped),
        }
    }

    fn show_bytes(&mut self, bytes: &[u8], part: &str, shape: Shape) {
        let again = || -> Result<Box<dyn Read + '_>> { Ok(Box::new(bytes)) };
        self.shown += 1;
        (self.show)(Found::Document(&Document {
            part,
            shape,
            begun: RefCell::new(None),
            again: &again,
        }));
    }

    /// What is inflated is read as a stream, unless it is itself a container.
    fn packed<'p>(
        &mut self,
        open: &'p (dyn Fn() -> Result<Box<dyn Read + 'p>> + 'p),
        part: &'p str,
        nesting: u8,
        zipped: bool,
    ) -> Result<()> {
        let mut reader = open()?;
        let mut bytes = peek(&mut reader)?;
        if let Form::Shape(shape) = form(&bytes)? {
            self.shown += 1;
            (self.show)(Found::Document(&Document {
                part,
                shape,
                begun: RefCell::new(Some(Box::new(Cursor::new(bytes).chain(reader)))),
                again: open,
            }));
            return Ok(());
        }
        reader
            .take(limits::COMPRESSED + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(&error))?;
        self.bytes(&bytes, part, nesting, zipped)
    }

    fn archive(&mut self, bytes: &[u8], part: &str, nesting: u8) -> Result<()> {
        let heads = bytes.windows(4).filter(|word| *word == b"PK\x01\x02");
        if heads.take(limits::ZIP_ENTRIES + 1).count() > limits::ZIP_ENTRIES {
            return Err(Error::invalid_input(format!(
                "a zip archive of more than {} entries",
                limits::ZIP_ENTRIES
            )));
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| Error::invalid_input("a damaged zip archive").with_source(error))?;
        for index in 0..archive.len() {
            let part = within(part, &format!("entry {}", index + 1));
            match entry(&mut archive, bytes, index) {
                Ok(None) => {}
                Ok(Some(entry)) => {
                    let left = &Cell::new(self.left.get());
                    let open = || match entry {
                        Entry::Stored(bytes) => inflated(bytes, left),
                        Entry::Deflated(bytes) => inflated(DeflateDecoder::new(bytes), left),
                    };
                    if let Err(error) = self.packed(&open, &part, nesting, true) {
                        self.broken(&part, error);
                    }
                    self.left.set(left.get());
                }
                Err(error) => self.broken(&part, error),
            }
        }
        Ok(())
    }

    fn message(&mut self, bytes: &[u8], part: &str, nesting: u8, zipped: bool) -> Result<()> {
        let parts = message::parts(bytes)?;
        if let Some(failure) = parts.failure {
            self.shown += 1;
            (self.show)(Found::Failure(part, Box::new(failure)));
            return Ok(());
        }
        for (number, bytes) in parts.attached {
            let part = within(part, &format!("part {number}"));
            if let Err(error) = self.bytes(&bytes, &part, nesting, zipped) {
                self.broken(&part, error);
            }
        }
        Ok(())
    }

    fn broken(&mut self, part: &str, error: Error) {
        self.shown += 1;
        (self.show)(Found::Broken(part, error));
    }
}

#[derive(Clone, Copy)]
enum Entry<'a> {
    Stored(&'a [u8]),
    Deflated(&'a [u8]),
}

/// An entry's packed bytes; `None` for a folder.
fn entry<'a>(
    archive: &mut ZipArchive<Cursor<&[u8]>>,
    bytes: &'a [u8],
    index: usize,
) -> Result<Option<Entry<'a>>> {
    let damaged = || Error::invalid_input("a damaged zip archive");
    let file = archive
        .by_index_raw(index)
        .map_err(|error| damaged().with_source(error))?;
    if file.is_dir() {
        return Ok(None);
    }
    if file.encrypted() {
        return Err(Error::invalid_input("an encrypted entry of a zip archive"));
    }
    let start = file.data_start().ok_or_else(damaged)?;
    let start = usize::try_from(start).map_err(|_| damaged())?;
    let length = usize::try_from(file.compressed_size()).map_err(|_| damaged())?;
    let end = start.checked_add(length).ok_or_else(damaged)?;
    let packed = bytes.get(start..end).ok_or_else(damaged)?;
    match file.compression() {
        CompressionMethod::Stored => Ok(Some(Entry::Stored(packed))),
        CompressionMethod::Deflated => Ok(Some(Entry::Deflated(packed))),
        _ => Err(Error::invalid_input(
            "an entry of a zip archive that is neither stored nor deflated",
        )),
    }
}

/// A reader that gives no more than what is left.
struct Bounded<'l, R> {
    inner: R,
    left: &'l Cell<u64>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(read),
            None => Err(io::Error::other(TooMuch(
                "it inflates to more than 200 MiB, or to more than 200 times its size",
            ))),
        }
    }
}

/// It never fails; what opens a file does.
#[expect(
    clippy::unnecessary_wraps,
    reason = "all that opens a document has one form"
)]
fn inflated<'a>(reader: impl Read + 'a, left: &'a Cell<u64>) -> Result<Box<dyn Read + 'a>> {
    Ok(Box::new(Bounded {
        inner: reader,
        left,
    }))
}

/// How many bytes may come out of so many.
fn allowance(bytes: u64) -> u64 {
    bytes
        .saturating_mul(limits::RATIO)
        .clamp(limits::RATIO_FROM, limits::INFLATED)
}

fn peek(reader: &mut impl Read) -> Result<Vec<u8>> {
    let mut start = vec![0; PEEK];
    let filled = fill(reader, &mut start).map_err(|error| damaged(&error))?;
    start.truncate(filled);
    Ok(start)
}

/// What the first bytes say.
fn form(start: &[u8]) -> Result<Form> {
    match start {
        [0x1f, 0x8b, ..] => return Ok(Form::Gzip),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => return Ok(Form::Zip),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'<', ..] => return Ok(Form::Shape(Shape::Xml)),
        _ => {}
    }
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    match text.trim_ascii_start() {
        [] => Err(Error::invalid_input("it is empty")),
        [b'<', ..] => Ok(Form::Shape(Shape::Xml)),
        [b'{', ..] => Ok(Form::Shape(Shape::Json)),
        text if message::begins(text) => Ok(Form::Message),
        _ => Err(Error::invalid_input(
            "it is neither XML, JSON, gzip, a zip archive nor a message",
        )),
    }
}

fn within(part: &str, inner: &str) -> String {
    if part.is_empty() {
        inner.to_owned()
    } else {
        format!("{part}, {inner}")
    }
}

fn too_large() -> Error {
    Error::invalid_input("it is larger than 25 MiB compressed, or 200 MiB as it is")
}

fn damaged(error: &io::Error) -> Error {
    let why = match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(TooMuch(why)) => why,
        None => "it is damaged",
    };
    Error::invalid_input(why)
}

/// The system's own words name no path.
fn unreadable(error: &io::Error) -> Error {
    use protect_core::ErrorKind;
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Unavailable,
    };
    Error::new(kind, format!("it cannot be read: {error}"))
}
