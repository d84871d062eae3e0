//! Portal: signs the users of a client in.

use protect_core::config::{KindSpec, SettingSpec, SettingType};
use protect_core::registry::ConnectorSetup;
use protect_core::{Context, Result};

use crate::sso::{self, SignIn, SignInConnector, Users};

/// The kind, as it stands in the configuration.
pub const KIND: &str = "portal";

const DOCS: &str =
    "The One Portal: signs the users of a client in, by the tokens that Hub hands over.";

/// The product's own name for the environment variable of the shared secret.
const SECRET_VARIABLE: &str = "PORTAL_CLIENT_SSO_SECRET";

pub(crate) fn spec() -> KindSpec {
    let spec = KindSpec::new(KIND, DOCS)
        .connection_setting(SettingSpec::new(
            "conventions",
            SettingType::Table,
            "Replaces names that the vendor does not document: `members` says what a claim is called.",
        ))
        .setting(
            SettingSpec::text(
                "organisation_id",
                "The Hub organisation id, which the products call tenant id.",
            )
            .required(),
        )
        .setting(
            SettingSpec::text("client_id", "The client company's id in PSA, whose users sign in.")
                .required(),
        );
    sso::add_to(spec, SECRET_VARIABLE)
}

pub(crate) fn build(setup: &ConnectorSetup, context: &Context) -> Result<SignInConnector> {
    Ok(SignInConnector {
        info: setup.info.clone(),
        sign_in: SignIn::read(setup, Users::Clients, context)?,
    })
}
