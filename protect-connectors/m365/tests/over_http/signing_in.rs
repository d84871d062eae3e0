use protect_core::ErrorKind;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn a_certificate_signs_in_as_well_as_a_secret() {
    let world = World::new().await;
    let certificate = world.sandbox.m365_certificate();
    let client = world
        .builder()
        .certificate(
            &world.own.m365_scan_client_id,
            certificate.certificate.as_str(),
            certificate.private_key.as_str(),
        )
        .build()
        .unwrap();
    let by_certificate = client.granted_permissions().await.unwrap();
    let by_secret = world.watcher().granted_permissions().await.unwrap();
    assert_eq!(by_certificate, by_secret);
    assert!(by_secret.contains(&"Policy.Read.All".to_owned()));
    world.assert_lawful();
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_what_to_do() {
    let world = World::new().await;
    let id = &world.own.m365_scan_client_id;
    let of = |builder: protect_m365::M365Builder| async move {
        let client = builder.build().unwrap();
        client.granted_permissions().await.unwrap_err()
    };
    let wrong_secret = of(world.builder().credentials(id, "wrong")).await;
    assert_eq!(wrong_secret.kind(), ErrorKind::Unauthenticated);
    assert!(wrong_secret.message().contains("secret"), "{wrong_secret}");
    let secret = world.own.m365_scan_client_secret.as_str();
    let elsewhere = world.builder().credentials(id, secret);
    let no_tenant = of(elsewhere.tenant("11111111-1111-4111-8111-111111111111")).await;
    assert_eq!(no_tenant.kind(), ErrorKind::ConfigInvalid);
    assert!(no_tenant.message().contains("tenant_id"), "{no_tenant}");
    let other = "22222222-2222-4222-8222-222222222222";
    let no_app = of(world.builder().credentials(other, secret)).await;
    assert_eq!(no_app.kind(), ErrorKind::ConfigInvalid);
    assert!(no_app.message().contains("consent"), "{no_app}");
}

#[tokio::test]
async fn a_token_that_was_withdrawn_is_asked_for_again_once() {
    let world = World::new().await;
    let client = world.watcher();
    client.users_page(None).await.unwrap();
    let fault = json!({ "kind": "unauthorized", "vendor": "m365", "count": 1 });
    world
        .sandbox
        .set_fault(serde_json::from_value(fault).unwrap());
    client.users_page(None).await.unwrap();
}
