use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::Once;

use tracing_subscriber::filter::LevelFilter;

/// Everything that is logged while `work` is done, as text without colours, however low its level: of
/// this thread, so that a test needs a runtime of one thread.
///
/// One subscriber serves all tests of a process. One for each would miss lines: where a test without any
/// is the first to come by a line, that line is switched off for everybody.
pub async fn logged(work: impl Future<Output = ()>) -> String {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(|| ThisThread)
            .finish();
        let alone = tracing::subscriber::set_global_default(subscriber);
        assert!(alone.is_ok(), "another subscriber serves this process");
    });
    LINES.set(Some(Vec::new()));
    work.await;
    String::from_utf8_lossy(&LINES.take().unwrap_or_default()).into_owned()
}

thread_local! {
    /// What this thread has logged, while somebody asks.
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct ThisThread;

impl Write for ThisThread {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.with_borrow_mut(|lines| lines.as_mut().map(|lines| lines.extend_from_slice(line)));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
