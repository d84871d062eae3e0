//! The log's lines, told to JavaScript.

use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi_derive::napi;
use protect_connectors::log::{self, LogLevel, LogLine};

use crate::errors::to_js;

/// How many lines wait for the event loop before the log's own thread waits.
const WAITING: usize = 256;

/// Is told a line, as JSON. It keeps no program alive.
type Receiver = ThreadsafeFunction<String, (), String, napi::Status, false, true, WAITING>;

/// Tells the function, and at last an empty text.
struct Teller(Receiver);

impl Teller {
    fn tell(&self, text: String) {
        self.0.call(text, ThreadsafeFunctionCallMode::Blocking);
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.tell(String::new());
    }
}

/// Has the log's lines from a level up told to a function, in turns of the event loop, and an empty text
/// after the last of them.
///
/// # Errors
/// The envelope of whatever went wrong, as JSON in the message.
#[napi]
pub fn log_send_to(level: String, receive: Receiver) -> napi::Result<()> {
    let teller = Teller(receive);
    let tell = move |line: LogLine| {
        if let Ok(line) = serde_json::to_string(&line) {
            teller.tell(line);
        }
    };
    LogLevel::parse(&level)
        .and_then(|level| log::send_to(level, tell))
        .map_err(|error| to_js(&error, "log.send_to"))
}

/// Tells nobody any more, but what was logged until now: that is for the event loop to do.
#[napi]
pub fn log_stop() {
    drop(log::stop());
}
