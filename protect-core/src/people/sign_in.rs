//! What others are told when people sign in, or cannot.

use std::time::Duration;

use serde_json::json;

use crate::clock::later;
use crate::engine::{Browser, SignedIn, Tenant, put_once};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Attributes, Severity};
use crate::store::{Commit, Put};

/// Somebody signed in.
const SUCCESS: &str = "login_success";

/// Somebody could not.
const FAILED: &str = "login_failed";

/// How long one failure stands for all of its kind: whoever knocks without end does not flood the bus.
const ONE_OF_A_KIND: Duration = Duration::from_mins(1);

impl Tenant {
    /// The event of a session that began, to be stored with it; `session` tells it from others.
    pub(crate) fn login_succeeded(
        &self,
        who: &SignedIn,
        session: &str,
        browser: &Browser,
    ) -> Result<Option<Put>> {
        let mut metadata = how(&who.actor.authenticated_by, browser);
        metadata.insert("actor_id".to_owned(), json!(who.actor.id));
        metadata.insert("email".to_owned(), json!(who.address));
        self.event(
            SUCCESS,
            session,
            "Somebody signed in",
            Severity::Info,
            metadata,
        )
    }

    /// Tells that somebody could not sign in. Whom the credential names is left out, since nobody vouches
    /// for it. Of the same kind one is told a minute, with where the first of them came from.
    pub(crate) async fn login_failed(&self, error: &Error, browser: &Browser) -> Result<()> {
        let kind = error.kind().as_str();
        let mut metadata = how("hub", browser);
        // The platform's words for it are of passwords and second factors, of which Hub's hand-off has none.
        metadata.insert("failure_reason".to_owned(), json!(kind));
        let title = "Somebody could not sign in";
        let event = self.event(FAILED, kind, title, Severity::Medium, metadata)?;
        let Some(event) = event else {
            return Ok(());
        };
        let now = self.now();
        let span = i64::try_from(ONE_OF_A_KIND.as_secs()).unwrap_or(i64::MAX);
        let minute = (now.as_second() / span).to_string();
        let until = later(now, 2 * ONE_OF_A_KIND);
        let once = put_once(&[FAILED, kind, &minute], None, until)?;
        let commit = Commit::default().put(once).put(event);
        let commit = self.forgetting(commit).await?;
        match self.store().commit(self.id(), commit).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            result => result.map(drop),
        }
    }
}

/// How somebody signs in, in the platform's word where it is Hub that vouches, and from where: the platform's
/// form for these events names both.
fn how(authenticator: &str, browser: &Browser) -> Attributes {
    let method = match authenticator {
        "hub" | "portal" => "hub_sso",
        other => other,
    };
    let mut metadata = Attributes::new();
    metadata.insert("auth_method".to_owned(), json!(method));
    if let Some(address) = browser.ip_address {
        metadata.insert("ip".to_owned(), json!(address));
    }
    if let Some(agent) = &browser.user_agent {
        metadata.insert("user_agent".to_owned(), json!(agent));
    }
    metadata
}
