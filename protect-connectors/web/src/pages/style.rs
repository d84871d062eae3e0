//! The monthly report is one page that needs nothing else, so its styles stand within it. They are allowed by
//! their digest, and nothing else is (<https://www.w3.org/TR/CSP3/#grammardef-hash-source>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protect_core::inbound::InboundAnswer;
use sha2::{Digest, Sha256};

use super::with_policy;

/// Allows the styles that a page of ours holds.
pub(crate) fn with_own_styles(answer: InboundAnswer) -> InboundAnswer {
    let digests: Vec<String> = std::str::from_utf8(&answer.body)
        .map(|page| styles(page).map(digest).collect())
        .unwrap_or_default();
    let styles = match digests.as_slice() {
        [] => "'none'".to_owned(),
        digests => digests.join(" "),
    };
    let policy = format!(
        "default-src 'none'; style-src {styles}; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-top-navigation-by-user-activation allow-popups"
    );
    with_policy(answer, &policy)
}

/// What stands between the tags. Whatever comes from outside is escaped there, so that each tag is ours.
fn styles(page: &str) -> impl Iterator<Item = &str> {
    let behind = page.split("<style>").skip(1);
    behind.filter_map(|rest| rest.split_once("</style>").map(|(style, _)| style))
}

fn digest(style: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))
}
