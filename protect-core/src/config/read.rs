//! Reads a JSON value piece by piece, noting every problem with its place instead of stopping at
//! the first.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Map, Value};

use super::duration::parse_duration;
use super::problem::{ConfigProblem, Place, nearest, unknown_word};
use crate::error::{Error, ErrorKind};
use crate::registry::Registry;

/// What the reading of one configuration shares.
pub(super) struct Reader<'a> {
    pub(super) registry: &'a Registry,
    /// Relative paths are resolved against it.
    pub(super) folder: &'a Path,
    problems: RefCell<Vec<ConfigProblem>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(registry: &'a Registry, folder: &'a Path) -> Self {
        Self {
            registry,
            folder,
            problems: RefCell::default(),
        }
    }

    pub(super) fn note(&self, problem: ConfigProblem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(super) fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems.into_inner()
    }
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Value,
    pub(super) place: Place,
    pub(super) reader: &'a Reader<'a>,
}

impl<'a> Node<'a> {
    /// Notes a problem here. Always gives `None`, so that callers can end with it.
    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.note(self.place.problem(message));
        None
    }

    /// Notes something here that is planned and not there yet.
    pub(super) fn unsupported<T>(&self, message: impl Into<String>) -> Option<T> {
        self.reader.note(ConfigProblem {
            kind: ErrorKind::Unsupported,
            ..self.place.problem(message)
        });
        None
    }

    /// Notes that a word is none of the known ones.
    pub(super) fn unknown<'k, T>(
        &self,
        what: &str,
        word: &str,
        known: impl Iterator<Item = &'k str> + Clone,
    ) -> Option<T> {
        let (message, suggestion) = unknown_word(what, word, known);
        self.reader.note(ConfigProblem {
            suggestion,
            ..self.place.problem(message)
        });
        None
    }

    /// The same value, with its place told more exactly.
    pub(super) fn at(&self, change: impl FnOnce(&mut Place)) -> Self {
        let mut node = self.clone();
        change(&mut node.place);
        node
    }

    pub(super) fn table(&self) -> Option<Table<'a>> {
        match self.value {
            Value::Object(map) => Some(Table {
                node: self.clone(),
                map,
                known: RefCell::default(),
            }),
            _ => self.wrong("expected a table"),
        }
    }

    pub(super) fn list(&self) -> Option<Vec<Node<'a>>> {
        match self.value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, value)| Node {
                        value,
                        place: self.place.item(index),
                        reader: self.reader,
                    })
                    .collect(),
            ),
            _ => self.wrong("expected a list"),
        }
    }

    /// Every item of a list; all of them are looked at before one that is wrong spoils the list.
    pub(super) fn each<T>(&self, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let items: Vec<Option<T>> = self.list()?.iter().map(read).collect();
        items.into_iter().collect()
    }

    /// The same of a list that must not be empty, or of a single item that stands for a list.
    pub(super) fn one_or_more<T>(&self, read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
        let items: Vec<Option<T>> = self.items()?.iter().map(read).collect();
        items.into_iter().collect()
    }

    fn items(&self) -> Option<Vec<Node<'a>>> {
        match self.value {
            Value::Array(items) if items.is_empty() => self.wrong("an empty list"),
            Value::Array(_) => self.list(),
            _ => Some(vec![self.clone()]),
        }
    }

    /// Text that is not empty, as written.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::String(text) if !text.trim().is_empty() => Some(text),
            Value::String(_) => self.wrong("must not be empty"),
            _ => self.wrong("expected text"),
        }
    }

    /// Text of one of our own types.
    pub(super) fn parsed<T>(&self, parse: impl FnOnce(&str) -> Result<T, Error>) -> Option<T> {
        match parse(self.text()?) {
            Ok(parsed) => Some(parsed),
            Err(error) => self.wrong(error.message()),
        }
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(*value),
            _ => self.wrong("expected true or false"),
        }
    }

    pub(super) fn integer(&self, min: i64, max: i64) -> Option<i64> {
        match self.value.as_i64() {
            Some(number) if (min..=max).contains(&number) => Some(number),
            Some(_) => self.wrong(format!("must be between {min} and {max}")),
            None => self.wrong("expected a whole number"),
        }
    }

    pub(super) fn percent(&self) -> Option<f64> {
        match self.value.as_f64() {
            Some(number) if (0.0..=100.0).contains(&number) => Some(number),
            Some(_) => self.wrong("must be between 0 and 100"),
            None => self.wrong("expected a number"),
        }
    }

    pub(super) fn duration(&self) -> Option<Duration> {
        self.parsed(parse_duration)
    }

    /// A path, resolved against the configuration's folder.
    pub(super) fn path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.contains('\0') {
            return self.wrong("not a path");
        }
        Some(self.reader.folder.join(text))
    }

    /// One of some words.
    pub(super) fn word<T: Clone>(&self, what: &str, known: &[(&str, T)]) -> Option<T> {
        let text = self.text()?;
        match known.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Some(meaning.clone()),
            None => self.unknown(what, text, known.iter().map(|(word, _)| *word)),
        }
    }
}

/// A table, which remembers what it was asked for: every other key is an error.
pub(super) struct Table<'a> {
    pub(super) node: Node<'a>,
    map: &'a Map<String, Value>,
    known: RefCell<Vec<String>>,
}

impl<'a> Table<'a> {
    /// The same table, with its place told more exactly.
    pub(super) fn at(mut self, change: impl FnOnce(&mut Place)) -> Self {
        change(&mut self.node.place);
        self
    }

    /// What stands under a key; an explicit null counts as nothing.
    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.known.borrow_mut().push(key.to_owned());
        let value = self.map.get(key).filter(|value| !value.is_null())?;
        Some(Node {
            value,
            place: self.node.place.key(key),
            reader: self.node.reader,
        })
    }

    /// What stands under a key that must be there; `hint` says what to write.
    pub(super) fn need(&self, key: &str, hint: &str) -> Option<Node<'a>> {
        let found = self.get(key);
        if found.is_none() {
            let place = self.node.place.key(key);
            self.node
                .reader
                .note(place.problem(format!("missing: {hint}")));
        }
        found
    }

    /// Every entry, for tables whose keys are names; an explicit null counts as nothing.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Node<'a>)> + '_ {
        let entries = self.map.iter().filter(|(_, value)| !value.is_null());
        entries.map(|(key, value)| {
            let node = Node {
                value,
                place: self.node.place.key(key),
                reader: self.node.reader,
            };
            (key.as_str(), node)
        })
    }

    /// Whether nothing stands in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let known = self.known.borrow();
        for (key, node) in self.entries() {
            if known.iter().any(|name| name == key) {
                continue;
            }
            let suggestion = nearest(key, known.iter().map(String::as_str));
            let message = match suggestion {
                Some(near) => format!("unknown key; did you mean `{near}`?"),
                None if known.is_empty() => "unknown key; none is known here".to_owned(),
                None => format!("unknown key; known here: {}", known.join(", ")),
            };
            node.reader.note(ConfigProblem {
                suggestion: suggestion.map(str::to_owned),
                ..node.place.problem(message)
            });
        }
    }
}
