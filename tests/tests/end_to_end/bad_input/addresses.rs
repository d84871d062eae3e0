use protect_connectors::core::ErrorKind;
use protect_connectors::core::engine::FindingFilter;
use protect_connectors::core::model::{Address, FindingKind};

use super::{errors, scan};
use crate::support::{World, alice};

#[tokio::test]
async fn odd_addresses_are_watched_and_found_or_refused_by_name() {
    let world = World::new().await;
    let acme = world.tenant().await;
    let odd = [
        "Big.Capitals@Acme.Example",
        "plus+tag@acme.example",
        "o'brien@acme.example",
        "\"two words\"@acme.example",
        "gr\u{fc}n@acme.example",
        "someone@b\u{fc}cher.example",
        "under_score-dash@sub.other.example",
    ];
    let mut watched = Vec::new();
    for text in odd {
        match Address::new(text) {
            Ok(address) => {
                acme.monitor_add(&address, &alice()).await.unwrap();
                watched.push(address.as_str().to_owned());
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
                assert!(!error.to_string().contains(text), "{error}");
            }
        }
    }
    assert!(watched.len() >= 3, "{watched:?}");
    world.leak("OddLeak", &watched);
    let summary = scan(&acme).await;
    assert!(summary.complete, "{:?}", errors(&summary));
    let filter = FindingFilter {
        kinds: vec![FindingKind::CredentialExposure],
        limit: Some(1_000),
        ..FindingFilter::default()
    };
    let found = acme.findings(&filter).await.unwrap().findings;
    for address in &watched {
        let is_it = found.iter().any(|f| f.observation.subject.id == *address);
        assert!(is_it, "nothing about {address}");
    }
    world.assert_no_violations();
    for text in [
        "",
        "@",
        "no-at",
        "two@at@signs@",
        "a@b\u{0}",
        " @acme.example",
    ] {
        assert!(Address::new(text).is_err(), "{text:?} is an address");
    }
}
