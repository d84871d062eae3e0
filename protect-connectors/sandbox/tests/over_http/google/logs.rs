//! The Reports API: what a log shows, when, and to which question.

use std::collections::BTreeSet;

use super::{Google, following, reason};
use crate::support::wire;
use jiff::{SignedDuration, Timestamp};
use protect_sandbox::Sandbox;
use serde_json::{Value, json};

const LOG: &str = "/admin/reports/v1/activity/users/all/applications";

fn at(item: &Value) -> Timestamp {
    item["id"]["time"].as_str().unwrap().parse().unwrap()
}

fn names(items: &[Value]) -> BTreeSet<String> {
    let events = items
        .iter()
        .flat_map(|it| it["events"].as_array().unwrap().iter());
    events
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn audit(builder: protect_sandbox::SandboxBuilder) -> Google {
    let wire = wire(builder.rate_limits(false)).await;
    Google::reading(wire, &["admin.reports.audit.readonly", "apps.alerts"]).await
}

#[tokio::test]
async fn a_range_of_time_and_one_event_name_narrow_a_log() {
    let google = audit(Sandbox::builder().google_admin_events(2000)).await;
    let now = google.wire.sandbox.now();
    let (from, to) = (
        now - SignedDuration::from_hours(2000),
        now - SignedDuration::from_hours(900),
    );
    let range = format!("{LOG}/admin?startTime={from}&endTime={to}");
    let some = google.all(&range, "items").await;
    assert!(some.len() > 300);
    assert!(some.iter().all(|it| from <= at(it) && at(it) <= to));
    let one = google
        .all(&format!("{range}&eventName=CREATE_USER"), "items")
        .await;
    assert_eq!(names(&one), BTreeSet::from(["CREATE_USER".to_owned()]));
    let counted = some
        .iter()
        .filter(|it| it["events"][0]["name"] == "CREATE_USER");
    assert_eq!(one.len(), counted.count());
    let none = google
        .get(&format!("{range}&eventName=NO_SUCH_EVENT"))
        .await
        .json();
    assert!(none.get("items").is_none() && none.get("nextPageToken").is_none());
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn wrong_times_filters_and_sizes_are_refused() {
    let google = audit(Sandbox::builder()).await;
    let now = google.wire.sandbox.now();
    let later = now + SignedDuration::from_hours(1);
    let cases = [
        format!("admin?startTime={later}"),
        format!("admin?startTime={now}&endTime={now}"),
        "admin?startTime=yesterday".to_owned(),
        "admin?maxResults=1001".to_owned(),
        "admin?filters=SETTING_NAME".to_owned(),
        "gmail".to_owned(),
    ];
    for case in &cases {
        let got = google.get(&format!("{LOG}/{case}")).await;
        assert_eq!(reason(&got), (400, "invalid".to_owned()), "{case}");
    }
    assert_eq!(google.rules().len(), cases.len());
    let week = now - SignedDuration::from_hours(24 * 7);
    let gmail = format!("{LOG}/gmail?startTime={week}&endTime={now}");
    assert_eq!(google.get(&gmail).await.status, 200);
}

#[tokio::test]
async fn parameters_are_compared_by_filters() {
    let google = audit(Sandbox::builder().google_admin_events(3000)).await;
    let find = async |log: &str, filters: &str| {
        google
            .all(&format!("{LOG}/{log}?filters={filters}"), "items")
            .await
    };
    let length = "SETTING_NAME%3D%3DPassword%20Management%20-%20Minimum%20password%20length";
    let long = find("admin", &format!("{length},NEW_VALUE%3E%3D12")).await;
    let short = find("admin", &format!("{length},NEW_VALUE%3C12")).await;
    let all = find("admin", length).await;
    assert!(!long.is_empty() && !short.is_empty());
    assert_eq!(long.len() + short.len(), all.len());
    let suspicious = find("login", "is_suspicious%3D%3Dtrue").await;
    let planted = google.wire.sandbox.planted().google;
    assert_eq!(suspicious.len(), 1);
    assert_eq!(
        suspicious[0]["id"]["uniqueQualifier"],
        planted.suspicious_qualifier
    );
    let unlike = find("login", "is_suspicious%3C%3Etrue").await;
    assert!(unlike.len() > 50);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn one_persons_activities_are_asked_for_by_address_or_identifier() {
    let google = audit(Sandbox::builder().google_admin_events(0)).await;
    let person = google.wire.sandbox.planted().google.suspicious;
    let of = |key: &str| format!("/admin/reports/v1/activity/users/{key}/applications/login");
    let by_email = google.all(&of(&person.email), "items").await;
    let by_id = google.all(&of(&person.id), "items").await;
    assert_eq!(by_email, by_id);
    assert!(by_id.iter().all(|it| it["actor"]["profileId"] == person.id));
    let abroad = google.wire.sandbox.planted().google.suspicious_address;
    let from = format!("{}?actorIpAddress={abroad}", of(&person.id));
    assert_eq!(google.all(&from, "items").await.len(), 1);
    assert_eq!(google.get(&of("nobody@acme.example")).await.status, 404);
    let leaver = google.wire.sandbox.planted().google.leaver;
    let gone = google.all(&of(&leaver.id), "items").await;
    assert!(gone.is_empty(), "whoever is suspended does not sign in");
}

#[tokio::test]
async fn events_show_late_and_are_kept_for_half_a_year() {
    let google = audit(Sandbox::builder().google_admin_events(0)).await;
    let sandbox = &google.wire.sandbox;
    let event = json!({"type": "USER_SETTINGS", "name": "CREATE_USER"});
    let item = json!({"actor": {"email": "a@acme.example"}, "events": [event]});
    let item = item.as_object().unwrap().clone();
    let mut old = item.clone();
    let long_ago = sandbox.now() - SignedDuration::from_hours(181 * 24);
    old.insert("id".to_owned(), json!({"time": long_ago.to_string()}));
    assert!(sandbox.append_google_activities("admin", vec![item.clone(), old]));
    assert!(!sandbox.append_google_activities("no_such", vec![item]));
    let log = format!("{LOG}/admin?eventName=CREATE_USER");
    assert!(google.all(&log, "items").await.is_empty());
    sandbox.advance_clock(SignedDuration::from_mins(2));
    assert_eq!(google.all(&log, "items").await.len(), 1);
    let way_back = format!(
        "{log}&startTime={}",
        long_ago - SignedDuration::from_hours(1)
    );
    assert_eq!(google.all(&way_back, "items").await.len(), 1);
}

#[tokio::test]
async fn a_suspicious_sign_in_is_in_two_polls_and_in_two_places() {
    let google = audit(Sandbox::builder()).await;
    let sandbox = &google.wire.sandbox;
    let person = sandbox.planted().google.forgotten;
    assert!(sandbox.plant_google_login(&person.email, 5));
    assert!(!sandbox.plant_google_login("nobody@acme.example", 5));
    let poll = async || {
        let since = google.wire.sandbox.now() - SignedDuration::from_hours(2);
        let log = format!("{LOG}/login?startTime={since}&filters=is_suspicious%3D%3Dtrue");
        let items = google.all(&log, "items").await;
        let his = items
            .iter()
            .find(|it| it["actor"]["email"] == *person.email);
        his.unwrap()["id"].clone()
    };
    let first = poll().await;
    sandbox.advance_clock(SignedDuration::from_mins(30));
    assert_eq!(poll().await, first);
    let alerts = google.all("/v1beta1/alerts", "alerts").await;
    let of_him = alerts
        .iter()
        .find(|it| it["data"]["email"] == *person.email)
        .unwrap();
    assert_eq!(of_him["data"]["loginDetails"]["loginTime"], first["time"]);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn the_same_change_is_told_in_two_logs_and_two_events_share_a_moment() {
    let google = audit(Sandbox::builder()).await;
    let enrolled = async |log: &str| {
        let since = google.wire.sandbox.now() - SignedDuration::from_mins(50);
        let log = format!("{LOG}/{log}?startTime={since}&eventName=2sv_enroll");
        google.all(&log, "items").await[0].clone()
    };
    let (one, other) = (enrolled("login").await, enrolled("user_accounts").await);
    assert_eq!((at(&one), &one["actor"]), (at(&other), &other["actor"]));
    let blocked = google.all(&format!("{LOG}/login"), "items").await;
    let nobody = "105250506097979753968";
    let pair: Vec<&Value> = blocked
        .iter()
        .filter(|it| it["actor"]["profileId"] == nobody)
        .collect();
    assert_eq!(at(pair[0]), at(pair[1]));
    assert_ne!(
        pair[0]["id"]["uniqueQualifier"],
        pair[1]["id"]["uniqueQualifier"]
    );
}

#[tokio::test]
async fn pages_of_a_log_do_not_move_when_something_is_added_meanwhile() {
    let google = audit(Sandbox::builder()).await;
    let path = format!("{LOG}/login?maxResults=5");
    let first = google.get(&path).await.json();
    let next = following(&path, first["nextPageToken"].as_str().unwrap());
    let second = google.get(&next).await.json();
    let leaked = google.wire.sandbox.planted().leaked.email;
    assert!(google.wire.sandbox.plant_google_login(&leaked, 5));
    assert_eq!(google.get(&next).await.json()["items"], second["items"]);
}

#[tokio::test]
async fn a_million_events_and_a_hundred_thousand_accounts_start_at_once() {
    let builder = Sandbox::builder()
        .google_users(100_000)
        .google_admin_events(1_000_000)
        .google_keep_pages();
    let google = Google::scanning(builder.rate_limits(false)).await;
    let state = google.wire.sandbox.state();
    assert_eq!(state["google"]["users"], 100_004);
    let path = format!("{LOG}/admin");
    let page = google.get(&path).await;
    assert_eq!(page.json()["items"].as_array().unwrap().len(), 1000);
    let next = following(&path, page.json()["nextPageToken"].as_str().unwrap());
    assert_eq!(
        google.get(&next).await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1000
    );
    assert_eq!(
        google.get(&path).await.text,
        page.text,
        "a page that is kept"
    );
    let users = "/admin/directory/v1/users?customer=my_customer&maxResults=500";
    let first = google.get(users).await.text;
    assert_eq!(google.get(users).await.text, first);
}

#[tokio::test]
async fn usage_is_told_day_by_day_and_a_young_day_is_a_warning() {
    let start = "2026-03-10T12:00:00Z".parse().unwrap();
    let wire = wire(Sandbox::builder().start_at(start)).await;
    let google = Google::reading(wire, &["admin.reports.usage.readonly"]).await;
    let usage = "/admin/reports/v1/usage";
    let day = google
        .get(&format!("{usage}/dates/2026-03-06"))
        .await
        .json();
    let report = &day["usageReports"][0];
    assert_eq!(report["entity"]["type"], "CUSTOMER");
    assert_eq!(
        report["parameters"][0],
        json!({"name": "accounts:num_users", "intValue": "44"})
    );
    let young = google
        .get(&format!("{usage}/dates/2026-03-09"))
        .await
        .json();
    assert_eq!(young["warnings"][0]["code"], "200");
    assert!(young.get("usageReports").is_none());
    for wrong in ["2026-03-11", "tomorrow"] {
        assert_eq!(
            google.get(&format!("{usage}/dates/{wrong}")).await.status,
            400
        );
    }
    let users = format!("{usage}/users/all/dates/2026-03-06?maxResults=10");
    let users = format!("{users}&parameters=accounts:is_2sv_enrolled");
    let all = google.all(&users, "usageReports").await;
    assert_eq!(all.len(), 44);
    assert_eq!(all[0]["parameters"].as_array().unwrap().len(), 1);
    assert_eq!(google.rules(), ["invalid_request"; 2]);
}

#[tokio::test]
async fn somebody_suspended_does_not_sign_in_and_an_alert_comes_after_what_it_tells() {
    let google = audit(Sandbox::builder()).await;
    let sandbox = &google.wire.sandbox;
    let planted = sandbox.planted().google;
    assert!(!sandbox.plant_google_login(&planted.leaver.email, 5));
    let alerts = google.all("/v1beta1/alerts", "alerts").await.len();
    assert!(sandbox.plant_google_login(&planted.forgotten.email, 0));
    assert_eq!(google.all("/v1beta1/alerts", "alerts").await.len(), alerts);
    sandbox.advance_clock(SignedDuration::from_secs(41));
    assert_eq!(
        google.all("/v1beta1/alerts", "alerts").await.len(),
        alerts + 1
    );
}

#[tokio::test]
async fn what_is_not_simulated_says_so_and_is_no_violation() {
    let google = audit(Sandbox::builder()).await;
    for name in ["orgUnitID", "groupIdFilter", "statusFilter"] {
        let got = google.get(&format!("{LOG}/login?{name}=x")).await;
        assert_eq!(got.status, 400);
        assert!(got.text.contains("does not simulate"));
    }
    assert!(google.rules().is_empty());
}
