//! `email`: mail authentication, without any account and without a configuration.

mod audit;
mod reports;
mod spf;
mod tree;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use protect_connectors::core::{Context, Result};
use protect_connectors::http::SystemDns;

use crate::app::App;
use crate::args::EmailReports;
use crate::output::Answer;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Email {
    /// Everything about the mail authentication of domains: score, what is wrong, what to publish.
    Audit(audit::Audit),
    /// What a receiver would answer for one message by SPF, and which term decides.
    Spf(spf::Spf),
    /// Read the reports that receivers send, and say who sends in a domain's name.
    Reports(EmailReports),
    /// The records to publish for a domain, each with its reason and its risk.
    Propose(audit::Propose),
}

pub(super) async fn run(app: &App, command: Email) -> Result<Option<Answer>> {
    match command {
        Email::Audit(wanted) => audit::audit_domains(app, wanted).await,
        Email::Spf(wanted) => spf::run(&wanted).await.map(Some),
        Email::Reports(wanted) => reports::run(app, &wanted).map(Some),
        Email::Propose(wanted) => audit::propose(app, wanted).await.map(Some),
    }
}

/// Nobody waits longer for one try.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Who is asked, and for how long.
#[derive(Debug, Args)]
struct Dns {
    /// The name server to ask (`IP` or `IP:PORT`); by default the machine's own.
    #[arg(long, value_name = "IP:PORT", value_parser = server)]
    resolver: Option<SocketAddr>,
    /// How long to wait for an answer before asking again; after three tries nobody could say.
    #[arg(long, value_name = "SPAN", default_value = "5s", value_parser = timeout)]
    timeout: Duration,
}

impl Dns {
    /// The machine's context, asking like this.
    fn context(&self) -> Result<Context> {
        let (mut context, _) = protect_connectors::context()?;
        let dns = match self.resolver {
            Some(server) => SystemDns::with_server(server),
            None => SystemDns::new(),
        };
        context.dns = Arc::new(dns.timeout(self.timeout));
        Ok(context)
    }
}

fn timeout(text: &str) -> std::result::Result<Duration, String> {
    let span = crate::args::duration(text)?;
    (span <= LONGEST_WAIT)
        .then_some(span)
        .ok_or_else(|| "write a span of up to a minute, such as 2s".to_owned())
}

/// A name server; without a port it is 53.
fn server(text: &str) -> std::result::Result<SocketAddr, String> {
    let alone = |_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53));
    text.parse()
        .or_else(alone)
        .map_err(|_| "write it as 192.0.2.53 or 127.0.0.1:5353".to_owned())
}
