//! The JSON Schema of the configuration, with the keys of every registered kind.

mod build;
mod client;
mod kinds;
mod rules;

use schemars::{JsonSchema, schema_for};
use serde_json::{Map, Value, json};

use self::build::{
    any_of, documented, named, object, one_or_more, reference, text, texts, url, with_default,
};
use self::kinds::{connection, connector};
use self::rules::{account_condition, condition, employee_condition, rule, then};
use crate::model::{ActionKind, FindingKind, PeopleRole};
use crate::registry::Registry;

/// The JSON Schema (2020-12) of `protect.toml`, for editors and for checking a file without this
/// program. Parsing says more: it also knows which names there are.
pub fn schema(registry: &Registry) -> Value {
    let mut defs = Map::new();
    let mut define = |name: &str, schema: Value| {
        defs.insert(name.to_owned(), schema);
    };
    define("store", store());
    define("ledger", ledger());
    define("key_vault", key_vault());
    define("secret", secret());
    define("duration", duration());
    define("path", path());
    define("tenant", tenant());
    define("monitor", monitor());
    define("route", route());
    define("approval", approval());
    define("guard", guard());
    define("client_view", client::view());
    define("branding", client::branding());
    define("people", people());
    define("task", task());
    define("rule", rule());
    define("condition", condition());
    define("account_condition", account_condition(registry));
    define("employee_condition", employee_condition());
    define("then", then(registry));
    define("action", words_of::<ActionKind>());
    define("finding_kind", words_of::<FindingKind>());
    let mut connections = Vec::new();
    let mut connectors = Vec::new();
    for spec in registry.specs() {
        if spec.needs_connection {
            let name = format!("connection_{}", spec.name);
            connections.push(reference(&name));
            define(&name, connection(spec));
        }
        let name = format!("connector_{}", spec.name);
        connectors.push(reference(&name));
        define(&name, connector(spec));
    }
    define("connection", any_of(&connections));
    define("connector", any_of(&connectors));

    let mut schema = root();
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("protect.toml");
    schema["$defs"] = Value::Object(defs);
    schema
}

fn root() -> Value {
    object(
        "The configuration of protect. Every key that is not listed is an error.",
        &[
            (
                "mode",
                documented(
                    json!({ "enum": ["dry_run", "enforce"], "default": "dry_run" }),
                    "Whether anything may be changed: `dry_run` plans and shows, `enforce` applies what was approved.",
                ),
            ),
            ("store", reference("store")),
            ("ledger", reference("ledger")),
            ("key_vault", reference("key_vault")),
            (
                "connections",
                named(
                    &reference("connection"),
                    "Endpoints and credentials at vendors, by a name of your choice.",
                ),
            ),
            (
                "tenants",
                named(
                    &reference("tenant"),
                    "The organisations being protected, by their id.",
                ),
            ),
        ],
        &[],
    )
}

fn store() -> Value {
    let mut store = object(
        "Where everything is kept; in memory where this is left out.",
        &[
            (
                "kind",
                documented(
                    json!({ "enum": ["sqlite", "memory"] }),
                    "`sqlite` keeps everything in one file; `memory` forgets it when the program ends. `postgres` is planned.",
                ),
            ),
            (
                "path",
                documented(reference("path"), "The file, for `sqlite`."),
            ),
        ],
        &["kind"],
    );
    store["if"] = json!({ "properties": { "kind": { "const": "sqlite" } } });
    store["then"] = json!({ "required": ["path"] });
    store["else"] = json!({ "properties": { "path": false } });
    store
}

fn ledger() -> Value {
    object(
        "How the ledger is signed.",
        &[(
            "key",
            documented(
                reference("secret"),
                "The Ed25519 key that signs checkpoints.",
            ),
        )],
        &[],
    )
}

fn key_vault() -> Value {
    let mut vault = object(
        "The application that reads secrets of Azure Key Vaults, and nothing else. What it signs in with stands in no vault.",
        &[
            (
                "tenant_id",
                documented(text(), "The Entra tenant: its GUID or a verified domain."),
            ),
            ("client_id", documented(text(), "The application's id.")),
            (
                "client_secret",
                documented(reference("secret"), "Its secret."),
            ),
            (
                "certificate",
                documented(
                    reference("secret"),
                    "Its certificate (PEM), instead of a secret.",
                ),
            ),
            (
                "private_key",
                documented(
                    reference("secret"),
                    "The certificate's private key (PEM, RSA).",
                ),
            ),
            (
                "cloud",
                documented(
                    json!({ "enum": ["global", "gcc_high", "dod", "china"], "default": "global" }),
                    "In which of Microsoft's clouds.",
                ),
            ),
            (
                "login",
                documented(url(), "Root of the sign-in service instead of the cloud's."),
            ),
        ],
        &["tenant_id", "client_id"],
    );
    vault["oneOf"] = json!([
        { "required": ["client_secret"], "properties": { "certificate": false, "private_key": false } },
        { "required": ["certificate", "private_key"], "properties": { "client_secret": false } },
    ]);
    vault
}

fn secret() -> Value {
    let sort = |key: &str, value: Value, meaning: &str| object(meaning, &[(key, value)], &[key]);
    json!({
        "description": "A reference to a secret, read when it is used. The secret itself never stands in the configuration.",
        "oneOf": [
            sort("env", text(), "The environment variable of this name."),
            sort("file", reference("path"), "The content of this file, less the last line break."),
            sort(
                "command",
                json!({ "type": "array", "items": text(), "minItems": 1 }),
                "What this program prints, less the last line break; no shell is involved.",
            ),
            object(
                "A secret of an Azure Key Vault.",
                &[
                    ("key_vault", documented(url(), "The vault's URL.")),
                    ("name", documented(text(), "The secret's name.")),
                ],
                &["key_vault", "name"],
            ),
            sort("provided", text(), "What the embedding program handed over under this name."),
        ],
    })
}

fn duration() -> Value {
    documented(
        text(),
        "A span of time such as `24h`, `90m`, `7d`; whole seconds, a day being 24 hours.",
    )
}

fn path() -> Value {
    documented(
        text(),
        "A path; a relative one is resolved against the configuration's folder.",
    )
}

fn tenant() -> Value {
    object(
        "An organisation being protected.",
        &[
            (
                "name",
                documented(
                    text(),
                    "What people call it; its id where this is left out.",
                ),
            ),
            ("domains", documented(texts(), "Its mail domains.")),
            (
                "protected",
                documented(
                    texts(),
                    "Accounts that nothing may change, such as break-glass ones, by address or vendor's id.",
                ),
            ),
            ("monitor", reference("monitor")),
            ("route", reference("route")),
            (
                "connectors",
                named(
                    &reference("connector"),
                    "Its connectors, by a name of your choice.",
                ),
            ),
            (
                "rules",
                documented(
                    json!({ "type": "array", "items": reference("rule") }),
                    "Its rules, in order.",
                ),
            ),
            ("approval", reference("approval")),
            ("guard", reference("guard")),
            ("client_view", reference("client_view")),
            ("branding", reference("branding")),
            ("people", reference("people")),
        ],
        &[],
    )
}

fn people() -> Value {
    let tasks = |meaning: &str| {
        documented(
            json!({ "type": "array", "items": reference("task") }),
            meaning,
        )
    };
    object(
        "How people come and leave.",
        &[
            (
                "time_zone",
                with_default(
                    documented(
                        text(),
                        "The time zone that days are counted in, such as `Europe/Berlin`.",
                    ),
                    "UTC",
                ),
            ),
            (
                "offboarding",
                tasks("The tasks of an offboarding, instead of the built-in ones."),
            ),
            (
                "onboarding",
                tasks("The tasks of an onboarding, instead of the built-in ones."),
            ),
            (
                "share_leave_type",
                documented(
                    json!({ "type": "boolean", "default": false }),
                    "Whether those who plan work are told of which sort somebody's time off is.",
                ),
            ),
            ("insider_threat", insider_threat()),
            ("notices", notices()),
            ("roles", people_roles()),
        ],
        &[],
    )
}

fn people_roles() -> Value {
    let roles = PeopleRole::ALL.map(PeopleRole::as_str);
    let by = |meaning: &str| {
        let values = json!({ "type": "object", "additionalProperties": { "enum": roles } });
        documented(values, meaning)
    };
    object(
        "Which role in the workforce somebody has who signs in. What Hub says of the product comes first, then the address, then the role in the organisation; everybody else is an employee.",
        &[
            (
                "product",
                with_default(
                    documented(
                        text(),
                        "The name under which a token's `products` holds the role.",
                    ),
                    PeopleRole::PRODUCT,
                ),
            ),
            (
                "organisation",
                by(
                    "By the role in the organisation: `owner`, `admin`, `member`, `billing`, `viewer`. Owners and admins are `admin` where this is left out.",
                ),
            ),
            (
                "addresses",
                by("By the address that somebody signs in with."),
            ),
        ],
        &[],
    )
}

fn notices() -> Value {
    let mut schema = object(
        "What people are told when somebody comes or leaves, and of what is due: nothing where this is left out. Every other key is a word that tasks are assigned to, such as `hr` and `it`, with the addresses behind it; `hr_managers` are told of insider-threat signals.",
        &[(
            "connector",
            documented(text(), "The connector of kind `notify` that sends mail."),
        )],
        &["connector"],
    );
    schema["additionalProperties"] = texts();
    schema
}

fn insider_threat() -> Value {
    object(
        "Insider-threat signals of other products; none are received where this is left out.",
        &[
            (
                "enabled_by",
                documented(
                    text(),
                    "Who decided so; legal review and informing employees are needed before.",
                ),
            ),
            (
                "min_severity",
                documented(
                    json!({ "enum": ["low", "medium", "high"], "default": "medium" }),
                    "What is less bad is left out.",
                ),
            ),
            (
                "only_offboarding",
                documented(
                    json!({ "type": "boolean", "default": true }),
                    "Whether only signals about people who are leaving are kept.",
                ),
            ),
        ],
        &["enabled_by"],
    )
}

fn task() -> Value {
    object(
        "What somebody does when a person comes or leaves.",
        &[
            ("title", documented(text(), "What to do.")),
            (
                "category",
                with_default(
                    documented(
                        text(),
                        "`orientation`, `equipment`, `it_setup`, or another word.",
                    ),
                    "orientation",
                ),
            ),
            (
                "assignee",
                with_default(
                    documented(
                        text(),
                        "Whose it is: `hr`, `manager`, `it`, or another word.",
                    ),
                    "hr",
                ),
            ),
            (
                "due",
                documented(
                    json!({ "type": "integer", "minimum": -3650, "maximum": 3650, "default": 0 }),
                    "By when, in days from the last or the first day: -5 is five days before.",
                ),
            ),
        ],
        &["title"],
    )
}

fn monitor() -> Value {
    object(
        "Who is watched.",
        &[
            (
                "domains",
                documented(
                    json!({ "type": "boolean", "default": false }),
                    "Whether the tenant's domains are watched as a whole.",
                ),
            ),
            ("addresses", documented(texts(), "Single addresses.")),
            (
                "csv",
                documented(
                    reference("path"),
                    "A CSV file of people, whose header names a column `address` or `email`.",
                ),
            ),
            (
                "directories",
                documented(
                    texts(),
                    "Connectors of this tenant whose accounts are watched.",
                ),
            ),
        ],
        &[],
    )
}

fn route() -> Value {
    let actions = ActionKind::ALL
        .iter()
        .filter(|kind| !kind.acts_everywhere());
    let names: Vec<_> = actions.map(|kind| kind.as_str()).collect();
    json!({
        "description": "For actions that go to one place: which connectors of this tenant (or kinds that just one of them has) are tried, in order.",
        "type": "object",
        "propertyNames": { "enum": names },
        "additionalProperties": one_or_more(&text()),
    })
}

fn approval() -> Value {
    object(
        "Who may approve.",
        &[
            (
                "self",
                documented(
                    json!({ "enum": ["refuse", "allow_recorded"], "default": "refuse" }),
                    "What happens to somebody's approval of their own request.",
                ),
            ),
            (
                "unverified",
                documented(
                    json!({ "enum": ["allow", "refuse"], "default": "allow" }),
                    "What happens to actors who only typed a name.",
                ),
            ),
            (
                "expires",
                with_default(
                    documented(reference("duration"), "How long an approval counts."),
                    "24h",
                ),
            ),
        ],
        &[],
    )
}

fn guard() -> Value {
    object(
        "How much may change at once.",
        &[
            (
                "max_accounts",
                documented(
                    json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX, "default": 10 }),
                    "Accounts that may change in an hour without consent.",
                ),
            ),
            (
                "max_percent",
                documented(
                    json!({ "type": "number", "minimum": 0, "maximum": 100, "default": 5 }),
                    "Or this share of the tenant's accounts in per cent, whichever is larger.",
                ),
            ),
            (
                "cool_down",
                with_default(
                    documented(
                        reference("duration"),
                        "For how long we do not repeat what a person took back.",
                    ),
                    "7d",
                ),
            ),
        ],
        &[],
    )
}

/// The words of an enum of the model, each with its meaning.
fn words_of<T: JsonSchema>() -> Value {
    let mut schema = schema_for!(T).to_value();
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("$schema");
        schema.remove("title");
    }
    schema
}
