use std::sync::Arc;

use protect_core::{Context, Result};
use protect_http::SystemSecrets;

/// The machine's context, and its secrets once more, for a program that hands some over by name
/// (`{ provided = "name" }`).
///
/// # Errors
/// `unexpected` where TLS cannot be set up.
pub fn context() -> Result<(Context, Arc<SystemSecrets>)> {
    let mut context = protect_http::system_context(concat!("protect/", env!("CARGO_PKG_VERSION")))?;
    let secrets = Arc::new(SystemSecrets::new(Arc::clone(&context.clock)));
    context.secrets = Arc::clone(&secrets) as _;
    Ok((context, secrets))
}
