use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use protect_core::config::Config;
use protect_core::connector::CredentialDiagnosis;
use protect_core::engine::{Browser, Engine, Shown, SignedIn};
use protect_core::model::{AccessLevel, Permission, Role};
use protect_core::registry::Registry;
use protect_core::secret::SecretString;
use protect_core::store::MemoryStore;
use protect_core::testing::{ManualClock, TestContext};
use protect_core::{ErrorKind, Result};
use protect_sandbox::{HubSso, HubToken, Sandbox};
use serde_json::{Value, json};

/// Hub and two tenants: `acme` and `other` of one organisation each, and `client`, which is a client of
/// acme's organisation.
struct World {
    sandbox: Sandbox,
    hub: HubSso,
    outside: TestContext,
    engine: Engine,
    store: Arc<MemoryStore>,
}

const SHARED: &str = "\n[connections.hub]\nkind = \"hub\"\nscan = { sso_secret = { env = \"PORTAL_SSO_SECRET\" }, sso_secret_previous = { env = \"BEFORE\" } }\n";

impl World {
    async fn new() -> Self {
        Self::with(SHARED).await
    }

    /// With another connection to Hub.
    async fn with(hub: &str) -> Self {
        let sandbox = Sandbox::builder().seed(3).start().await.unwrap();
        let outside = protect_core::testing::context();
        // The sandbox's clock runs; ours stands where it was, and a test turns it.
        let skew = sandbox.now().duration_since(outside.context.clock.now());
        outside.clock.jump_wall(skew);
        let shared = sandbox.hub_sso();
        outside.secrets.set_env("PORTAL_SSO_SECRET", &shared.secret);
        outside
            .secrets
            .set_env("PORTAL_CLIENT_SSO_SECRET", &shared.client_secret);
        outside.secrets.set_env("PUBLIC_KEY", &shared.public_key);
        let store = Arc::new(MemoryStore::new());
        let engine = engine(hub, &outside, Arc::clone(&store));
        Self {
            hub: shared,
            sandbox,
            outside,
            engine,
            store,
        }
    }

    fn clock(&self) -> &ManualClock {
        &self.outside.clock
    }

    fn now(&self) -> Timestamp {
        self.engine.context().clock.now()
    }

    fn token(&self, token: &HubToken) -> String {
        self.sandbox.hub_token(token).unwrap()
    }

    async fn sign_in(&self, token: &str, shown: Shown) -> Result<Vec<(String, SignedIn)>> {
        let token = SecretString::from(token);
        let signed_in = self
            .engine
            .sign_in(&token, shown, &Browser::default())
            .await?;
        let named = signed_in
            .into_iter()
            .map(|(tenant, who)| (tenant.id().to_string(), who));
        Ok(named.collect())
    }

    /// What becomes of a token that is handed over; the message where it is refused.
    async fn refusal(&self, token: &HubToken) -> String {
        self.refusal_of(&self.token(token), Shown::Once).await
    }

    async fn refusal_of(&self, token: &str, shown: Shown) -> String {
        let error = self.sign_in(token, shown).await.unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Unauthenticated | ErrorKind::PermissionDenied
            ),
            "{error}"
        );
        let shown = format!("{error:?}");
        assert!(
            !shown.contains(token) && !shown.contains(&self.hub.secret),
            "{shown}"
        );
        error.message().to_owned()
    }
}

fn engine(hub: &str, outside: &TestContext, store: Arc<MemoryStore>) -> Engine {
    let text = format!(
        "{hub}tenants = [\"*\"]\n\
         [connections.portal]\nkind = \"portal\"\nscan = {{ sso_secret = {{ env = \"PORTAL_CLIENT_SSO_SECRET\" }} }}\ntenants = [\"*\"]\n\
         [tenants.acme]\nname = \"Acme\"\n[tenants.acme.connectors.hub]\nconnection = \"hub\"\norganisation_id = \"org-1\"\n\
         [tenants.other]\nname = \"Other\"\n[tenants.other.connectors.hub]\nconnection = \"hub\"\norganisation_id = \"org-2\"\n\
         [tenants.client]\nname = \"Client\"\n[tenants.client.connectors.hub]\nconnection = \"hub\"\norganisation_id = \"org-1\"\n\
         [tenants.client.connectors.portal]\nconnection = \"portal\"\norganisation_id = \"org-1\"\nclient_id = \"2107\"\n"
    );
    let mut registry = Registry::new();
    crate::register(&mut registry);
    let config = Config::from_toml(&text, &registry).unwrap();
    let builder = Engine::builder(config, registry, outside.context.clone());
    builder.build(store).unwrap()
}

fn staff(organisation: &str) -> HubToken {
    HubToken {
        organisation: organisation.to_owned(),
        ..HubToken::default()
    }
}

fn client(client_id: &str) -> HubToken {
    HubToken {
        client_id: Some(client_id.to_owned()),
        ..staff("org-1")
    }
}

fn with(token: HubToken, changed: Value) -> HubToken {
    let Value::Object(claims) = changed else {
        return token;
    };
    HubToken { claims, ..token }
}

#[tokio::test]
async fn a_hand_off_signs_in_to_every_tenant_of_the_organisation_and_no_other() {
    let world = World::new().await;
    let token = with(
        staff("org-1"),
        json!({
            "name": "Alice",
            "permissions": ["protect.findings.view", "psa.tickets.create"],
            "products": { "people": "hr_manager" },
            "role": "Member",
        }),
    );
    let signed_in = world
        .sign_in(&world.token(&token), Shown::Once)
        .await
        .unwrap();
    let tenants: Vec<_> = signed_in
        .iter()
        .map(|(tenant, _)| tenant.as_str())
        .collect();
    assert_eq!(tenants, ["acme", "client"]);
    let who = &signed_in[0].1;
    assert_eq!(
        (who.actor.id.as_str(), who.actor.authenticated_by.as_str()),
        ("hub-alice", "hub")
    );
    assert_eq!(who.name, "Alice");
    let authority = who.actor.authority.as_ref().unwrap();
    assert_eq!(authority.role, Role::Member);
    assert!(
        authority.allows(Permission::FindingsView) && !authority.allows(Permission::ReportsView)
    );
    assert_eq!(authority.permissions.len(), 1);
    assert_eq!(authority.product_role("people"), Some("hr_manager"));
    let hours = who.until.unwrap().duration_since(world.now()).as_hours();
    assert_eq!(hours, 8);
}

#[tokio::test]
async fn a_session_token_is_good_for_every_request_and_as_long_as_it_says() {
    let world = World::new().await;
    let token = world.token(&HubToken {
        session: true,
        ..staff("org-2")
    });
    for _ in 0..3 {
        let signed_in = world.sign_in(&token, Shown::Always).await.unwrap();
        assert_eq!(signed_in[0].0, "other");
        let ends = signed_in[0].1.until.unwrap();
        assert!(ends.duration_since(world.now()).as_secs() > 8 * 3600 - 60);
    }
    assert!(
        world
            .refusal_of(&token, Shown::Once)
            .await
            .contains("90 seconds")
    );
    world
        .clock()
        .advance(Duration::from_secs(8 * 3600 + 6))
        .await;
    assert!(
        world
            .refusal_of(&token, Shown::Always)
            .await
            .contains("over")
    );
}

#[tokio::test]
async fn a_clients_user_signs_in_to_their_own_client_with_their_level() {
    let world = World::new().await;
    for (level, read) in [
        ("own", AccessLevel::Own),
        ("company", AccessLevel::Company),
        ("company_admin", AccessLevel::CompanyAdmin),
    ] {
        let token = HubToken {
            access_level: Some(level.to_owned()),
            ..client("2107")
        };
        let signed_in = world
            .sign_in(&world.token(&token), Shown::Once)
            .await
            .unwrap();
        assert_eq!((signed_in.len(), signed_in[0].0.as_str()), (1, "client"));
        let actor = &signed_in[0].1.actor;
        assert_eq!(actor.authenticated_by, "portal");
        let authority = actor.authority.as_ref().unwrap();
        let access = authority.client.as_ref().unwrap();
        assert_eq!((access.client_id.as_str(), access.level), ("2107", read));
        assert!(
            Permission::ALL
                .iter()
                .all(|permission| !authority.allows(*permission))
        );
    }
    assert!(world.refusal(&client("9999")).await.contains("no tenant"));
    let level = HubToken {
        access_level: Some("everything".to_owned()),
        ..client("2107")
    };
    assert!(world.refusal(&level).await.contains("access_level"));
}

#[tokio::test]
async fn one_sort_of_token_is_never_taken_for_the_other() {
    let world = World::new().await;
    // Signed with the secret of staff, but of a client's user; and the other way round.
    let secret = Some(world.hub.secret.clone());
    let posing = with(
        HubToken {
            secret,
            ..client("2107")
        },
        json!({ "role": "owner" }),
    );
    assert!(world.refusal(&posing).await.contains("signature"));
    let secret = Some(world.hub.client_secret.clone());
    let posing = HubToken {
        secret,
        ..staff("org-1")
    };
    assert!(world.refusal(&posing).await.contains("signature"));
    let both = HubToken {
        organisation: "org-2".to_owned(),
        ..client("2107")
    };
    assert!(world.refusal(&both).await.contains("no tenant"));
}

#[tokio::test]
async fn a_hand_off_counts_once_over_restarts_and_is_forgotten_when_it_is_worth_nothing() {
    let world = World::new().await;
    let token = world.token(&staff("org-2"));
    world.sign_in(&token, Shown::Once).await.unwrap();
    assert!(
        world
            .refusal_of(&token, Shown::Once)
            .await
            .contains("used before")
    );
    let again = World {
        engine: engine(SHARED, &world.outside, Arc::clone(&world.store)),
        ..world
    };
    assert!(
        again
            .refusal_of(&token, Shown::Once)
            .await
            .contains("used before")
    );
    again.clock().advance(Duration::from_secs(66)).await;
    assert!(again.refusal_of(&token, Shown::Once).await.contains("over"));
    let unnamed = with(
        staff("org-2"),
        json!({ "jti": null, "iat": null, "exp": again.now().as_second() + 60 }),
    );
    assert!(again.refusal(&unnamed).await.contains("jti"));
}

#[tokio::test]
async fn the_algorithm_is_the_configurations_and_never_the_tokens() {
    let world = World::new().await;
    for algorithm in ["none", "ES256"] {
        let token = HubToken {
            algorithm: Some(algorithm.to_owned()),
            ..staff("org-1")
        };
        world.refusal(&token).await;
    }
    let key_pair = "\n[connections.hub]\nkind = \"hub\"\nscan = { sso_public_key = { env = \"PUBLIC_KEY\" } }\n";
    let world = World::with(key_pair).await;
    let es256 = HubToken {
        algorithm: Some("ES256".to_owned()),
        ..staff("org-1")
    };
    world
        .sign_in(&world.token(&es256), Shown::Once)
        .await
        .unwrap();
    // Who knows the public key, and everybody may, signs with it as if it were a secret.
    let confused = HubToken {
        secret: Some(world.hub.public_key.clone()),
        ..staff("org-1")
    };
    assert!(world.refusal(&confused).await.contains("another way"));
    let none = HubToken {
        algorithm: Some("none".to_owned()),
        ..staff("org-1")
    };
    world.refusal(&none).await;
}

#[tokio::test]
async fn what_was_changed_after_it_was_signed_is_refused() {
    let world = World::new().await;
    let token = world.token(&staff("org-1"));
    let parts: Vec<&str> = token.split('.').collect();
    let other = world.token(&HubToken {
        role: Some("owner".to_owned()),
        ..staff("org-1")
    });
    let other: Vec<&str> = other.split('.').collect();
    for forged in [
        format!("{}.{}.{}", parts[0], other[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}A"),
        format!("{token}.{}", parts[2]),
    ] {
        world.refusal_of(&forged, Shown::Once).await;
    }
    for nonsense in ["", "a.b.c", "..", &"x".repeat(10_000)] {
        let error = world.sign_in(nonsense, Shown::Once).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
}

#[tokio::test]
async fn a_token_must_not_be_over_of_a_time_to_come_or_good_for_too_long() {
    let world = World::new().await;
    let now = world.now().as_second();
    for (changed, why) in [
        (json!({ "iat": now - 60, "exp": now - 6 }), "over"),
        (json!({ "iat": now + 6, "exp": now + 60 }), "clocks"),
        (json!({ "nbf": now + 6 }), "clocks"),
        (json!({ "exp": now + 91 }), "90 seconds"),
        (json!({ "iat": now - 50, "exp": now + 50 }), "90 seconds"),
        (json!({ "iat": null, "exp": now + 100 }), "90 seconds"),
        (json!({ "exp": null }), "exp"),
        (json!({ "exp": "tomorrow" }), "exp"),
        (json!({ "exp": -1e300 }), "exp"),
    ] {
        let message = world.refusal(&with(staff("org-1"), changed.clone())).await;
        assert!(message.contains(why), "{changed}: {message}");
    }
    for good in [
        json!({ "iat": now - 63, "exp": now - 3 }),
        json!({ "iat": now + 4, "nbf": now + 4, "exp": now + 64 }),
        json!({ "exp": format!("{}.5", now + 30).parse::<f64>().unwrap() }),
    ] {
        let token = world.token(&with(staff("org-2"), good));
        world.sign_in(&token, Shown::Once).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_token_must_say_is_needed() {
    let world = World::new().await;
    for name in ["sub", "email", "role"] {
        let message = world
            .refusal(&with(staff("org-1"), json!({ name: null })))
            .await;
        assert!(message.contains(&format!("`{name}`")), "{message}");
    }
    for (name, value) in [
        ("email", json!("alice")),
        ("sub", json!("a\nb")),
        ("sub", json!("x".repeat(300))),
        ("role", json!(["owner"])),
    ] {
        world
            .refusal(&with(staff("org-1"), json!({ name: value })))
            .await;
    }
    let unknown = with(
        staff("org-2"),
        json!({ "role": "superuser", "permissions": ["protect.remediations.approve"] }),
    );
    let signed_in = world
        .sign_in(&world.token(&unknown), Shown::Once)
        .await
        .unwrap();
    let authority = signed_in[0].1.actor.authority.clone().unwrap();
    assert_eq!(authority.role, Role::Unknown);
    assert!(!authority.allows(Permission::RemediationsApprove));
}

#[tokio::test]
async fn the_audience_must_be_ours_and_be_named_where_the_configuration_says_so() {
    let world = World::new().await;
    for other in [
        json!("psa"),
        json!([]),
        json!(["psa"]),
        json!(7),
        json!(["psa", 7]),
    ] {
        let message = world
            .refusal(&with(staff("org-1"), json!({ "aud": other })))
            .await;
        assert!(message.contains("another product"), "{message}");
    }
    for ours in [json!("protect"), json!(["psa", "protect"])] {
        let token = world.token(&with(staff("org-1"), json!({ "aud": ours })));
        world.sign_in(&token, Shown::Once).await.unwrap();
    }
    let named = SHARED.replace(
        "kind = \"hub\"\n",
        "kind = \"hub\"\naudience = \"one-protect\"\nissuer = \"hub\"\n",
    );
    let world = World::with(&named).await;
    for changed in [
        json!({}),
        json!({ "aud": "protect", "iss": "hub" }),
        json!({ "aud": "one-protect" }),
        json!({ "aud": "one-protect", "iss": "psa" }),
    ] {
        world.refusal(&with(staff("org-1"), changed)).await;
    }
    let token = world.token(&with(
        staff("org-1"),
        json!({ "aud": "one-protect", "iss": "hub" }),
    ));
    world.sign_in(&token, Shown::Once).await.unwrap();
}

#[tokio::test]
async fn a_secret_is_replaced_while_sessions_run() {
    let world = World::new().await;
    let old = world.token(&HubToken {
        session: true,
        ..staff("org-2")
    });
    world.sign_in(&old, Shown::Always).await.unwrap();
    let new = "n".repeat(40);
    let signed_anew = world.token(&HubToken {
        session: true,
        secret: Some(new.clone()),
        ..staff("org-2")
    });
    world.refusal_of(&signed_anew, Shown::Always).await;
    world.outside.secrets.set_env("BEFORE", &world.hub.secret);
    world.outside.secrets.set_env("PORTAL_SSO_SECRET", &new);
    // The keys in memory are read again for a signature that is not good, but not for each.
    world.clock().advance(Duration::from_secs(5)).await;
    world.sign_in(&signed_anew, Shown::Always).await.unwrap();
    world.sign_in(&old, Shown::Always).await.unwrap();
    world.outside.secrets.set_env("BEFORE", &"m".repeat(40));
    world.clock().advance(Duration::from_secs(61)).await;
    assert!(
        world
            .refusal_of(&old, Shown::Always)
            .await
            .contains("signature")
    );
}

#[tokio::test]
async fn claims_may_have_other_names() {
    let named = SHARED.replace(
        "kind = \"hub\"\n",
        "kind = \"hub\"\nconventions = { members = { tenant_id = \"organization\", role = \"org_role\", sub = \"uid\" } }\n",
    );
    let world = World::with(&named).await;
    let renamed = json!({ "tenant_id": null, "organization": "org-2", "role": null, "org_role": "owner", "uid": "u-9", "sub": null });
    let token = world.token(&with(staff("x"), renamed));
    let signed_in = world.sign_in(&token, Shown::Once).await.unwrap();
    assert_eq!(signed_in[0].1.actor.id, "u-9");
    let alias = with(staff("x"), json!({ "tenant_id": null, "org_id": "org-2" }));
    assert!(
        World::new()
            .await
            .sign_in(&world.token(&alias), Shown::Once)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn doctor_names_a_secret_that_is_missing_or_cannot_be_one() {
    let world = World::new().await;
    let says = async |name: &str, secret: Option<&str>| -> CredentialDiagnosis {
        if let Some(secret) = secret {
            world.outside.secrets.set_env(name, secret);
        }
        let checkups = world.engine.tenant("acme").unwrap().doctor().await;
        checkups[0].diagnosis.clone().unwrap().credentials[0].clone()
    };
    let missing = says("BEFORE", None).await;
    assert_eq!(missing.accepted, Some(false));
    assert!(missing.note.unwrap().contains("`BEFORE`"));
    let told = says("BEFORE", Some(&"b".repeat(32))).await;
    assert_eq!(told.accepted, None);
    assert!(told.note.unwrap().contains("cannot tell"));
    let short = says("PORTAL_SSO_SECRET", Some("hunter2"))
        .await
        .note
        .unwrap();
    assert!(
        short.contains("32 bytes")
            && short.contains("PORTAL_SSO_SECRET")
            && !short.contains("hunter2")
    );
    let key = world.hub.public_key.clone();
    let public = says("PORTAL_SSO_SECRET", Some(&key)).await.note.unwrap();
    assert!(public.contains("sso_public_key"), "{public}");
}

#[test]
fn what_cannot_be_is_found_when_the_configuration_is_loaded() {
    let load = |text: &str| {
        let mut registry = Registry::new();
        crate::register(&mut registry);
        let config = Config::from_toml(text, &registry)?;
        let context = protect_core::testing::context().context;
        Engine::builder(config, registry, context).build(Arc::new(MemoryStore::new()))
    };
    let both = "[connections.hub]\nkind = \"hub\"\nscan = { sso_secret = { env = \"A\" }, sso_public_key = { env = \"B\" } }\ntenants = [\"*\"]\n[tenants.acme]\nname = \"Acme\"\n[tenants.acme.connectors.hub]\nconnection = \"hub\"\norganisation_id = \"o\"\n";
    assert!(
        load(both)
            .unwrap_err()
            .to_string()
            .contains("the algorithm")
    );
    let whose = "[connections.portal]\nkind = \"portal\"\nscan = { sso_secret = { env = \"A\" } }\ntenants = [\"*\"]\n[tenants.acme]\nname = \"Acme\"\n[tenants.acme.connectors.portal]\nconnection = \"portal\"\norganisation_id = \"o\"\n";
    assert!(load(whose).unwrap_err().to_string().contains("client_id"));
}
