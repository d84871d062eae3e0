//! The log as plain data, for programs in other languages: `log_to` in Python, `logTo` in Node. A program
//! in Rust has [`tracing`] itself.
//!
//! Only lines of protect's own are told: what another library says of a request may hold anything.

use std::fmt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use protect_core::model::TenantId;
use protect_core::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber, span};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::reload;

/// What the targets of protect's own lines begin with.
const OURS: &str = "protect";

/// How many lines wait for a receiver that is slow.
const WAITING: usize = 4_096;

/// How bad a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Something that should not happen.
    Error,
    /// Something went wrong and was dealt with: tried again, refused, left for later.
    Warn,
    /// What happens.
    Info,
    /// Each request to a vendor.
    Debug,
    /// Everything.
    Trace,
}

/// One line of the log. It holds no secret, token, address or full URL.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LogLine {
    /// How bad it is.
    pub level: LogLevel,
    /// The part of protect that says it, such as `protect::http`.
    pub target: String,
    /// What happened.
    pub message: String,
    /// The one tenant that it is about; null for what is no tenant's: a sign-in by nobody that is known, say.
    pub tenant: Option<TenantId>,
    /// The particulars by name, such as `operation` and `attempt`.
    pub fields: Map<String, Value>,
}

impl LogLevel {
    /// Reads a level by its name.
    ///
    /// # Errors
    /// `invalid_input`.
    pub fn parse(name: &str) -> Result<Self> {
        serde_json::from_value(name.into()).map_err(|_| {
            Error::invalid_input("a level is `error`, `warn`, `info`, `debug` or `trace`")
                .with_context("argument", "level")
        })
    }

    fn of(level: Level) -> Self {
        match level {
            Level::ERROR => Self::Error,
            Level::WARN => Self::Warn,
            Level::INFO => Self::Info,
            Level::DEBUG => Self::Debug,
            Level::TRACE => Self::Trace,
        }
    }

    fn filter(self) -> Targets {
        let level = match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        };
        Targets::new().with_target(OURS, level)
    }
}

/// A subscriber that tells each line from `level` up to `receive`, at once and where it is logged: for a
/// part of a program. A whole program in another language has [`send_to`].
pub fn subscriber(
    level: LogLevel,
    receive: impl Fn(LogLine) + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    Registry::default()
        .with(level.filter())
        .with(Lines { receive })
}

/// Has the lines of this process from `level` up told to `receive`, on a thread of its own and in order, in
/// place of whoever was told before. Whoever logs waits for nobody: a line for which there is no room is
/// dropped, and the receiver is told how many were. A fork takes no threads along: its child calls this again.
///
/// # Errors
/// `conflict` where the program has a subscriber of `tracing` of its own; `unavailable` where the machine
/// gives no thread.
pub fn send_to(level: LogLevel, receive: impl Fn(LogLine) + Send + 'static) -> Result<()> {
    let global = global()?;
    let (queue, lines) = sync_channel(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&lost);
    let thread = thread::Builder::new()
        .name("protect-log".to_owned())
        .spawn(move || tell(&lines, &counted, receive))
        .map_err(|error| {
            Error::new(ErrorKind::Unavailable, "cannot start the log's thread").with_source(error)
        })?;
    let sending = Sending {
        queue,
        lost,
        thread,
        pid: process::id(),
    };
    *locked(&SENDING) = Some(sending);
    global.modify(level.filter())
}

/// Tells nobody any more. What was logged until now is still told.
pub fn stop() -> Stopped {
    if let Some(Ok(global)) = GLOBAL.get() {
        // A filter that cannot be changed lets lines through to nobody.
        let _ = global.modify(Targets::new());
    }
    Stopped(locked(&SENDING).take())
}

/// Whoever was told, with lines that may wait.
#[must_use = "what waits may be waited for"]
pub struct Stopped(Option<Sending>);

impl Stopped {
    /// Waits until every line is told.
    pub fn wait(self) {
        let Some(Sending {
            queue, thread, pid, ..
        }) = self.0
        else {
            return;
        };
        drop(queue);
        // The thread of a fork's parent is not here, and a receiver may be who asks.
        if pid == process::id() && thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

/// Whoever is told.
struct Sending {
    queue: SyncSender<LogLine>,
    lost: Arc<AtomicU64>,
    thread: JoinHandle<()>,
    pid: u32,
}

static SENDING: Mutex<Option<Sending>> = Mutex::new(None);

/// The filter of the process's subscriber, which stays once it is there.
struct Global(reload::Handle<Targets, Registry>);

static GLOBAL: OnceLock<std::result::Result<Global, ()>> = OnceLock::new();

impl Global {
    fn modify(&self, filter: Targets) -> Result<()> {
        self.0.reload(filter).map_err(|error| {
            Error::unexpected("the log's filter cannot be changed").with_source(error)
        })
    }
}

fn global() -> Result<&'static Global> {
    let made = GLOBAL.get_or_init(|| {
        let (filter, handle) = reload::Layer::new(Targets::new());
        let subscriber = Registry::default()
            .with(filter)
            .with(Lines { receive: queue });
        let set = tracing::subscriber::set_global_default(subscriber);
        set.map(|()| Global(handle)).map_err(drop)
    });
    made.as_ref().map_err(|()| {
        Error::new(
            ErrorKind::Conflict,
            "this program has a subscriber of `tracing` of its own",
        )
    })
}

fn queue(line: LogLine) {
    if let Some(sending) = &*locked(&SENDING)
        && sending.queue.try_send(line).is_err()
    {
        sending.lost.fetch_add(1, Ordering::Relaxed);
    }
}

fn tell(lines: &Receiver<LogLine>, lost: &AtomicU64, receive: impl Fn(LogLine)) {
    for line in lines {
        receive(line);
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            receive(LogLine {
                level: LogLevel::Warn,
                target: "protect::log".to_owned(),
                message: "lines were dropped, since those before them waited too long".to_owned(),
                tenant: None,
                fields: Map::from_iter([("lost".to_owned(), json!(lost))]),
            });
        }
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes a [`LogLine`] of each event, with what the spans around it say.
struct Lines<F> {
    receive: F,
}

impl<S, F> Layer<S> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    F: Fn(LogLine) + Send + Sync + 'static,
{
    fn on_new_span(&self, given: &span::Attributes<'_>, id: &span::Id, cx: Context<'_, S>) {
        if let Some(span) = cx.span(id) {
            let mut fields = Fields::default();
            given.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, cx: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in cx.event_scope(event).into_iter().flatten() {
            if let Some(Fields(around)) = span.extensions().get() {
                // The innermost comes first, and has the word.
                for (name, value) in around {
                    fields.0.entry(name).or_insert_with(|| value.clone());
                }
            }
        }
        event.record(&mut fields);
        (self.receive)(fields.line(event.metadata()));
    }
}

#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn line(mut self, metadata: &Metadata<'_>) -> LogLine {
        let tenant = self.0.remove("tenant");
        LogLine {
            level: LogLevel::of(*metadata.level()),
            target: metadata.target().to_owned(),
            message: match self.0.remove("message") {
                Some(Value::String(message)) => message,
                _ => String::new(),
            },
            tenant: tenant.and_then(|tenant| tenant.as_str()?.parse().ok()),
            fields: self.0,
        }
    }

    fn put(&mut self, field: &Field, value: Value) {
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, json!(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, json!(format!("{value:?}")));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_line_has_what_is_said_around_it_and_names_its_tenant() {
        let (told, lines) = channel();
        let told = Mutex::new(told);
        let subscriber = subscriber(LogLevel::Info, move |line| {
            locked(&told).send(line).unwrap();
        });
        tracing::subscriber::with_default(subscriber, || {
            let span = tracing::warn_span!(target: "protect::http", "operation", tenant = %"acme", attempt = 1);
            span.in_scope(|| {
                tracing::warn!(target: "protect::http", attempt = 2, safe = true, kind = ?"timeout", "trying again");
                tracing::debug!(target: "protect::http", "below the level");
                tracing::error!(target: "reqwest", "somebody else's");
            });
            tracing::info!(target: "protect_web", "nobody's");
        });
        let lines: Vec<_> = lines.iter().collect();
        assert_eq!(
            json!(lines),
            json!([
                {
                    "level": "warn", "target": "protect::http", "message": "trying again", "tenant": "acme",
                    "fields": { "attempt": 2, "safe": true, "kind": "\"timeout\"" },
                },
                {
                    "level": "info", "target": "protect_web", "message": "nobody's", "tenant": null,
                    "fields": {},
                },
            ])
        );
    }

    #[test]
    fn the_process_tells_one_receiver_at_a_time_and_what_it_lost() {
        let (told, lines) = channel();
        let (release, held) = channel::<()>();
        let receive = move |line: LogLine| {
            let _ = held.recv();
            // Other tests of this process log, too.
            if ["protect::test", "protect::log"].contains(&line.target.as_str()) {
                told.send(line.message).unwrap();
            }
        };
        send_to(LogLevel::Warn, receive).unwrap();
        for number in 0..WAITING + 10 {
            tracing::warn!(target: "protect::test", "line {number}");
        }
        tracing::info!(target: "protect::test", "not asked for");
        drop(release);
        stop().wait();
        let told: Vec<_> = lines.iter().collect();
        assert_eq!(told[0], "line 0");
        assert!(
            told.iter()
                .any(|line| line.starts_with("lines were dropped"))
        );
        assert!(told.len() < WAITING + 10, "{}", told.len());

        let (told, lines) = channel();
        let receive = move |line: LogLine| {
            if line.target == "protect::test" {
                told.send(line.message).unwrap();
            }
        };
        send_to(LogLevel::Error, receive).unwrap();
        tracing::warn!(target: "protect::test", "of the level before");
        tracing::error!(target: "protect::test", "for the second");
        stop().wait();
        tracing::error!(target: "protect::test", "for nobody");
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["for the second"]);
        assert!(LogLevel::parse("loud").is_err());
    }
}
