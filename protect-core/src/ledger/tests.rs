//! The ledger as a whole: written by a store, exported, signed, verified, tampered with.

use std::sync::{LazyLock, Mutex};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::context::Random;
use crate::model::{EvidenceEntry, TenantId};
use crate::store::{Commit, MemoryStore, NewEntry, Store};

/// Numbers that look random and never repeat.
#[derive(Debug, Default)]
struct Counted(Mutex<u64>);

impl Random for Counted {
    fn fill(&self, buffer: &mut [u8]) {
        let mut count = self.0.lock().unwrap();
        for byte in buffer {
            *count = count
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = count.to_be_bytes()[0];
        }
    }
}

fn acme() -> TenantId {
    TenantId::new("acme").unwrap()
}

fn now() -> jiff::Timestamp {
    "2026-11-23T08:00:00Z".parse().unwrap()
}

fn entry(number: usize) -> NewEntry {
    let data = json!({
        "number": number, "ratio": 0.1, "name": "Zoë \u{1f600} \"quoted\"", "none": null,
        "list": ["a", true, -7], "deep": { "b": {}, "a": [] },
    });
    NewEntry {
        kind: "action.attempted".to_owned(),
        actor: "rule:leaked password".to_owned(),
        at: now(),
        data: data.as_object().unwrap().clone(),
    }
}

async fn store_of(entries: usize) -> MemoryStore {
    let store = MemoryStore::new();
    let commit = (0..entries).fold(Commit::default(), |commit, number| {
        commit.append(entry(number))
    });
    store.commit(&acme(), commit).await.unwrap();
    store
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn exported(entries: usize) -> Vec<u8> {
    block_on(async {
        let mut file = Vec::new();
        let store = store_of(entries).await;
        let written = export(&store, &acme(), &mut file).await.unwrap();
        assert_eq!(written, entries as u64);
        file
    })
}

fn signed(entries: usize) -> (Checkpoint, LedgerKey) {
    let key = LedgerKey::generate(&Counted::default());
    let signed =
        block_on(async { checkpoint(&store_of(entries).await, &acme(), &key, now()).await });
    (signed.unwrap(), key)
}

fn look(file: &[u8]) -> VerifyReport {
    verify(file, None, None).unwrap()
}

fn bad_line(file: &[u8]) -> Option<u64> {
    look(file).problem.and_then(|problem| problem.line)
}

fn lines(file: &[u8]) -> Vec<Vec<u8>> {
    file.split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

#[test]
fn an_exported_ledger_verifies() {
    let report = look(&exported(2_345));
    assert!(report.valid, "{report:?}");
    assert_eq!(report.entries, 2_345);
    assert_eq!(report.tenant, Some(acme()));
    assert_eq!(report.checkpoint, CheckpointStanding::NotGiven);
    assert_eq!(report.head.unwrap().len(), 64);
}

#[test]
fn an_empty_ledger_verifies_and_has_nothing_to_sign() {
    let report = look(&exported(0));
    assert!(report.valid && report.entries == 0 && report.tenant.is_none());
    let key = LedgerKey::generate(&Counted::default());
    let error = block_on(async { checkpoint(&MemoryStore::new(), &acme(), &key, now()).await });
    assert_eq!(error.unwrap_err().kind(), crate::ErrorKind::NotFound);
}

#[test]
fn the_form_of_a_line_does_not_move() {
    let line = String::from_utf8(exported(1)).unwrap();
    assert_eq!(
        line,
        concat!(
            r#"{"actor":"rule:leaked password","at":"2026-11-23T08:00:00Z","#,
            r#""data":{"deep":{"a":[],"b":{}},"list":["a",true,-7],"name":"Zoë 😀 \"quoted\"","#,
            r#""none":null,"number":0,"ratio":0.1},"#,
            r#""hash":"4b835d9df48845d9868e5baa303adddfe4be09d3016644dda1a98249bd025d90","#,
            r#""kind":"action.attempted","#,
            r#""previous":"0000000000000000000000000000000000000000000000000000000000000000","#,
            r#""sequence":1,"tenant":"acme"}"#,
            "\n",
        )
    );
}

#[test]
fn a_rewritten_chain_is_found_by_the_checkpoint_alone() {
    let honest = exported(5);
    let (checkpoint, key) = signed(5);
    let mut previous = FIRST_PREVIOUS.to_owned();
    let mut forged = Vec::new();
    for (line, sequence) in lines(&honest).iter().zip(1..) {
        let old: EvidenceEntry = serde_json::from_slice(line).unwrap();
        let mut new = entry(0);
        new.data = old.data;
        new.actor = "nobody".to_owned();
        let sealed = seal(&previous, sequence, &acme(), new).unwrap();
        previous.clone_from(&sealed.hash);
        forged.extend(canonical(&sealed).unwrap().into_bytes());
        forged.push(b'\n');
    }
    assert!(look(&forged).valid);
    let report = verify(forged.as_slice(), Some(&checkpoint), Some(&key.public())).unwrap();
    assert_eq!(report.problem.unwrap().line, Some(5));
    let report = verify(honest.as_slice(), Some(&checkpoint), Some(&key.public())).unwrap();
    assert!(report.valid);
    assert_eq!(report.checkpoint, CheckpointStanding::Signed);
}

#[test]
fn a_cut_off_tail_is_found_by_the_checkpoint() {
    let (checkpoint, key) = signed(5);
    let all = lines(&exported(8));
    for kept in 0..=8 {
        let report = verify(
            all[..kept].concat().as_slice(),
            Some(&checkpoint),
            Some(&key.public()),
        );
        let report = report.unwrap();
        // What came after the checkpoint is not covered by it.
        assert_eq!(report.valid, kept >= 5, "{kept}");
        let line = report.problem.and_then(|problem| problem.line);
        assert_eq!(line, (kept < 5).then_some(kept as u64 + 1));
    }
}

#[test]
fn a_checkpoint_of_another_key_or_tenant_or_text_is_refused() {
    let file = exported(3);
    let (checkpoint, key) = signed(3);
    let text = checkpoint.to_string();
    assert_eq!(text.parse::<Checkpoint>().unwrap(), checkpoint);
    let other = LedgerKey::generate(&Counted(Mutex::new(99)));
    let refused = verify(file.as_slice(), Some(&checkpoint), Some(&other.public())).unwrap();
    assert_eq!(
        (refused.valid, refused.checkpoint),
        (false, CheckpointStanding::Refused)
    );
    for (from, to) in [
        ("/acme", "/other"),
        ("\n3\n", "\n2\n"),
        ("08:00:00Z", "09:00:00Z"),
    ] {
        let changed: Checkpoint = text.replacen(from, to, 1).parse().unwrap();
        assert!(changed.check(&key.public()).is_err(), "{from}");
    }
    let stranger = block_on(async {
        let store = MemoryStore::new();
        let other = TenantId::new("other").unwrap();
        store
            .commit(&other, Commit::default().append(entry(0)))
            .await
            .unwrap();
        super::checkpoint(&store, &other, &key, now())
            .await
            .unwrap()
    });
    let report = verify(file.as_slice(), Some(&stranger), None).unwrap();
    assert_eq!(report.problem.unwrap().line, Some(1));
    assert_eq!(report.checkpoint, CheckpointStanding::SignatureNotChecked);
}

#[test]
fn the_form_of_a_checkpoint_does_not_move() {
    let (checkpoint, key) = signed(3);
    assert_eq!(
        checkpoint.to_string(),
        "protect-evidence/acme\n\
         3\n\
         N/O/o+sG5XbHv+ceo294l4eo2Op0t8IfCZbGiQVV1NI=\n\
         at 2026-11-23T08:00:00Z\n\
         \n\
         \u{2014} protect-evidence n4CmS5RXkCcwtNBP5JGn/BJMTXv/iGlwToheeXaA8mdfPdfn0w6yrl2d+37Gq\
         +1F02BwAU4Pox8Gx7Q3qQkvMxXoKw8=\n"
    );
    assert_eq!(
        key.public().to_string(),
        "protect-evidence+9f80a64b+AZr1EYnbj15WkPRfS0u5rHB5O3w5EFjrWxdRWCf9Zh6k"
    );
}

#[test]
fn text_that_is_no_checkpoint_is_refused() {
    let (checkpoint, _) = signed(3);
    let text = checkpoint.to_string();
    for wrong in [
        String::new(),
        text.replace("protect-evidence/", "log.example/"),
        text.replace("\n3\n", "\n03\n"),
        text.replace("\n3\n", "\n-3\n"),
        text.replace("at 2026-11-23T08:00:00Z", "at 2026-11-23T08:00:00.0Z"),
        text.replace("\nat ", "\nmore\nat "),
        text.replacen("\n\n", "\nmore\n\n", 1),
    ] {
        assert!(wrong.parse::<Checkpoint>().is_err(), "{wrong}");
    }
}

#[test]
fn a_line_without_end_does_not_fill_the_memory() {
    let endless = std::io::BufReader::new(std::io::Read::take(std::io::repeat(b'{'), 1 << 30));
    assert_eq!(
        verify(endless, None, None).unwrap().problem.unwrap().line,
        Some(1)
    );
}

#[test]
fn a_pseudonym_stays_until_its_person_is_erased() {
    block_on(async {
        let (store, random) = (MemoryStore::new(), Counted::default());
        let other = TenantId::new("other").unwrap();
        let name = async |tenant: &TenantId, subject: &str| {
            pseudonym(&store, &random, tenant, subject).await.unwrap()
        };
        let alice = name(&acme(), "alice@acme.example").await;
        assert!(alice.starts_with("p-") && alice.len() == 34);
        assert_eq!(name(&acme(), "alice@acme.example").await, alice);
        assert_ne!(name(&acme(), "bob@acme.example").await, alice);
        assert_ne!(name(&other, "alice@acme.example").await, alice);
        let many = ["bob@acme.example", "alice@acme.example", "carol", "carol"];
        let many = pseudonyms(&store, &random, &acme(), &many).await.unwrap();
        assert_eq!(many[1], alice);
        assert_eq!(many[2], many[3]);
        assert!(erase(&store, &acme(), "alice@acme.example").await.unwrap());
        assert!(!erase(&store, &acme(), "alice@acme.example").await.unwrap());
        assert_ne!(name(&acme(), "alice@acme.example").await, alice);
        assert_eq!(name(&acme(), "bob@acme.example").await, many[0]);
    });
}

#[test]
fn the_chain_verifies_after_a_person_is_erased() {
    block_on(async {
        let (store, random) = (MemoryStore::new(), Counted::default());
        let name = pseudonym(&store, &random, &acme(), "alice@acme.example")
            .await
            .unwrap();
        let mut about = entry(1);
        about.data.insert("person".to_owned(), name.into());
        store
            .commit(&acme(), Commit::default().append(about))
            .await
            .unwrap();
        erase(&store, &acme(), "alice@acme.example").await.unwrap();
        let mut file = Vec::new();
        export(&store, &acme(), &mut file).await.unwrap();
        assert!(look(&file).valid);
        assert!(!String::from_utf8(file).unwrap().contains("alice"));
    });
}

static SIX: LazyLock<Vec<u8>> = LazyLock::new(|| exported(6));

proptest! {
    /// Fault F34 of the reliability bar, on the exported file.
    #[test]
    fn any_changed_byte_is_found_on_its_line(place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let mut file = SIX.clone();
        let last = file.len() - 1;
        let place = place.index(last);
        let line = file[..place].split(|byte| *byte == b'\n').count() as u64;
        file[place] ^= flip;
        prop_assert_eq!(bad_line(&file), Some(line));
    }

    #[test]
    fn any_inserted_or_removed_byte_is_found(place in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let file = SIX.clone();
        let place = place.index(file.len() - 1);
        let mut inserted = file.clone();
        inserted.insert(place, byte);
        // A doubled byte is the same file wherever it was inserted; any other is found.
        prop_assert!(bad_line(&inserted).is_some());
        let mut removed = file;
        removed.remove(place);
        prop_assert!(bad_line(&removed).is_some());
    }

    #[test]
    fn any_removed_doubled_or_swapped_line_is_found(at in 0..5_usize, other in 0..5_usize) {
        let honest = lines(&SIX);
        let mut removed = honest.clone();
        removed.remove(at);
        prop_assert_eq!(bad_line(&removed.concat()), Some(at as u64 + 1));
        let mut doubled = honest.clone();
        doubled.insert(at, honest[at].clone());
        prop_assert_eq!(bad_line(&doubled.concat()), Some(at as u64 + 2));
        let mut swapped = honest;
        swapped.swap(at, other);
        let expected = (at != other).then(|| at.min(other) as u64 + 1);
        prop_assert_eq!(bad_line(&swapped.concat()), expected);
    }

    #[test]
    fn any_text_is_read_without_a_panic(file in prop::collection::vec(any::<u8>(), 0..300), text in ".*") {
        let report = look(&file);
        prop_assert!(report.valid == file.is_empty());
        prop_assert!(text.parse::<Checkpoint>().is_err());
        prop_assert!(text.parse::<LedgerPublicKey>().is_err());
    }
}
