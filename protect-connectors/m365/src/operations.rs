//! The client's operations as data; the gate through which other languages call them stands in
//! `calls.rs`.

use std::sync::Arc;

use protect_core::context::Context;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, arguments,
};
use protect_core::secret::SecretRef;
use protect_core::{Error, Result};
use serde::Deserialize;
use serde_json::Value;

use crate::KIND;
use crate::client::M365;
use crate::model::{
    Alert, AuthenticationMethod, Device, DirectoryAudit, Grant, NewPassword, Page, RiskDetection,
    RiskyUser, RoleAssignment, SecureScore, SignIn, TemporaryAccessPass, User, UserConsent,
    UserPage,
};

/// The class `M365`.
pub static CLASS: Class = Class {
    name: "M365",
    kind: KIND,
    docs: "Acts at once in Microsoft 365: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside.",
    constructor: &[
        text(
            "tenant_id",
            "The tenant's id (a GUID), or one of its verified domains.",
        ),
        text("client_id", "The application's id: a GUID."),
        secret("client_secret", "The application's secret."),
        secret(
            "certificate",
            "The application's certificate (PEM), instead of a secret.",
        ),
        secret("private_key", "The certificate's private key (PEM, RSA)."),
        optional(
            "cloud",
            "Where the tenant lives: `global` (default), `gcc_high`, `dod` or `china`.",
        ),
        optional(
            "login_url",
            "A root of the sign-in service instead of the cloud's.",
        ),
        optional(
            "graph_url",
            "A root of Microsoft Graph instead of the cloud's.",
        ),
    ],
    operations: OPERATIONS,
};

const READ_USERS: &str = "User.Read.All or Directory.Read.All";
const ENABLE: &str = "User.EnableDisableAccount.All and User.Read.All";
const PASSWORDS: &str = "User-PasswordProfile.ReadWrite.All";
const METHODS: &str = "UserAuthenticationMethod.ReadWrite.All";
const ROLES: &str = "RoleManagement.ReadWrite.Directory";
const RISK: &str = "IdentityRiskyUser.ReadWrite.All";

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    read(
        "users",
        &[],
        ResultType::Stream(USER),
        READ_USERS,
        "Every user and guest, page by page. A record that cannot be read is left out and logged; `users_page` lists it.",
    ),
    read(
        "users_page",
        &[TOKEN],
        ResultType::One(Model::of::<UserPage>("UserPage")),
        READ_USERS,
        "One page of up to 999 users and guests, with the records that could not be read.",
    ),
    read(
        "get_user",
        &[USER_ID],
        ResultType::One(USER),
        READ_USERS,
        "One user by id. To find one by address, list the users.",
    ),
    change(
        "disable_user",
        &[USER_ID],
        ResultType::One(USER),
        ENABLE,
        "Keeps a user from signing in; a repeat changes nothing. Sessions live on until `revoke_sessions`. Refused as `permission_denied` for holders of roles that only a higher role may touch.",
    ),
    change(
        "enable_user",
        &[USER_ID],
        ResultType::One(USER),
        ENABLE,
        "Lets a user sign in again; a repeat changes nothing.",
    ),
    change(
        "revoke_sessions",
        &[USER_ID],
        ResultType::One(USER),
        "User.RevokeSessions.All and User.Read.All",
        "Makes every session and refresh token worthless. It takes minutes, and access tokens live on for about an hour.",
    ),
    change(
        "force_password_change",
        &[USER_ID, flag("with_mfa", "Only after a second factor.")],
        ResultType::Nothing,
        PASSWORDS,
        "Has a user choose another password at the next sign-in. For accounts of the cloud alone.",
    ),
    change(
        "reset_password",
        &[USER_ID],
        ResultType::One(Model::of::<NewPassword>("NewPassword")),
        PASSWORDS,
        "Gives a user a new password, which only the caller learns, and which must be changed at the next sign-in.",
    ),
    change(
        "create_temporary_access_pass",
        &[
            USER_ID,
            Parameter::optional(
                "lifetime_minutes",
                ParameterKind::Integer,
                "How long it is good for: 10 to 43,200, as far as the tenant's policy allows.",
            ),
            flag("one_time", "Whether it works once; yes unless told."),
        ],
        ResultType::One(Model::of::<TemporaryAccessPass>("TemporaryAccessPass")),
        "UserAuthMethod-TAP.ReadWrite.All",
        "Makes a pass with which a user can sign in and register stronger methods. An earlier pass is worth nothing afterwards.",
    ),
    read(
        "authentication_methods",
        &[USER_ID],
        ResultType::List(METHOD),
        "UserAuthenticationMethod.Read.All",
        "By what a user can prove who they are, the password among it.",
    ),
    change(
        "delete_authentication_methods",
        &[USER_ID],
        ResultType::List(METHOD),
        METHODS,
        "Takes every second factor of a user away, so that they register again. Gives what was taken.",
    ),
    read(
        "role_assignments",
        &[USER_ID],
        ResultType::List(ROLE),
        "RoleManagement.Read.Directory or Directory.Read.All",
        "The directory roles that a user holds directly.",
    ),
    change(
        "remove_role_assignment",
        &[text("assignment_id", "The assignment's id.")],
        ResultType::Nothing,
        ROLES,
        "Takes a directory role away.",
    ),
    change(
        "add_role_assignment",
        &[
            USER_ID,
            text("role_definition_id", "The role."),
            optional("scope", "Over what; the whole tenant unless told."),
        ],
        ResultType::One(ROLE),
        ROLES,
        "Gives a user a directory role.",
    ),
    read(
        "grants",
        &[USER_ID],
        ResultType::List(GRANT),
        "Directory.Read.All",
        "What a user let applications do in their name.",
    ),
    change(
        "revoke_grants",
        &[USER_ID],
        ResultType::List(GRANT),
        "DelegatedPermissionGrant.ReadWrite.All",
        "Takes back everything that a user let applications do. Gives what was taken back.",
    ),
    read(
        "devices_page",
        &[TOKEN],
        ResultType::One(Model::of::<Page<Device>>("DevicePage")),
        "Directory.Read.All or Device.Read.All",
        "One page of the devices that are registered in the tenant.",
    ),
    read(
        "device_owners",
        &[text("device_id", "The device's object id: a GUID.")],
        ResultType::List(USER),
        "Directory.Read.All or Device.Read.All",
        "Whose device it is.",
    ),
    read(
        "risky_users_page",
        &[
            flag(
                "confirmed",
                "Only those who are confirmed to be compromised, instead of those at risk.",
            ),
            TOKEN,
        ],
        ResultType::One(Model::of::<Page<RiskyUser>>("RiskyUserPage")),
        "IdentityRiskyUser.Read.All",
        "One page of the users at risk. `unsupported` where the tenant has no Entra ID P2.",
    ),
    change(
        "confirm_compromised",
        &[USER_ID],
        ResultType::Nothing,
        RISK,
        "Says that a user is compromised: the risk becomes high, and policies act on it.",
    ),
    change(
        "dismiss_risk",
        &[USER_ID],
        ResultType::Nothing,
        RISK,
        "Says that a user is not at risk.",
    ),
    read(
        "risk_detections_page",
        EVENTS,
        ResultType::One(Model::of::<Page<RiskDetection>>("RiskDetectionPage")),
        "IdentityRiskEvent.Read.All",
        "One page of what Identity Protection noticed: behind `page_token`, or else from `start_time` on, or else of the last day.",
    ),
    read(
        "sign_ins_page",
        EVENTS,
        ResultType::One(Model::of::<Page<SignIn>>("SignInPage")),
        "AuditLog.Read.All",
        "One page of sign-ins; otherwise as `risk_detections_page`.",
    ),
    read(
        "directory_audits_page",
        EVENTS,
        ResultType::One(Model::of::<Page<DirectoryAudit>>("DirectoryAuditPage")),
        "AuditLog.Read.All",
        "One page of what somebody changed in the directory; otherwise as `risk_detections_page`.",
    ),
    read(
        "alerts_page",
        EVENTS,
        ResultType::One(Model::of::<Page<Alert>>("AlertPage")),
        "SecurityAlert.Read.All",
        "One page of alerts that changed; otherwise as `risk_detections_page`.",
    ),
    read(
        "secure_score",
        &[],
        ResultType::Optional(Model::of::<SecureScore>("SecureScore")),
        "SecurityEvents.Read.All",
        "The newest score that Microsoft gives the tenant; none where it never did.",
    ),
    read(
        "user_consent",
        &[],
        ResultType::One(CONSENT),
        "Policy.Read.All",
        "What users may let applications do without an administrator.",
    ),
    change(
        "block_app_consent",
        &[],
        ResultType::One(CONSENT),
        "Policy.ReadWrite.Authorization",
        "Keeps users from letting applications in by themselves. Gives what was allowed before, with which `set_user_consent` takes it back.",
    ),
    change(
        "set_user_consent",
        &[Parameter::required(
            "permission_grant_policies",
            ParameterKind::Texts,
            "The policies by which users may consent.",
        )],
        ResultType::One(CONSENT),
        "Policy.ReadWrite.Authorization",
        "Says what users may let applications do.",
    ),
    read(
        "granted_permissions",
        &[],
        ResultType::Texts,
        "",
        "The application permissions that an administrator granted.",
    ),
    read(
        "collect",
        &[text("folder", "The folder, which holds nothing else.")],
        ResultType::Integer,
        "those of the checks",
        "Collects everything that the checks read into a folder, which is a snapshot for `evaluate` afterwards. Gives the number of pages. A collection that broke off goes on where it was.",
    ),
];

const USER: Model = Model::of::<User>("User");
const METHOD: Model = Model::of::<AuthenticationMethod>("AuthenticationMethod");
const ROLE: Model = Model::of::<RoleAssignment>("RoleAssignment");
const GRANT: Model = Model::of::<Grant>("Grant");
const CONSENT: Model = Model::of::<UserConsent>("UserConsent");
pub(crate) const USER_ID: Parameter = text("user_id", "The user's id: a GUID.");
const TOKEN: Parameter = optional(
    "page_token",
    "What the page before gave as `next_page_token`.",
);
const EVENTS: &[Parameter] = &[
    Parameter::optional(
        "start_time",
        ParameterKind::Timestamp,
        "Where to begin without a page token; a day ago unless told.",
    ),
    TOKEN,
];

const fn read(
    name: &'static str,
    parameters: &'static [Parameter],
    result: ResultType,
    permission: &'static str,
    docs: &'static str,
) -> Operation {
    Operation {
        name,
        parameters,
        result,
        effect: Effect::Read,
        permission,
        docs,
    }
}

const fn change(
    name: &'static str,
    parameters: &'static [Parameter],
    result: ResultType,
    permission: &'static str,
    docs: &'static str,
) -> Operation {
    Operation {
        effect: Effect::Change,
        ..read(name, parameters, result, permission, docs)
    }
}

const fn text(name: &'static str, docs: &'static str) -> Parameter {
    Parameter::required(name, ParameterKind::Text, docs)
}

const fn optional(name: &'static str, docs: &'static str) -> Parameter {
    Parameter::optional(name, ParameterKind::Text, docs)
}

const fn flag(name: &'static str, docs: &'static str) -> Parameter {
    Parameter::optional(name, ParameterKind::Boolean, docs)
}

const fn secret(name: &'static str, docs: &'static str) -> Parameter {
    Parameter::optional(name, ParameterKind::Secret, docs)
}

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let builder = M365::builder().context(context).tenant(given.tenant_id);
    let id = given.client_id;
    let mut builder = match (given.client_secret, given.certificate, given.private_key) {
        (Some(secret), None, None) => builder.credentials(id, secret),
        (None, Some(certificate), Some(key)) => builder.certificate(id, certificate, key),
        (None, None, None) => return Err(Error::config("client_secret", "missing")),
        (None, Some(_), None) => return Err(Error::config("private_key", "missing")),
        (None, None, Some(_)) => return Err(Error::config("certificate", "missing")),
        (Some(_), ..) => {
            let message = "give a secret or a certificate with its key, not both";
            return Err(Error::config("client_secret", message));
        }
    };
    if let Some(cloud) = given.cloud {
        builder = builder.cloud(cloud.parse()?);
    }
    if let Some(url) = given.login_url {
        builder = builder.login_url(url);
    }
    if let Some(url) = given.graph_url {
        builder = builder.graph_url(url);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    tenant_id: String,
    client_id: String,
    client_secret: Option<SecretRef>,
    certificate: Option<SecretRef>,
    private_key: Option<SecretRef>,
    cloud: Option<String>,
    login_url: Option<String>,
    graph_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::operation::check_table;

    use super::*;

    fn client() -> M365 {
        M365::builder()
            .context(protect_core::testing::context().context)
            .tenant("acme.example")
            .credentials("11111111-2222-4333-8444-555555555555", "secret")
            .build()
            .unwrap()
    }

    #[tokio::test]
    async fn the_table_and_the_gate_know_the_same_operations() {
        assert_eq!(check_table(Arc::new(client())).await, Ok(()));
    }

    /// The names and parameters of the client's public asynchronous methods, from its source.
    fn methods() -> BTreeSet<(String, Vec<String>)> {
        let source = include_str!("client.rs");
        let end = source.find("impl M365Builder").expect("the builder");
        source[..end]
            .split("\n    pub ")
            .skip(1)
            .filter_map(|method| {
                let (name, rest) = method
                    .trim_start_matches("async ")
                    .strip_prefix("fn ")?
                    .split_once('(')?;
                let (parameters, _) = rest.split_once(')')?;
                // The snapshot itself is a type of Rust alone.
                let is_operation = method.starts_with("async ") && name != "collect_snapshot";
                let parameters = parameters
                    .split(',')
                    .filter_map(|parameter| Some(parameter.split_once(':')?.0.trim().to_owned()));
                (is_operation || name == "users").then(|| (name.to_owned(), parameters.collect()))
            })
            .collect()
    }

    #[test]
    fn the_table_and_the_methods_agree_on_names_and_parameters() {
        let declared: BTreeSet<_> = OPERATIONS
            .iter()
            .map(|operation| {
                let parameters = operation.parameters.iter();
                let parameters = parameters.map(|it| it.name.to_owned()).collect();
                (operation.name.to_owned(), parameters)
            })
            .collect();
        assert_eq!(declared, methods());
    }

    #[test]
    fn a_model_is_called_in_its_schema_what_the_table_calls_it() {
        for operation in OPERATIONS {
            if let ResultType::One(model)
            | ResultType::Stream(model)
            | ResultType::List(model)
            | ResultType::Optional(model) = operation.result
            {
                let schema = (model.schema)();
                let title = schema.get("title").and_then(Value::as_str);
                assert_eq!(title, Some(model.name), "{}", operation.name);
            }
        }
    }
}
