//! Faults and limits as a client of Google meets them.

use super::{Google, following, reason};
use jiff::SignedDuration;
use protect_sandbox::{Fault, FaultKind, Sandbox, Vendor};
use serde_json::{Value, json};

const USERS: &str = "/admin/directory/v1/users?customer=my_customer&maxResults=10";
const LOG: &str = "/admin/reports/v1/activity/users/all/applications/admin?maxResults=10";

impl Google {
    fn fault(&self, name: &str) {
        self.wire.sandbox.clear_faults();
        let fault = Fault::named(name).unwrap();
        self.wire.sandbox.set_fault(fault.at(Vendor::Google));
    }
}

#[tokio::test]
async fn too_many_requests_are_told_in_each_way_that_google_has() {
    let google = Google::scan().await;
    let cases = [
        ("user_rate_limit_exceeded", 403, "userRateLimitExceeded"),
        ("rate_limit_exceeded", 403, "rateLimitExceeded"),
        ("quota_exceeded", 403, "quotaExceeded"),
        ("rate_limited_bare", 429, "rateLimitExceeded"),
        ("unavailable", 503, "backendError"),
        ("scope_removed", 403, "forbidden"),
        ("not_found", 404, "notFound"),
    ];
    for (name, status, wanted) in cases {
        google.fault(name);
        assert_eq!(
            reason(&google.get(USERS).await),
            (status, wanted.to_owned())
        );
    }
    google.fault("rate_limited_seconds");
    assert_eq!(google.get(USERS).await.retry_after.unwrap(), "1");
    assert_eq!(google.get(USERS).await.status, 200);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn the_directory_takes_2400_requests_a_minute() {
    let google = Google::scan().await;
    let path = "/admin/directory/v1/customers/my_customer";
    for _ in 0..2400 {
        assert_eq!(google.get(path).await.status, 200);
    }
    let over = reason(&google.get(path).await);
    assert_eq!(over, (403, "userRateLimitExceeded".to_owned()));
    assert_eq!(
        google.get(LOG).await.status,
        200,
        "the other API counts by itself"
    );
    assert_eq!(google.rules(), ["rate_limit_exceeded"]);
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_mins(1));
    assert_eq!(google.get(path).await.status, 200);
}

#[tokio::test]
async fn a_log_takes_250_filtered_queries_a_minute() {
    let google = Google::scan().await;
    let filtered = format!("{LOG}&eventName=CREATE_USER");
    for _ in 0..250 {
        assert_eq!(google.get(&filtered).await.status, 200);
    }
    assert_eq!(
        reason(&google.get(&filtered).await),
        (429, "rateLimitExceeded".to_owned())
    );
    let one = LOG.replace("/all/", "/workspace-admin@acme.example/");
    assert_eq!(google.get(&one).await.status, 429);
    assert_eq!(google.get(LOG).await.status, 200);
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_mins(1));
    assert_eq!(google.get(&filtered).await.status, 200);
    assert_eq!(google.rules(), ["rate_limit_exceeded"; 2]);
}

#[tokio::test]
async fn a_page_can_be_empty_lack_its_list_come_twice_or_grow_old() {
    let google = Google::scan().await;
    for (path, list) in [(USERS, "users"), (LOG, "items")] {
        let first = google.get(path).await.json();
        google.fault("empty_page");
        let empty = google.get(path).await.json();
        assert_eq!(empty[list], json!([]));
        let again = following(path, empty["nextPageToken"].as_str().unwrap());
        assert_eq!(google.get(&again).await.json()[list], first[list]);
        google.fault("items_absent");
        let absent = google.get(path).await.json();
        assert!(absent.get(list).is_none() && absent["nextPageToken"].is_string());
        google.fault("repeated_page");
        let repeated = google.get(path).await.json();
        let again = following(path, repeated["nextPageToken"].as_str().unwrap());
        assert_eq!(google.get(&again).await.json()[list], first[list]);
        let next = following(path, first["nextPageToken"].as_str().unwrap());
        google.fault("duplicate_items");
        let second = google.get(&next).await.json();
        assert_eq!(second[list][0], first[list][9]);
        google.fault("missing_items");
        assert_eq!(
            google.get(path).await.json()[list]
                .as_array()
                .unwrap()
                .len(),
            9
        );
        google.fault("page_token_expired");
        assert_eq!(
            reason(&google.get(&next).await),
            (400, "invalid".to_owned())
        );
    }
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn events_can_be_bare_and_share_their_time() {
    let google = Google::scan().await;
    google.fault("same_times");
    let page = google.get(LOG).await.json();
    assert_eq!(
        page["items"][0]["id"]["time"],
        page["items"][1]["id"]["time"]
    );
    google.fault("bare_events");
    let page = google.get(LOG).await.json();
    assert!(page["items"][0]["events"][0].get("name").is_none());
    assert!(page["items"][1]["events"][0].get("parameters").is_none());
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn organizational_units_can_move_between_two_looks() {
    let google = Google::scan().await;
    let units = "/admin/directory/v1/customer/my_customer/orgunits?type=all";
    let before = google.all(units, "organizationUnits").await;
    google.fault("units_moved");
    let after = google.all(units, "organizationUnits").await;
    assert_eq!(after.len() + 1, before.len());
    let last = after.last().unwrap();
    let same = before
        .iter()
        .find(|it| it["orgUnitId"] == last["orgUnitId"])
        .unwrap();
    assert_ne!(same["orgUnitPath"], last["orgUnitPath"]);
}

#[tokio::test]
async fn contents_can_be_null_missing_or_unheard_of() {
    let google = Google::scanning(Sandbox::builder().rate_limits(false)).await;
    google.fault("null_objects");
    let page = google.get(USERS).await.json();
    assert!(
        page["users"]
            .as_array()
            .unwrap()
            .iter()
            .all(|it| it["name"].is_null())
    );
    google.fault("missing_lists");
    let page = google.get(USERS).await.json();
    assert!(page["users"][0].get("emails").is_none());
    google.fault("new_fields");
    let page = google.get(USERS).await.json();
    assert!(page["users"][0]["NotYetDocumented"].is_array());
    google.fault("unknown_enum");
    let page = google.get(LOG).await.json();
    assert_eq!(page["items"][0]["events"][0]["type"], "not_yet_documented");
    google.fault("truncated_json");
    assert!(serde_json::from_str::<Value>(&google.get(USERS).await.text).is_err());
    google.fault("html200");
    assert!(google.get(USERS).await.text.starts_with("<!DOCTYPE"));
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn revoked_tokens_are_refused_until_a_new_one_is_fetched() {
    let google = Google::scan().await;
    google.fault("unauthorized");
    assert_eq!(google.get(USERS).await.status, 401);
    assert_eq!(
        reason(&google.get(USERS).await),
        (401, "authError".to_owned())
    );
    let google = Google::reading(google.wire, &["admin.directory.user.readonly"]).await;
    assert_eq!(google.get(USERS).await.status, 200);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn the_token_endpoint_has_errors_of_its_own_form() {
    let google = Google::scan().await;
    let fault = Fault::new(FaultKind::Unavailable)
        .at(Vendor::Google)
        .on("/token");
    google.wire.sandbox.set_fault(fault);
    let key = google.wire.sandbox.credentials().google_scan_key;
    let assertion = super::Assertion::of(&google.wire, &key, &["apps.alerts"]);
    let got = google.wire.google_token(&assertion).await;
    assert_eq!(
        (got.status, &got.json()["error"]),
        (503, &json!("temporarily_unavailable"))
    );
    assert_eq!(google.get(USERS).await.status, 200);
}
