//! The one place that prints: JSON for programs, text for people.

use std::io::{self, IsTerminal, Write};

use protect_connectors::core::config::ConfigErrors;
use protect_connectors::core::{Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::exit::Exit;
use crate::page::{Look, Page, Table, Text, Tone};

/// What a command answers, in both forms.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// For programs.
    pub(crate) document: Value,
    /// For people.
    pub(crate) page: Page,
    /// What the exit status says, and `complete`.
    pub(crate) exit: Exit,
}

impl Answer {
    /// One model.
    pub(crate) fn one<T: Serialize>(model: &T, page: Page) -> Result<Self> {
        Ok(Self {
            document: data(model)?,
            page,
            exit: Exit::OK,
        })
    }

    /// Several models under a name.
    pub(crate) fn many<T: Serialize>(name: &str, models: &[T], page: Page) -> Result<Self> {
        Ok(Self {
            document: json!({ name: data(&models)? }),
            page,
            exit: Exit::OK,
        })
    }

    /// Nothing more to print: only the exit status is left.
    pub(crate) fn printed(exit: Exit) -> Self {
        Self {
            document: Value::Null,
            page: Page::new(),
            exit,
        }
    }

    /// The same with another exit status.
    #[must_use]
    pub(crate) fn exit(mut self, exit: Exit) -> Self {
        self.exit = self.exit.and(exit);
        self
    }
}

/// A model as JSON.
pub(crate) fn data<T: Serialize + ?Sized>(model: &T) -> Result<Value> {
    serde_json::to_value(model)
        .map_err(|error| Error::unexpected("an answer has no JSON form").with_source(error))
}

/// Where answers go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    json: bool,
    look: Look,
    errors: Look,
}

impl Output {
    /// As standard output, standard error and `NO_COLOR` want it.
    pub(crate) fn new(json: bool) -> Self {
        Self {
            json,
            look: look(io::stdout().is_terminal(), console::colors_enabled(), true),
            errors: look(
                io::stderr().is_terminal(),
                console::colors_enabled_stderr(),
                false,
            ),
        }
    }

    /// Whether programs read it.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether somebody watches standard error and wants to see progress.
    pub(crate) fn shows_progress(self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// Prints an answer.
    pub(crate) fn answer(self, answer: &Answer) -> Result<()> {
        if answer.document.is_null() {
            return Ok(());
        }
        if self.json {
            let complete = answer.exit.is_complete();
            return raw(&pretty(&with_complete(answer.document.clone(), complete)));
        }
        self.page(&answer.page)
    }

    /// Prints text for people; nothing for programs.
    pub(crate) fn page(self, page: &Page) -> Result<()> {
        if self.json {
            return Ok(());
        }
        print(&mut io::stdout().lock(), &page.render(self.look))
    }

    /// Prints an item of a stream: a line of JSON, or text.
    pub(crate) fn item<T: Serialize>(self, model: &T, page: &Page) -> Result<()> {
        if self.json {
            return raw(&format!("{}\n", data(model)?));
        }
        self.page(page)
    }

    /// Begins one JSON document that is printed as it comes.
    pub(crate) fn stream() -> Stream {
        Stream {
            out: io::BufWriter::with_capacity(64 << 10, io::stdout().lock()),
        }
    }

    /// Prints an error: what, where, and what to do next.
    pub(crate) fn error(self, error: &Error) {
        let printed = if self.json {
            let mut envelope = data(&error.envelope()).unwrap_or(Value::Null);
            if let Some(errors) = ConfigErrors::of(error) {
                envelope["problems"] = json!(errors.problems());
            }
            raw(&pretty(&with_complete(envelope, false)))
        } else {
            print(
                &mut io::stderr().lock(),
                &error_page(error).render(self.errors),
            )
        };
        // There is nobody left to tell.
        drop(printed);
    }
}

/// A JSON document too large to be held: whoever writes it puts it together.
#[derive(Debug)]
pub(crate) struct Stream {
    out: io::BufWriter<io::StdoutLock<'static>>,
}

impl Stream {
    /// Punctuation and names.
    pub(crate) fn text(&mut self, text: &str) -> Result<()> {
        printed(self.out.write_all(text.as_bytes()))
    }

    /// A value.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        printed(serde_json::to_writer(&mut self.out, value).map_err(io::Error::from))
    }

    /// The end: everything is printed.
    pub(crate) fn end(mut self) -> Result<()> {
        printed(self.out.flush())
    }
}

/// Prints text as it is, such as a report.
pub(crate) fn raw(text: &str) -> Result<()> {
    print(&mut io::stdout().lock(), text)
}

fn look(terminal: bool, colour: bool, stdout: bool) -> Look {
    let size = if stdout {
        console::Term::stdout().size_checked()
    } else {
        console::Term::stderr().size_checked()
    };
    Look {
        colour: terminal && colour,
        width: size
            .filter(|_| terminal)
            .map(|(_, columns)| usize::from(columns).max(40)),
    }
}

fn print(to: &mut impl Write, text: &str) -> Result<()> {
    printed(to.write_all(text.as_bytes()).and_then(|()| to.flush()))
}

/// A reader that went away has read enough.
fn printed(result: io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Unavailable, "could not print").with_source(error))
        }
        _ => Ok(()),
    }
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

/// Says in an object whether it is the whole answer. A list of results is left as it is.
fn with_complete(document: Value, complete: bool) -> Value {
    match document {
        Value::Object(fields) => {
            let mut all = Map::new();
            all.insert("complete".to_owned(), complete.into());
            for (name, value) in fields {
                // A model's own word counts too: neither may hide the other's doubt.
                if name == "complete" {
                    let both = complete && value.as_bool().unwrap_or_default();
                    all.insert(name, both.into());
                } else {
                    all.insert(name, value);
                }
            }
            Value::Object(all)
        }
        other => other,
    }
}

fn error_page(error: &Error) -> Page {
    let mut page = Page::new();
    page.mixed([
        Text::new("error: ", Tone::Bad),
        error.message().to_owned().into(),
    ]);
    let mut facts = Table::bare().indent(2);
    let operation =
        Some(("at", error.operation().to_owned())).filter(|_| !error.operation().is_empty());
    let status = error
        .http_status()
        .map(|status| ("status", status.to_string()));
    let known = error
        .context()
        .iter()
        .map(|(key, value)| (*key, value.clone()));
    for (key, value) in known.chain(operation).chain(status) {
        facts.row([Text::faint(key), value.into()]);
    }
    page.table(facts);
    if let Some(hint) = hint(error) {
        page.mixed([Text::faint("  next: "), hint.into()]);
    }
    page
}

/// What to do about an error, where its message does not say so itself.
fn hint(error: &Error) -> Option<String> {
    if let Some(wait) = error.retry_after() {
        return Some(format!("try again in {} s", wait.as_secs().max(1)));
    }
    let hint = match error.kind() {
        ErrorKind::ConfigInvalid => "`protect schema config` describes every key",
        ErrorKind::Unauthenticated | ErrorKind::PermissionDenied => {
            "`protect doctor` names the credential and what it lacks"
        }
        ErrorKind::Timeout | ErrorKind::Unavailable if error.is_retryable() => {
            "try again; `protect doctor` says whether the vendor can be reached"
        }
        ErrorKind::Unexpected => "this is a defect; please report it with the line above",
        _ => return None,
    };
    Some(hint.to_owned())
}
