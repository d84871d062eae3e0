//! The report of who used Microsoft 365, which stands in where sign-ins are not granted: a text
//! (CSV) that Graph does not answer but links to
//! (<https://learn.microsoft.com/graph/api/reportroot-getoffice365activeuserdetail>).

use http::{Method, header};
use protect_core::connector::OpContext;
use protect_core::http::{Answer, HttpClient, UrlPolicy, is_loopback};
use protect_core::posture::Answered;
use protect_core::{Error, ErrorKind, Result};
use url::Url;

use crate::api::Graph;
use crate::graph::ACTIVE_USERS;

const REPORT: &str = "m365.report";

/// The report as a JSON text.
pub(crate) async fn active_users(graph: &Graph, cx: &OpContext) -> Result<Answered> {
    let answer = graph
        .request(Method::GET, REPORT, ACTIVE_USERS, 1)
        .takes_redirect()
        .send(cx)
        .await?;
    let answer = if answer.status().is_redirection() {
        download(graph, cx, &answer).await?
    } else {
        answer
    };
    let text = std::str::from_utf8(answer.body()).map_err(|_| unreadable("it is not UTF-8"))?;
    let body = serde_json::to_vec(text.trim_start_matches('\u{feff}'))
        .map_err(|_| unreadable("it cannot be kept"))?;
    Ok(Answered::Page {
        body: body.into(),
        next: None,
    })
}

/// Gets what the link leads to, without any credential: the link itself is one, for a few minutes.
/// It must not lead into our own network, unless Graph itself is there (in tests).
async fn download(graph: &Graph, cx: &OpContext, answer: &Answer) -> Result<Answer> {
    let location = answer.headers().get(header::LOCATION);
    let location = location.and_then(|it| it.to_str().ok());
    let url = location.and_then(|it| Url::parse(it).ok());
    let (Some(location), Some(url)) = (location, url) else {
        return Err(unreadable("Graph does not say where it is"));
    };
    let policy = UrlPolicy {
        allow_loopback: graph.is_local() && is_loopback(&url),
        ..UrlPolicy::default()
    };
    HttpClient::builder(graph.http.context(), &url.origin().ascii_serialization())
        .map_err(|_| unreadable("the link to it is not encrypted"))?
        .url_policy(policy)
        .max_body(MAX_REPORT)
        .build()
        .follow(REPORT, "(report)", location)?
        .sensitive()
        .send(cx)
        .await
}

/// A line has some 300 bytes, so this is the report of 200,000 users; a larger one is refused, and
/// what depends on it is not evaluated.
const MAX_REPORT: usize = 64 * 1024 * 1024;

fn unreadable(why: &str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        format!("the report of active users cannot be had: {why}"),
    )
    .with_operation(REPORT)
}
