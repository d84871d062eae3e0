//! `email`: one file per command.

mod reports;

use protect_connectors::core::Result;

use crate::app::App;
use crate::args::Email;
use crate::output::Answer;

/// Mail authentication, without any account.
pub(super) fn run(app: &App, command: Email) -> Result<Answer> {
    match command {
        Email::Reports(reports) => reports::run(app, &reports),
    }
}
