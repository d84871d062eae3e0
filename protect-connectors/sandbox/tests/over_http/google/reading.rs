//! What the Directory API answers, and the paging of the Reports API.

use std::collections::BTreeSet;

use super::{Google, following, reason};
use jiff::SignedDuration;
use protect_sandbox::Sandbox;
use serde_json::{Value, json};

const USERS: &str = "/admin/directory/v1/users?customer=my_customer";
const CUSTOMER: &str = "/admin/directory/v1/customer/my_customer";
const LOG: &str = "/admin/reports/v1/activity/users/all/applications";

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap()
}

#[tokio::test]
async fn users_come_page_by_page_and_each_once() {
    let google = Google::scan().await;
    let all = google.all(&format!("{USERS}&maxResults=7"), "users").await;
    let ids: BTreeSet<&str> = all.iter().map(|it| text(it, "id")).collect();
    assert_eq!((ids.len(), all.len()), (44, 44));
    let whole = google
        .get(&format!("{USERS}&maxResults=500&projection=full"))
        .await
        .json();
    assert!(whole.get("nextPageToken").is_none());
    assert!(whole["users"][0]["customSchemas"].is_object());
    let people = google.wire.sandbox.planted();
    let same = all
        .iter()
        .find(|it| it["primaryEmail"] == people.leaked.email)
        .unwrap();
    assert_eq!(same["name"]["fullName"], people.leaked.name);
    assert!(same["customerId"].as_str().unwrap().starts_with('C'));
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_list_of_users_is_of_a_customer_or_of_a_domain() {
    let google = Google::scan().await;
    let of = async |query: &str| {
        google
            .get(&format!("/admin/directory/v1/users?{query}"))
            .await
    };
    assert_eq!(of("").await.status, 400);
    assert_eq!(
        of("customer=my_customer&domain=acme.example").await.status,
        400
    );
    assert_eq!(of("customer=C0other").await.status, 403);
    assert_eq!(of("domain=nobody.example").await.status, 404);
    let shop = of("domain=acme-shop.example").await.json();
    assert_eq!(shop["users"].as_array().unwrap().len(), 1);
    // Nobody is in the third domain, and the list is absent rather than empty.
    assert!(
        of("domain=acme-lost.example")
            .await
            .json()
            .get("users")
            .is_none()
    );
    assert!(
        of("customer=my_customer&showDeleted=true")
            .await
            .json()
            .get("users")
            .is_none()
    );
    let id = google.wire.sandbox.credentials().google_customer_id;
    assert_eq!(of(&format!("customer={id}")).await.status, 200);
    assert_eq!(google.rules(), ["invalid_request"; 2]);
}

#[tokio::test]
async fn a_page_token_is_good_for_its_request_and_for_three_days() {
    let google = Google::scanning(Sandbox::builder().rate_limits(false)).await;
    let path = format!("{USERS}&maxResults=10");
    let first = google.get(&path).await.json();
    let token = text(&first, "nextPageToken");
    assert_eq!(google.get(&following(&path, token)).await.status, 200);
    let other = following(&format!("{USERS}&maxResults=11"), token);
    assert_eq!(
        reason(&google.get(&other).await),
        (400, "invalid".to_owned())
    );
    assert_eq!(reason(&google.get(&following(&path, "AAAA")).await).0, 400);
    assert_eq!(google.rules(), ["page_token_reused", "page_token_unknown"]);
    google
        .wire
        .sandbox
        .advance_clock(SignedDuration::from_hours(72));
    let google = Google::reading(google.wire, &["admin.directory.user.readonly"]).await;
    assert_eq!(reason(&google.get(&following(&path, token)).await).0, 400);
    assert_eq!(google.rules().len(), 2);
}

#[tokio::test]
async fn parameters_are_checked_and_unknown_ones_are_told() {
    let google = Google::scan().await;
    for wrong in [
        "maxResults=501",
        "maxResults=0",
        "projection=none",
        "orderBy=age",
        "query=age=4",
    ] {
        assert_eq!(
            google.get(&format!("{USERS}&{wrong}")).await.status,
            400,
            "{wrong}"
        );
    }
    assert_eq!(google.get(&format!("{USERS}&top=5")).await.status, 200);
    assert_eq!(google.rules().last().unwrap(), "unknown_parameter");
    // The last one of two wins.
    let two = google
        .get(&format!("{USERS}&maxResults=3&maxResults=5"))
        .await
        .json();
    assert_eq!(two["users"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn users_can_be_searched_and_ordered() {
    let google = Google::scan().await;
    let find = async |query: &str| google.all(&format!("{USERS}&query={query}"), "users").await;
    let admins = find("isAdmin%3Dtrue").await;
    assert_eq!(admins.len(), 4);
    assert!(admins.iter().all(|it| it["isAdmin"] == true));
    let gone = find("isSuspended%3Dtrue%20orgUnitPath%3D%2FSales").await;
    assert!(
        gone.iter()
            .all(|it| it["suspended"] == true && it["orgUnitPath"] == "/Sales")
    );
    assert_eq!(find("email:breakglass*").await.len(), 2);
    let ordered = google
        .all(
            &format!("{USERS}&orderBy=email&sortOrder=DESCENDING"),
            "users",
        )
        .await;
    let emails: Vec<&str> = ordered.iter().map(|it| text(it, "primaryEmail")).collect();
    assert!(emails.is_sorted_by(|a, b| a >= b));
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn one_user_is_found_by_identifier_address_or_alias() {
    let google = Google::scan().await;
    let user = google.wire.sandbox.planted().google.suspicious;
    let alias = user.email.replace("acme.example", "acme-parked.example");
    let owner = google.wire.sandbox.planted().google.super_administrator;
    let aliases = google
        .all(
            &format!("/admin/directory/v1/users/{}/aliases", owner.id),
            "aliases",
        )
        .await;
    assert_eq!(aliases[0]["alias"], "owner@acme.example");
    let got = google
        .get("/admin/directory/v1/users/owner@acme.example")
        .await
        .json();
    assert_eq!(text(&got, "id"), owner.id);
    let path = format!("/admin/directory/v1/users/{}/aliases", user.id);
    assert!(google.get(&path).await.json().get("aliases").is_none());
    for key in [&user.id, &user.email, &alias] {
        let got = google
            .get(&format!("/admin/directory/v1/users/{key}"))
            .await
            .json();
        assert_eq!(text(&got, "id"), user.id);
    }
    let got = google
        .get("/admin/directory/v1/users/nobody@acme.example")
        .await;
    assert_eq!(reason(&got), (404, "notFound".to_owned()));
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn a_large_domain_has_what_is_wrong_with_accounts() {
    let builder = Sandbox::builder().google_users(3000).rate_limits(false);
    let google = Google::scanning(builder).await;
    let all = google
        .all(&format!("{USERS}&maxResults=500"), "users")
        .await;
    assert_eq!(all.len(), 3004);
    let some = |is: &dyn Fn(&Value) -> bool| all.iter().filter(|it| is(it)).count();
    let never = "1970-01-01T00:00:00.000Z";
    assert!(some(&|it| it["lastLoginTime"] == never) > 10);
    assert!(some(&|it| it["suspended"] == true && it["suspensionReason"].is_string()) > 50);
    assert!(some(&|it| it["isEnrolledIn2Sv"] == false) > 100);
    assert!(some(&|it| it["isEnforcedIn2Sv"] == false) > 20);
    assert!(some(&|it| it["recoveryPhone"].is_string()) > 100);
    assert!(some(&|it| it["isGuestUser"] == true) > 2);
    assert!(some(&|it| it["isDelegatedAdmin"] == true) > 2);
    assert_eq!(
        some(&|it| it["suspended"] == false && it.get("suspensionReason").is_some()),
        0
    );
    let last = &all[3003];
    let got = google
        .get(&format!(
            "/admin/directory/v1/users/{}",
            text(last, "primaryEmail")
        ))
        .await;
    assert_eq!(got.json()["id"], last["id"]);
}

#[tokio::test]
async fn domains_units_roles_and_groups_fit_together() {
    let google = Google::scan().await;
    let domains = google.all(&format!("{CUSTOMER}/domains"), "domains").await;
    assert_eq!(domains.len(), 3);
    assert_eq!(
        domains[0]["domainAliases"][0]["domainAliasName"],
        "acme-parked.example"
    );
    assert_eq!(
        domains.iter().filter(|it| it["verified"] == false).count(),
        1
    );
    let aliases = google
        .all(&format!("{CUSTOMER}/domainaliases"), "domainAliases")
        .await;
    assert_eq!(aliases[0]["parentDomainName"], "acme.example");
    let one = google
        .get(&format!("{CUSTOMER}/domains/acme.example"))
        .await
        .json();
    assert_eq!(one, domains[0]);
    let alias = google
        .get(&format!("{CUSTOMER}/domainaliases/acme-parked.example"))
        .await;
    assert_eq!(alias.json(), aliases[0]);
    for missing in ["domains/nobody.example", "domainaliases/acme.example"] {
        assert_eq!(
            google.get(&format!("{CUSTOMER}/{missing}")).await.status,
            404
        );
    }
    let none = format!("{CUSTOMER}/domainaliases?parentDomainName=acme-shop.example");
    assert!(
        google
            .get(&none)
            .await
            .json()
            .get("domainAliases")
            .is_none()
    );

    let units = |kind: &str| format!("{CUSTOMER}/orgunits?type={kind}");
    let every = google
        .all(&units("allIncludingParent"), "organizationUnits")
        .await;
    assert_eq!((every.len(), text(&every[0], "orgUnitPath")), (8, "/"));
    assert_eq!(
        google.all(&units("all"), "organizationUnits").await.len(),
        7
    );
    let below = format!("{}&orgUnitPath=/Sales", units("children"));
    let below = google.all(&below, "organizationUnits").await;
    assert_eq!(text(&below[0], "orgUnitPath"), "/Sales/Berlin");
    assert!(text(&below[0], "orgUnitId").starts_with("id:"));

    let roles = google
        .all(&format!("{CUSTOMER}/roles?maxResults=2"), "items")
        .await;
    let assignments = google
        .all(&format!("{CUSTOMER}/roleassignments"), "items")
        .await;
    let held = |role: &Value| {
        assignments
            .iter()
            .filter(|it| it["roleId"] == role["roleId"])
            .count()
    };
    let super_admins: usize = roles
        .iter()
        .filter(|it| it["isSuperAdminRole"] == true)
        .map(held)
        .sum();
    assert_eq!(super_admins, 5, "the seed administrator holds two of them");
    let owner = google.wire.sandbox.planted().google.super_administrator.id;
    let of_owner = format!("{CUSTOMER}/roleassignments?userKey={owner}");
    assert_eq!(google.all(&of_owner, "items").await.len(), 2);
    let group = assignments
        .iter()
        .find(|it| it["assigneeType"] == "group")
        .unwrap();
    let groups = google
        .all("/admin/directory/v1/groups?customer=my_customer", "groups")
        .await;
    let auditors = groups
        .iter()
        .find(|it| it["id"] == group["assignedTo"])
        .unwrap();
    let path = format!(
        "/admin/directory/v1/groups/{}/members",
        text(auditors, "email")
    );
    let members = google.all(&path, "members").await;
    let indirect = format!(
        "{CUSTOMER}/roleassignments?includeIndirectRoleAssignments=true&userKey={}",
        text(&members[1], "id")
    );
    assert_eq!(google.all(&indirect, "items").await.len(), 1);
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn an_organizational_unit_can_be_renamed_or_go() {
    let google = Google::scan().await;
    let sandbox = &google.wire.sandbox;
    assert!(sandbox.edit_google_org_unit(json!({"path": "/Sales", "name": "Revenue"})));
    assert!(sandbox.edit_google_org_unit(json!({"path": "/Engineering", "deleted": true})));
    assert!(!sandbox.edit_google_org_unit(json!({"path": "/", "deleted": true})));
    let units = google
        .all(
            &format!("{CUSTOMER}/orgunits?type=all"),
            "organizationUnits",
        )
        .await;
    let paths: Vec<&str> = units.iter().map(|it| text(it, "orgUnitPath")).collect();
    assert!(paths.contains(&"/Revenue/Berlin") && !paths.contains(&"/Engineering/Contractors"));
    let users = google.all(USERS, "users").await;
    assert!(
        users
            .iter()
            .all(|it| it["orgUnitPath"] == "/" || paths.contains(&text(it, "orgUnitPath")))
    );
    assert!(google.rules().is_empty());
}

#[tokio::test]
async fn activities_come_newest_first_and_each_once() {
    let google = Google::scan().await;
    let path = format!("{LOG}/admin?maxResults=25");
    let all = google.all(&path, "items").await;
    let keys: Vec<(&str, &str)> = all
        .iter()
        .map(|it| (text(&it["id"], "time"), text(&it["id"], "uniqueQualifier")))
        .collect();
    assert!(keys.is_sorted_by(|a, b| a.0 >= b.0));
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), all.len());
    assert!(all.len() > 120);
    assert!(
        all.iter()
            .any(|it| it["events"].as_array().unwrap().len() == 2)
    );
    let none = google.get(&format!("{LOG}/keep")).await.json();
    assert!(none.get("items").is_none() && none.get("nextPageToken").is_none());
    assert_eq!(
        google
            .get(&format!("{LOG}/no_such_application"))
            .await
            .status,
        400
    );
    assert_eq!(google.rules(), ["invalid_request"]);
}

#[tokio::test]
async fn a_view_shows_less_and_a_projection_more() {
    let google = Google::scan().await;
    let first = async |query: &str| {
        let page = google.get(&format!("{USERS}&maxResults=1&{query}")).await;
        page.json()["users"][0].clone()
    };
    let public = first("viewType=domain_public").await;
    assert!(public["primaryEmail"].is_string() && public.get("isAdmin").is_none());
    let custom = first("projection=custom&customFieldMask=Employment").await;
    assert!(custom["customSchemas"].is_object());
    assert!(
        first("projection=basic")
            .await
            .get("customSchemas")
            .is_none()
    );
    assert!(google.rules().is_empty());
    let without = google.get(&format!("{USERS}&projection=custom")).await;
    assert_eq!(without.status, 400);
}

#[tokio::test]
async fn the_planted_accounts_are_what_they_are_said_to_be() {
    let google = Google::scan().await;
    let planted = google.wire.sandbox.planted().google;
    let get = async |user: &protect_sandbox::PlantedUser| {
        let path = format!("/admin/directory/v1/users/{}", user.id);
        google.get(&path).await.json()
    };
    let dormant = get(&planted.dormant_administrator).await;
    assert_eq!(
        (&dormant["isDelegatedAdmin"], &dormant["isEnrolledIn2Sv"]),
        (&json!(true), &json!(false))
    );
    let gone = get(&planted.suspended_administrator).await;
    assert_eq!(
        (&gone["isDelegatedAdmin"], &gone["suspended"]),
        (&json!(true), &json!(true))
    );
    let owner = get(&planted.super_administrator).await;
    assert!(owner["isAdmin"] == true && owner["isDelegatedAdmin"] == true);
    assert!(owner["recoveryPhone"].is_string());
    let leaver = get(&planted.leaver).await;
    assert_eq!(
        (&leaver["suspended"], &leaver["suspensionReason"]),
        (&json!(true), &json!("ADMIN"))
    );
    for emergency in &planted.emergency {
        let account = get(emergency).await;
        assert_eq!(
            (&account["isAdmin"], &account["isEnrolledIn2Sv"]),
            (&json!(true), &json!(false))
        );
    }
    assert_eq!(
        planted.subject.email,
        google.wire.sandbox.credentials().google_subject
    );
    assert!(google.rules().is_empty());
}
