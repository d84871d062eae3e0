//! Processes of their own, so that memory can be told and nobody shares a runtime with whom they are
//! measured against. All are this program again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use protect_sandbox::SandboxBuilder;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::measure::count_as_f64;

/// A sandbox in a process of its own, until it is dropped.
pub(crate) struct SandboxPart {
    child: Child,
    /// Addresses and credentials.
    pub(crate) description: Value,
}

impl SandboxPart {
    /// Starts the part of this name, which is to call [`serve`].
    pub(crate) fn start(words: &[&str]) -> Self {
        let mut child = spawn(words);
        let mut line = String::new();
        let out = child.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        Self {
            child,
            description: serde_json::from_str(&line).unwrap(),
        }
    }
}

impl Drop for SandboxPart {
    fn drop(&mut self) {
        // It ends when it can read no more.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Plays a part that is told `task`, and gives what it says.
pub(crate) fn run<T: DeserializeOwned>(words: &[&str], task: &Value) -> T {
    let mut child = spawn(words);
    let mut input = child.stdin.take().unwrap();
    input.write_all(task.to_string().as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{words:?} failed");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn spawn(words: &[&str]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Within the part: what it was told.
pub(crate) fn task() -> Value {
    serde_json::from_reader(std::io::stdin()).unwrap()
}

/// Within the part: serves a sandbox until nobody wants it any more.
pub(crate) async fn serve(builder: SandboxBuilder) {
    let sandbox = builder.start().await.unwrap();
    println!("{}", sandbox.describe());
    let wait = || std::io::stdin().read_to_end(&mut Vec::new());
    tokio::task::spawn_blocking(wait).await.unwrap().unwrap();
    sandbox.shutdown().await;
}

/// Within the part: the most memory this process ever had, in KiB, where the system tells.
pub(crate) fn peak_kib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: usize = line.split_whitespace().next()?.parse().ok()?;
    Some(count_as_f64(kib))
}

/// The most of any run in MiB, not the median: it is a bound.
pub(crate) fn most_mib(peaks: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let peaks = peaks.collect::<Option<Vec<f64>>>()?;
    Some(peaks.into_iter().fold(0.0, f64::max) / 1024.0)
}

/// A text that must be there.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
