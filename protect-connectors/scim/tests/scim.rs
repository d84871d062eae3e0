//! The client, the directory and the remediator, over HTTP against the sandbox.

#![expect(clippy::unwrap_used, reason = "a failure to set up fails the test")]

use std::sync::Arc;

use futures::TryStreamExt as _;
use protect_core::config::Config;
use protect_core::connector::{AppliedStatus, Connector, OpContext, Probe};
use protect_core::engine::Engine;
use protect_core::model::{
    AccountRef, AccountState, Action, ActionId, ActionKind, ActionTarget, Actor, Attributes,
    ConnectorName, TenantId,
};
use protect_core::registry::Registry;
use protect_core::secret::SecretString;
use protect_core::store::MemoryStore;
use protect_core::testing::contract;
use protect_core::{Context, ErrorKind};
use protect_http::system_context;
use protect_sandbox::{Fault, FaultKind, Sandbox, Vendor};
use protect_scim::{ActiveAs, PatchStyle, Scim, ScimBuilder, User};
use serde_json::{Value, json};

struct World {
    sandbox: Sandbox,
    context: Context,
    connector: Arc<dyn Connector>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::that(40, json!({}), json!({})).await
    }

    /// A sandbox with so many users that speaks like this, and a connection with further settings.
    async fn that(users: usize, speaks: Value, settings: Value) -> Self {
        let sandbox = Sandbox::builder()
            .seed(7)
            .users(users)
            .start()
            .await
            .unwrap();
        assert!(sandbox.edit_scim(speaks));
        let folder = tempfile::tempdir().unwrap();
        let own = sandbox.credentials();
        let secret = |name: &str, value: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, value).unwrap();
            json!({ "token": { "file": path } })
        };
        let mut connection = json!({
            "kind": "scim",
            "endpoints": { "base": sandbox.scim_url() },
            "scan": secret("scan", &own.scim_scan_token),
            "respond": secret("respond", &own.scim_respond_token),
            "requests_per_second": 20,
            "tenants": ["*"],
        });
        for (name, value) in settings.as_object().unwrap() {
            connection[name] = value.clone();
        }
        let config = json!({
            "connections": { "wiki": connection },
            "tenants": { "acme": {
                "name": "Acme",
                "domains": ["acme.example"],
                "connectors": { "wiki": { "connection": "wiki" } },
            } },
        });
        let mut registry = Registry::new();
        protect_scim::register(&mut registry);
        let config = Config::from_json(&config.to_string(), &registry).unwrap();
        let context: Context = system_context("protect-test/0.1").unwrap();
        let engine = Engine::builder(config, registry, context.clone())
            .build(Arc::new(MemoryStore::new()))
            .unwrap();
        let connector = Arc::clone(&engine.tenant("acme").unwrap().connectors()[0]);
        Self {
            sandbox,
            context,
            connector,
            _folder: folder,
        }
    }

    fn builder(&self) -> ScimBuilder {
        let token = self.sandbox.credentials().scim_respond_token;
        Scim::builder()
            .context(self.context.clone())
            .base_url(self.sandbox.scim_url())
            .token(SecretString::from(token))
    }

    fn client(&self) -> Scim {
        self.builder().build().unwrap()
    }

    fn id_of(&self, email: &str) -> String {
        self.sandbox.scim_user_id(email).unwrap()
    }

    fn leaked(&self) -> String {
        self.id_of(&self.sandbox.planted().leaked.email)
    }

    async fn apply(&self, action: &Action) -> protect_core::Result<AppliedStatus> {
        let remediator = self.connector.as_remediator().unwrap();
        Ok(remediator.apply(&op(), action).await?.status)
    }

    fn changes(&self) -> usize {
        let requests = self.sandbox.requests();
        requests.iter().filter(|request| request.changing).count()
    }

    fn broke_no_rule(&self) {
        assert_eq!(self.sandbox.violations(), []);
    }
}

fn op() -> OpContext {
    OpContext::new(TenantId::new("acme").unwrap(), "test", Actor::engine())
}

fn action(kind: ActionKind, user: &str, parameters: Value) -> Action {
    Action {
        id: ActionId::of(&TenantId::new("acme").unwrap(), &[kind.as_str(), user]),
        kind,
        target: ActionTarget::Account(AccountRef {
            connector: ConnectorName::new("wiki").unwrap(),
            id: user.to_owned(),
        }),
        reason: "a test".to_owned(),
        requested_by: Actor::unverified("test"),
        incident: None,
        undoes: None,
        lasts: None,
        parameters: serde_json::from_value::<Attributes>(parameters).unwrap(),
    }
}

fn suspend(user: &str) -> Action {
    action(ActionKind::SuspendAccount, user, json!({}))
}

#[tokio::test]
async fn it_keeps_the_contracts_of_a_connector_a_directory_and_a_remediator() {
    let world = World::that(230, json!({}), json!({})).await;
    let own = world.sandbox.credentials();
    let secrets = [&*own.scim_scan_token, &*own.scim_respond_token];
    contract::connector(&*world.connector, &op(), &secrets).await;
    let accounts = contract::directory(&*world.connector, &op()).await;
    assert_eq!(accounts.len(), 230);
    let leaked = world.leaked();
    let undo = action(ActionKind::ReactivateAccount, &leaked, json!({}));
    contract::remediator(&*world.connector, &op(), &suspend(&leaked), Some(&undo)).await;
    contract::does_nothing_else(&*world.connector, &op(), &suspend(&leaked)).await;
    world.broke_no_rule();
}

#[tokio::test]
async fn an_account_has_its_primary_address_its_state_and_what_the_organisation_says_of_it() {
    let world = World::new().await;
    let leaver = world.sandbox.planted().leaver;
    let directory = world.connector.as_directory().unwrap();
    let id = world.id_of(&leaver.email);
    let account = directory.get(&op(), &id).await.unwrap().unwrap();
    assert_eq!(account.state, AccountState::Suspended);
    assert_eq!(account.address.unwrap().as_str(), leaver.email);
    assert!(account.attributes.contains_key("department"));
    assert!(account.attributes.contains_key("employee_id"));
}

#[tokio::test]
async fn a_user_is_found_by_name_suspended_twice_and_reactivated_and_changes_once_each() {
    let world = World::new().await;
    let wiki = world.client();
    let email = world.sandbox.planted().leaked.email;
    let user = wiki
        .find_user(&email.to_uppercase())
        .await
        .unwrap()
        .unwrap();
    for _ in 0..2 {
        let suspended = wiki.suspend_user(&user.id).await.unwrap();
        assert_eq!(suspended.active, Some(false));
    }
    assert_eq!(
        wiki.reactivate_user(&user.id).await.unwrap().active,
        Some(true)
    );
    assert_eq!(world.sandbox.transitions().len(), 2);
    assert_eq!(world.changes(), 2);
    assert_eq!(
        wiki.find_user("nobody\" or id pr or \"@x").await.unwrap(),
        None
    );
    world.broke_no_rule();
}

#[tokio::test]
async fn a_filter_the_service_provider_does_not_know_is_said_to_be_so() {
    let world = World::new().await;
    let error = world
        .client()
        .users_page(Some("title co \"x\""), None)
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(
        error.context()[0],
        ("scim_type", "invalidFilter".to_owned())
    );
}

#[tokio::test]
async fn service_providers_that_answer_nothing_show_text_or_have_versions_are_served_alike() {
    for speaks in [
        json!({ "no_content": true }),
        json!({ "shows_text": true }),
        json!({ "versions": true }),
    ] {
        let world = World::that(40, speaks, json!({})).await;
        let user = world.leaked();
        let status = world.apply(&suspend(&user)).await.unwrap();
        assert_eq!(status, AppliedStatus::Applied);
        let again = world.apply(&suspend(&user)).await.unwrap();
        assert_eq!(again, AppliedStatus::AlreadySo);
        assert_eq!(world.changes(), 1);
        world.broke_no_rule();
    }
}

#[tokio::test]
async fn one_that_takes_text_alone_is_not_believed_until_it_is_told_so() {
    let speaks = json!({ "active_as_text": true, "shows_text": true, "no_path": true });
    let plain = World::that(40, speaks.clone(), json!({ "patch_style": "value" })).await;
    let user = plain.leaked();
    let status = plain.apply(&suspend(&user)).await.unwrap();
    assert_eq!(status, AppliedStatus::NotConfirmed);
    let error = plain
        .builder()
        .patch_style(PatchStyle::Value)
        .build()
        .unwrap()
        .suspend_user(&user)
        .await
        .unwrap_err();
    assert!(error.message().contains("active_as"), "{error}");

    let settings = json!({ "active_as": "text", "patch_style": "value" });
    let told = World::that(40, speaks, settings).await;
    let user = told.leaked();
    assert_eq!(
        told.apply(&suspend(&user)).await.unwrap(),
        AppliedStatus::Applied
    );
    let client = told
        .builder()
        .active_as(ActiveAs::Text)
        .patch_style(PatchStyle::Value);
    let user = client
        .build()
        .unwrap()
        .reactivate_user(&user)
        .await
        .unwrap();
    assert_eq!(user.active, Some(true));
    told.broke_no_rule();
}

#[tokio::test]
async fn a_user_that_is_gone_is_as_good_as_suspended_and_cannot_be_reactivated() {
    let world = World::new().await;
    let user = world.leaked();
    assert!(world.sandbox.delete_scim_user(&user));
    let remediator = world.connector.as_remediator().unwrap();
    let preview = remediator.preview(&op(), &suspend(&user)).await.unwrap();
    assert!(preview.already_so);
    assert_eq!(
        world.apply(&suspend(&user)).await.unwrap(),
        AppliedStatus::AlreadySo
    );
    let probe = remediator.probe(&op(), &suspend(&user)).await.unwrap();
    assert!(matches!(probe, Probe::Happened(_)));
    let back = action(ActionKind::ReactivateAccount, &user, json!({}));
    assert_eq!(
        world.apply(&back).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(world.changes(), 0);
}

#[tokio::test]
async fn a_protected_user_ends_as_refused_and_somebody_elses_account_is_left_alone() {
    let world = World::new().await;
    let owner = world.id_of(&world.sandbox.planted().owner.email);
    assert_eq!(
        world.apply(&suspend(&owner)).await.unwrap(),
        AppliedStatus::Refused
    );
    let meant = json!({ "address": "somebody.else@acme.example" });
    let wrong = action(ActionKind::SuspendAccount, &world.leaked(), meant);
    assert_eq!(world.apply(&wrong).await.unwrap(), AppliedStatus::Refused);
    assert_eq!(world.sandbox.transitions(), []);
}

#[tokio::test]
async fn a_token_that_only_reads_is_told_so() {
    let world = World::new().await;
    let token = world.sandbox.credentials().scim_scan_token;
    let reader = world
        .builder()
        .token(SecretString::from(token))
        .build()
        .unwrap();
    let error = reader.suspend_user(&world.leaked()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn a_listing_that_begins_again_and_again_fails_instead_of_looking_complete() {
    let world = World::that(230, json!({ "ignores_start": true }), json!({})).await;
    let users: Result<Vec<User>, _> = world.client().users(None).try_collect().await;
    assert_eq!(users.unwrap_err().kind(), ErrorKind::InvalidResponse);
}

#[tokio::test]
async fn broken_answers_on_the_way_do_not_keep_a_suspension_from_happening_once() {
    for kind in [
        FaultKind::Html502,
        FaultKind::Unavailable,
        FaultKind::CloseEarly,
        FaultKind::AnswerLost,
        FaultKind::ResetMidBody,
        FaultKind::TruncatedJson,
    ] {
        let world = World::new().await;
        let fault = Fault::new(kind).at(Vendor::Scim).times(1);
        let user = world.leaked();
        // The first request of all is a look; the second is the change.
        world.sandbox.set_fault(fault.after(1));
        let applied = world.apply(&suspend(&user)).await;
        assert_eq!(applied.unwrap(), AppliedStatus::Applied, "{kind:?}");
        assert_eq!(world.sandbox.transitions().len(), 1, "{kind:?}");
    }
}

#[tokio::test]
async fn reads_that_lag_behind_are_repeated_until_they_show_the_change() {
    let world = World::new().await;
    let fault = Fault::new(FaultKind::StaleReads).at(Vendor::Scim).reads(3);
    world.sandbox.set_fault(fault);
    let user = world.leaked();
    assert_eq!(
        world.apply(&suspend(&user)).await.unwrap(),
        AppliedStatus::Applied
    );
}

#[tokio::test]
async fn doctor_says_which_token_is_refused_and_that_nothing_can_be_changed_without_patch() {
    let world = World::that(40, json!({ "no_patch": true }), json!({})).await;
    let found = world.connector.diagnose(&op()).await.unwrap();
    assert!(found.reachable);
    assert!(found.credentials.iter().all(|it| it.accepted == Some(true)));
    assert!(
        found.notes.iter().any(|note| note.contains("PATCH")),
        "{:?}",
        found.notes
    );
    let error = world.apply(&suspend(&world.leaked())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);

    world.sandbox.set_fault(Fault::new(FaultKind::Unauthorized));
    let found = world.connector.diagnose(&op()).await.unwrap();
    assert_eq!(found.credentials[0].accepted, Some(false));
}

#[tokio::test]
async fn what_the_service_provider_says_of_itself_is_read() {
    let world = World::new().await;
    let own = world.client().service_provider_config().await.unwrap();
    assert_eq!(
        (own.patch, own.filter, own.etag),
        (Some(true), Some(true), Some(false))
    );
    assert_eq!(own.max_results, Some(100));
    assert_eq!(own.authentication_schemes, ["oauthbearertoken"]);
}
