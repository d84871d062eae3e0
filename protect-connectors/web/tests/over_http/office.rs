//! The pages of Human Resources: to whom they are shown and how much of them, and what is done with them.

use std::sync::Arc;

use http::{Request, StatusCode};
use protect_connectors::core::model::{
    Actor, Employee, InsiderStatus, Leaving, PeopleRole, TaskStatus, TimeOffStatus, Workflow,
    WorkflowStatus,
};
use protect_connectors::core::people::{
    ImportOptions, NewOffboarding, NewTimeOff, PeopleOperation, PolicyInput, Reach, TimeOffFilter,
};
use protect_connectors::core::store::MemoryStore;
use serde_json::json;

use crate::browsing::{land, nothing_is_wrong, see, tab_to};
use crate::chrome::Chrome;
use crate::served::Served;
use crate::world::{DEFEND_KEY, World, config, location, staff, text, worker};

/// Bob leads Cem, who leads Jane, and Vera leads Bob. Jane leaves, and her account is protected. Each asks for time off.
struct Office {
    world: World,
    workflow: Workflow,
}

const LIST: &str = "work_email,first_name,last_name,job_title,department,manager,hire_date,home_address\n\
    vera@acme.example,Vera,Maier-Schönbächler,Chief Executive,Board,,2015-04-01,Hill 1\n\
    bob@acme.example,Bob,Brandt,Head of Engineering,Engineering,vera@acme.example,2018-02-01,Lake 2\n\
    jane@acme.example,Jane,Jansen,Engineer,Engineering,cem@acme.example,2021-09-01,Main Street 3\n\
    cem@acme.example,Cem,Celik,Engineer for platforms and their tools,Engineering,bob@acme.example,2022-01-01,Park 4\n\
    dora@acme.example,Dora,Dietrich,Accountant,Finance,vera@acme.example,2020-03-01,Ring 5\n";

impl Office {
    async fn new() -> Self {
        let config = config().replace(
            "domains = [\"acme.example\"]",
            "domains = [\"acme.example\"]\nprotected = [\"jane@acme.example\"]",
        );
        let world = World::with(&config, Arc::new(MemoryStore::new())).await;
        let acme = world.tenant("acme");
        let hr = Actor::unverified("hr");
        let options = ImportOptions::default();
        acme.import_employees(LIST.as_bytes(), options, &hr)
            .await
            .unwrap();
        acme.scan().await.unwrap();
        let policy = PolicyInput {
            id: "P1".to_owned(),
            title: "Acceptable use of information systems".to_owned(),
            version: "2026-1".to_owned(),
            effective_date: None,
            requires_acknowledgment: true,
            due_date: "2020-01-31".parse().ok(),
        };
        acme.take_policies(&[policy], &hr).await.unwrap();
        for who in ["jane", "dora"] {
            let new = NewTimeOff {
                leave_type: "vacation".parse().unwrap(),
                start_date: "2030-03-01".parse().unwrap(),
                end_date: "2030-03-05".parse().unwrap(),
                from_noon: false,
                until_noon: false,
                hours: None,
                note: None,
            };
            let employee = find(&world, who).await;
            let asked = acme.request_time_off(&employee.id, &new, &hr);
            asked.await.unwrap();
        }
        let new = NewOffboarding {
            last_day: "2030-01-31".parse().unwrap(),
            leaving: Leaving::Resigned,
            reason: "found another job".to_owned(),
            at_once: false,
            allow_past: false,
            tasks: None,
        };
        let jane = find(&world, "jane").await;
        let started = acme.offboard(&jane.id, &new, &hr).await.unwrap();
        let office = Self {
            world,
            workflow: started.workflow,
        };
        office.signal().await;
        office
    }

    /// Defend tells of a signal about Jane.
    async fn signal(&self) {
        let signal = json!({
            "tenant_id": "org-1", "login": "jane@acme.example", "signal_type": "Large File Transfer",
            "severity": "high", "description": "40 GB to <b>a stick</b>", "device_name": "LT-7",
            "detected_at": "2026-01-01T00:00:00Z", "source_ref": "alert-1",
        });
        let told = Request::post("/api/internal/insider-threat/signals")
            .header("x-integration-key", DEFEND_KEY);
        let answer = self.world.send(told, &signal.to_string()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{}", text(&answer));
    }

    async fn now(&self) -> Workflow {
        let acme = self.world.tenant("acme");
        acme.workflow(&self.workflow.id).await.unwrap()
    }

    fn at(&self, what: &str) -> String {
        format!("/t/acme/people/workflows/{}{what}", self.workflow.id)
    }
}

async fn find(world: &World, who: &str) -> Employee {
    let acme = world.tenant("acme");
    acme.find_employee(&format!("{who}@acme.example"))
        .await
        .unwrap()
}

/// Who signs in with a role: as Bob, to whose team Jane belongs.
fn bob(role: PeopleRole) -> protect_sandbox::HubToken {
    worker(role.as_str(), "bob@acme.example")
}

#[tokio::test]
async fn every_page_is_shown_to_those_whose_role_has_it_and_to_nobody_else() {
    use PeopleOperation as O;
    let office = Office::new().await;
    let (jane, dora) = (
        find(&office.world, "jane").await,
        find(&office.world, "dora").await,
    );
    let person = |it: &Employee| format!("/t/acme/people/employees/{}", it.id);
    let pages = [
        ("/t/acme/people".to_owned(), O::ViewEmployment, Reach::Team),
        (person(&jane), O::ViewEmployment, Reach::Team),
        (person(&dora), O::ViewEmployment, Reach::Everybody),
        (
            "/t/acme/people/workflows".to_owned(),
            O::ManageWorkflows,
            Reach::Everybody,
        ),
        (office.at(""), O::ManageWorkflows, Reach::Everybody),
        (office.at("/cancel"), O::ManageWorkflows, Reach::Everybody),
        (office.at("/resume"), O::ManageWorkflows, Reach::Everybody),
        (office.at("/tasks/1"), O::ManageWorkflows, Reach::Everybody),
        (
            "/t/acme/people/time-off".to_owned(),
            O::DecideTimeOff,
            Reach::Team,
        ),
        (
            "/t/acme/people/policies".to_owned(),
            O::ViewAcknowledgements,
            Reach::Team,
        ),
        (
            "/t/acme/people/insider".to_owned(),
            O::InsiderThreat,
            Reach::Everybody,
        ),
    ];
    for role in PeopleRole::ALL {
        let browser = office.world.browser(&bob(role)).await;
        for (page, operation, needed) in &pages {
            let shown = browser.get(page).await;
            let expected = if role.reach(*operation) >= *needed {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(
                shown.status(),
                expected,
                "{role:?} {page}: {}",
                text(&shown)
            );
            let shown = text(&shown);
            assert!(!shown.contains("<script") && !shown.contains(" style="));
        }
        for (page, fields) in [
            (office.at("/cancel"), "reason=they+stay"),
            (office.at("/resume"), ""),
            (office.at("/tasks/1"), "status=done"),
        ] {
            if role.reach(O::ManageWorkflows) < Reach::Everybody {
                let refused = browser.submit(&page, fields).await;
                assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{role:?} {page}");
            }
        }
    }
    assert_eq!(office.now().await.tasks_left(), 5, "nothing was changed");
}

#[tokio::test]
async fn what_a_page_shows_of_somebody_is_what_the_role_shows() {
    let office = Office::new().await;
    let jane = find(&office.world, "jane").await;
    let page = format!("/t/acme/people/employees/{}", jane.id);
    for (role, home, signals, workflow) in [
        (PeopleRole::Admin, true, true, true),
        (PeopleRole::HrManager, true, true, true),
        (PeopleRole::HrStaff, true, false, true),
        (PeopleRole::Manager, false, false, false),
        (PeopleRole::Viewer, false, false, false),
    ] {
        let browser = office.world.browser(&bob(role)).await;
        let shown = browser.page(&page).await;
        assert!(shown.contains("Jane") && shown.contains("2030-01-31"));
        assert_eq!(shown.contains("Main Street 3"), home, "{role:?}");
        assert_eq!(shown.contains("Large File Transfer"), signals, "{role:?}");
        assert_eq!(shown.contains("/people/workflows/"), workflow, "{role:?}");
        let directory = browser.page("/t/acme/people").await;
        assert!(directory.contains("leaves on 2030-01-31"), "{role:?}");
        let everybody = role != PeopleRole::Manager;
        assert_eq!(directory.contains("Dora"), everybody, "{role:?}");
        let leaving = browser.page("/t/acme/people?status=leaving").await;
        assert!(
            leaving.contains("Jane") && !leaving.contains("Cem"),
            "{role:?}"
        );
        assert_eq!(directory.contains("Insider threat"), signals, "{role:?}");
    }
    let found = office.world.browser(&bob(PeopleRole::HrStaff)).await;
    let found = found
        .page("/t/acme/people?text=dietr&department=Finance")
        .await;
    assert!(found.contains("Dora") && !found.contains("Jane"), "{found}");
}

#[tokio::test]
async fn an_offboarding_shows_what_is_left_and_is_called_off_with_a_reason_alone() {
    let office = Office::new().await;
    let browser = office.world.browser(&bob(PeopleRole::HrStaff)).await;
    let list = browser.page("/t/acme/people/workflows").await;
    assert!(list.contains("1 came to nothing"), "{list}");
    let page = browser.page(&office.at("")).await;
    for said in [
        "came to nothing: access may be there",
        "refused",
        "Collect company phone",
        "manager",
        "2030-01-26",
        "found another job",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let asked = browser.page(&office.at("/cancel")).await;
    assert!(asked.contains("5 open tasks"), "{asked}");
    for wrong in ["", "reason=", "reason=ask+ann%40acme.example"] {
        let refused = browser.submit(&office.at("/cancel"), wrong).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let elsewhere = [("sec-fetch-site", "cross-site")];
    let cancel = office.at("/cancel");
    let forged = browser.post(&cancel, "reason=x", &elsewhere).await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    assert_eq!(office.now().await.status, WorkflowStatus::Open);
    let done = browser
        .submit(&office.at("/cancel"), "reason=they+stay")
        .await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER, "{}", text(&done));
    assert_eq!(office.now().await.status, WorkflowStatus::Cancelled);
    let page = browser.page(location(&done)).await;
    assert!(page.contains("was called off"), "{page}");
    let again = browser.submit(&cancel, "reason=they+stay").await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
    let over = browser.page("/t/acme/people/workflows?status=all").await;
    assert!(over.contains("cancelled"), "{over}");
}

#[tokio::test]
async fn an_offboarding_begins_on_a_persons_page_with_all_that_it_needs_and_once() {
    let office = Office::new().await;
    let dora = find(&office.world, "dora").await;
    let person = format!("/t/acme/people/employees/{}", dora.id);
    let leaving = format!("{person}/leaving");
    let viewer = office.world.browser(&bob(PeopleRole::Viewer)).await;
    assert!(!viewer.page(&person).await.contains("Begin an offboarding"));
    let good = "last_day=2030-06-30&leaving=resigned&reason=moves+away";
    for refused in [
        viewer.get(&leaving).await,
        viewer.submit(&leaving, good).await,
    ] {
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    let browser = office.world.browser(&bob(PeopleRole::HrStaff)).await;
    assert!(browser.page(&person).await.contains("Begin an offboarding"));
    let asked = browser.page(&leaving).await;
    assert!(asked.contains("before somebody else consents"), "{asked}");
    for wrong in [
        "leaving=resigned&reason=moves+away",
        "last_day=2020-06-30&leaving=resigned&reason=moves+away",
        "last_day=2030-06-30&leaving=vanished&reason=moves+away",
        "last_day=2030-06-30&leaving=resigned&reason=ask+ann%40acme.example",
    ] {
        let refused = browser.submit(&leaving, wrong).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{wrong}");
        let kept = wrong.contains("moves");
        assert!(!kept || text(&refused).contains("moves away"), "{wrong}");
    }
    assert_eq!(find(&office.world, "dora").await.last_day, None);
    let done = browser.submit(&leaving, good).await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER, "{}", text(&done));
    let page = browser.page(location(&done)).await;
    for said in ["The offboarding has begun", "2030-06-30", "moves away"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!browser.page(&person).await.contains("Begin an offboarding"));
    let again = browser.submit(&leaving, good).await;
    assert_eq!(again.status(), StatusCode::CONFLICT, "{}", text(&again));
}

#[tokio::test]
async fn tasks_are_done_with_a_note_and_what_is_left_is_planned_again() {
    let office = Office::new().await;
    let browser = office.world.browser(&bob(PeopleRole::HrManager)).await;
    let wrong = browser.submit(&office.at("/tasks/2"), "status=half").await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    let done = browser
        .submit(&office.at("/tasks/2"), "status=done&note=in+the+cupboard")
        .await;
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let task = &office.now().await.tasks[1];
    assert_eq!(task.status, TaskStatus::Done);
    assert_eq!(task.note.as_deref(), Some("in the cupboard"));
    let page = browser.page(location(&done)).await;
    assert!(page.contains("in the cupboard"), "{page}");
    assert_eq!(
        browser.get(&office.at("/tasks/9")).await.status(),
        StatusCode::NOT_FOUND
    );
    let asked = browser.page(&office.at("/resume")).await;
    assert!(asked.contains("1 of them came to nothing"), "{asked}");
    let planned = browser.submit(&office.at("/resume"), "").await;
    assert_eq!(planned.status(), StatusCode::SEE_OTHER);
    assert!(browser.page(location(&planned)).await.contains("waits for"));
}

#[tokio::test]
async fn time_off_is_decided_and_signals_are_judged_by_whoever_may() {
    let office = Office::new().await;
    let acme = office.world.tenant("acme");
    let manager = office.world.browser(&bob(PeopleRole::Manager)).await;
    let waiting = manager.page("/t/acme/people/time-off").await;
    assert!(
        waiting.contains("Jane") && !waiting.contains("Dora"),
        "{waiting}"
    );
    let hr = office.world.browser(&bob(PeopleRole::HrStaff)).await;
    let waiting = hr.page("/t/acme/people/time-off").await;
    assert!(waiting.contains("Jane") && waiting.contains("Dora"));
    let filter = TimeOffFilter::default();
    let asked = acme.time_off(&filter).await.unwrap();
    let dora = find(&office.world, "dora").await.id;
    let of_dora = asked.iter().find(|it| it.employee == dora).unwrap();
    let path = format!("/t/acme/people/time-off/{}/deny", of_dora.id);
    let refused = manager.submit(&path, "note=not+mine").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let denied = hr.submit(&path, "note=the+audit").await;
    assert_eq!(denied.status(), StatusCode::SEE_OTHER, "{}", text(&denied));
    let asked = acme.time_off(&filter).await.unwrap();
    let of_dora = asked.iter().find(|it| it.employee == dora).unwrap();
    assert_eq!(of_dora.status, TimeOffStatus::Denied);

    let admin = office.world.browser(&staff("acme", "admin")).await;
    let page = admin.page("/t/acme/people/insider").await;
    assert!(page.contains("40 GB to &lt;b&gt;a stick"), "{page}");
    let engine = Actor::engine();
    let signal = acme.insider_signals(&engine).await.unwrap().remove(0);
    let path = format!("/t/acme/people/insider/{}", signal.id);
    let staffs = hr.submit(&path, "status=dismissed&note=a+backup").await;
    assert_eq!(staffs.status(), StatusCode::FORBIDDEN);
    for wrong in ["status=dismissed&note=", "status=new&note=x"] {
        let refused = admin.submit(&path, wrong).await;
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    let judged = admin.submit(&path, "status=dismissed&note=a+backup").await;
    assert_eq!(judged.status(), StatusCode::SEE_OTHER, "{}", text(&judged));
    let signal = acme.insider_signals(&engine).await.unwrap().remove(0);
    assert_eq!(signal.status, InsiderStatus::Dismissed);
    assert_eq!(signal.note.as_deref(), Some("a backup"));
    let page = admin.page(location(&judged)).await;
    assert!(page.contains("a backup"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn human_resources_work_with_a_keyboard_alone_and_without_a_complaint() {
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    let office = Office::new().await;
    let (workflow, acme) = (office.at(""), office.world.tenant("acme"));
    let served = Served::of(office.world).await;
    land(
        &mut chrome,
        &served,
        &worker("hr_manager", "bob@acme.example"),
    )
    .await;
    for page in [
        "/t/acme/people",
        "/t/acme/people/workflows",
        "/t/acme/people/time-off",
        "/t/acme/people/policies",
        "/t/acme/people/insider",
    ] {
        see(&mut chrome, &served, page).await;
        let current = "document.querySelectorAll('nav [aria-current=page]').length";
        assert_eq!(chrome.look(current).await, 1, "{page}");
    }
    chrome.open(&served.url("/t/acme/people")).await;
    tab_to(&mut chrome, "Jane Jansen").await;
    chrome.enter().await;
    chrome.pictures("people_employee").await;
    assert!(chrome.text().await.contains("Main Street 3"));
    let link = "document.querySelector(\"main a[href*='/people/workflows/']\").innerText";
    let link = chrome.look(link).await;
    tab_to(&mut chrome, link.as_str().unwrap()).await;
    chrome.enter().await;
    chrome.pictures("people_workflow").await;
    tab_to(&mut chrome, "Change: Collect company phone").await;
    chrome.enter().await;
    chrome.pictures("people_task").await;
    tab_to(&mut chrome, "status").await;
    chrome.press(" ").await;
    tab_to(&mut chrome, "Save").await;
    chrome.enter().await;
    assert!(chrome.text().await.contains("The task was changed"));
    tab_to(&mut chrome, "Call it off").await;
    chrome.enter().await;
    chrome.pictures("people_confirm").await;
    tab_to(&mut chrome, "reason").await;
    chrome.types("they stay").await;
    tab_to(&mut chrome, "Call it off").await;
    chrome.enter().await;
    assert!(chrome.text().await.contains("was called off"));
    chrome.open(&served.url("/t/acme/people")).await;
    tab_to(&mut chrome, "Dora Dietrich").await;
    chrome.enter().await;
    tab_to(&mut chrome, "Begin an offboarding").await;
    chrome.enter().await;
    chrome.pictures("people_leaving").await;
    tab_to(&mut chrome, "leaving").await;
    chrome.press(" ").await;
    assert!(chrome.text().await.contains("Last day of work"));
    let id = workflow.rsplit('/').next().unwrap().parse().unwrap();
    let over = acme.workflow(&id).await.unwrap();
    assert_eq!(over.status, WorkflowStatus::Cancelled);
    nothing_is_wrong(&chrome);
}
