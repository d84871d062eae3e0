//! A snapshot that is a folder: `manifest.json`, which is the snapshot with file names in place of
//! the larger bodies, and one NDJSON file for each of those. A line is an item of the collection, or a whole
//! answer (a page, a single object, an error) as the vendor gave it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::format::Format;
use super::snapshot::{Body, MAX_FILE_BYTES, Snapshot, top_level};
use crate::error::{Error, ErrorKind, Result};

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const FILES: &str = "resources";

/// Opens a folder.
pub(super) fn open(folder: &Path, format: &'static Format) -> Result<Snapshot> {
    let text = fs::read_to_string(folder.join(MANIFEST)).map_err(|error| {
        Error::invalid_input(format!(
            "the folder has no readable {MANIFEST}: {}",
            error.kind()
        ))
        .with_source(error)
    })?;
    let fields = top_level(&text)?;
    let wrong = || {
        Error::invalid_input(
            "`resources` of the manifest is not an object of file names and bodies by path",
        )
    };
    let files: BTreeMap<String, Box<RawValue>> = match fields.get(FILES) {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong())?,
        None => return Err(wrong()),
    };
    let mut bodies = BTreeMap::new();
    for (path, lies) in files {
        let body = match serde_json::from_str::<String>(lies.get()) {
            Ok(name) => Body::Lines(inside(folder, &name)?),
            Err(_) => Body::Json(lies),
        };
        bodies.insert(format.key(&path), body);
    }
    Snapshot::of(&fields, format, bodies)
}

/// A file of the folder: never one outside, and one that is there.
fn inside(folder: &Path, name: &str) -> Result<PathBuf> {
    let plain = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let file = folder.join(name);
    if plain && !name.is_empty() && file.is_file() {
        return Ok(file);
    }
    Err(Error::invalid_input(
        "the manifest names a file that is not in the folder",
    ))
}

/// Goes through the lines of a file.
pub(super) fn lines<E>(
    file: &Path,
    mut on_line: impl FnMut(&str) -> std::result::Result<(), E>,
) -> std::result::Result<(), LineError<E>> {
    let unreadable = |_| LineError::Unreadable;
    let mut from = BufReader::with_capacity(1 << 16, File::open(file).map_err(unreadable)?);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut limited = (&mut from).take(MAX_FILE_BYTES + 1);
        let read = limited.read_until(b'\n', &mut line).map_err(unreadable)?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 > MAX_FILE_BYTES {
            return Err(LineError::Unreadable);
        }
        let text = std::str::from_utf8(&line).map_err(|_| LineError::Unreadable)?;
        let text = text.trim();
        if !text.is_empty() {
            on_line(text).map_err(LineError::Stopped)?;
        }
    }
}

/// Why the lines of a file were not gone through.
#[derive(Debug)]
pub(super) enum LineError<E> {
    /// The file cannot be read, is not UTF-8, or has a line that is too long.
    Unreadable,
    /// Whoever looked at a line stopped.
    Stopped(E),
}

/// Writes a snapshot as a folder, line by line.
#[derive(Debug)]
pub struct FolderWriter {
    folder: PathBuf,
    files: Map<String, Value>,
    open: Option<(String, BufWriter<File>)>,
}

impl FolderWriter {
    /// Begins a snapshot in a folder, which is made where it is not there.
    ///
    /// # Errors
    /// `store` where the folder cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(cannot)?;
        Ok(Self {
            folder: folder.to_owned(),
            files: Map::new(),
            open: None,
        })
    }

    /// Appends a line to the file of a vendor path: an item, or a whole answer.
    ///
    /// # Errors
    /// `store` where it cannot be written.
    pub fn line(&mut self, path: &str, line: &impl Serialize) -> Result<()> {
        let file = self.file(path)?;
        serde_json::to_writer(&mut *file, line)
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(b"\n"))
            .map_err(cannot)
    }

    /// Makes sure that a vendor path has a file, if only an empty collection's.
    ///
    /// # Errors
    /// `store` where it cannot be written.
    pub fn touch(&mut self, path: &str) -> Result<()> {
        self.file(path).map(drop)
    }

    /// Ends the snapshot with its manifest: everything but the bodies.
    ///
    /// # Errors
    /// `store` where it cannot be written.
    pub fn finish(mut self, mut manifest: Map<String, Value>) -> Result<()> {
        self.close()?;
        manifest.insert(FILES.to_owned(), Value::Object(self.files));
        let text = format!("{:#}\n", Value::Object(manifest));
        fs::write(self.folder.join(MANIFEST), text).map_err(cannot)
    }

    fn file(&mut self, path: &str) -> Result<&mut BufWriter<File>> {
        if self.open.as_ref().is_none_or(|(open, _)| open != path) {
            self.close()?;
            let file = if let Some(name) = self.files.get(path).and_then(Value::as_str) {
                File::options().append(true).open(self.folder.join(name))
            } else {
                let name = format!("{:04}.ndjson", self.files.len() + 1);
                let file = File::create(self.folder.join(&name));
                self.files.insert(path.to_owned(), name.into());
                file
            };
            let file = file.map_err(cannot)?;
            self.open = Some((path.to_owned(), BufWriter::new(file)));
        }
        match &mut self.open {
            Some((_, file)) => Ok(file),
            None => Err(Error::unexpected("a file that was just opened is not open")),
        }
    }

    fn close(&mut self) -> Result<()> {
        match self.open.take() {
            Some((_, mut file)) => file.flush().map_err(cannot),
            None => Ok(()),
        }
    }
}

fn cannot(error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("the snapshot cannot be written: {}", error.kind()),
    )
    .with_source(error)
}
