//! Running the binary, and simulated vendors for it to talk to.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_protect");

/// What a run of the binary printed, and its exit status.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) status: i32,
}

impl Ran {
    /// The one JSON document that was printed.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("not one JSON document ({error}): {self:?}"))
    }

    /// The same, where all went well.
    pub(crate) fn good(&self) -> Value {
        assert_eq!(self.status, 0, "{self:?}");
        let document = self.json();
        assert_eq!(document["complete"], true, "{document}");
        document
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            status: output.status.code().unwrap(),
        }
    }
}

/// Types `protect` and these words, in this folder.
pub(crate) fn protect(folder: &Path, words: &[&str]) -> Ran {
    command(folder).args(words).output().unwrap().into()
}

/// The same with no more memory than this, in bytes: asked for more, the process ends.
#[cfg(unix)]
pub(crate) fn protect_within(folder: &Path, words: &[&str], memory: u64) -> Ran {
    let limited = format!("ulimit -v {} && exec \"$0\" \"$@\"", memory / 1024);
    let mut command = Command::new("sh");
    command.current_dir(folder).env_clear();
    let command = command.args(["-c", &limited, BINARY]).args(words);
    command.output().unwrap().into()
}

/// `protect`, in this folder, with nothing of ours in its environment.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.current_dir(folder).env_clear().env("USER", "alice");
    command
}

/// Simulated vendors in another process, and a folder with a configuration for them.
pub(crate) struct Vendors {
    process: Child,
    pub(crate) folder: TempDir,
    /// Variables and the secrets in them.
    pub(crate) secrets: Vec<(String, String)>,
    /// Where its switches are: host and port.
    switches: String,
    /// Where its mail server is, `smtp://…`.
    pub(crate) smtp: String,
}

impl Vendors {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let mut process = command(folder.path())
            .args(["sandbox", "--config-out", "protect.toml"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let printed = BufReader::new(process.stdout.take().unwrap());
        let (mut secrets, mut switches) = (Vec::new(), String::new());
        let mut smtp = String::new();
        for line in printed.lines().map(Result::unwrap) {
            if let Some((name, value)) =
                line.strip_prefix("export ").and_then(|l| l.split_once('='))
            {
                secrets.push((name.to_owned(), value.trim_matches('\'').to_owned()));
            }
            if line.contains("switches and journal") {
                let address = line.split("http://").nth(1).unwrap();
                address
                    .trim_end_matches("/_sandbox")
                    .clone_into(&mut switches);
            }
            if let Some((_, address)) = line.split_once("smtp://") {
                smtp = format!("smtp://{}", address.trim());
            }
            if line.starts_with("Ctrl-C") {
                break;
            }
        }
        assert_eq!(secrets.len(), 9);
        Self {
            process,
            folder,
            secrets,
            switches,
            smtp,
        }
    }

    /// Breaks something at a vendor, and mends what was broken before.
    pub(crate) fn break_with(&self, fault: &Value) {
        self.mend();
        self.control("POST", "faults", &fault.to_string());
    }

    /// Mends everything.
    pub(crate) fn mend(&self) {
        self.control("DELETE", "faults", "");
    }

    /// What the vendors' own switches answer.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect(&self.switches).unwrap();
        let host = &self.switches;
        let request = format!(
            "{method} /_sandbox/{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Types `protect` and these words, with the secrets in the environment. Whatever it prints
    /// holds none of them.
    pub(crate) fn protect(&self, words: &[&str]) -> Ran {
        let mut command = command(self.folder.path());
        command.envs(self.secrets.iter().cloned()).args(words);
        let ran: Ran = command.output().unwrap().into();
        for (name, secret) in &self.secrets {
            assert!(!ran.out.contains(secret), "{words:?} printed {name}");
            assert!(!ran.err.contains(secret), "{words:?} printed {name}");
        }
        ran
    }

    /// The same, where no file may grow beyond 64 KiB.
    #[cfg(unix)]
    pub(crate) fn protect_with_small_files(&self, words: &[&str]) -> Ran {
        let mut shell = Command::new("sh");
        // Ignored, the signal leaves an error to the write that was too large.
        shell
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f 128; exec \"$0\" \"$@\"",
                BINARY,
            ])
            .args(words)
            .current_dir(self.folder.path())
            .envs(self.secrets.iter().cloned());
        shell.output().unwrap().into()
    }

    /// The configuration, changed.
    pub(crate) fn reconfigure(&self, from: &str, to: &str) {
        let path = self.folder.path().join("protect.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }
}

impl Vendors {
    /// The vendors go away; their configuration stays.
    pub(crate) fn stop(&mut self) {
        // Only fails where it has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Vendors {
    fn drop(&mut self) {
        self.stop();
    }
}
