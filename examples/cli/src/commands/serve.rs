//! `serve`.

use protect_connectors::core::{Error, ErrorKind, Result};
use protect_web::{Options, Web};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::app::{self, App};
use crate::args::Serve as Arguments;
use crate::output::Answer;
use crate::page::{Page, Text};

/// What is served, and where.
#[derive(Serialize)]
struct Serving {
    complete: bool,
    address: String,
    tenants: Vec<String>,
}

/// What comes in and the pages, until stopped.
pub(super) async fn run(app: &App, wanted: Arguments) -> Result<Option<Answer>> {
    let protect = app.open().await?;
    let cannot = |error: std::io::Error| {
        Error::new(ErrorKind::Unavailable, "cannot listen there").with_source(error)
    };
    let listener = TcpListener::bind(wanted.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let tenants = protect.tenants();
    let serving = Serving {
        complete: false,
        address: format!("http://{address}"),
        tenants: tenants
            .iter()
            .map(|tenant| tenant.id().to_string())
            .collect(),
    };
    let mut page = Page::new();
    page.heading("Serving");
    page.line(format!(
        "{} for {}",
        serving.address,
        serving.tenants.join(", ")
    ));
    page.line(Text::faint(
        "People land on /auth/hub-sso?token=... from Hub's menu, a client's users on /api/auth/client-hub-sso.",
    ));
    page.gap().line(Text::faint("Ctrl-C stops it."));
    app.output.item(&serving, &page)?;
    let options = Options {
        origin: wanted.origin,
        sign_in_url: wanted.sign_in_url,
        address_header: wanted.address_header,
    };
    let web = Web::with(protect.engine(), options);
    let stop = async {
        // Where nobody can listen for the signal, the process ends by it.
        if app::stopped().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    protect_web::serve(web, listener, stop).await?;
    Ok(None)
}
