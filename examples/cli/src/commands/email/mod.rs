//! `email`: mail authentication, without any account and without a configuration.

mod audit;
mod reports;
mod spf;
mod tree;

use std::net::{IpAddr, SocketAddr};

use clap::Subcommand;
use protect_connectors::core::{Context, Error, ErrorKind, Result};

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

/// The machine's context, asking another name server where one is given.
fn context(resolver: Option<SocketAddr>) -> Result<Context> {
    let (mut context, _) = protect_connectors::context()?;
    if let Some(server) = resolver {
        context.dns = context.dns.by_server(server).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "another name server cannot be asked",
            )
        })?;
    }
    Ok(context)
}

/// A name server; without a port it is 53.
fn server(text: &str) -> std::result::Result<SocketAddr, String> {
    let alone = |_| text.parse().map(|ip: IpAddr| SocketAddr::new(ip, 53));
    text.parse()
        .or_else(alone)
        .map_err(|_| "write it as 192.0.2.53 or 127.0.0.1:5353".to_owned())
}
