use proptest::prelude::*;
use serde_json::{Value, json};

use super::{EXAMPLE, example_with, lines, parse, problems, registry};
use crate::config::{Config, ConfigErrors};
use crate::error::ErrorKind;

/// The example with one piece of its text replaced.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(EXAMPLE.contains(from), "{from:?} is not in the example");
    problems(&EXAMPLE.replacen(from, to, 1))
}

macro_rules! says {
    ($($name:ident: $from:expr => $to:expr, [$($line:expr),+ $(,)?];)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(changed($from, $to), [$($line),+]);
        }
    )+};
}

says! {
    an_unknown_key_names_the_nearest: "mode = \"dry_run\"" => "mod = \"dry_run\"",
        ["mod: unknown key; did you mean `mode`?"];
    an_unknown_key_without_a_near_one_lists_the_known: "[store]" => "colour = 1\n[store]",
        ["colour: unknown key; known here: mode, store, ledger, key_vault, connections, tenants"];
    what_opens_a_vault_stands_in_none: "[store]" => "key_vault = { tenant_id = \"t\", client_id = \"c\", client_secret = { key_vault = \"https://v.vault.azure.net\", name = \"n\" } }\n[store]",
        ["key_vault.client_secret: what opens the vault does not stand in a vault"];
    a_role_of_the_workforce_is_one_of_six: "[tenants.acme.connectors.breaches]" => "people.roles.addresses = { \"a@acme.example\" = \"hr_boss\" }\n[tenants.acme.connectors.breaches]",
        ["tenants.acme.people.roles.addresses.\"…\": unknown role; known: admin, hr_manager, hr_staff, manager, viewer, employee"];
    a_role_in_the_organisation_is_one_of_five: "[tenants.acme.connectors.breaches]" => "people.roles.organisation = { boss = \"admin\" }\n[tenants.acme.connectors.breaches]",
        ["tenants.acme.people.roles.organisation.boss: not a role in the organisation: owner, admin, member, billing or viewer"];
    a_mode_is_one_of_two: "mode = \"dry_run\"" => "mode = \"enforced\"",
        ["mode: unknown mode `enforced`; did you mean `enforce`?"];
    postgres_is_planned: "kind = \"sqlite\"" => "kind = \"postgres\"",
        ["store.kind: `postgres` is planned and not there yet; write `sqlite` with a `path`"];
    a_store_in_memory_has_no_path: "kind = \"sqlite\"" => "kind = \"memory\"",
        ["store.path: a store in memory has no path"];
    a_file_store_needs_a_path: "path = \"protect.db\"" => "",
        ["store.path: missing: where the file is, such as \"protect.db\""];
    an_unknown_kind_of_connector: "kind = \"onepassword\"" => "kind = \"onepasword\"",
        ["connections.acme-passwords.kind: unknown kind of connector `onepasword`; did you mean `onepassword`?"];
    an_unknown_key_of_a_connection: "region = \"eu\"" => "regio = \"eu\"",
        ["connections.acme-passwords.regio: unknown key; did you mean `region`?"];
    an_unknown_word_of_a_setting: "region = \"eu\"" => "region = \"us\"",
        ["connections.acme-passwords.region: unknown value; known: com, ca, eu"];
    an_unknown_field_of_a_credential: "scan = { api_key" => "scan = { apikey = 1, api_key",
        ["connections.hibp.scan.apikey: unknown key; did you mean `api_key`?"];
    a_missing_field_of_a_credential: "scan = { api_key = { env = \"HIBP_API_KEY\" } }" => "scan = {}",
        ["connections.hibp.scan.api_key: missing: The API key."];
    a_missing_credential: "scan = { api_key = { env = \"HIBP_API_KEY\" } }" => "",
        ["connections.hibp.scan: missing: { api_key = { env = \"NAME\" } }"];
    half_a_credential: "scan = { client_id = \"...\", client_secret = { env = \"OP_SCAN_SECRET\" }," => "scan = { client_id = \"...\",",
        ["connections.acme-passwords.scan: `client_id` also needs `client_secret`"];
    no_whole_credential: "scan = { client_id = \"...\", client_secret = { env = \"OP_SCAN_SECRET\" }, events_token = { env = \"OP_EVENTS_TOKEN\" } }" => "scan = {}",
        ["connections.acme-passwords.scan: missing: `client_id` with `client_secret`, or `events_token`"];
    a_plain_secret: "{ env = \"HIBP_API_KEY\" }" => "\"canary-5f2\"",
        ["connections.hibp.scan.api_key: a secret does not stand in the configuration; write a reference: { env = \"NAME\" }, { file = \"path\" }, { command = [\"program\", \"argument\"] } or { key_vault = \"https://NAME.vault.azure.net\", name = \"SECRET\" }"];
    a_secret_where_a_variable_is_named: "env = \"HIBP_API_KEY\"" => "env = \"canary-5f2\"",
        ["connections.hibp.scan.api_key.env: not the name of an environment variable: letters, digits and `_`, no digit first"];
    a_command_as_one_text: "env = \"HIBP_API_KEY\"" => "command = \"op read x\"",
        ["connections.hibp.scan.api_key.command: expected a list, since no shell is involved: [\"program\", \"argument\", ...]"];
    a_vault_without_a_name: "env = \"HIBP_API_KEY\"" => "key_vault = \"https://v.vault.azure.net\"",
        ["connections.hibp.scan.api_key.name: missing: the secret's name in the vault"];
    a_connection_that_says_not_whom_it_serves: "tenants = [\"*\"]" => "",
        ["connections.hibp.tenants: missing: say whom it may serve: [\"*\"] or a list of tenants"];
    a_connection_that_serves_an_unknown_tenant: "tenants = [\"acme\"]" => "tenants = [\"acme\", \"acmee\"]",
        ["connections.acme-passwords.tenants[1]: unknown tenant `acmee`; did you mean `acme`?"];
    every_tenant_and_some: "tenants = [\"*\"]" => "tenants = [\"*\", \"acme\"]",
        ["connections.hibp.tenants: \"*\" means every tenant and stands alone"];
    a_connection_that_may_not_serve_the_tenant: "tenants = [\"acme\"]" => "tenants = [\"other\"]\n[tenants.other]",
        ["tenants.acme.connectors.passwords.connection: connection `acme-passwords` may not serve this tenant; its `tenants` say whom it may"];
    an_unknown_connection: "connection = \"hibp\"" => "connection = \"hipb\"",
        ["tenants.acme.connectors.breaches.connection: unknown connection `hipb`; did you mean `hibp`?"];
    a_connector_without_the_connection_it_needs: "connection = \"hibp\"" => "kind = \"hibp\"",
        ["tenants.acme.connectors.breaches: kind `hibp` needs a `connection`, one of [connections]"];
    a_connector_of_another_kind_than_its_connection: "connection = \"hibp\"" => "connection = \"hibp\"\nkind = \"email\"",
        ["tenants.acme.connectors.breaches.kind: connection `hibp` is of kind `hibp`; leave `kind` out"];
    a_connector_without_either: "kind = \"email\" " => "",
        ["tenants.acme.connectors.mail: missing: `connection`, or `kind` where it needs none"];
    a_missing_setting: "account_id = \"...\"" => "",
        ["tenants.acme.connectors.passwords.account_id: missing: The account's id."];
    an_unknown_setting: "account_id = \"...\"" => "account_id = \"x\"\nacount_id = \"y\"",
        ["tenants.acme.connectors.passwords.acount_id: unknown key; did you mean `account_id`?"];
    a_directory_that_does_not_exist: "directories = [\"passwords\"]" => "directories = [\"password\"]",
        ["tenants.acme.monitor.directories[0]: unknown connector `password`; did you mean `passwords`?"];
    domains_to_watch_that_are_not_there: "domains = [\"acme.example\"]" => "",
        ["tenants.acme.monitor.domains: the tenant has no `domains` to watch"];
    what_is_no_domain: "domains = [\"acme.example\"]" => "domains = [\"a.example\", \"a b\", \"127.0.0.1\", \"x\"]",
        ["tenants.acme.domains[1]: not a domain: write it like \"acme.example\"",
         "tenants.acme.domains[2]: not a domain: write it like \"acme.example\"",
         "tenants.acme.domains[3]: not a domain: write it like \"acme.example\""];
    what_is_no_address: "ceo@personal.example" => "ceo personal.example",
        ["tenants.acme.monitor.addresses[0]: not an e-mail address"];
    a_route_to_nowhere: "route.force_password_reset = [\"passwords\"]" => "route.force_password_reset = [\"entra\"]",
        ["tenants.acme.route.force_password_reset[0]: unknown connector; known: breaches, email, hibp, mail, onepassword, passwords"];
    a_route_of_an_unknown_action: "route.force_password_reset" => "route.force_pasword_reset",
        ["tenants.acme.route.force_pasword_reset: unknown action `force_pasword_reset`; did you mean `force_password_reset`?"];
    a_route_of_what_acts_everywhere: "route.force_password_reset" => "route.suspend_account",
        ["tenants.acme.route.suspend_account: `suspend_account` acts wherever the person has an account; a rule's `on` says where"];
    an_ambiguous_kind: "route.force_password_reset = [\"passwords\"]" => "connectors.other = { connection = \"acme-passwords\", account_id = \"b\" }\nroute.force_password_reset = [\"onepassword\"]",
        ["tenants.acme.route.force_password_reset[0]: several connectors are of kind `onepassword`; name one: other, passwords"];
    a_rule_without_a_name: "name = \"leaked password\"" => "",
        ["tenants.acme.rules[0].name: missing: a name, unique within the tenant"];
    two_rules_of_one_name: "[[tenants.acme.rules]]" => "[[tenants.acme.rules]]\nname = \"leaked password\"\nwhen = { severity = \"low\" }\nthen = \"notify\"\n[[tenants.acme.rules]]",
        ["tenants.acme.rules[1]: another rule of this tenant has the same name (in rule `leaked password`)"];
    an_automatic_rule_that_nobody_enabled: "approval = \"required\"" => "approval = \"auto\"",
        ["tenants.acme.rules[0].enabled_by: missing: who decided that nobody needs to consent (in rule `leaked password`)"];
    enabled_by_without_auto: "approval = \"required\"" => "enabled_by = \"cto\"",
        ["tenants.acme.rules[0].enabled_by: only goes with approval = \"auto\" (in rule `leaked password`)"];
    an_unknown_action: "\"suspend_account\"" => "\"suspend_acount\"",
        ["tenants.acme.rules[0].then[0]: unknown action `suspend_acount`; did you mean `suspend_account`? (in rule `leaked password`)"];
    an_unknown_parameter_of_an_action: "template =" => "tempalte =",
        ["tenants.acme.rules[0].then[1].tempalte: unknown key; did you mean `template`? (in rule `leaked password`)"];
    a_span_of_time_that_is_none: "[\"suspend_account\"," => "[{ action = \"suspend_account\", for = \"1 month\" },",
        ["tenants.acme.rules[0].then[0].for: not a span of time: write one like \"24h\", \"90m\", \"7d\" (in rule `leaked password`)"];
    an_end_of_what_cannot_be_undone: "[\"suspend_account\"," => "[{ action = \"revoke_sessions\", for = \"1h\" },",
        ["tenants.acme.rules[0].then[0].for: `revoke_sessions` cannot be undone, so it cannot end by itself (in rule `leaked password`)"];
    a_place_for_what_is_routed: "template =" => "on = [\"mail\"], template =",
        ["tenants.acme.rules[0].then[1].on: `open_ticket` goes to one place, which the tenant's `route.open_ticket` names (in rule `leaked password`)"];
    no_action_at_all: "then = [\"suspend_account\", { action = \"open_ticket\", template = \"dark_web_alert\" }]" => "then = []",
        ["tenants.acme.rules[0].then: an empty list (in rule `leaked password`)"];
    a_share_beyond_all: "domains = [\"acme.example\"]" => "domains = [\"acme.example\"]\nguard = { max_percent = 101, max_accounts = \"10\" }",
        ["tenants.acme.guard.max_accounts: expected a whole number",
         "tenants.acme.guard.max_percent: must be between 0 and 100"];
    a_number_that_is_none: "domains = [\"acme.example\"]" => "domains = [\"acme.example\"]\nguard = { max_percent = nan }",
        ["tenants.acme.guard.max_percent: expected a number"];
    a_name_that_is_none: "[tenants.acme.connectors.mail]" => "[tenants.acme.connectors.\"ceo@personal.example\"]",
        ["tenants.acme.connectors.\"…\": not a connector name: 1 to 63 lower-case letters, digits, '-' or '_'"];
}

fn with_endpoint(url: &str) -> Vec<String> {
    let endpoints = format!("kind = \"hibp\"\nendpoints = {{ api = \"{url}\" }}");
    match parse(&EXAMPLE.replacen("kind = \"hibp\"", &endpoints, 1)) {
        Ok(_) => Vec::new(),
        Err(error) => lines(&error),
    }
}

#[test]
fn an_endpoint_is_an_absolute_root_and_http_only_on_this_machine() {
    for (url, message) in [
        (
            "haveibeenpwned.com",
            "not an absolute URL: write it with https:// and a host",
        ),
        (
            "ftp://a.example",
            "must begin with https:// and name a host",
        ),
        (
            "mailto:a@b.example",
            "must begin with https:// and name a host",
        ),
        (
            "http://a.example",
            "http is for this machine only (127.0.0.1, localhost): write https",
        ),
        (
            "http://127.0.0.1.a.example",
            "http is for this machine only (127.0.0.1, localhost): write https",
        ),
        (
            "https://u:canary@a.example",
            "a URL with a user or password in it: credentials are references",
        ),
        ("https://a.example/v3/", "must not end in a slash"),
        ("https://a.example/?k=canary", "must have no query (`?...`)"),
        ("https://a.example#x", "must have no fragment (`#...`)"),
    ] {
        let expected = format!("connections.hibp.endpoints.api: {message}");
        assert_eq!(with_endpoint(url), [expected], "{url}");
    }
    for url in [
        "https://a.example",
        "https://a.example/api/v3",
        "http://127.0.0.1:8080/api",
        "http://localhost:1",
        "http://[::1]:1",
    ] {
        assert_eq!(with_endpoint(url), [""; 0], "{url}");
    }
}

#[test]
fn all_problems_are_told_at_once_one_per_line() {
    let text = EXAMPLE
        .replace("mode = \"dry_run\"", "mode = \"dry\"")
        .replace("connection = \"hibp\"", "connection = \"hip\"")
        .replace("\">=high\"", "\">=hihg\"");
    let error = parse(&text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid: 3 problems in the configuration:
  mode: unknown mode; known: dry_run, enforce
  tenants.acme.connectors.breaches.connection: unknown connection `hip`; did you mean `hibp`?
  tenants.acme.rules[0].when.severity: unknown severity `hihg`; did you mean `high`? (in rule `leaked password`)"
    );
    let problem = &ConfigErrors::of(&error).unwrap().problems()[2];
    assert_eq!(problem.tenant.as_deref(), Some("acme"));
    assert_eq!(problem.rule.as_deref(), Some("leaked password"));
    assert_eq!(problem.suggestion.as_deref(), Some("high"));
}

#[test]
fn a_single_problem_names_tenant_connection_connector_and_field() {
    let text = EXAMPLE.replace("account_id = \"...\"", "account_id = 7");
    assert_eq!(
        parse(&text).unwrap_err().to_string(),
        "config_invalid { field: tenants.acme.connectors.passwords.account_id, tenant: acme, \
         connection: acme-passwords, connector: passwords }: expected text"
    );
}

#[test]
fn what_is_planned_is_unsupported_rather_than_wrong() {
    let error = parse("[store]\nkind = \"postgres\"\nurl = { env = \"X\" }").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn what_is_no_toml_or_json_is_told_by_its_place_without_the_line() {
    let error = parse("mode = \"dry_run\"\napi_key = canary-5f2 x").unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid: not TOML: see line 2, column 11"
    );
    let error = Config::from_json("{\"api_key\": canary}", &registry()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid: not JSON: see line 1, column 13"
    );
}

#[test]
fn a_key_that_stands_twice_is_refused_in_both_languages() {
    let error = parse("mode = \"enforce\"\nmode = \"dry_run\"").unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid: not TOML: see line 2, column 1"
    );
    let text = "{\"tenants\": {\"a\": {\"name\": \"x\",\n\"name\": \"y\"}}}";
    let error = Config::from_json(text, &registry()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "config_invalid: a key stands twice: see line 2, column 12"
    );
}

#[test]
fn something_else_than_a_table_is_told_so() {
    for value in [json!(null), json!([]), json!("x"), json!(1)] {
        let error = Config::from_value(&value, &registry()).unwrap_err();
        assert_eq!(error.to_string(), "config_invalid: expected a table");
    }
}

/// Every place of a value, as a pointer to its parent and its key.
fn places(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    if let Value::Object(map) = value {
        for (key, inner) in map {
            found.push((at.to_owned(), key.clone()));
            places(inner, &format!("{at}/{key}"), found);
        }
    }
    if let Value::Array(items) = value {
        for (index, inner) in items.iter().enumerate() {
            places(inner, &format!("{at}/{index}"), found);
        }
    }
}

fn example_places() -> Vec<(String, String)> {
    let mut found = Vec::new();
    places(&example_with("", "mode", json!("dry_run")), "", &mut found);
    found
}

#[test]
fn a_secret_in_the_wrong_place_is_never_repeated() {
    let canary = "sk-canary-5f2e";
    let mut refused = 0;
    for (parent, key) in example_places() {
        for value in [json!(canary), json!([canary]), json!({ "env": canary })] {
            let value = example_with(&parent, &key, value);
            let Err(error) = Config::from_value(&value, &registry()) else {
                continue;
            };
            refused += 1;
            // A rule's name is a name: it is told.
            let shown = format!("{error} {error:?} {:?}", error.envelope());
            assert!(
                key == "name" || !shown.contains(canary),
                "{parent}/{key}: {shown}"
            );
        }
    }
    assert!(refused > 80, "{refused}");
}

#[test]
fn a_value_of_another_type_is_refused_or_read_at_every_place_without_a_panic() {
    for (parent, key) in example_places() {
        for value in [
            json!(null),
            json!(true),
            json!(-1),
            json!(1e300),
            json!(u64::MAX),
            json!(""),
            json!("\u{0}"),
            json!([]),
            json!([[]]),
            json!({}),
            json!({ "": {} }),
        ] {
            let value = example_with(&parent, &key, value);
            if let Err(error) = Config::from_value(&value, &registry()) {
                assert!(
                    ConfigErrors::of(&error).is_some(),
                    "{parent}/{key}: {error}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse(&text).is_ok();
        let _ = Config::from_json(&text, &registry()).is_ok();
    }

    #[test]
    fn no_damage_to_the_example_makes_the_parser_panic(
        at in 0..EXAMPLE.len(), cut in 0..40_usize, new in "[\\[\\]{}\"=.,a-z0-9 \n]{0,12}"
    ) {
        let end = (at + cut).min(EXAMPLE.len());
        if let (Some(head), Some(tail)) = (EXAMPLE.get(..at), EXAMPLE.get(end..)) {
            let _ = parse(&format!("{head}{new}{tail}")).is_ok();
        }
    }
}
