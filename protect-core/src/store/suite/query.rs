use std::sync::Arc;

use super::{Query, RecordKind, Store, acme, at, finding, keys, put, tenant};

fn all() -> Query {
    Query::all(RecordKind::Finding)
}

/// Pages join without gap or overlap, and a page is short only at the end.
pub async fn a_page_is_ordered_by_key_and_says_where_the_next_begins(store: Arc<impl Store>) {
    for key in ["d", "a", "e", "c", "b"] {
        put(&*store, finding(key)).await;
    }
    let mut query = all().limit(2);
    let mut pages = Vec::new();
    loop {
        let page = store.query(&acme(), query.clone()).await.unwrap();
        let found: Vec<_> = page
            .records
            .iter()
            .map(|record| record.key.clone())
            .collect();
        pages.push(found.concat());
        match page.next {
            Some(next) => query = query.after(next),
            None => break,
        }
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
    let exact = store.query(&acme(), all().limit(5)).await.unwrap();
    assert_eq!((exact.records.len(), exact.next), (5, None));
}

/// In order of keys, each once, however large the list.
pub async fn a_query_for_keys_gives_those_that_are_there(store: Arc<impl Store>) {
    for key in ["b", "a", "c"] {
        put(&*store, finding(key).state(key)).await;
    }
    let list = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
    let wanted = Query::keys(RecordKind::Finding, list(&["c", "x", "a", "a"]));
    assert_eq!(keys(&*store, wanted.clone().limit(1)).await, ["a", "c"]);
    assert_eq!(keys(&*store, wanted.in_states(&["c", "x"])).await, ["c"]);
    let none = Query::keys(RecordKind::Finding, Vec::new());
    assert!(keys(&*store, none).await.is_empty());
    let many = (0..3_000).map(|number| format!("b{number}"));
    let many = Query::keys(RecordKind::Finding, many.chain(["b".to_owned()]).collect());
    assert_eq!(keys(&*store, many).await, ["b"]);
}

/// Wildcards mean themselves.
pub async fn a_prefix_finds_exactly_the_keys_that_begin_so(store: Arc<impl Store>) {
    for key in ["a", "a%", "a%b", "a_", "ab", "A", "b", "a\u{10ffff}"] {
        put(&*store, finding(key)).await;
    }
    let begins = |prefix: &str| Query::prefix(RecordKind::Finding, prefix);
    assert_eq!(keys(&*store, begins("a%")).await, ["a%", "a%b"]);
    assert_eq!(keys(&*store, begins("a_")).await, ["a_"]);
    assert_eq!(keys(&*store, begins("a")).await.len(), 6);
    assert_eq!(keys(&*store, begins("a\u{10ffff}")).await.len(), 1);
    assert_eq!(keys(&*store, begins("")).await.len(), 8);
    assert_eq!(keys(&*store, begins("a").after("a%")).await.len(), 4);
    assert_eq!(keys(&*store, begins("a%").after("A")).await.len(), 2);
    assert!(keys(&*store, begins("a%").after("b")).await.is_empty());
    assert!(keys(&*store, begins("c")).await.is_empty());
}

/// Each filter alone; a record without a due time is not due by any.
pub async fn a_query_filters_by_state_group_and_due_time(store: Arc<impl Store>) {
    put(
        &*store,
        finding("a").state("new").group("g").due(Some(at(1))),
    )
    .await;
    put(
        &*store,
        finding("b").state("open").group("h").due(Some(at(2))),
    )
    .await;
    put(&*store, finding("c").state("closed").group("g")).await;
    put(&*store, finding("d")).await;
    let groups = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(
        keys(&*store, all().in_states(&["new", "closed"])).await,
        ["a", "c"]
    );
    assert_eq!(keys(&*store, all().in_states(&[""])).await, ["d"]);
    assert_eq!(
        keys(&*store, all().in_groups(groups(&["g"]))).await,
        ["a", "c"]
    );
    assert_eq!(
        keys(&*store, all().in_groups(groups(&["h", "g", "x"]))).await,
        ["a", "b", "c"]
    );
    assert_eq!(
        keys(&*store, all().in_groups(groups(&["", "h"]))).await,
        ["b", "d"]
    );
    assert_eq!(keys(&*store, all().due_by(at(2))).await, ["a", "b"]);
    assert_eq!(keys(&*store, all().due_by(at(1))).await, ["a"]);
    assert!(keys(&*store, all().due_by(at(0))).await.is_empty());
    // A record that moves leaves the place where it was looked for.
    put(&*store, finding("a").state("open").group("h")).await;
    assert_eq!(keys(&*store, all().in_groups(groups(&["g"]))).await, ["c"]);
    assert!(keys(&*store, all().in_states(&["new"])).await.is_empty());
}

/// The limit counts what passes the filters.
pub async fn filters_and_pages_work_together(store: Arc<impl Store>) {
    for number in 0..30 {
        let state = if number % 3 == 0 { "open" } else { "new" };
        let group = if number % 2 == 0 { "even" } else { "odd" };
        let record = finding(&format!("{number:02}")).state(state).group(group);
        put(&*store, record.due(Some(at(number)))).await;
    }
    let query = all()
        .in_states(&["open"])
        .in_groups(vec!["even".to_owned()])
        .due_by(at(24))
        .limit(2);
    let page = store.query(&acme(), query.clone()).await.unwrap();
    assert_eq!(page.next.as_deref(), Some("06"));
    assert_eq!(keys(&*store, query.clone().after("06")).await, ["12", "18"]);
    let last = store.query(&acme(), query.after("18")).await.unwrap();
    assert_eq!((last.records.len(), last.next), (1, None));
}

/// By code point, whatever the language of the machine.
pub async fn keys_are_ordered_by_code_point(store: Arc<impl Store>) {
    let ordered = [
        "",
        "B",
        "Z",
        "a",
        "a b",
        "a-b",
        "ab",
        "z",
        "ä",
        "\u{fb33}",
        "\u{1f600}",
    ];
    for key in ordered.iter().rev() {
        put(&*store, finding(key)).await;
    }
    assert_eq!(keys(&*store, all()).await, ordered);
    assert_eq!(keys(&*store, all().after("z")).await.len(), 3);
    assert_eq!(keys(&*store, all().after("")).await.len(), 10);
}

/// An unknown tenant, an empty kind, and a limit of nothing.
pub async fn a_query_of_nothing_is_empty(store: Arc<impl Store>) {
    let stranger = tenant("stranger");
    for query in [all(), Query::ledger(), Query::prefix(RecordKind::Salt, "a")] {
        let page = store.query(&stranger, query).await.unwrap();
        assert_eq!(page, super::super::Page::default());
    }
    put(&*store, finding("a")).await;
    assert!(keys(&*store, all().limit(0)).await.is_empty());
}
