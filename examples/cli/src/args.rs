//! What can be typed.

mod parse;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use protect_connectors::core::model::{
    ActionId, ActionKind, Address, FindingId, FindingStatus, IncidentId, IncidentStatus, PlanId,
    Severity,
};
use protect_connectors::core::report::Month;
use serde_json::Value;

pub(crate) use parse::{day, duration, moment, severity, typed};
use parse::{incident_status, login, parameter, status};

/// Watches an organisation's identities and settings, opens incidents, and puts them right:
/// safely, once, with proof.
#[derive(Debug, Parser)]
#[command(name = "protect", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The configuration.
    #[arg(
        long,
        short,
        global = true,
        default_value = "protect.toml",
        env = "PROTECT_CONFIG"
    )]
    pub(crate) config: PathBuf,

    /// Print one JSON document (a line per item for streams) instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Log to standard error: `info`, `debug`, or `target=level`.
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands, in the order a newcomer meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Walk the whole road twice against simulated vendors, from nothing.
    Demo(Demo),
    /// Write a first configuration, by asking.
    Init(Init),
    /// Ask every vendor what is missing, what is too much, and whether the clocks agree.
    Doctor(OfTenant),
    /// What runs, what waits, what is open.
    Status(OfTenant),
    /// The JSON Schema of the configuration, or of what `--json` prints.
    Schema(Schema),
    /// Who is watched.
    #[command(subcommand)]
    Monitor(Monitor),
    /// Scan now.
    Scan(Scan),
    /// List, show and settle findings.
    Findings(Findings),
    /// List and show incidents.
    Incidents(Incidents),
    /// Ask for one action on one person's accounts; it still needs somebody's approval.
    Request(Request),
    /// What the rules want done now; with an id, that plan again.
    Plan(Plan),
    /// Consent to a plan.
    Approve(Approve),
    /// Do what was approved and waits.
    Apply(OneTenant),
    /// Plan the undoing of an applied action.
    Undo(Undo),
    /// Say what a person found out about an action whose outcome is unknown.
    Settle(Settle),
    /// Stop the next effect, and every one after it.
    Pause(Pause),
    /// Let effects go on.
    Resume(OneActor),
    /// The workforce: who works here.
    #[command(subcommand)]
    Employee(crate::commands::employee::EmployeeCommand),
    /// Somebody leaves: access ends everywhere with the last day.
    #[command(subcommand)]
    Offboard(crate::commands::offboard::OffboardCommand),
    /// Who is away, and who asks to be.
    #[command(subcommand)]
    Timeoff(crate::commands::timeoff::TimeoffCommand),
    /// What people were certified for, and when that ends.
    #[command(subcommand)]
    Certifications(crate::commands::certifications::CertificationCommand),
    /// Policies, and who acknowledged them; without a command, how far each is acknowledged.
    Policies(crate::commands::policies::Policies),
    /// Rules of the configuration.
    #[command(subcommand)]
    Rules(Rules),
    /// The catalogue of checks.
    #[command(subcommand)]
    Checks(Checks),
    /// The pure checks, over files.
    #[command(subcommand)]
    Evaluate(Evaluate),
    /// Mail authentication, without any account and without a configuration.
    #[command(subcommand)]
    Email(crate::commands::email::Email),
    /// The score now, with everything that made it.
    Score(OneTenant),
    /// The report of a month.
    Report(Report),
    /// The ledger.
    #[command(subcommand)]
    Evidence(Evidence),
    /// Scan on schedule and apply what was approved, until stopped.
    Run,
    /// Serve what comes in and the pages, until stopped; `run` is what scans and applies.
    Serve(Serve),
    /// The simulated vendors, on loopback.
    Sandbox(Sandbox),
    /// Write shell completions.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
}

/// For one tenant, or for all of them.
#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// Only this tenant.
    #[arg(long, short)]
    pub(crate) tenant: Option<String>,
}

/// For one tenant; which may be left out where the configuration has just one.
#[derive(Debug, Args)]
pub(crate) struct OneTenant {
    /// The tenant; needed where the configuration has several.
    #[arg(long, short)]
    pub(crate) tenant: Option<String>,
}

/// Who acts.
#[derive(Debug, Args)]
pub(crate) struct By {
    /// Who you are; recorded as unverified.
    #[arg(long, default_value_t = login(), env = "PROTECT_ACTOR")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct OneActor {
    #[command(flatten)]
    pub(crate) tenant: OneTenant,
    #[command(flatten)]
    pub(crate) by: By,
}

/// What the demo tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DemoStory {
    /// A person leaves: from the decision to access gone everywhere, with a page of evidence.
    Leaving,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Another story: `leaving`, of a person who leaves.
    pub(crate) story: Option<DemoStory>,
    /// Other names, the same story.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Break something at the vendor; `--fault list` names what there is.
    #[arg(long, value_name = "NAME")]
    pub(crate) fault: Option<String>,
    /// Keep configuration, database, report and evidence in this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// Where to write.
    #[arg(default_value = "protect.toml")]
    pub(crate) path: PathBuf,
    /// Do not ask; take these answers.
    #[arg(long)]
    pub(crate) yes: bool,
    /// The tenant's id.
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// What people call it.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its mail domains.
    #[arg(long, value_delimiter = ',')]
    pub(crate) domains: Vec<String>,
    /// The kinds of connector to prepare.
    #[arg(long, value_delimiter = ',')]
    pub(crate) connectors: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// `config`, or a model by name; without one, the names are listed.
    pub(crate) name: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Monitor {
    /// Everybody who is watched, and why.
    List(OneTenant),
    /// Watch these addresses too.
    Add {
        #[command(flatten)]
        actor: OneActor,
        /// The addresses.
        #[arg(required = true, value_parser = typed::<Address>)]
        addresses: Vec<Address>,
    },
    /// Stop watching addresses that were added or imported.
    Remove {
        #[command(flatten)]
        actor: OneActor,
        /// The addresses.
        #[arg(required = true, value_parser = typed::<Address>)]
        addresses: Vec<Address>,
    },
    /// Watch the people of a CSV file with a column `address` or `email`.
    Import {
        #[command(flatten)]
        actor: OneActor,
        /// The file; `-` is standard input.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Scan {
    #[command(flatten)]
    pub(crate) tenant: OfTenant,
    /// Only this connector.
    #[arg(long)]
    pub(crate) connector: Vec<String>,
    /// Record what is known without letting it trigger anything.
    #[arg(long)]
    pub(crate) baseline: bool,
    /// Exit with 1 where an open finding is at least this severe.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Exit with 3 also where a check could not look for any other reason than a vendor's error.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Findings {
    #[command(flatten)]
    pub(crate) tenant: OneTenant,
    /// Only these; `all` for every status. Open ones by default.
    #[arg(long, value_parser = status, value_delimiter = ',')]
    pub(crate) status: Vec<FindingStatus>,
    /// Every status.
    #[arg(long, conflicts_with = "status")]
    pub(crate) all: bool,
    /// Only those at least this severe.
    #[arg(long, value_parser = severity)]
    pub(crate) severity: Option<Severity>,
    #[command(subcommand)]
    pub(crate) command: Option<FindingCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FindingCommand {
    /// One finding, whole.
    Show {
        /// Its id.
        #[arg(value_parser = typed::<FindingId>)]
        id: FindingId,
    },
    /// Somebody has looked.
    Acknowledge {
        /// Its id.
        #[arg(value_parser = typed::<FindingId>)]
        id: FindingId,
        #[command(flatten)]
        by: By,
    },
    /// It is put right.
    Resolve {
        /// Its id.
        #[arg(value_parser = typed::<FindingId>)]
        id: FindingId,
        #[command(flatten)]
        by: By,
    },
    /// Leave it as it is, until a date, for a reason.
    Accept {
        /// Its id.
        #[arg(value_parser = typed::<FindingId>)]
        id: FindingId,
        /// Until when: a date, a time, or a span from now such as `90d`.
        #[arg(long)]
        until: String,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: By,
    },
    /// It was never wrong.
    FalsePositive {
        /// Its id.
        #[arg(value_parser = typed::<FindingId>)]
        id: FindingId,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Incidents {
    #[command(flatten)]
    pub(crate) tenant: OneTenant,
    /// Closed and resolved ones too.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(subcommand)]
    pub(crate) command: Option<IncidentCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// One incident with its findings.
    Show {
        /// Its id.
        #[arg(value_parser = typed::<IncidentId>)]
        id: IncidentId,
    },
    /// Say where it stands.
    Set {
        /// Its id.
        #[arg(value_parser = typed::<IncidentId>)]
        id: IncidentId,
        /// `open`, `investigating`, `contained`, `resolved` or `closed`.
        #[arg(value_parser = incident_status)]
        status: IncidentStatus,
        #[command(flatten)]
        by: By,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Request {
    /// What to do, such as `suspend_account`.
    pub(crate) action: ActionKind,
    /// To whom: an address, or `connector:vendor-id`.
    pub(crate) account: String,
    /// Why; it goes into the evidence.
    #[arg(long)]
    pub(crate) reason: String,
    /// End it by itself after this time, such as `24h`.
    #[arg(long = "for", value_parser = duration)]
    pub(crate) lasts: Option<Duration>,
    /// What else the action needs, such as `last_day=2026-12-31` or `at_once=true`; may be given several
    /// times.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, Value)>,
    #[command(flatten)]
    pub(crate) actor: OneActor,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) tenant: OneTenant,
    /// Plan to hand in evidence that changed, instead of what the rules want.
    #[arg(long, conflicts_with = "id")]
    pub(crate) evidence: bool,
    /// Show this plan again.
    #[arg(value_parser = typed::<PlanId>)]
    pub(crate) id: Option<PlanId>,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The plan's id.
    #[arg(value_parser = typed::<PlanId>)]
    pub(crate) plan: PlanId,
    #[command(flatten)]
    pub(crate) actor: OneActor,
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The action's id.
    #[arg(value_parser = typed::<ActionId>)]
    pub(crate) action: ActionId,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) actor: OneActor,
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// The action's id.
    #[arg(value_parser = typed::<ActionId>)]
    pub(crate) action: ActionId,
    /// Whether the vendor did it.
    #[arg(value_enum)]
    pub(crate) as_: Settled,
    /// How you know.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) actor: OneActor,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Settled {
    /// The vendor did it.
    Applied,
    /// The vendor did not.
    Failed,
}

#[derive(Debug, Args)]
pub(crate) struct Pause {
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) actor: OneActor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Which stored findings a rule applies to, and why not.
    Test {
        /// The rule's name.
        name: String,
        #[command(flatten)]
        tenant: OneTenant,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Checks {
    /// Every check of the configured connectors, with its last verdict; without a configuration,
    /// of every kind.
    List(OneTenant),
    /// One check, and what was found.
    Explain {
        /// The check's id.
        check: String,
        #[command(flatten)]
        tenant: OneTenant,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evaluate {
    /// How bad each breach of a Have I Been Pwned catalogue is, and why.
    Hibp {
        /// A file as the `/breaches` endpoint answers it; `-` is standard input.
        breaches: PathBuf,
    },
    /// How customers of Google Workspace are set up. `--config` names a JSON file with the profile and,
    /// per check, exclusions and levels.
    Google(Snapshots),
    /// How Microsoft 365 tenants are set up. `--config` names a JSON file with the profile and, per
    /// check, exclusions and levels.
    M365(Snapshots),
}

/// Snapshots to evaluate.
#[derive(Debug, Args)]
pub(crate) struct Snapshots {
    /// A snapshot: a file, or a folder with a manifest; or a folder of them.
    pub(crate) path: PathBuf,
    /// Whose reading of the checks; else what `--config` or the snapshot says.
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Exit with 1 where a check of at least this severity fails.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Exit with 3 where a check could not be evaluated, whatever the reason.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EmailReports {
    /// Reports as XML, JSON, gzip, zip or messages; folders of them; `-` for standard input.
    #[arg(required = true, value_name = "FILE-OR-FOLDER")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    #[command(flatten)]
    pub(crate) tenant: OneTenant,
    /// Which month, such as `2026-11`; this month by default.
    #[arg(long)]
    pub(crate) month: Option<Month>,
    /// In which form.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    pub(crate) format: Format,
    /// Where to write; standard output by default.
    #[arg(long, short)]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// One page that needs nothing else.
    Html,
    /// Markdown.
    Md,
    /// The report as data.
    Json,
    /// Findings, incidents and actions as events of OCSF 1.8.0, a line each, for a SIEM.
    Ocsf,
    /// What happened, as Cloud Events 1.0, a line each.
    Cloudevents,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// Write the whole ledger of a tenant, a line an entry.
    Export {
        #[command(flatten)]
        tenant: OneTenant,
        /// Where to write; standard output by default.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Sign the ledger's head, so that a cut-off tail shows.
    Checkpoint {
        #[command(flatten)]
        tenant: OneTenant,
        /// Where to write; standard output by default.
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Check an exported ledger, from the file alone.
    Verify {
        /// The export; `-` is standard input.
        file: PathBuf,
        /// A checkpoint it must reach.
        #[arg(long)]
        checkpoint: Option<PathBuf>,
        /// The public key that signed the checkpoint.
        #[arg(long)]
        key: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where to listen. What stands in front ends TLS: browsers keep the session's cookie for
    /// `https` and `localhost` alone.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: std::net::SocketAddr,
    /// The origin that browsers see, where a proxy hides it: `https://protect.example`.
    #[arg(long, value_name = "URL")]
    pub(crate) origin: Option<String>,
    /// Where people begin to sign in, for a link on the page that says they must.
    #[arg(long, value_name = "URL")]
    pub(crate) sign_in_url: Option<String>,
    /// How many proxies of your own stand in front, each of which adds to `X-Forwarded-For`: whom the
    /// farthest of them answers is who signs in.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) proxies: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Where to listen; loopback only.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: std::net::SocketAddr,
    /// Other names, the same story.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// A Have I Been Pwned catalogue to serve instead of a generated one.
    #[arg(long, env = "PROTECT_HIBP_CATALOGUE")]
    pub(crate) catalogue: Option<PathBuf>,
    /// Write a configuration for these vendors; it reads its secrets from the variables printed.
    #[arg(long, value_name = "FILE")]
    pub(crate) config_out: Option<PathBuf>,
}
