//! The reference application of protect: a command is parse, one call to the facade, print.

mod app;
mod args;
mod commands;
mod demo;
mod exit;
mod output;
mod page;
mod progress;
mod vendors;
mod words;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory as _, FromArgMatches as _};
use protect_connectors::core::{Error, Result};

use crate::app::App;
use crate::args::Cli;
use crate::exit::Exit;
use crate::output::Output;

#[tokio::main]
async fn main() -> ExitCode {
    let (cli, config_typed) = match typed() {
        Ok(typed) => typed,
        Err(error) => return misused(&error),
    };
    let output = Output::new(cli.json);
    let done = match start_log(cli.log.as_deref()) {
        Ok(()) => run(cli, config_typed, output).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            output.error(&error);
            Exit::of(&error).into()
        }
    }
}

/// What was typed, and whether that names a configuration.
fn typed() -> Result<(Cli, bool), clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    let config_typed = matches.value_source("config") == Some(ValueSource::CommandLine);
    Ok((Cli::from_arg_matches(&matches)?, config_typed))
}

async fn run(cli: Cli, config_typed: bool, output: Output) -> Result<Exit> {
    let app = App {
        config: cli.config,
        config_typed,
        output,
    };
    let Some(answer) = Box::pin(commands::run(&app, cli.command)).await? else {
        return Ok(Exit::OK);
    };
    output.answer(&answer)?;
    Ok(answer.exit)
}

/// Help and version, or what is wrong with what was typed: as JSON where that was asked for.
fn misused(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os().any(|argument| argument == "--json");
    if json && error.use_stderr() {
        let words = error.render().to_string();
        let error = Error::invalid_input(words.trim().trim_start_matches("error: "));
        Output::new(true).error(&error);
        return Exit::of(&error).into();
    }
    // Where nobody reads it, nobody misses it.
    drop(error.print());
    if error.use_stderr() {
        return Exit::of(&Error::invalid_input("")).into();
    }
    ExitCode::SUCCESS
}

/// Logs to standard error, where somebody asked for it.
fn start_log(filter: Option<&str>) -> Result<()> {
    let Some(filter) = filter else {
        return Ok(());
    };
    let filter = tracing_subscriber::EnvFilter::try_new(filter).map_err(|error| {
        Error::invalid_input(format!(
            "not a log filter: {error}; write `info`, `debug`, or `target=level`"
        ))
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}
