//! Folders of reports, and what of them was read before.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use protect_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Folders within folders.
const DEPTH: usize = 8;

/// A regular file below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Where it is.
    pub path: PathBuf,
    /// The same from the folder on, with `/` between the names.
    pub name: String,
    stamp: Stamp,
}

/// What tells a file from what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    length: u64,
    /// Nanoseconds since 1970, where the file system has them.
    modified: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let modified = metadata.modified().ok();
        let since = modified.and_then(|moment| moment.duration_since(UNIX_EPOCH).ok());
        Self {
            length: metadata.len(),
            modified: since.map_or(0, |since| {
                u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
            }),
        }
    }
}

/// What of a folder was read. Stored with what came out of it, so that neither is without the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FolderCursor {
    files: BTreeMap<String, Stamp>,
}

impl FolderCursor {
    /// Whether a file is new, or not what it was when it was read.
    pub fn is_due(&self, file: &ReportFile) -> bool {
        self.files.get(&file.name) != Some(&file.stamp)
    }

    /// Remembers that a file was read, as it was when it was found.
    pub fn mark(&mut self, file: &ReportFile) {
        self.files.insert(file.name.clone(), file.stamp);
    }

    /// Forgets files that are gone, given those that are there.
    pub fn keep_only(&mut self, present: &[ReportFile]) {
        let present: std::collections::HashSet<&str> =
            present.iter().map(|file| file.name.as_str()).collect();
        self.files.retain(|name, _| present.contains(name.as_str()));
    }

    /// How many files it remembers.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

/// The regular files below a folder, by name. Hidden ones, symbolic links and the folder in which a
/// Maildir receives are left out.
///
/// # Errors
/// `not_found`, or `unavailable` where a folder cannot be read.
pub fn files(folder: &Path) -> Result<Files> {
    let mut files = Files {
        root: folder.to_owned(),
        levels: Vec::new(),
    };
    files.descend(folder)?;
    Ok(files)
}

/// Goes through a folder; of each level it holds only the names.
#[derive(Debug)]
pub struct Files {
    root: PathBuf,
    /// Names yet to come, the last one first.
    levels: Vec<Vec<PathBuf>>,
}

impl Files {
    fn descend(&mut self, folder: &Path) -> Result<()> {
        let unreadable = |error: std::io::Error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::NotFound,
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, format!("the folder cannot be read: {error}"))
                .with_context("folder", folder.display().to_string())
        };
        if self.levels.len() >= DEPTH {
            return Err(Error::invalid_input("folders lie too deep within folders")
                .with_context("folder", folder.display().to_string()));
        }
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                paths.push(entry.path());
            }
        }
        let is_named = |path: &PathBuf, name: &str| path.file_name().is_some_and(|it| it == name);
        if paths.iter().any(|path| is_named(path, "cur")) {
            paths.retain(|path| !is_named(path, "tmp"));
        }
        paths.sort_unstable_by(|one, other| other.cmp(one));
        self.levels.push(paths);
        Ok(())
    }

    fn look(&mut self, path: PathBuf) -> Result<Option<ReportFile>> {
        let metadata = match fs::symlink_metadata(&path) {
            Ok(metadata) => metadata,
            // It was there a moment ago; whoever took it away has it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    format!("the file cannot be read: {error}"),
                )
                .with_context("file", path.display().to_string()));
            }
        };
        if metadata.is_dir() {
            self.descend(&path)?;
            return Ok(None);
        }
        Ok(metadata.is_file().then(|| ReportFile {
            name: name_below(&self.root, &path),
            stamp: Stamp::of(&metadata),
            path,
        }))
    }
}

impl Iterator for Files {
    type Item = Result<ReportFile>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let Some(path) = self.levels.last_mut()?.pop() else {
                self.levels.pop();
                continue;
            };
            if let Some(found) = self.look(path).transpose() {
                return Some(found);
            }
        }
    }
}

fn name_below(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let names: Vec<_> = below.iter().map(|name| name.to_string_lossy()).collect();
    names.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(folder: &Path, cursor: &FolderCursor) -> Vec<ReportFile> {
        let files = files(folder).unwrap().map(Result::unwrap);
        files.filter(|file| cursor.is_due(file)).collect()
    }

    #[test]
    fn what_was_read_is_not_due_again_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.xml"), "one").unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/c.xml"), "two").unwrap();
        let mut cursor = FolderCursor::default();
        let found = due(folder.path(), &cursor);
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.xml", "b/c.xml"]);
        for file in &found {
            cursor.mark(file);
        }
        let stored = serde_json::to_string(&cursor).unwrap();
        let mut cursor: FolderCursor = serde_json::from_str(&stored).unwrap();
        assert_eq!(due(folder.path(), &cursor), []);

        fs::write(folder.path().join("a.xml"), "longer").unwrap();
        fs::write(folder.path().join("d.xml"), "new").unwrap();
        let found = due(folder.path(), &cursor);
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["a.xml", "d.xml"]);

        cursor.keep_only(&found);
        assert_eq!(cursor.len(), 1);
    }

    #[test]
    fn hidden_files_links_and_unfinished_deliveries_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["cur", "new", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("mail"), "x").unwrap();
        }
        fs::write(folder.path().join(".hidden"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
        let found = due(folder.path(), &FolderCursor::default());
        let names: Vec<_> = found.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["cur/mail", "new/mail"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = files(Path::new("/nowhere/at/all")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("/nowhere/at/all"));
    }
}
