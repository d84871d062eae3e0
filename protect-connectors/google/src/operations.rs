//! The client's operations as data; the gate through which other languages call them stands in
//! `calls.rs`.

use std::sync::Arc;

use protect_core::Result;
use protect_core::context::Context;
use protect_core::operation::{
    Callable, Class, Effect, Model, Operation, Parameter, ParameterKind, ResultType, arguments,
};
use protect_core::secret::SecretRef;
use serde::Deserialize;
use serde_json::Value;

use crate::KIND;
use crate::client::Google;
use crate::model::{
    Activity, Alert, AppPassword, Domain, Grant, Group, NewPassword, OrgUnit, Page, Role,
    RoleAssignment, Usage, User, UserPage,
};

/// The class `Google`.
pub static CLASS: Class = Class {
    name: "Google",
    kind: KIND,
    docs: "Acts at once in Google Workspace: without plan, guards, store or ledger. For those, use the engine.\n\nRetries, limits and typed errors are inside.",
    constructor: &[
        text("subject", "The address of the administrator to act as."),
        Parameter::required(
            "service_account",
            ParameterKind::Secret,
            "The JSON file of a service account with domain-wide delegation.",
        ),
        optional(
            "customer_id",
            "The customer's id; that of the administrator's customer unless told.",
        ),
        optional("base_url", "One root for all of Google's interfaces."),
        optional("token_url", "Another token endpoint, as a whole address."),
    ],
    operations: OPERATIONS,
};

const READ_USERS: &str = "admin.directory.user.readonly or admin.directory.user";
const CHANGE_USERS: &str = "admin.directory.user";
const SECURITY: &str = "admin.directory.user.security";
const ROLES: &str = "admin.directory.rolemanagement.readonly";

/// Every operation, in the order of the reference page.
pub const OPERATIONS: &[Operation] = &[
    read(
        "users",
        &[],
        ResultType::Stream(USER),
        READ_USERS,
        "Every account, page by page. A record that cannot be read is left out and logged; `users_page` lists it.",
    ),
    read(
        "users_page",
        &[TOKEN],
        ResultType::One(Model::of::<UserPage>("UserPage")),
        READ_USERS,
        "One page of up to 500 accounts, with the records that could not be read.",
    ),
    read(
        "get_user",
        &[USER_ID],
        ResultType::One(USER),
        READ_USERS,
        "One account by id. To find one by address, list the users.",
    ),
    change(
        "suspend_user",
        &[USER_ID],
        ResultType::One(USER),
        CHANGE_USERS,
        "Keeps an account from being used; a repeat changes nothing. Refused as `permission_denied` for a super administrator, where `subject` is none.",
    ),
    change(
        "restore_user",
        &[USER_ID],
        ResultType::One(USER),
        CHANGE_USERS,
        "Lets an account be used again; a repeat changes nothing.",
    ),
    change(
        "reset_password",
        &[USER_ID],
        ResultType::One(Model::of::<NewPassword>("NewPassword")),
        CHANGE_USERS,
        "Gives an account a new password, which only the caller learns, and which must be changed at the next sign-in. Google ends its sessions and takes its app passwords back, but not every grant.",
    ),
    change(
        "require_password_change",
        &[USER_ID],
        ResultType::One(USER),
        CHANGE_USERS,
        "Has an account's owner choose another password at the next sign-in.",
    ),
    change(
        "move_to_org_unit",
        &[
            USER_ID,
            text("org_unit_path", "The org unit's path; it begins with `/`."),
        ],
        ResultType::One(USER),
        CHANGE_USERS,
        "Moves an account to an org unit: settings such as enforced 2-step verification are made for org units.",
    ),
    change(
        "set_super_admin",
        &[
            USER_ID,
            Parameter::required(
                "is_super_admin",
                ParameterKind::Boolean,
                "Whether it is to be one.",
            ),
        ],
        ResultType::One(USER),
        CHANGE_USERS,
        "Makes an account a super administrator, or one no longer.",
    ),
    change(
        "sign_out",
        &[USER_ID],
        ResultType::Nothing,
        SECURITY,
        "Ends every session of an account. It may take an hour until mail is closed.",
    ),
    read(
        "grants",
        &[USER_ID],
        ResultType::List(GRANT),
        SECURITY,
        "What an account let applications do in its name.",
    ),
    change(
        "revoke_grants",
        &[USER_ID],
        ResultType::List(GRANT),
        SECURITY,
        "Takes back everything that an account let applications do. Gives what was taken back.",
    ),
    read(
        "app_passwords",
        &[USER_ID],
        ResultType::List(APP_PASSWORD),
        SECURITY,
        "The passwords that an account has for single applications.",
    ),
    change(
        "revoke_app_passwords",
        &[USER_ID],
        ResultType::List(APP_PASSWORD),
        SECURITY,
        "Takes back every password for single applications. Gives what was taken back.",
    ),
    change(
        "invalidate_backup_codes",
        &[USER_ID],
        ResultType::Nothing,
        SECURITY,
        "Makes an account's backup codes worthless.",
    ),
    read(
        "domains",
        &[],
        ResultType::List(Model::of::<Domain>("Domain")),
        "admin.directory.domain.readonly",
        "The customer's domains.",
    ),
    read(
        "org_units",
        &[],
        ResultType::List(Model::of::<OrgUnit>("OrgUnit")),
        "admin.directory.orgunit.readonly",
        "The customer's org units, the one above all others among them.",
    ),
    read(
        "groups_page",
        &[TOKEN],
        ResultType::One(Model::of::<Page<Group>>("GroupPage")),
        "admin.directory.group.readonly",
        "One page of the customer's groups.",
    ),
    read(
        "roles",
        &[],
        ResultType::List(Model::of::<Role>("Role")),
        ROLES,
        "The roles of administrators.",
    ),
    read(
        "role_assignments",
        &[],
        ResultType::List(Model::of::<RoleAssignment>("RoleAssignment")),
        ROLES,
        "Who holds which role.",
    ),
    read(
        "activities_page",
        &[
            text("application", "Which log (`login`, `admin`, `token`)."),
            START,
            optional("user_id", "The account whose events are wanted, by id."),
            optional("event_name", "The one sort of event that is wanted."),
            TOKEN,
        ],
        ResultType::One(Model::of::<Page<Activity>>("ActivityPage")),
        "admin.reports.audit.readonly",
        "One page of a log: behind `page_token`, with otherwise the same arguments, or else from `start_time` on, or else of the last day. Google allows 250 questions a minute that name an account or event; the client waits.",
    ),
    read(
        "alerts_page",
        &[START, TOKEN],
        ResultType::One(Model::of::<Page<Alert>>("AlertPage")),
        "apps.alerts",
        "One page of alerts that were made since `start_time`, or else in the last day.",
    ),
    read(
        "usage",
        &[text("date", "The day, as `2026-11-01`, in Pacific time.")],
        ResultType::One(Model::of::<Usage>("Usage")),
        "admin.reports.usage.readonly",
        "How much was used on a day. Google is days late with it, and says so in `warnings`.",
    ),
    read(
        "granted_scopes",
        &[],
        ResultType::Texts,
        "",
        "The scopes that are delegated, of those that this client can use.",
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
const GRANT: Model = Model::of::<Grant>("Grant");
const APP_PASSWORD: Model = Model::of::<AppPassword>("AppPassword");
pub(crate) const USER_ID: Parameter = text("user_id", "The account's id: a number.");
const TOKEN: Parameter = optional(
    "page_token",
    "What the page before gave as `next_page_token`.",
);
const START: Parameter = Parameter::optional(
    "start_time",
    ParameterKind::Timestamp,
    "Where to begin; a day ago unless told.",
);

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

/// A client from the constructor's arguments. No I/O.
///
/// # Errors
/// `invalid_input` or `config_invalid` naming the argument.
pub fn connect(given: Value, context: Context) -> Result<Arc<dyn Callable>> {
    let given: Construct = arguments(given)?;
    let mut builder = Google::builder()
        .context(context)
        .subject(given.subject)
        .service_account(given.service_account);
    if let Some(customer) = given.customer_id {
        builder = builder.customer_id(customer);
    }
    if let Some(url) = given.base_url {
        builder = builder.base_url(url);
    }
    if let Some(url) = given.token_url {
        builder = builder.token_url(url);
    }
    Ok(Arc::new(builder.build()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Construct {
    subject: String,
    service_account: SecretRef,
    customer_id: Option<String>,
    base_url: Option<String>,
    token_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use protect_core::operation::check_table;

    use super::*;

    fn client() -> Google {
        Google::builder()
            .context(protect_core::testing::context().context)
            .subject("admin@acme.example")
            .service_account("{}")
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
        let end = source.find("impl GoogleBuilder").expect("the builder");
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
