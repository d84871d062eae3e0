//! In a browser: every page is shown without a complaint, forms are filled in and sent, and a keyboard is enough.

use std::fmt::Write as _;

use protect_connectors::core::engine::FindingFilter;
use protect_connectors::core::model::{Actor, LeaveType, TimeOff, TimeOffStatus};
use protect_connectors::core::people::{ImportOptions, PolicyInput, TimeOffFilter};
use protect_connectors::core::report::{Block, Month};
use protect_sandbox::HubToken;
use serde_json::json;

use crate::chrome::Chrome;
use crate::served::Served;
use crate::world::{World, client, staff, worker};

/// Lands with a token of Hub.
pub(crate) async fn land(chrome: &mut Chrome, served: &Served, token: &HubToken) {
    served.world.agree_on_the_time();
    let path = match token.client_id {
        Some(_) => "/api/auth/client-hub-sso",
        None => "/auth/hub-sso",
    };
    let token = served.world.token(token);
    chrome
        .open(&served.url(&format!("{path}?token={token}")))
        .await;
}

/// Looks at a page, and keeps pictures of it where somebody wants them.
pub(crate) async fn see(chrome: &mut Chrome, served: &Served, path: &str) -> String {
    chrome.open(&served.url(path)).await;
    let name = path.trim_start_matches("/t/").replace(['/', '?', '='], "_");
    chrome.pictures(&name).await;
    chrome.text().await
}

pub(crate) fn nothing_is_wrong(chrome: &Chrome) {
    assert!(chrome.complaints().is_empty(), "{:?}", chrome.complaints());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_staff_and_of_clients_is_shown_without_a_complaint() {
    let served = Served::new().await;
    let world = &served.world;
    world.request("acme", &Actor::unverified("carol")).await;
    let month = Month::of(world.outside.context.clock.now());
    world.tenant("beta").keep_report(month).await.unwrap();
    let acme = world.tenant("acme");
    let plan = acme.plans_waiting().await.unwrap();
    let found = acme.findings(&FindingFilter::default()).await.unwrap();
    let finding = found.findings[0].id.clone();
    let more = [
        format!("/t/acme/plans/{}", plan[0].id),
        format!("/t/acme/findings/{finding}"),
    ];
    let parts = ["", "findings", "plans", "domains", "reports", "evidence"];
    let staffs = parts
        .map(|part| format!("/t/acme/{part}"))
        .into_iter()
        .chain(more);
    let clients = ["", "alerts", "domains", "reports"].map(|part| format!("/t/beta/{part}"));
    for (token, pages) in [
        (staff("acme", "admin"), staffs.collect::<Vec<_>>()),
        (client("company", "jane@beta.example"), clients.to_vec()),
    ] {
        let Some(mut chrome) = Chrome::start().await else {
            return;
        };
        land(&mut chrome, &served, &token).await;
        assert!(chrome.text().await.contains("protection score"));
        for page in pages {
            see(&mut chrome, &served, &page).await;
            let current = "document.querySelectorAll('nav [aria-current=page]').length";
            assert_eq!(chrome.look(current).await, 1, "{page}");
        }
        let report = if token.client_id.is_some() {
            "beta"
        } else {
            "acme"
        };
        let shown = see(
            &mut chrome,
            &served,
            &format!("/t/{report}/reports/{month}"),
        )
        .await;
        assert!(shown.to_lowercase().contains("protection score"), "{shown}");
        nothing_is_wrong(&chrome);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_approved_and_another_rejected_with_a_reason_by_filling_in_the_forms() {
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    let served = Served::new().await;
    let acme = served.world.tenant("acme");
    let plan = served
        .world
        .request("acme", &Actor::unverified("carol"))
        .await;
    land(&mut chrome, &served, &staff("acme", "admin")).await;
    let path = format!("/t/acme/plans/{}", plan.id);
    chrome.open(&served.url(&path)).await;
    // Without a reason the browser does not send it.
    chrome.click("form[action$='/reject'] button").await;
    let lacks = "document.querySelector('input[name=reason]').matches(':invalid')";
    assert_eq!(chrome.look(lacks).await, true);
    assert_eq!(acme.plans_waiting().await.unwrap().len(), 1);
    chrome.click("input[name=reason]").await;
    chrome.types("it was a drill").await;
    chrome.follow("form[action$='/reject'] button").await;
    assert!(chrome.text().await.contains("It does not wait any more"));
    assert!(acme.plans_waiting().await.unwrap().is_empty());
    let told = acme.ledger_after(0, 1000).await.unwrap();
    let rejected = told
        .iter()
        .find(|entry| entry.kind == "plan.rejected")
        .unwrap();
    assert_eq!(rejected.data["reason"], "it was a drill");

    let plan = served
        .world
        .request("acme", &Actor::unverified("dave"))
        .await;
    chrome.open(&served.url("/t/acme/plans")).await;
    chrome.follow("main td a").await;
    chrome.follow("form[action$='/approve'] button").await;
    assert!(chrome.text().await.contains("Approved by hub-admin"));
    let approved = acme.approved_by_id(&plan.id).await.unwrap();
    assert_eq!(approved.approval().by.id, "hub-admin");
    nothing_is_wrong(&chrome);
}

/// A manager with a team, balances and a policy.
async fn office(world: &World) {
    let mut list = "work_email,first_name,last_name,job_title,department,manager,hire_date,home_address\n\
        vera@acme.example,Vera,Maier-Schönbächler,Chief Executive,Board,,2015-04-01,Hill 1\n\
        bob@acme.example,Bob,Brandt,Head of Engineering,Engineering,vera@acme.example,2018-02-01,Lake 2\n\
        ann@acme.example,Ann,Adler,Engineer,Engineering,bob@acme.example,2021-09-01,Main Street 3\n"
        .to_owned();
    for (number, name) in [
        "Cem Celik",
        "Dora Dietrich",
        "Emil Ernst",
        "Fatma Frey",
        "Georg Gross",
    ]
    .iter()
    .enumerate()
    {
        let (first, last) = name.split_once(' ').unwrap();
        let _ = writeln!(
            list,
            "p{number}@acme.example,{first},{last},Engineer for platforms and their tools,Engineering,bob@acme.example,2022-01-01,"
        );
    }
    let tenant = world.tenant("acme");
    let hr = Actor::unverified("hr");
    let options = ImportOptions::default();
    tenant
        .import_employees(list.as_bytes(), options, &hr)
        .await
        .unwrap();
    let balances = "employee,leave_type,accrued,used,pending,carried_over\n\
        ann@acme.example,vacation,160,48.5,16,20\nann@acme.example,sick,80,8,0,0\n";
    tenant
        .import_time_off_balances(balances.as_bytes(), &hr)
        .await
        .unwrap();
    let policy = |id: &str, title: &str, due: Option<&str>| PolicyInput {
        id: id.to_owned(),
        title: title.to_owned(),
        version: "2026-1".to_owned(),
        effective_date: None,
        requires_acknowledgment: true,
        due_date: due.map(|day| day.parse().unwrap()),
    };
    let policies = [
        policy(
            "P1",
            "Acceptable use of information systems",
            Some("2020-01-31"),
        ),
        policy("P2", "Working from elsewhere", None),
    ];
    tenant.take_policies(&policies, &hr).await.unwrap();
}

async fn time_off_of(world: &World, who: &str) -> Vec<TimeOff> {
    let tenant = world.tenant("acme");
    let filter = TimeOffFilter {
        employee: Some(tenant.find_employee(who).await.unwrap().id),
        ..TimeOffFilter::default()
    };
    tenant.time_off(&filter).await.unwrap()
}

/// What has the focus: what it is, and whether one sees that it has it.
const FOCUS: &str = "(() => { const it = document.activeElement; const style = getComputedStyle(it); \
    const rect = it.querySelector && it.querySelector('rect'); \
    const drawn = rect ? getComputedStyle(rect).strokeWidth !== '1.5px' && getComputedStyle(rect).strokeWidth !== '3px' : false; \
    return { name: it.getAttribute('name') || it.getAttribute('aria-label') || it.innerText || it.tagName, \
    seen: drawn || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2), \
    shown: it.getBoundingClientRect().left >= 0 }; })()";

/// Presses Tab until what has this name has the focus; the names on the way, each once.
pub(crate) async fn tab_to(chrome: &mut Chrome, name: &str) -> Vec<String> {
    let mut way: Vec<String> = Vec::new();
    for _ in 0..60 {
        chrome.press("Tab").await;
        let focus = chrome.look(FOCUS).await;
        let at = focus["name"].as_str().unwrap().trim().to_owned();
        assert!(
            focus["seen"] == json!(true) && focus["shown"] == json!(true),
            "{focus}"
        );
        if way.last() != Some(&at) {
            way.push(at.clone());
        }
        if at == name {
            return way;
        }
    }
    panic!("Tab does not come to `{name}`: {way:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_employee_asks_for_time_off_by_keyboard_alone_and_the_manager_approves_it() {
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    let served = Served::of(World::new().await).await;
    office(&served.world).await;
    land(
        &mut chrome,
        &served,
        &worker("employee", "ann@acme.example"),
    )
    .await;
    // Somebody who sees no findings comes to the pages of an employee.
    assert!(chrome.text().await.contains("Hello, Ann"));
    chrome.open(&served.url("/t/acme/me")).await;
    let way = tab_to(&mut chrome, "Time off").await;
    assert_eq!(way[0], "Skip to content");
    chrome.enter().await;
    let way = tab_to(&mut chrome, "leave_type").await;
    assert_eq!(way.first().unwrap(), "Skip to content");
    chrome.types("s").await;
    let way = tab_to(&mut chrome, "start_date").await;
    assert_eq!(way, ["start_date"]);
    chrome.types("03012027").await;
    assert_eq!(
        tab_to(&mut chrome, "end_date").await.last().unwrap(),
        "end_date"
    );
    chrome.types("03032027").await;
    let way = tab_to(&mut chrome, "until_noon").await;
    assert_eq!(way[way.len() - 2..], ["from_noon", "until_noon"]);
    chrome.press(" ").await;
    assert_eq!(tab_to(&mut chrome, "note").await, ["note"]);
    chrome.types("a tooth").await;
    assert_eq!(
        tab_to(&mut chrome, "Send the request").await,
        ["Send the request"]
    );
    chrome.enter().await;
    assert!(chrome.text().await.contains("Your request was sent"));
    let asked = time_off_of(&served.world, "ann@acme.example").await;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].leave_type, LeaveType::Sick);
    let days = (
        asked[0].start_date.to_string(),
        asked[0].end_date.to_string(),
    );
    assert_eq!(days, ("2027-03-01".to_owned(), "2027-03-03".to_owned()));
    assert!(asked[0].until_noon && !asked[0].from_noon);
    assert_eq!(asked[0].note.as_deref(), Some("a tooth"));

    let Some(mut manager) = Chrome::start().await else {
        return;
    };
    land(
        &mut manager,
        &served,
        &worker("manager", "bob@acme.example"),
    )
    .await;
    assert!(
        manager
            .text()
            .await
            .contains("1 request waits for your decision")
    );
    manager.follow(".note a").await;
    manager.pictures("me_team").await;
    tab_to(
        &mut manager,
        "Approve the time off of Ann Adler from 2027-03-01",
    )
    .await;
    manager.enter().await;
    assert!(manager.text().await.contains("You approved it"));
    let decided = time_off_of(&served.world, "ann@acme.example").await;
    assert_eq!(decided[0].status, TimeOffStatus::Approved);
    chrome.open(&served.url("/t/acme/me/time-off")).await;
    assert!(chrome.text().await.contains("approved"));
    chrome.follow("form[action$='/cancel'] button").await;
    assert!(chrome.text().await.contains("cancelled"));
    let decided = time_off_of(&served.world, "ann@acme.example").await;
    assert_eq!(decided[0].status, TimeOffStatus::Cancelled);
    nothing_is_wrong(&chrome);
    nothing_is_wrong(&manager);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_an_employee_are_shown_and_the_profile_is_edited_without_a_complaint() {
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    let served = Served::of(World::new().await).await;
    office(&served.world).await;
    land(
        &mut chrome,
        &served,
        &worker("employee", "ann@acme.example"),
    )
    .await;
    let home = see(&mut chrome, &served, "/t/acme/me").await;
    assert!(
        home.contains("95.5") && home.contains("Acceptable use"),
        "{home}"
    );
    see(&mut chrome, &served, "/t/acme/me/time-off").await;
    let documents = see(&mut chrome, &served, "/t/acme/me/documents").await;
    assert!(
        documents.contains("overdue") && documents.contains("pending"),
        "{documents}"
    );
    let chart = see(&mut chrome, &served, "/t/acme/me/org-chart").await;
    assert!(
        chart.contains("Vera") && chart.contains("Bob") && !chart.contains("Cem"),
        "{chart}"
    );
    // The boxes are links, which a keyboard reaches.
    tab_to(&mut chrome, "Bob Brandt, Head of Engineering, leads 6").await;
    chrome.enter().await;
    chrome.pictures("me_org-chart_bob").await;
    let around = chrome.text().await;
    assert!(
        around.contains("Cem") && around.contains("Georg"),
        "{around}"
    );

    see(&mut chrome, &served, "/t/acme/me/profile").await;
    chrome.click("input[name=preferred_name]").await;
    chrome.types("Anni").await;
    chrome.click("input[name=personal_email]").await;
    chrome.types("ann@home.example").await;
    chrome.follow("form.fields button").await;
    assert!(chrome.text().await.contains("Your profile was saved"));
    let acme = served.world.tenant("acme");
    let ann = acme.find_employee("ann@acme.example").await.unwrap();
    assert_eq!(ann.preferred_name.as_deref(), Some("Anni"));
    let private = ann.private.unwrap();
    assert_eq!(private.personal_email.unwrap().as_str(), "ann@home.example");
    assert_eq!(private.home_address.as_deref(), Some("Main Street 3"));
    nothing_is_wrong(&chrome);
}

/// Acme has a mail domain whose records are weak, and watches it.
async fn with_mail() -> World {
    let config = crate::world::config().replace(
        "domains = [\"acme.example\"]",
        "domains = [\"acme.example\"]\nmonitor = { domains = true }",
    );
    let config = format!("{config}\n[tenants.acme.connectors.mail]\nkind = \"email\"\n");
    let store = std::sync::Arc::new(protect_connectors::core::store::MemoryStore::new());
    let world = World::with(&config, store).await;
    let dns = &world.outside.dns;
    dns.set_txt("acme.example", &["v=spf1 ip4:192.0.2.0/24 +all"]);
    dns.set_txt("_dmarc.acme.example", &["v=DMARC1; p=none"]);
    world.scanned().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_says_how_each_domain_is_protected_and_which_records_to_publish() {
    let served = Served::of(with_mail().await).await;
    let month = Month::of(served.world.outside.context.clock.now());
    let report = served
        .world
        .tenant("acme")
        .report(month, &[])
        .await
        .unwrap();
    let domains = report
        .sections
        .iter()
        .find(|section| section.id == "domains")
        .unwrap();
    let tables: Vec<_> = domains
        .blocks
        .iter()
        .filter_map(|block| match block {
            Block::Table { columns, rows } => Some((columns, rows)),
            _ => None,
        })
        .collect();
    let [(_, scored), (columns, records)] = tables.as_slice() else {
        panic!("{domains:?}");
    };
    assert_eq!(scored[0][0], "acme.example");
    assert_eq!(scored[0][1], "none");
    assert_eq!(columns[..], ["domain", "name", "type", "record", "why"]);
    let dmarc = records
        .iter()
        .find(|row| row[1] == "_dmarc.acme.example")
        .unwrap();
    assert_eq!(
        (dmarc[0].as_str(), dmarc[2].as_str()),
        ("acme.example", "TXT")
    );
    assert!(
        dmarc[3].starts_with("v=DMARC1;") && !dmarc[4].is_empty(),
        "{dmarc:?}"
    );
    let Some(mut chrome) = Chrome::start().await else {
        return;
    };
    land(&mut chrome, &served, &staff("acme", "admin")).await;
    let path = format!("/t/acme/reports/{month}");
    let shown = see(&mut chrome, &served, &path).await;
    assert!(shown.contains("Records to publish"), "{shown}");
    for row in *records {
        assert!(
            shown.contains(&row[1]) && shown.contains(&row[4]),
            "{row:?}: {shown}"
        );
    }
    // A long record is broken, and never makes the page wider than the window.
    for width in [1200, 480] {
        chrome.size(width, 900).await;
        let wide = chrome.look("document.documentElement.scrollWidth").await;
        assert!(
            wide.as_u64().unwrap() <= u64::from(width),
            "{wide} at {width}"
        );
    }
    let pages = see(&mut chrome, &served, "/t/acme/domains").await;
    assert!(
        pages.contains("acme.example") && pages.contains("none"),
        "{pages}"
    );
    nothing_is_wrong(&chrome);
}
