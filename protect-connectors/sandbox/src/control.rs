//! `/_sandbox`: what [`crate::Sandbox`] offers, over HTTP. The table of routes is in `docs.md`.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::{delete, get, patch, post, put},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    assertion,
    faults::Fault,
    google,
    graph::{AccountChange, ApplicationChange, TenantChange},
    hibp::{self, Plan},
    one_stack::{self, HubToken, HubUser, LegalSignature, NewHubWebhook},
    onepassword::{self, Scope, Stream, UserChange},
    scim,
    world::World,
};

type Shared = State<Arc<World>>;
type Answer = Result<Json<Value>, StatusCode>;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(index))
        .route(
            "/credentials",
            get(async |State(w): Shared| Json(w.state().credentials())),
        )
        .route(
            "/planted",
            get(async |State(w): Shared| Json(w.state().planted())),
        )
        .route(
            "/state",
            get(async |State(w): Shared| Json(w.state().snapshot())),
        )
        .route("/journal", get(journal))
        .route("/violations", get(violations))
        .route("/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/clock", get(clock).post(advance))
        .route("/reset", post(reset))
        .route("/onepassword/events", post(append_events))
        .route("/onepassword/users/{id}", patch(edit_user))
        .route("/onepassword/scopes", post(set_scopes))
        .route("/onepassword/features", post(set_features))
        .route("/onepassword/settings", post(onepassword_settings))
        .route("/m365/certificate", get(certificate))
        .route("/m365/applications/{name}", patch(edit_application))
        .route("/m365/users/{id}", patch(edit_account))
        .route("/m365/documents/{name}", put(replace_document))
        .route("/m365/settings", post(m365_settings))
        .route(
            "/google/service_accounts/{name}",
            patch(edit_service_account),
        )
        .route("/google/users/{key}", patch(edit_google_user))
        .route("/google/org_units", post(edit_unit))
        .route("/google/activities", post(add_activities))
        .route("/google/logins", post(plant_login))
        .route("/google/documents/{name}", put(replace_google_documents))
        .route("/google/settings", post(google_settings))
        .route("/hibp/breaches", post(publish_breach))
        .route("/hibp/accounts", post(set_account))
        .route("/hibp/domains", post(set_domain))
        .route("/hibp/settings", post(hibp_settings))
        .route("/one_stack/items/{id}", patch(set_one_stack_status))
        .route("/one_stack/settings", post(one_stack_settings))
        .route("/one_stack/sso", get(hub_sso))
        .route("/one_stack/tokens", post(hub_token))
        .route("/one_stack/users", put(set_hub_user))
        .route("/one_stack/signatures", post(sign_policy))
        .route("/one_stack/webhooks", post(subscribe_webhook))
        .route("/one_stack/webhooks/send", post(send_webhooks))
        .route("/webhook/items/{id}", patch(set_item_status))
        .route("/scim/settings", post(scim_settings))
        .route("/scim/users/{id}", delete(delete_scim_user))
}

async fn index() -> Json<Value> {
    Json(json!({
        "hibp_api": "/hibp/api/v3",
        "hibp_passwords": "/hibp/passwords",
        "onepassword_api": "/onepassword/api",
        "onepassword_events": "/onepassword/events",
        "m365_login": "/m365/login",
        "m365_graph": "/m365/graph",
        "m365_vault": "/m365/vault",
        "google_api": "/google",
        "google_token": "/google/token",
        "one_stack": "/one_stack",
        "webhook": "/webhook",
        "stripe_api": "/stripe",
        "scim": "/scim/v2",
        "faults": Fault::NAMES,
    }))
}

async fn journal(State(world): Shared) -> Json<Value> {
    let state = world.state();
    Json(json!({
        "requests": state.journal.requests,
        "transitions": state.journal.transitions,
    }))
}

async fn violations(State(world): Shared) -> Json<Value> {
    Json(json!(world.state().journal.violations))
}

async fn faults(State(world): Shared) -> Json<Value> {
    Json(json!(world.state().faults.list()))
}

async fn set_fault(State(world): Shared, Json(body): Json<Value>) -> Answer {
    let named = body.get("name").and_then(Value::as_str);
    let fault = match named {
        Some(name) => Fault::named(name),
        None => serde_json::from_value(body).ok(),
    };
    world
        .state()
        .set_fault(fault.ok_or(StatusCode::BAD_REQUEST)?);
    done()
}

async fn clear_faults(State(world): Shared) -> Answer {
    world.state().faults.clear();
    done()
}

async fn clock(State(world): Shared) -> Json<Value> {
    Json(json!({"now": world.clock.now()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: i64,
}

async fn advance(State(world): Shared, Json(body): Json<Advance>) -> Json<Value> {
    world
        .clock
        .advance(SignedDuration::from_secs(body.advance_seconds));
    Json(json!({"now": world.clock.now()}))
}

async fn reset(State(world): Shared) -> Answer {
    world.reset();
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEvents {
    stream: Stream,
    items: Vec<Map<String, Value>>,
}

async fn append_events(State(world): Shared, Json(body): Json<NewEvents>) -> Answer {
    let now = world.clock.now();
    world.state().append_events(body.stream, body.items, now);
    done()
}

async fn edit_user(
    State(world): Shared,
    Path(id): Path<String>,
    Json(body): Json<UserChange>,
) -> Answer {
    let now = world.clock.now();
    found(world.state().edit_user(&id, body, now))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewScopes {
    application: String,
    scopes: BTreeSet<Scope>,
}

async fn set_scopes(State(world): Shared, Json(body): Json<NewScopes>) -> Answer {
    found(world.state().set_scopes(&body.application, body.scopes))
}

async fn set_features(State(world): Shared, Json(body): Json<Vec<Stream>>) -> Answer {
    world.state().onepassword.events.set_features(body);
    done()
}

async fn onepassword_settings(
    State(world): Shared,
    Json(body): Json<onepassword::Settings>,
) -> Answer {
    world.state().onepassword.settings(&body);
    done()
}

async fn certificate() -> Json<Value> {
    Json(json!(assertion::built_in()))
}

async fn edit_application(
    State(world): Shared,
    Path(name): Path<String>,
    Json(body): Json<ApplicationChange>,
) -> Answer {
    found(world.state().m365.edit_application(&name, body))
}

async fn edit_account(
    State(world): Shared,
    Path(id): Path<String>,
    Json(body): Json<AccountChange>,
) -> Answer {
    let now = world.clock.now();
    found(world.state().edit_account(&id, &body, now))
}

async fn replace_document(
    State(world): Shared,
    Path(name): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    found(world.state().m365.replace_document(&name, body))
}

async fn m365_settings(State(world): Shared, Json(body): Json<TenantChange>) -> Answer {
    world.state().m365.edit_tenant(body);
    done()
}

async fn edit_service_account(
    State(world): Shared,
    Path(name): Path<String>,
    Json(body): Json<google::ServiceAccountChange>,
) -> Answer {
    found(world.state().google.edit_service_account(&name, body))
}

async fn edit_google_user(
    State(world): Shared,
    Path(key): Path<String>,
    Json(body): Json<google::UserChange>,
) -> Answer {
    let now = world.clock.now();
    found(world.state().edit_google_user(&key, &body, now))
}

async fn edit_unit(State(world): Shared, Json(body): Json<google::UnitChange>) -> Answer {
    found(world.state().google.edit_unit(body))
}

async fn add_activities(State(world): Shared, Json(body): Json<google::NewActivities>) -> Answer {
    let now = world.clock.now();
    found(world.state().add_activities(body, now))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLogin {
    user: String,
    #[serde(default)]
    minutes_ago: i64,
}

async fn plant_login(State(world): Shared, Json(body): Json<NewLogin>) -> Answer {
    let now = world.clock.now();
    found(world.state().plant_login(&body.user, body.minutes_ago, now))
}

async fn replace_google_documents(
    State(world): Shared,
    Path(name): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    found(world.state().google.replace_documents(&name, &body))
}

async fn google_settings(State(world): Shared, Json(body): Json<google::DomainChange>) -> Answer {
    found(world.state().google.edit_domain(body))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBreach {
    breach: Value,
    #[serde(default)]
    accounts: Vec<String>,
}

async fn publish_breach(State(world): Shared, Json(body): Json<NewBreach>) -> Answer {
    if world.state().publish_breach(body.breach, &body.accounts) {
        return done();
    }
    Err(StatusCode::BAD_REQUEST)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    email: String,
    #[serde(default)]
    breaches: BTreeSet<String>,
    #[serde(default)]
    pastes: Vec<Value>,
    #[serde(default)]
    stealer_sites: BTreeSet<String>,
}

async fn set_account(State(world): Shared, Json(body): Json<NewAccount>) -> Answer {
    let mut state = world.state();
    *state.hibp.exposures.entry(&body.email) = hibp::Exposure {
        breaches: body.breaches,
        pastes: body.pastes,
        stealer_sites: body.stealer_sites,
    };
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDomain {
    domain: String,
    verified: Option<bool>,
    txt: Option<String>,
}

async fn set_domain(State(world): Shared, Json(body): Json<NewDomain>) -> Answer {
    let domains = &mut world.state().hibp.domains;
    if let Some(verified) = body.verified {
        domains.set_verified(&body.domain, verified);
    }
    if let Some(txt) = body.txt {
        domains.publish_txt(&body.domain, &txt);
    }
    done()
}

async fn hibp_settings(State(world): Shared, Json(body): Json<hibp::Settings>) -> Answer {
    let hibp = &mut world.state().hibp;
    if let Some(plan) = body.plan {
        hibp.set_plan(Plan::named(&plan).ok_or(StatusCode::BAD_REQUEST)?);
    }
    if let Some(weight) = body.kanon_weight {
        hibp.kanon_weight = weight;
    }
    if let Some(status) = body.dns_failure_status {
        hibp.domains.set_failure_status(status);
    }
    done()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewStatus {
    status: String,
}

async fn set_item_status(
    State(world): Shared,
    Path(id): Path<String>,
    Json(body): Json<NewStatus>,
) -> Answer {
    let now = world.clock.now();
    found(world.state().set_item_status(&id, &body.status, now))
}

async fn set_one_stack_status(
    State(world): Shared,
    Path(id): Path<String>,
    Json(body): Json<NewStatus>,
) -> Answer {
    let now = world.clock.now();
    found(world.state().set_one_stack_status(&id, &body.status, now))
}

async fn one_stack_settings(State(world): Shared, Json(body): Json<one_stack::Settings>) -> Answer {
    world.state().one_stack.settings(&body);
    done()
}

async fn scim_settings(State(world): Shared, Json(body): Json<scim::Settings>) -> Answer {
    world.state().scim.settings(body);
    done()
}

async fn delete_scim_user(State(world): Shared, Path(id): Path<String>) -> Answer {
    let now = world.clock.now();
    found(world.state().delete_scim_user(&id, now))
}

async fn hub_sso(State(world): Shared) -> Json<Value> {
    Json(json!(world.state().one_stack.sso.shared()))
}

async fn hub_token(State(world): Shared, Json(token): Json<HubToken>) -> Answer {
    let now = world.clock.now();
    let token = world.state().one_stack.sso.sign(&token, now);
    let token = token.ok_or(StatusCode::BAD_REQUEST)?;
    Ok(Json(json!({"token": token})))
}

async fn set_hub_user(State(world): Shared, Json(user): Json<HubUser>) -> Answer {
    found(world.state().one_stack.set_user(user))
}

async fn sign_policy(State(world): Shared, Json(body): Json<LegalSignature>) -> Answer {
    let now = world.clock.now();
    let id = world.state().sign_policy(body, now);
    Ok(Json(json!({"id": id.ok_or(StatusCode::NOT_FOUND)?})))
}

async fn subscribe_webhook(State(world): Shared, Json(body): Json<NewHubWebhook>) -> Answer {
    let mut state = world.state();
    let one_stack = &mut state.one_stack;
    found(one_stack.hooks.subscribe(body, &one_stack.items))
}

async fn send_webhooks(State(world): Shared) -> Json<Value> {
    Json(json!({"answers": world.send_webhooks().await}))
}

fn found(found: bool) -> Answer {
    if found {
        done()
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the success of handlers that can also fail"
)]
fn done() -> Answer {
    Ok(Json(json!({"ok": true})))
}
