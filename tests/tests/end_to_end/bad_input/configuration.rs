use protect_connectors::Protect;
use protect_connectors::core::ErrorKind;
use serde_json::json;

use super::scan;
use crate::support::World;

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_its_place() {
    let world = World::new().await;
    let tenant = "/tenants/acme";
    for (pointer, value, said) in [
        ("/mod".to_owned(), json!("enforce"), &["mod", "mode"][..]),
        (
            format!("{tenant}/connectors/passwords/acount_id"),
            json!("x"),
            &["acme", "passwords", "acount_id", "account_id"],
        ),
        (
            "/connections/acme-passwords/scan/client_secrt".to_owned(),
            json!({ "env": "X" }),
            &["acme-passwords", "client_secrt", "client_secret"],
        ),
        (
            "/connections/hibp/scan/api_key".to_owned(),
            json!("in the clear"),
            &["hibp", "api_key"],
        ),
        (
            "/connections/hibp/endpoints/api".to_owned(),
            json!("http://hibp.example/api/v3"),
            &["hibp", "api", "https"],
        ),
        (
            "/connections/acme-desk/endpoints/url".to_owned(),
            json!("http://desk.example/hook"),
            &["acme-desk", "url", "https"],
        ),
        (
            format!("{tenant}/rules/0/when/severty"),
            json!(">=high"),
            &["acme", "leaked password", "severty", "severity"],
        ),
        (
            format!("{tenant}/rules/0/when/severity"),
            json!(">=hihg"),
            &["acme", "leaked password", "severity", "high"],
        ),
        (
            format!("{tenant}/rules/0/when/kind"),
            json!("credential_exposur"),
            &["acme", "leaked password", "kind", "credential_exposure"],
        ),
        (
            format!("{tenant}/rules/0/then"),
            json!(["suspend_acount"]),
            &["acme", "leaked password", "suspend_account"],
        ),
        (
            format!("{tenant}/rules/0/then"),
            json!([{ "action": "suspend_account", "fore": "24h" }]),
            &["acme", "leaked password", "fore", "for"],
        ),
        (
            format!("{tenant}/connectors/breaches/connection"),
            json!("hipb"),
            &["acme", "breaches", "connection"],
        ),
    ] {
        let mut config = world.config.clone();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        config.pointer_mut(parent).unwrap()[key] = value;
        let opened = Protect::builder().context(world.context());
        let error = opened.open_config(&config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{pointer}: {error}");
        let shown = error.to_string();
        for word in said {
            assert!(shown.contains(word), "{pointer}: no `{word}` in: {shown}");
        }
        assert!(!shown.contains("in the clear"), "{shown}");
    }
    assert!(world.sandbox.requests().is_empty(), "nobody was asked");
}

#[tokio::test]
async fn a_missing_secret_is_named_with_tenant_connector_and_reference_and_stops_nobody_else() {
    let mut world = World::new().await;
    let gone = json!({ "file": world.folder.path().join("gone.key") });
    world.set("/connections/hibp/scan/api_key", gone);
    let acme = world.tenant().await;
    let summary = scan(&acme).await;
    assert!(!summary.complete);
    for scan in &summary.connectors {
        let is_it = scan.connector.as_str() == "breaches";
        assert_eq!(scan.error.is_some(), is_it, "{scan:?}");
        if let Some(error) = &scan.error {
            assert_eq!(error.kind, ErrorKind::ConfigInvalid);
            for word in ["acme", "breaches", "hibp", "gone.key"] {
                let shown = serde_json::to_string(&error).unwrap();
                assert!(shown.contains(word), "no `{word}` in {shown}");
            }
        }
    }
}
