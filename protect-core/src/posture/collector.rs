//! Collecting: a vendor's answers into a folder, page by page, so that memory stays small however
//! large the tenant is, and what was asked once is not asked again after a restart.
//!
//! The folder holds a file of pages per large collection, small answers in a journal, and at the
//! end the manifest that makes it a [`Snapshot`]. The journal is written after each page; what it
//! does not know is cut off when a collection is taken up again.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::folder::{FILES, MANIFEST};
use super::format::{Format, fill, is_template};
use super::snapshot::Snapshot;
use crate::connector::OpContext;
use crate::error::{Error, ErrorKind, Result};

/// Something to ask the vendor, and where its answer lies in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The path as a catalogue declares it; `{id}` stands for the object.
    pub template: &'static str,
    /// The object's id, where it is about one.
    pub id: Option<String>,
}

impl Question {
    /// About the whole tenant.
    pub fn of(path: &'static str) -> Self {
        Self {
            template: path,
            id: None,
        }
    }

    /// About one object, at a path with `{id}` in it.
    pub fn about(template: &'static str, id: impl Into<String>) -> Self {
        debug_assert!(is_template(template), "the path has a place for an id");
        Self {
            template,
            id: Some(id.into()),
        }
    }

    /// Where the answer lies.
    pub fn path(&self) -> String {
        match &self.id {
            Some(id) => fill(self.template, id),
            None => self.template.to_owned(),
        }
    }
}

/// What the vendor said to a question.
#[derive(Clone, Debug)]
pub enum Answered {
    /// One page, or all there is. The body is JSON.
    Page {
        /// As the vendor gave it.
        body: Bytes,
        /// What the next page is asked for with.
        next: Option<String>,
    },
    /// An error, as the vendor gave it, that asking again does not change: no permission, no
    /// licence, no such object. The body is JSON.
    Refused(Bytes),
    /// The vendor no longer knows the page that was asked for: what it gave of this listing is let go,
    /// and the listing begins anew, once.
    Expired,
}

/// Puts questions to a vendor.
#[async_trait]
pub trait Asker: Send + Sync {
    /// One page: the first, or the one that `next` of the page before leads to.
    ///
    /// # Errors
    /// Nothing is known: the collection stops here and can be taken up again.
    async fn page(
        &self,
        cx: &OpContext,
        question: &Question,
        next: Option<&str>,
    ) -> Result<Answered>;

    /// The first pages of questions about single objects, in the order of the questions. Vendors
    /// that take several at once are asked so.
    ///
    /// # Errors
    /// As for [`Asker::page`].
    async fn objects(&self, cx: &OpContext, questions: &[Question]) -> Result<Vec<Answered>> {
        let mut answers = Vec::with_capacity(questions.len());
        for question in questions {
            answers.push(self.page(cx, question, None).await?);
        }
        Ok(answers)
    }
}

/// A snapshot in the making.
#[derive(Debug)]
pub struct Collection {
    folder: PathBuf,
    format: &'static Format,
    /// Removes the folder with the collection, where nobody wanted it kept.
    _temporary: Option<tempfile::TempDir>,
    journal: File,
    answers: BTreeMap<String, Held>,
    files: usize,
    pages: u64,
}

/// What is known of one path.
#[derive(Debug, Default)]
struct Held {
    content: Content,
    next: Option<String>,
    done: bool,
    /// Hashes of every link that led to a page.
    seen: HashSet<u64>,
    /// Whether it was begun anew.
    restarted: bool,
}

#[derive(Debug, Default)]
enum Content {
    #[default]
    Nothing,
    /// In the journal, and later in the manifest.
    Small(Box<RawValue>),
    /// Pages, one a line, in a file of the folder.
    File(String),
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Entry {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    small: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// The file's length with this page.
    #[serde(default)]
    length: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The listing begins anew behind this line.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    restart: bool,
}

/// The first line of the journal.
#[derive(Serialize, Deserialize)]
struct Head {
    provider: String,
    run: String,
}

const JOURNAL: &str = "journal.ndjson";

/// What is no larger than this stands in the journal, not in a file of its own.
const SMALL: usize = 8 * 1024;

/// So many questions about objects are put at once.
const AT_ONCE: usize = 20;

impl Collection {
    /// Begins in a folder: `run` names it, so that only the same run takes it up again. What an
    /// earlier collection left in the folder is removed; a folder with anything else in it is
    /// refused. Without a folder, in a temporary one that only this user can read and that goes with
    /// the collection.
    ///
    /// # Errors
    /// `store` where the folder cannot be made, read or written, or is somebody else's.
    pub fn begin(folder: Option<&Path>, run: &str, format: &'static Format) -> Result<Self> {
        let temporary = match folder {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(cannot)?),
        };
        let folder = match (folder, &temporary) {
            (Some(folder), _) => folder.to_owned(),
            (None, Some(temporary)) => temporary.path().to_owned(),
            (None, None) => return Err(Error::unexpected("a collection without a folder")),
        };
        clear(&folder)?;
        let mut journal = private_file(&folder.join(JOURNAL))?;
        let head = Head {
            provider: format.provider.to_owned(),
            run: run.to_owned(),
        };
        write_line(&mut journal, &head)?;
        Ok(Self {
            folder,
            format,
            _temporary: temporary,
            journal,
            answers: BTreeMap::new(),
            files: 0,
            pages: 0,
        })
    }

    /// Takes up what a process left in a folder, where it is of this run.
    ///
    /// # Errors
    /// `store` where the folder cannot be read or written.
    pub fn resume(folder: &Path, run: &str, format: &'static Format) -> Result<Option<Self>> {
        let path = folder.join(JOURNAL);
        let Ok(found) = File::open(&path) else {
            return Ok(None);
        };
        let mut lines = BufReader::new(found).split(b'\n');
        let head = lines
            .next()
            .transpose()
            .map_err(cannot)?
            .unwrap_or_default();
        let mut read = head.len() as u64 + 1;
        let head: Option<Head> = serde_json::from_slice(&head).ok();
        if head.is_none_or(|head| head.run != run || head.provider != format.provider) {
            return Ok(None);
        }
        let journal = File::options().append(true).open(&path).map_err(cannot)?;
        let mut taken_up = Self {
            folder: folder.to_owned(),
            format,
            _temporary: None,
            journal,
            answers: BTreeMap::new(),
            files: 0,
            pages: 0,
        };
        let mut lengths = BTreeMap::new();
        for line in lines {
            let line = line.map_err(cannot)?;
            // A torn last line is a page that is asked again.
            let Ok(entry) = serde_json::from_slice::<Entry>(&line) else {
                break;
            };
            read += line.len() as u64 + 1;
            if let Some(file) = &entry.file {
                lengths.insert(file.clone(), entry.length);
            }
            taken_up.note(entry);
        }
        lengths.insert(JOURNAL.to_owned(), read);
        for (file, length) in lengths {
            let file = File::options().write(true).open(folder.join(file));
            file.and_then(|file| file.set_len(length)).map_err(cannot)?;
        }
        Ok(Some(taken_up))
    }

    /// Pages that were answered.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// Whether every question is answered to its end.
    pub fn is_complete(&self, questions: &[Question]) -> bool {
        self.first_open(questions).is_none()
    }

    /// Asks the next page of the first question that is still open, or several questions about
    /// objects at once. Whether anything was left to ask.
    ///
    /// # Errors
    /// Of the vendor, where nothing is known by it; `store` where the answer cannot be kept.
    pub async fn advance(
        &mut self,
        cx: &OpContext,
        vendor: &dyn Asker,
        questions: &[Question],
    ) -> Result<bool> {
        let Some(at) = self.first_open(questions) else {
            return Ok(false);
        };
        let (Some(question), rest) = (questions.get(at), questions.get(at..).unwrap_or_default())
        else {
            return Ok(false);
        };
        let path = question.path();
        let next = self.answers.get(&path).and_then(|held| held.next.clone());
        if next.is_none() && question.id.is_some() {
            let group = rest.iter().filter(|it| it.id.is_some() && self.is_new(it));
            let group: Vec<Question> = group.take(AT_ONCE).cloned().collect();
            let answers = vendor.objects(cx, &group).await?;
            for (question, answer) in group.iter().zip(answers) {
                self.keep(question.path(), answer)?;
            }
            return Ok(true);
        }
        let answer = vendor.page(cx, question, next.as_deref()).await?;
        self.keep(path, answer)?;
        Ok(true)
    }

    /// Ends the collection with its manifest: everything but the answers. The collection stays
    /// with whoever holds it, and the folder with the collection.
    ///
    /// # Errors
    /// `store` where the manifest cannot be written; what [`Snapshot::open`] says.
    pub fn snapshot(&self, mut manifest: Map<String, Value>) -> Result<Snapshot> {
        let mut files = Map::new();
        for (path, held) in &self.answers {
            let lies = match &held.content {
                Content::Nothing => continue,
                Content::Small(body) => serde_json::from_str(body.get())
                    .map_err(|_| Error::unexpected("an answer in the journal is not JSON"))?,
                Content::File(name) => Value::from(name.as_str()),
            };
            files.insert(path.clone(), lies);
        }
        manifest.insert("provider".to_owned(), self.format.provider.into());
        manifest.insert(FILES.to_owned(), Value::Object(files));
        let mut file = private_file(&self.folder.join(MANIFEST))?;
        write_line(&mut file, &manifest)?;
        Snapshot::open(&self.folder, self.format)
    }

    fn first_open(&self, questions: &[Question]) -> Option<usize> {
        let is_open = |question: &Question| {
            let held = self.answers.get(&question.path());
            held.is_none_or(|held| !held.done)
        };
        questions.iter().position(is_open)
    }

    fn is_new(&self, question: &Question) -> bool {
        !self.answers.contains_key(&question.path())
    }

    fn keep(&mut self, path: String, answer: Answered) -> Result<()> {
        let (body, next) = match answer {
            Answered::Page { body, next } => (body, next),
            Answered::Refused(body) => return self.keep_small(path, &body, None),
            Answered::Expired => return self.restart(path),
        };
        if next
            .as_deref()
            .is_some_and(|next| self.was_followed(&path, next))
        {
            // Pages that lead round in circles are no collection; what came before is not trusted.
            let error = json!({"error": {"code": REPEATED_PAGE, "message": "a page leads back to an earlier one"}});
            return self.keep_small(path, error.to_string().as_bytes(), None);
        }
        let begun = self.answers.get(&path).map(|held| &held.content);
        let is_file = matches!(begun, Some(Content::File(_)));
        let is_text = body.trim_ascii_start().starts_with(b"\"");
        if !is_file && next.is_none() && body.len() <= SMALL && !is_text {
            return self.keep_small(path, &body, next);
        }
        self.keep_page(path, &body, next)
    }

    fn was_followed(&self, path: &str, next: &str) -> bool {
        let held = self.answers.get(path);
        held.is_some_and(|held| held.seen.contains(&hash(next)))
    }

    fn keep_small(&mut self, path: String, body: &[u8], next: Option<String>) -> Result<()> {
        let small = serde_json::from_slice(&one_line(body)).map_err(|_| not_json())?;
        self.enter(Entry {
            small: Some(small),
            next,
            ..Entry::of(path)
        })
    }

    /// Lets go of what is there of a listing. One that expires a second time is no collection.
    fn restart(&mut self, path: String) -> Result<()> {
        let held = self.answers.get(&path);
        if held.is_none_or(|held| held.restarted) {
            let error = json!({"error": {"code": EXPIRED_PAGE, "message": "a page was gone before it was asked for"}});
            return self.keep_small(path, error.to_string().as_bytes(), None);
        }
        let file = held.and_then(|held| match &held.content {
            Content::File(name) => Some(name.clone()),
            Content::Nothing | Content::Small(_) => None,
        });
        if let Some(name) = &file {
            let file = File::options().write(true).open(self.folder.join(name));
            file.and_then(|file| file.set_len(0)).map_err(cannot)?;
        }
        self.enter(Entry {
            file,
            restart: true,
            ..Entry::of(path)
        })
    }

    fn keep_page(&mut self, path: String, body: &[u8], next: Option<String>) -> Result<()> {
        let name = match self.answers.get(&path).map(|held| &held.content) {
            Some(Content::File(name)) => name.clone(),
            _ => format!("{:04}.ndjson", self.files + 1),
        };
        let file = self.folder.join(&name);
        let mut file = if file.exists() {
            File::options().append(true).open(&file).map_err(cannot)?
        } else {
            private_file(&file)?
        };
        let written = file.write_all(&one_line(body));
        written
            .and_then(|()| file.write_all(b"\n"))
            .map_err(cannot)?;
        let length = file.metadata().map_err(cannot)?.len();
        self.enter(Entry {
            file: Some(name),
            length,
            next,
            ..Entry::of(path)
        })
    }

    /// Writes an entry to the journal and takes note of it.
    fn enter(&mut self, entry: Entry) -> Result<()> {
        write_line(&mut self.journal, &entry)?;
        self.note(entry);
        Ok(())
    }

    fn note(&mut self, entry: Entry) {
        let held = self.answers.entry(entry.path).or_default();
        if entry.restart {
            held.restarted = true;
            held.seen.clear();
        }
        held.done = entry.next.is_none() && !entry.restart;
        held.seen.extend(entry.next.as_deref().map(hash));
        held.next = entry.next;
        match (entry.small, entry.file) {
            (Some(small), _) => held.content = Content::Small(small),
            (None, Some(name)) => {
                let is_known = matches!(&held.content, Content::File(known) if *known == name);
                self.files += usize::from(!is_known);
                held.content = Content::File(name);
            }
            (None, None) => {}
        }
        self.pages += 1;
    }
}

/// The code of the error that stands for a collection whose pages lead round in circles.
pub const REPEATED_PAGE: &str = "protect.repeated_page";

/// The code of the error that stands for a collection whose pages expire faster than they are asked for.
pub const EXPIRED_PAGE: &str = "protect.expired_page";

impl Entry {
    /// Nothing of a path yet.
    fn of(path: String) -> Self {
        Self {
            path,
            small: None,
            file: None,
            length: 0,
            next: None,
            restart: false,
        }
    }
}

/// Makes a folder, or empties one that holds nothing but an earlier collection.
fn clear(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(cannot)?;
    let entries: Vec<_> = fs::read_dir(folder)
        .and_then(Iterator::collect)
        .map_err(cannot)?;
    let is_ours = |name: &str| {
        let numbered = name
            .strip_suffix(".ndjson")
            .is_some_and(|stem| stem.len() >= 4 && stem.bytes().all(|byte| byte.is_ascii_digit()));
        numbered || name == JOURNAL || name == MANIFEST
    };
    let all_ours = entries
        .iter()
        .all(|entry: &fs::DirEntry| entry.file_name().to_str().is_some_and(is_ours));
    if !all_ours {
        return Err(Error::new(
            ErrorKind::Store,
            "the folder for snapshots holds other files; give it one of its own",
        ));
    }
    for entry in entries {
        fs::remove_file(entry.path()).map_err(cannot)?;
    }
    Ok(())
}

/// A file that only its owner can read, since a tenant's people stand in it.
fn private_file(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(cannot)
}

/// JSON has line breaks only between its parts, where a space does as well.
fn one_line(body: &[u8]) -> Cow<'_, [u8]> {
    // Two searches for one byte each, which are far quicker than one for either.
    if !body.contains(&b'\n') && !body.contains(&b'\r') {
        return body.into();
    }
    let plain = |byte: &u8| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    };
    body.iter().map(plain).collect()
}

fn write_line(file: &mut File, value: &impl Serialize) -> Result<()> {
    let mut line = serde_json::to_vec(value)
        .map_err(|_| Error::unexpected("a line of the journal is not JSON"))?;
    line.push(b'\n');
    file.write_all(&line).map_err(cannot)
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn not_json() -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "the vendor's answer is not JSON",
    )
}

fn cannot(error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("the snapshot cannot be kept: {}", error.kind()),
    )
    .with_source(error)
}

#[cfg(test)]
#[path = "collector_tests.rs"]
mod tests;
