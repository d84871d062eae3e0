//! One file per family of commands.

pub(crate) mod certifications;
mod checks;
mod doctor;
pub(crate) mod email;
pub(crate) mod employee;
mod evaluate;
pub(crate) mod evidence;
mod findings;
mod incidents;
mod init;
mod monitor;
pub(crate) mod offboard;
pub(crate) mod policies;
mod report;
mod respond;
mod rules;
mod run;
mod sandbox;
mod scan;
mod schema;
mod serve;
pub(crate) mod timeoff;

use clap::CommandFactory as _;
use protect_connectors::core::Result;

use crate::app::App;
use crate::args::{Cli, Command};
use crate::demo;
use crate::output::{self, Answer};

/// Does what was typed. `None` where everything was printed on the way.
pub(crate) async fn run(app: &App, command: Command) -> Result<Option<Answer>> {
    let answer = match command {
        Command::Demo(demo) => return demo::run(app, demo).await,
        Command::Init(init) => init::run(app, &init)?,
        Command::Doctor(of) => doctor::doctor(app, of).await?,
        Command::Status(of) => doctor::status(app, of).await?,
        Command::Schema(schema) => schema::run(schema)?,
        Command::Monitor(command) => monitor::run(app, command).await?,
        Command::Scan(scan) => scan::run(app, scan).await?,
        Command::Findings(findings) => findings::run(app, findings).await?,
        Command::Incidents(incidents) => incidents::run(app, incidents).await?,
        Command::Request(request) => respond::request(app, request).await?,
        Command::Plan(plan) => respond::plan(app, plan).await?,
        Command::Approve(approve) => respond::approve(app, approve).await?,
        Command::Apply(of) => respond::apply(app, of).await?,
        Command::Undo(undo) => respond::undo(app, undo).await?,
        Command::Settle(settle) => respond::settle(app, settle).await?,
        Command::Pause(pause) => respond::pause(app, pause).await?,
        Command::Resume(actor) => respond::resume(app, actor).await?,
        Command::Employee(command) => return employee::run(app, command).await,
        Command::Offboard(command) => offboard::run(app, command).await?,
        Command::Timeoff(command) => timeoff::run(app, command).await?,
        Command::Certifications(command) => certifications::run(app, command).await?,
        Command::Policies(given) => policies::run(app, given).await?,
        Command::Rules(command) => rules::rules(app, command).await?,
        Command::Checks(command) => checks::run(app, command).await?,
        Command::Evaluate(command) => return evaluate::run(app, command),
        Command::Email(command) => return email::run(app, command).await,
        Command::Score(of) => report::score(app, of).await?,
        Command::Report(report) => return report::report(app, report).await,
        Command::Evidence(command) => return evidence::run(app, command).await,
        Command::Run => return run::run(app).await,
        Command::Serve(serve) => return serve::run(app, serve).await,
        Command::Sandbox(sandbox) => return sandbox::run(app, sandbox).await,
        Command::Completions { shell } => {
            // By way of memory: whoever stops reading early makes the generator panic.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "protect", &mut script);
            output::raw(&String::from_utf8_lossy(&script))?;
            return Ok(None);
        }
    };
    Ok(Some(answer))
}
