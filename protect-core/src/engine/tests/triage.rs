use super::harness::{Build, World, account, check, connector, exposed, last};
use crate::engine::{IncidentFilter, Triaged};
use crate::model::{
    Actor, FindingKind, FindingStatus, IncidentStatus, Observation, PersonId, Severity, Subject,
};

fn bob() -> Actor {
    Actor::unverified("bob")
}

async fn find(world: &World, seen: Vec<Observation>) -> Triaged {
    world
        .acme
        .observe(&connector("breaches"), seen)
        .await
        .unwrap();
    world.acme.triage().await.unwrap()
}

async fn incidents(world: &World) -> Vec<crate::model::Incident> {
    world
        .acme
        .incidents(&IncidentFilter::default())
        .await
        .unwrap()
}

#[tokio::test]
async fn findings_of_one_person_make_one_incident_with_the_worst_of_them() {
    let world = World::new();
    let mut worse = exposed("ann", "Collection");
    worse.severity = Severity::Critical;
    worse.title = "Everything is known".to_owned();
    find(
        &world,
        vec![exposed("ann", "Adobe"), worse, exposed("ben", "Adobe")],
    )
    .await;
    let found = incidents(&world).await;
    assert_eq!(found.len(), 2);
    let ann = found
        .iter()
        .find(|incident| incident.findings.len() == 2)
        .unwrap();
    let person = PersonId::of(world.acme.id(), &super::harness::address("ann"));
    assert_eq!(ann.person, Some(person.clone()));
    assert_eq!(ann.cause, format!("person:{person}"));
    assert_eq!(
        (ann.severity, ann.title.as_str()),
        (Severity::Critical, "Everything is known")
    );
}

#[tokio::test]
async fn a_sign_in_and_a_leak_of_one_person_are_one_incident_over_vendors() {
    let world = Build {
        directories: vec!["passwords"],
        ..Build::default()
    }
    .world();
    world.script("passwords").lock().unwrap().directory =
        Some(vec![account("passwords", "u1", Some("Ann@Acme.example"))]);
    world.answers([last(vec![exposed("ann", "Adobe")], vec![])]);
    let mut sign_in = exposed("x", "event-1");
    sign_in.subject = Subject::account("vault", "u1");
    sign_in.kind = FindingKind::SuspiciousSignIn;
    sign_in.cause = None;
    world.answers_of("passwords", [last(vec![sign_in], vec![])]);
    let summary = world.acme.scan().await.unwrap();
    assert_eq!(summary.incidents.opened.len(), 1);
    assert_eq!(incidents(&world).await[0].findings.len(), 2);
}

#[tokio::test]
async fn a_cause_that_hits_many_is_one_incident_of_the_tenant() {
    let world = World::new();
    let many: Vec<_> = (0..10).map(|n| exposed(&format!("p{n}"), "Mega")).collect();
    let mut seen = many.clone();
    seen.push(exposed("p1", "Adobe"));
    find(&world, seen).await;
    let found = incidents(&world).await;
    assert_eq!(found.len(), 2);
    let mega = found.iter().find(|i| i.cause == "breach:Mega").unwrap();
    assert_eq!((mega.findings.len(), mega.person.clone()), (10, None));

    let later = find(&world, vec![exposed("late", "Mega")]).await;
    assert_eq!(
        later.updated,
        std::slice::from_ref(&mega.id),
        "the open incident takes further findings"
    );
}

#[tokio::test]
async fn nine_people_of_one_breach_are_nine_incidents_and_the_threshold_can_be_set() {
    let many = |n| (0..n).map(|n| exposed(&format!("p{n}"), "Mega")).collect();
    let world = World::new();
    assert_eq!(find(&world, many(9)).await.opened.len(), 9);
    let world = Build {
        many_subjects: 3,
        ..Build::default()
    }
    .world();
    assert_eq!(find(&world, many(3)).await.opened.len(), 1);
}

#[tokio::test]
async fn what_concerns_nobody_is_one_incident_by_subject() {
    let world = World::new();
    let mut setting = exposed("x", "");
    setting.subject = Subject::setting("vault", "policy/mfa");
    setting.cause = None;
    let mut domain = setting.clone();
    domain.subject = Subject::domain("acme.example");
    let mut account = setting.clone();
    account.subject = Subject::account("nobody", "u9");
    find(&world, vec![setting, domain, account]).await;
    let mut causes: Vec<_> = incidents(&world)
        .await
        .into_iter()
        .map(|i| i.cause)
        .collect();
    causes.sort();
    assert_eq!(
        causes,
        [
            "subject:account:nobody:u9",
            "subject:domain::acme.example",
            "subject:setting:vault:policy/mfa"
        ]
    );
}

#[tokio::test]
async fn an_open_incident_takes_further_findings_and_a_second_pass_opens_nothing() {
    let world = World::new();
    let first = find(&world, vec![exposed("ann", "Adobe")]).await;
    let again = find(&world, vec![exposed("ann", "Adobe")]).await;
    assert_eq!(again, Triaged::default());
    let more = find(&world, vec![exposed("ann", "Collection")]).await;
    assert_eq!((more.opened.len(), more.updated), (0, first.opened));
}

#[tokio::test]
async fn a_closed_or_resolved_incident_leads_to_the_next_generation() {
    let world = World::new();
    let first = find(&world, vec![exposed("ann", "Adobe")]).await.opened;
    world
        .acme
        .set_incident_status(&first[0], IncidentStatus::Closed, &bob())
        .await
        .unwrap();
    let second = find(&world, vec![exposed("ann", "Collection")])
        .await
        .opened;
    assert_eq!(world.acme.incident(&second[0]).await.unwrap().generation, 2);
    let findings = world.acme.incident(&second[0]).await.unwrap().findings;
    world
        .acme
        .resolve_finding(&findings[0], &bob())
        .await
        .unwrap();
    let status = world.acme.incident(&second[0]).await.unwrap().status;
    assert_eq!(status, IncidentStatus::Resolved);
    let third = find(&world, vec![exposed("ann", "Collection")])
        .await
        .opened;
    assert_eq!(world.acme.incident(&third[0]).await.unwrap().generation, 3);
}

#[tokio::test]
async fn an_incident_is_resolved_when_none_of_its_findings_is_open() {
    let world = World::new();
    let seen = vec![exposed("ann", "Adobe"), exposed("ann", "Collection")];
    let id = find(&world, seen).await.opened.remove(0);
    let findings = world.acme.incident(&id).await.unwrap().findings;
    world
        .acme
        .resolve_finding(&findings[0], &bob())
        .await
        .unwrap();
    assert!(world.acme.incident(&id).await.unwrap().status.is_open());
    world
        .acme
        .mark_false_positive(&findings[1], "a test account", &bob())
        .await
        .unwrap();
    let status = world.acme.incident(&id).await.unwrap().status;
    assert_eq!(status, IncidentStatus::Resolved);
    let ledger = world.ledger().await;
    assert_eq!(
        ledger
            .iter()
            .filter(|e| e.kind == "incident.resolved")
            .count(),
        1
    );
}

#[tokio::test]
async fn what_is_accepted_or_never_wrong_opens_nothing() {
    let world = World::new();
    let source = connector("breaches");
    let seen = vec![exposed("ann", "Adobe"), exposed("ben", "Adobe")];
    world.acme.observe(&source, seen).await.unwrap();
    let found = world.stored().await;
    let until = crate::clock::later(world.acme.now(), std::time::Duration::from_mins(1));
    world
        .acme
        .accept_finding(&found[0].id, until, "known", &bob())
        .await
        .unwrap();
    world
        .acme
        .mark_false_positive(&found[1].id, "not ours", &bob())
        .await
        .unwrap();
    assert_eq!(world.acme.triage().await.unwrap(), Triaged::default());
    world.pass(60);
    assert_eq!(world.acme.end_acceptances().await.unwrap(), 1);
    assert_eq!(
        world.acme.triage().await.unwrap().opened.len(),
        1,
        "its acceptance ended"
    );
}

#[tokio::test]
async fn a_finding_that_comes_back_while_its_incident_is_open_is_listed_once() {
    let world = World::new();
    let seen = || vec![exposed("ann", "Adobe"), exposed("ann", "Collection")];
    let id = find(&world, seen()).await.opened.remove(0);
    let first = world.stored().await.remove(0);
    world.acme.resolve_finding(&first.id, &bob()).await.unwrap();
    assert_eq!(
        find(&world, seen()).await.updated,
        std::slice::from_ref(&id)
    );
    let incident = world.acme.incident(&id).await.unwrap();
    assert_eq!(incident.findings.len(), 2);
    let back = world.acme.finding(&first.id).await.unwrap();
    assert_eq!((back.status, back.occurrence), (FindingStatus::New, 2));
    assert_eq!(back.incident, Some(id));
}

#[tokio::test]
async fn further_findings_open_a_contained_incident_again() {
    let world = World::new();
    let id = find(&world, vec![exposed("ann", "Adobe")])
        .await
        .opened
        .remove(0);
    world
        .acme
        .set_incident_status(&id, IncidentStatus::Contained, &bob())
        .await
        .unwrap();
    find(&world, vec![exposed("ann", "Collection")]).await;
    assert_eq!(
        world.acme.incident(&id).await.unwrap().status,
        IncidentStatus::Open
    );
}

#[tokio::test]
async fn a_mega_breach_of_thousands_is_joined_in_parts_and_nobody_is_left_out() {
    let world = World::new();
    let many: Vec<_> = (0..1_234)
        .map(|n| exposed(&format!("p{n}"), "Mega"))
        .collect();
    let opened = find(&world, many).await.opened;
    assert_eq!(opened.len(), 1);
    assert_eq!(
        world
            .acme
            .incident(&opened[0])
            .await
            .unwrap()
            .findings
            .len(),
        1_234
    );
    let left = world
        .stored()
        .await
        .iter()
        .filter(|f| f.incident.is_none())
        .count();
    assert_eq!(left, 0);
    assert_eq!(world.stored().await[0].observation.check, check());
}
