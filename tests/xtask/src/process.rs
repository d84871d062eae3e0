//! Starting programs and saying what went wrong.

use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Why a step did not pass.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It ran and failed.
    Failed(String),
    /// It could not run, for want of a program.
    Missing(String),
}

/// What a step gives.
pub(crate) type Result<T> = std::result::Result<T, Trouble>;

impl Trouble {
    /// It ran and failed.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// It could not run, for want of a program.
    pub(crate) fn missing(why: impl Into<String>) -> Self {
        Self::Missing(why.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(why) | Self::Missing(why) => f.write_str(why),
        }
    }
}

/// A program to start in `directory`, with nothing to read.
pub(crate) fn program(name: impl AsRef<OsStr>, directory: &Path) -> Command {
    let mut command = Command::new(name);
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Runs a program to its end; its output goes where ours goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .status()
        .map_err(|error| unstartable(command, &error))?;
    ended(command, status.success())
}

/// Runs a program to its end, hands on each line of its output, and shows it to `seen` as well.
pub(crate) fn watch(command: &mut Command, mut seen: impl FnMut(&str)) -> Result<()> {
    announce(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| unstartable(command, &error))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output)
            .split(b'\n')
            .map_while(std::result::Result::ok)
        {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            seen(&line);
        }
    }
    let status = child.wait().map_err(|error| unstartable(command, &error))?;
    ended(command, status.success())
}

/// What a program prints, if it starts and ends well.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn announce(command: &Command) {
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    println!("$ {} {}", short_name(command), arguments.join(" "));
}

fn short_name(command: &Command) -> String {
    let name = Path::new(command.get_program());
    name.file_name()
        .unwrap_or(name.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn unstartable(command: &Command, error: &std::io::Error) -> Trouble {
    Trouble::failed(format!("{} does not start: {error}", short_name(command)))
}

fn ended(command: &Command, well: bool) -> Result<()> {
    if well {
        Ok(())
    } else {
        Err(Trouble::failed(format!("{} failed", short_name(command))))
    }
}
