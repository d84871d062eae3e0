use protect_core::ErrorKind;
use protect_core::config::KeyVaultConfig;
use protect_core::context::Context;
use protect_core::secret::{ExposeSecret as _, SecretRef, SecretResolver as _};
use protect_core::testing::MapSecrets;
use protect_m365::KeyVaultSecrets;

use crate::world::World;

fn secrets(world: &World) -> KeyVaultSecrets {
    let own = &world.own;
    let known = MapSecrets::default();
    known.set_env("VAULT_SECRET", &own.m365_vault_client_secret);
    known.set_env("PLAIN", "plain");
    let context = Context {
        secrets: std::sync::Arc::new(known),
        ..world.context.clone()
    };
    let config = KeyVaultConfig {
        tenant_id: own.m365_tenant_id.clone(),
        client_id: own.m365_vault_client_id.clone(),
        client_secret: Some(SecretRef::env("VAULT_SECRET")),
        certificate: None,
        private_key: None,
        cloud: None,
        login: Some(world.sandbox.m365_login_url()),
    };
    KeyVaultSecrets::new(&context, &config).unwrap()
}

fn reference(vault: &str, name: &str) -> SecretRef {
    SecretRef::KeyVault {
        key_vault: vault.to_owned(),
        name: name.to_owned(),
    }
}

#[tokio::test]
async fn a_secret_is_read_from_its_vault_and_every_other_reference_as_before() {
    let world = World::new().await;
    let secrets = secrets(&world);
    let vault = world.sandbox.m365_vault_url();
    let read = secrets.resolve(&reference(&vault, "HIBP-API-KEY")).await;
    assert_eq!(read.unwrap().expose_secret(), world.own.hibp_api_key);
    let plain = secrets.resolve(&SecretRef::env("PLAIN")).await.unwrap();
    assert_eq!(plain.expose_secret(), "plain");
    world.assert_lawful();
}

#[tokio::test]
async fn what_is_not_there_says_so_and_no_token_goes_to_anybody_elses_vault() {
    let world = World::new().await;
    let secrets = secrets(&world);
    let vault = world.sandbox.m365_vault_url();
    let error = secrets.resolve(&reference(&vault, "NOTHING")).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
    assert!(error.to_string().contains("NOTHING"), "{error}");
    for elsewhere in [
        "https://vault.azure.net.evil.example",
        "https://name.vault.azure.net:8443",
        "https://evil.example",
    ] {
        let error = secrets
            .resolve(&reference(elsewhere, "A"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{elsewhere}");
    }
    let error = secrets.resolve(&reference(&vault, "../keys")).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::ConfigInvalid);
}
