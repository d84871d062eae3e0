//! `email reports`.

mod document;
mod notes;
mod page;

use std::io::Read as _;
use std::path::Path;

use protect_connectors::core::{Error, Result};
use protect_connectors::email::reports::input::Source;
use protect_connectors::email::reports::summary::summarise;
use protect_connectors::email::reports::{Reading, Told, folder, limits};

use crate::app::{self, App};
use crate::args::EmailReports;
use crate::exit::Exit;
use crate::output::{Answer, Output};

use document::Document;
use notes::Notes;

/// What is told about a file while it is read.
type Tell<'t> = &'t mut dyn FnMut(&str, Told<'_>) -> Result<()>;

/// Reads reports. The document for programs is printed while they are read, so that their number
/// costs no memory.
pub(super) fn run(app: &App, reports: &EmailReports) -> Result<Answer> {
    reports.paths.iter().try_for_each(|path| check(path))?;
    let mut notes = Notes::default();
    let mut reading = Reading::default();
    if app.output.is_json() {
        let mut document = Document::begin(Output::stream())?;
        read(reports, &mut reading, &mut |file, told| {
            notes.take(file, &told);
            document.take(file, &told)
        })?;
        document.end(&summarise(reading.volumes()), reading.tally(), &notes)?;
    } else {
        read(reports, &mut reading, &mut |file, told| {
            notes.take(file, &told);
            Ok(())
        })?;
        let page = page::of(&summarise(reading.volumes()), &reading.tally(), &notes);
        app.output.page(&page)?;
    }
    Ok(Answer::printed(Exit::trouble(
        !reading.tally().is_complete(),
    )))
}

/// What was typed must be there before anything is read.
fn check(path: &Path) -> Result<()> {
    if is_stdin(path) {
        return Ok(());
    }
    let metadata = path
        .metadata()
        .map_err(|error| app::about(path, "cannot be read", error))?;
    if metadata.is_dir() || metadata.is_file() {
        return Ok(());
    }
    Err(
        Error::invalid_input("neither a file nor a folder; `-` reads standard input")
            .with_context("file", path.display().to_string()),
    )
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

fn read(reports: &EmailReports, reading: &mut Reading, tell: Tell<'_>) -> Result<()> {
    for path in &reports.paths {
        if is_stdin(path) {
            read_stdin(reading, tell)?;
        } else if path.is_dir() {
            read_folder(path, reading, tell)?;
        } else {
            read_file(path, reading, tell)?;
        }
    }
    Ok(())
}

fn read_file(path: &Path, reading: &mut Reading, tell: Tell<'_>) -> Result<()> {
    let name = path.display().to_string();
    reading.read(Source::File(path), &mut |told| tell(&name, told))
}

/// A folder within that cannot be read is told of, and the others are read.
fn read_folder(path: &Path, reading: &mut Reading, tell: Tell<'_>) -> Result<()> {
    for file in folder::files(path)? {
        match file {
            Ok(file) => read_file(&file.path, reading, tell)?,
            Err(error) => {
                let name = path.display().to_string();
                reading.broken("", &error, &mut |told| tell(&name, told))?;
            }
        }
    }
    Ok(())
}

fn read_stdin(reading: &mut Reading, tell: Tell<'_>) -> Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limits::HELD + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| app::about(Path::new("-"), "cannot be read", error))?;
    if bytes.len() as u64 > limits::HELD {
        let error = Error::invalid_input("more than 64 MiB; read it from a file");
        return reading.broken("", &error, &mut |told| tell("-", told));
    }
    reading.read(Source::Bytes(&bytes), &mut |told| tell("-", told))
}
