//! The landing from Hub's menu, and the way out.

use http::header::SET_COOKIE;
use protect_core::engine::{Browser, Engine, Shown};
use protect_core::inbound::{InboundAnswer, InboundRequest};
use protect_core::secret::SecretString;
use protect_core::{Error, Result};

use crate::app::see_other;
use crate::cookie;

/// Where Hub sends people with `?token=`. The second is documented for clients' users
/// (<https://docs.theonestack.com/docs/portal/client-login>); the first is ours.
pub(crate) const PATHS: [&str; 2] = ["/auth/hub-sso", "/api/auth/client-hub-sso"];

/// Takes a token that was handed over, and begins a session with it.
///
/// # Errors
/// `unauthenticated` and what else [`Engine::sign_in`] says.
pub(crate) async fn land(engine: &Engine, request: &InboundRequest) -> Result<InboundAnswer> {
    let token = request.query("token").filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| {
        Error::invalid_input("`token` is missing; begin from Hub's menu")
            .with_context("field", "token")
    })?;
    let token = SecretString::from(token);
    let browser = Browser::of(request);
    let signed_in = match engine.sign_in(&token, Shown::Once, &browser).await {
        Ok(signed_in) => signed_in,
        Err(error) => {
            tracing::warn!(kind = %error.kind(), why = error.message(), "a sign-in was refused");
            return Err(error);
        }
    };
    // Whoever was signed in here before is not any more.
    leave(engine, request).await?;
    let (token, session) = engine.open_session(&signed_in, &browser).await?;
    let now = engine.context().clock.now();
    let cookie = cookie::set(&token, session.until, now)?;
    Ok(see_other("/")?.with_header(SET_COOKIE, cookie))
}

/// Ends the session, here and in the browser.
///
/// # Errors
/// `store`.
pub(crate) async fn leave(engine: &Engine, request: &InboundRequest) -> Result<InboundAnswer> {
    if let Some(token) = cookie::read(request, cookie::SESSION) {
        engine.close_session(&token).await?;
    }
    Ok(see_other("/")?.with_header(SET_COOKIE, cookie::clear()?))
}
