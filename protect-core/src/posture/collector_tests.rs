use std::sync::Mutex;

use super::*;
use crate::posture::{Bodies, Paging};
use crate::testing::op;

const FORMAT: Format = Format {
    provider: "vendor",
    tenant_field: "tenant_id",
    bodies: Bodies::Under("resources"),
    items: &["value"],
    aliases: &[],
    paging: Some(Paging {
        field: "next",
        path: |link| Some(link.to_owned()),
    }),
    version: 1,
};

const USERS: &str = "/users";
const OWNERS: &str = "/apps/{id}/owners";

/// A vendor with three pages of users, which refuses one path and breaks where it is told.
#[derive(Default)]
struct Vendor {
    asked: Mutex<Vec<String>>,
    breaks_at: Option<&'static str>,
    leads_back: bool,
    /// How often the third page is gone.
    expires: Mutex<usize>,
}

#[async_trait]
impl Asker for Vendor {
    async fn page(
        &self,
        _cx: &OpContext,
        question: &Question,
        next: Option<&str>,
    ) -> Result<Answered> {
        let at = next.map_or_else(|| question.path(), ToOwned::to_owned);
        if self.breaks_at == Some(at.as_str()) {
            return Err(Error::new(ErrorKind::Unavailable, "gone").temporary());
        }
        self.asked.lock().unwrap().push(at.clone());
        if at == "/users?3" && *self.expires.lock().unwrap() > 0 {
            *self.expires.lock().unwrap() -= 1;
            return Ok(Answered::Expired);
        }
        let page = |body: String, next: Option<&str>| Answered::Page {
            body: body.into(),
            next: next.map(ToOwned::to_owned),
        };
        let large = format!("{{\"value\":\n[{{\"id\":\"{}\"}}]}}", "x".repeat(SMALL));
        Ok(match at.as_str() {
            "/users" => page(large, Some("/users?2")),
            "/users?2" => page(large, Some("/users?3")),
            "/users?3" if self.leads_back => page(large, Some("/users?2")),
            "/users?3" => page(r#"{"value":[{"id":"last"}]}"#.to_owned(), None),
            "/policy" => Answered::Refused(r#"{"error":{"code":"Forbidden"}}"#.into()),
            "/report" => page("\"a,b\"".to_owned(), None),
            _ => page(r#"{"value":[]}"#.to_owned(), None),
        })
    }
}

fn questions() -> Vec<Question> {
    let mut all: Vec<_> = ["/policy", USERS, "/report"].map(Question::of).into();
    all.extend((0..45).map(|number| Question::about(OWNERS, number.to_string())));
    all
}

async fn all_of(collection: &mut Collection, vendor: &Vendor) -> Result<()> {
    while collection.advance(&op(), vendor, &questions()).await? {}
    Ok(())
}

fn manifest() -> Map<String, Value> {
    let fields = json!({"tenant_id": "t", "collected_at": "2026-11-01T00:00:00Z"});
    fields.as_object().unwrap().clone()
}

fn length(collection: &Collection, name: &str) -> u64 {
    fs::metadata(collection.folder.join(name)).unwrap().len()
}

#[tokio::test]
async fn every_question_is_asked_once_and_pages_lie_in_a_file_as_they_came() {
    let vendor = Vendor::default();
    let mut collection = Collection::begin(None, "run", &FORMAT).unwrap();
    all_of(&mut collection, &vendor).await.unwrap();
    assert!(collection.is_complete(&questions()));
    assert_eq!(collection.pages(), 1 + 3 + 1 + 45);
    let asked = vendor.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 50);
    collection.snapshot(manifest()).unwrap();
    let users = fs::read_to_string(collection.folder.join("0001.ndjson")).unwrap();
    assert_eq!(users.lines().count(), 3);
    assert!(users.ends_with("{\"value\":[{\"id\":\"last\"}]}\n"));
    let manifest = fs::read(collection.folder.join(MANIFEST)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        manifest["resources"]["/policy"]["error"]["code"],
        "Forbidden"
    );
    assert_eq!(manifest["resources"]["/report"], "0002.ndjson");
    assert_eq!(
        manifest["resources"]["/apps/7/owners"],
        json!({"value": []})
    );
}

#[tokio::test]
async fn a_collection_that_broke_off_goes_on_where_it_was_and_asks_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let first = Vendor {
        breaks_at: Some("/users?3"),
        ..Vendor::default()
    };
    let mut collection = Collection::begin(Some(folder.path()), "run", &FORMAT).unwrap();
    let error = all_of(&mut collection, &first).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let length = length(&collection, "0001.ndjson");
    drop(collection);
    // What a crash left behind the last page that the journal knows.
    let file = File::options()
        .append(true)
        .open(folder.path().join("0001.ndjson"));
    file.unwrap().write_all(b"{\"value\":[torn").unwrap();
    let journal = File::options()
        .append(true)
        .open(folder.path().join(JOURNAL));
    journal.unwrap().write_all(b"{\"path\":\"/us").unwrap();

    assert!(
        Collection::resume(folder.path(), "other", &FORMAT)
            .unwrap()
            .is_none()
    );
    let again = Collection::resume(folder.path(), "run", &FORMAT).unwrap();
    let mut again = again.unwrap();
    assert_eq!(
        fs::metadata(folder.path().join("0001.ndjson"))
            .unwrap()
            .len(),
        length
    );
    let second = Vendor::default();
    all_of(&mut again, &second).await.unwrap();
    let asked = second.asked.lock().unwrap().clone();
    assert_eq!(asked[..2], ["/users?3", "/report"]);
    assert_eq!(asked.len(), 47);
    drop(again);
    let done = Collection::resume(folder.path(), "run", &FORMAT).unwrap();
    let done = done.unwrap();
    assert!(done.is_complete(&questions()));
    done.snapshot(manifest()).unwrap();
}

#[tokio::test]
async fn pages_that_lead_round_in_circles_are_an_error_in_the_snapshot() {
    let vendor = Vendor {
        leads_back: true,
        ..Vendor::default()
    };
    let mut collection = Collection::begin(None, "run", &FORMAT).unwrap();
    all_of(&mut collection, &vendor).await.unwrap();
    collection.snapshot(manifest()).unwrap();
    let manifest = fs::read(collection.folder.join(MANIFEST)).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(manifest["resources"][USERS]["error"]["code"], REPEATED_PAGE);
}

#[tokio::test]
async fn a_listing_whose_page_is_gone_begins_anew_once_and_holds_nothing_twice() {
    for (times, is_whole) in [(1, true), (2, false)] {
        let folder = tempfile::tempdir().unwrap();
        let vendor = Vendor {
            expires: Mutex::new(times),
            ..Vendor::default()
        };
        let mut collection = Collection::begin(Some(folder.path()), "run", &FORMAT).unwrap();
        all_of(&mut collection, &vendor).await.unwrap();
        drop(collection);
        let again = Collection::resume(folder.path(), "run", &FORMAT).unwrap();
        let again = again.unwrap();
        assert!(again.is_complete(&questions()));
        again.snapshot(manifest()).unwrap();
        let manifest = fs::read(folder.path().join(MANIFEST)).unwrap();
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let users = &manifest["resources"][USERS];
        if is_whole {
            let pages = fs::read_to_string(folder.path().join("0001.ndjson")).unwrap();
            assert_eq!(
                (users.as_str(), pages.lines().count()),
                (Some("0001.ndjson"), 3)
            );
        } else {
            assert_eq!(users["error"]["code"], EXPIRED_PAGE);
        }
    }
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "years of work").unwrap();
    let error = Collection::begin(Some(folder.path()), "run", &FORMAT).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(folder.path().join("thesis.txt").exists());
}
