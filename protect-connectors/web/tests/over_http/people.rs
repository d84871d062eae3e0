//! The pages of employees: what they show and to whom, and what comes of their forms.

use http::StatusCode;
use protect_connectors::core::model::{Actor, LeaveType, TimeOffStatus};
use protect_connectors::core::people::{EmployeeInput, ImportOptions, NewTimeOff, TimeOffFilter};

use crate::world::{Browser, EVIL, World, client, location, staff, text, worker};

const PAGES: [&str; 5] = ["", "/time-off", "/documents", "/profile", "/org-chart"];

/// Ann is led by Bob and leads Carl, Dora is led by nobody; of Carl there is a name that a page must not believe.
async fn world() -> World {
    let world = World::new().await;
    let list = "work_email,first_name,last_name,manager,home_address\n\
        bob@acme.example,Bob,Boss,,Lake 2\n\
        ann@acme.example,Ann,Adler,bob@acme.example,Main Street 3\n\
        carl@acme.example,Carl,Conrad,,Hill 4\n\
        dora@acme.example,Dora,Dietrich,,Ring 5\n";
    let tenant = world.tenant("acme");
    let options = ImportOptions::default();
    tenant
        .import_employees(list.as_bytes(), options, &hr())
        .await
        .unwrap();
    let carl = tenant.find_employee("carl@acme.example").await.unwrap();
    let evil = EmployeeInput {
        job_title: Some(EVIL.to_owned()),
        manager: Some("ann@acme.example".to_owned()),
        ..EmployeeInput::default()
    };
    tenant
        .update_employee(&carl.id, &evil, &hr())
        .await
        .unwrap();
    world
}

fn hr() -> Actor {
    Actor::unverified("hr")
}

async fn ann(world: &World) -> Browser<'_> {
    world.browser(&worker("employee", "ann@acme.example")).await
}

/// Asks in somebody's name, and gives the id.
async fn asked(world: &World, who: &str) -> String {
    let tenant = world.tenant("acme");
    let employee = tenant.find_employee(who).await.unwrap();
    let new = NewTimeOff {
        leave_type: LeaveType::Sick,
        start_date: "2027-05-03".parse().unwrap(),
        end_date: "2027-05-04".parse().unwrap(),
        from_noon: false,
        until_noon: false,
        hours: None,
        note: Some(EVIL.to_owned()),
    };
    let asked = tenant.request_time_off(&employee.id, &new, &hr()).await;
    asked.unwrap().id.to_string()
}

async fn status(world: &World, id: &str) -> TimeOffStatus {
    let tenant = world.tenant("acme");
    let all = tenant.time_off(&TimeOffFilter::default()).await.unwrap();
    all.iter().find(|it| it.id.as_str() == id).unwrap().status
}

#[tokio::test]
async fn an_employee_sees_their_own_pages_which_hold_no_script_and_nothing_of_others() {
    let world = world().await;
    asked(&world, "ann@acme.example").await;
    let other = asked(&world, "carl@acme.example").await;
    let ann = ann(&world).await;
    for page in PAGES {
        let response = ann.get(&format!("/t/acme/me{page}")).await;
        assert_eq!(
            response.status(),
            StatusCode::OK,
            "{page}: {}",
            text(&response)
        );
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'self';"),
            "{policy}"
        );
        let shown = text(&response);
        assert!(
            !shown.contains("<script") && !shown.contains(" style="),
            "{page}: {shown}"
        );
        assert!(
            !shown.contains("Hill 4") && !shown.contains(&other),
            "{page}"
        );
        assert!(!shown.contains("/me/team"), "{page}");
    }
    let profile = ann.page("/t/acme/me/profile").await;
    assert!(profile.contains("Main Street 3") && profile.contains("Bob Boss"));
    let chart = ann.page("/t/acme/me/org-chart").await;
    assert!(chart.contains("&lt;script&gt;alert(1"), "{chart}");
    let requests = ann.page("/t/acme/me/time-off").await;
    assert!(requests.contains("2027-05-03 to 2027-05-04"), "{requests}");
}

#[tokio::test]
async fn who_is_no_employee_has_no_such_pages_and_who_is_finds_the_way_to_them() {
    let world = world().await;
    let stranger = world.staff("acme", "admin").await;
    for page in PAGES {
        let response = stranger.get(&format!("/t/acme/me{page}")).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{page}");
        assert!(text(&response).contains("does not know the address"));
    }
    let home = stranger.page("/t/acme/").await;
    assert!(!home.contains("My workplace"));
    let mut token = staff("acme", "viewer");
    token.email = Some("bob@acme.example".to_owned());
    let bob = world.browser(&token).await;
    assert!(
        bob.page("/t/acme/")
            .await
            .contains("<a href=\"/t/acme/me\">My workplace</a>")
    );
    assert!(
        bob.page("/t/acme/me")
            .await
            .contains("<a href=\"/t/acme/\">Security</a>")
    );
    // Who sees no findings comes to their own pages at once.
    let ann = ann(&world).await;
    assert_eq!(location(&ann.get("/t/acme/").await), "/t/acme/me");
    assert!(!ann.page("/t/acme/me").await.contains("Security"));
    let other = ann.get("/t/beta/me").await;
    assert_eq!(other.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_user_of_a_client_who_works_there_has_the_pages_too() {
    let world = World::new().await;
    let list = "work_email,last_name\njane@beta.example,Jane\n";
    let options = ImportOptions::default();
    let beta = world.tenant("beta");
    beta.import_employees(list.as_bytes(), options, &hr())
        .await
        .unwrap();
    let jane = world.browser(&client("own", "jane@beta.example")).await;
    assert!(jane.page("/t/beta/me").await.contains("Hello, Jane"));
    let john = world
        .browser(&client("company_admin", "john@beta.example"))
        .await;
    assert_eq!(john.get("/t/beta/me").await.status(), StatusCode::NOT_FOUND);
    let me = john.json("/t/beta/api/people/me").await;
    assert_eq!(me["role"], "employee");
}

#[tokio::test]
async fn a_request_that_cannot_be_is_said_above_the_form_which_keeps_what_was_filled_in() {
    let world = world().await;
    asked(&world, "ann@acme.example").await;
    let ann = ann(&world).await;
    for (fields, expected, says) in [
        (
            "leave_type=personal&start_date=2027-06-02&end_date=2027-06-01&note=a+%22b%22",
            400,
            "end date: it ends before it begins",
        ),
        (
            "leave_type=personal&start_date=&end_date=2027-06-01",
            400,
            "start date: choose a day",
        ),
        (
            "leave_type=personal&start_date=2027-05-04&end_date=2027-05-05",
            409,
            "it overlaps time off from 2027-05-03",
        ),
    ] {
        let response = ann.submit("/t/acme/me/time-off", fields).await;
        assert_eq!(response.status().as_u16(), expected, "{fields}");
        let page = text(&response);
        assert!(
            page.contains("role=\"alert\"") && page.contains(says),
            "{page}"
        );
        assert!(page.contains("value=\"personal\" selected"), "{page}");
    }
    let response = ann
        .submit(
            "/t/acme/me/profile",
            "preferred_name=Anni&phone=1&home_address=&personal_email=nowhere",
        )
        .await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let page = text(&response);
    assert!(
        page.contains("personal email:") && page.contains("value=\"Anni\""),
        "{page}"
    );
    let unchanged = world
        .tenant("acme")
        .find_employee("ann@acme.example")
        .await
        .unwrap();
    assert_eq!(unchanged.preferred_name, None);
}

#[tokio::test]
async fn nobody_changes_what_is_others_by_the_forms_of_an_employee() {
    let world = world().await;
    let own = asked(&world, "ann@acme.example").await;
    let other = asked(&world, "dora@acme.example").await;
    let of_carl = asked(&world, "carl@acme.example").await;
    let of_bob = asked(&world, "bob@acme.example").await;
    let ann = ann(&world).await;
    for path in [
        format!("/t/acme/me/time-off/{other}/cancel"),
        format!("/t/acme/me/team/{own}/approve"),
        format!("/t/acme/me/team/{other}/deny"),
    ] {
        let response = ann.submit(&path, "note=x").await;
        let status = response.status();
        assert_eq!(status, StatusCode::FORBIDDEN, "{path}: {}", text(&response));
    }
    let manager = world.browser(&worker("manager", "bob@acme.example")).await;
    let page = manager.page("/t/acme/me/team").await;
    assert!(
        page.contains(&own) && !page.contains(&other) && !page.contains(&of_bob),
        "{page}"
    );
    assert!(page.contains(&of_carl), "of his line, through Ann: {page}");
    assert!(page.contains("&lt;script&gt;alert(1") && !page.contains("<script"));
    for (id, expected) in [
        (&other, StatusCode::FORBIDDEN),
        (&of_bob, StatusCode::FORBIDDEN),
    ] {
        let path = format!("/t/acme/me/team/{id}/approve");
        assert_eq!(manager.submit(&path, "").await.status(), expected);
    }
    let path = format!("/t/acme/me/team/{own}/deny");
    let done = manager.submit(&path, "note=the+team+is+small").await;
    assert_eq!(location(&done), "/t/acme/me/team?done=denied");
    assert_eq!(status(&world, &own).await, TimeOffStatus::Denied);
    for id in [other, of_bob] {
        assert_eq!(status(&world, &id).await, TimeOffStatus::Pending);
    }
    // It is decided: a second decision is a conflict, and says so on the page.
    let again = manager.submit(&path, "note=no").await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    assert!(text(&again).contains("it is denied"));
    // Without the proof of our pages nothing is changed.
    let forged = ann
        .post("/t/acme/me/profile", "preferred_name=X", &[])
        .await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
}
