//! Which words in a description say how passwords were stored.
//!
//! The rules look within one clause: a phrase for "readable" counts only where it governs the word
//! password, since security answers are often kept in plain text next to hashed passwords.

use super::Evidence;
use super::text::{Clause, Word};

/// What the description's words say, each kind with its evidence.
#[derive(Debug, Default)]
pub(super) struct Wording {
    /// A phrase for "readable" that governs passwords.
    pub(super) plain: Vec<Evidence>,
    /// A list made for logging in: combo list, credential stuffing list, pairs.
    pub(super) list: Vec<Evidence>,
    /// Logs of information stealers.
    pub(super) stealer: Vec<Evidence>,
    /// A statement that hashes were turned back, not that they could be.
    pub(super) cracked: Vec<Evidence>,
    /// A fast or weak hash.
    pub(super) fast: Vec<Evidence>,
    /// A slow hash.
    pub(super) slow: Vec<Evidence>,
    /// Hashed or salted, no more.
    pub(super) hashed: Vec<Evidence>,
    /// Encrypted passwords.
    pub(super) encrypted: Vec<Evidence>,
    /// A forum product that hashes passwords.
    pub(super) forum: Vec<Evidence>,
    /// Whether a hash and the word password stand in one clause.
    pub(super) about_passwords: bool,
}

/// Reads the clauses.
pub(super) fn wording(clauses: &[Clause]) -> Wording {
    let mut wording = Wording::default();
    for clause in clauses {
        for index in 0..clause.len() {
            read(&View { clause, index }, &mut wording);
        }
    }
    wording
}

/// A place in a clause.
#[derive(Clone, Copy)]
struct View<'a> {
    clause: &'a [Word],
    index: usize,
}

impl<'a> View<'a> {
    fn word(&self) -> &'a str {
        self.clause
            .get(self.index)
            .map_or("", |word| word.text.as_str())
    }

    /// The word so many places on; empty beyond the ends.
    fn ahead(&self, places: usize) -> &'a str {
        self.clause
            .get(self.index + places)
            .map_or("", |word| word.text.as_str())
    }

    fn behind(&self, places: usize) -> &'a str {
        self.index
            .checked_sub(places)
            .and_then(|index| self.clause.get(index))
            .map_or("", |word| word.text.as_str())
    }

    fn moved(&self, index: usize) -> Self {
        Self {
            clause: self.clause,
            index,
        }
    }

    fn words(&self) -> impl Iterator<Item = &'a str> {
        self.clause.iter().map(|word| word.text.as_str())
    }

    fn evidence(&self, rule: &'static str) -> Evidence {
        Evidence {
            rule,
            at: self.clause.get(self.index).map(|word| word.at),
        }
    }
}

fn read(view: &View<'_>, wording: &mut Wording) {
    read_plain(view, wording);
    read_lists(view, wording);
    read_cracked(view, wording);
    read_hash(view, wording);
    let encrypted = matches!(view.word(), "encrypted" | "encryption");
    if encrypted && !is_denied(view) && is_about_password(view, 4) {
        wording
            .encrypted
            .push(view.evidence("encrypted_near_password"));
    }
    if let Some(rule) = forum_product(view) {
        wording.forum.push(view.evidence(rule));
    }
}

// Readable

/// How many words a phrase for "readable" takes here.
fn plain_phrase(view: &View<'_>) -> Option<usize> {
    match (view.word(), view.ahead(1)) {
        ("plain" | "clear", "text" | "texts")
        | ("readable", "form")
        | ("not", "hashed" | "encrypted")
        | ("no", "hashing" | "encryption") => Some(2),
        ("plaintext" | "cleartext" | "unhashed" | "unencrypted" | "unprotected", _)
        | ("readable", "password" | "passwords" | "credentials") => Some(1),
        ("clear", _) if view.behind(2) == "in" && view.behind(1) == "the" => Some(1),
        ("without", _) => (1..=4)
            .find(|&places| view.ahead(places) == "protection")
            .map(|places| places + 1),
        _ => None,
    }
}

fn read_plain(view: &View<'_>, wording: &mut Wording) {
    let turned_back = matches!(view.word(), "cracked" | "decrypted");
    if turned_back && names_password(&view.moved(view.index + 1)) && !is_hypothetical(view) {
        wording.plain.push(view.evidence("cracked_passwords"));
    }
    let Some(length) = plain_phrase(view) else {
        return;
    };
    if is_negated(view) || ends_a_reversal(view) {
        return;
    }
    if governs_following(view, length)
        || governs_preceding(view, length)
        || applied_to_passwords(view)
    {
        wording
            .plain
            .push(view.evidence("plain_text_governs_password"));
    }
}

/// "plain text passwords", "plain text or hashed passwords", "plain text usernames and passwords".
fn governs_following(view: &View<'_>, length: usize) -> bool {
    // "Answers in plain text and hashed passwords": the phrase ends what stands before it.
    if matches!(view.behind(1), "in" | "as") && view.ahead(length) == "and" {
        return false;
    }
    let mut other_noun = false;
    for place in length..length + 7 {
        let at = view.moved(view.index + place);
        match at.word() {
            "or" | "and" | "user" | "account" | "their" | "the" | "as" => {}
            "username" | "usernames" | "login" | "logins" | "names" => other_noun = true,
            word if is_hash_word(word) || word == "encrypted" => {
                if other_noun {
                    return false;
                }
            }
            _ => return names_password(&at),
        }
    }
    false
}

/// "No hashing was applied to the passwords" is said of what comes after it, too.
fn applied_to_passwords(view: &View<'_>) -> bool {
    view.word() == "no" && (2..=8).any(|n| names_password(&view.moved(view.index + n)))
}

/// "passwords stored in plain text", "passwords stored as both MD5 hashes and plain text".
fn governs_preceding(view: &View<'_>, length: usize) -> bool {
    let introduced = matches!(
        view.behind(1),
        "in" | "as" | "into" | "stored" | "both" | "either" | "were" | "was" | "left" | "kept"
    ) || (view.behind(2), view.behind(1)) == ("in", "the");
    let ends_here = matches!(
        view.ahead(length),
        "" | "for" | "along" | "alongside" | "and" | "after" | "with" | "version" | "versions"
    );
    (introduced || ends_here) && nearest_secret_is_password(view)
}

/// Walks back to the nearest noun that could be what is stored so.
fn nearest_secret_is_password(view: &View<'_>) -> bool {
    let mut only_connectives = true;
    for index in (0..view.index).rev() {
        let at = view.moved(index);
        match at.word() {
            "hint" | "hints" | "question" | "questions" | "answer" | "answers" | "token"
            | "tokens" => return false,
            // "passwords and PINs in plain text" is about both, "hashed passwords, PINs in plain
            // text" only about the latter.
            "pin" | "pins" => return at.behind(1) == "and" && names_password_back(&at, 2),
            // "Hashes of passwords and messages in plain text": the passwords are the hashes'.
            _ if names_password(&at)
                && !only_connectives
                && (1..=2).any(|places| is_hash_word(at.behind(places))) =>
            {
                return false;
            }
            _ if names_password(&at) => return at.behind(1) != "no" && !is_negated(&at),
            word if is_hash_word(word) && !only_connectives => return false,
            word if is_hash_word(word) => {}
            "and" | "or" | "as" | "in" | "both" | "either" | "the" | "also" | "later"
            | "stored" | "cracked" | "their" | "original" => {}
            _ => only_connectives = false,
        }
    }
    false
}

/// Whether the word is a password, and not part of "password hint" or "password reset".
fn names_password(view: &View<'_>) -> bool {
    matches!(
        view.word(),
        "password"
            | "passwords"
            | "passcode"
            | "passcodes"
            | "passphrase"
            | "passphrases"
            | "credentials"
    ) && !matches!(
        view.ahead(1),
        "hint"
            | "hints"
            | "question"
            | "questions"
            | "reset"
            | "resets"
            | "answer"
            | "answers"
            | "token"
            | "tokens"
            | "reminder"
            | "reminders"
            | "manager"
            | "protected"
            | "strength"
            | "strengths"
    )
}

fn names_password_back(view: &View<'_>, places: usize) -> bool {
    view.index
        .checked_sub(places)
        .is_some_and(|index| names_password(&view.moved(index)))
}

/// "not stored in plain text", "no plain text passwords", "rather than plain text".
fn is_negated(view: &View<'_>) -> bool {
    let far = (1..=4).any(|places| {
        matches!(
            view.behind(places),
            "not" | "never" | "nor" | "isnt" | "werent"
        )
    });
    let near = (1..=2).any(|places| matches!(view.behind(places), "no" | "without"));
    let instead = matches!(
        (view.behind(2), view.behind(1)),
        ("rather", "than") | ("instead", "of")
    ) || matches!(
        (view.behind(3), view.behind(2)),
        ("rather", "than") | ("instead", "of")
    );
    far || near || instead
}

/// "converted back to plain text" tells of cracking, not of how passwords were stored.
fn ends_a_reversal(view: &View<'_>) -> bool {
    (1..=5).any(|places| matches!(view.behind(places), "back") || is_reversal(view.behind(places)))
}

fn is_reversal(word: &str) -> bool {
    matches!(
        word,
        "converted" | "resolved" | "reversed" | "turned" | "recovered"
    )
}

// Lists

fn read_lists(view: &View<'_>, wording: &mut Wording) {
    let list = |word: &str| matches!(word, "list" | "lists");
    match (view.word(), view.ahead(1), view.ahead(2)) {
        ("combo", next, _) if list(next) => wording.list.push(view.evidence("combo_list")),
        ("combolist" | "combolists", _, _) => wording.list.push(view.evidence("combo_list")),
        ("credential", "stuffing", next) if list(next) => {
            wording.list.push(view.evidence("credential_stuffing_list"));
        }
        ("credential", "pairs" | "combinations" | "combos", _) => {
            wording.list.push(view.evidence("credential_pairs"));
        }
        ("and" | "with" | "alongside", "password", "pairs" | "combinations" | "combos")
            if matches!(
                view.behind(1),
                "address" | "addresses" | "email" | "emails" | "username" | "usernames"
            ) =>
        {
            wording.list.push(view.evidence("address_password_pairs"));
        }
        ("stealer" | "infostealer" | "stealers", "log" | "logs", _)
        | ("info" | "information", "stealer" | "stealers", _)
        | ("infostealers", _, _) => {
            wording.stealer.push(view.evidence("stealer_wording"));
        }
        ("malware", _, _) if captures_passwords(view) => {
            wording.stealer.push(view.evidence("captured_by_malware"));
        }
        _ => {}
    }
}

/// "Malware on infected machines captured usernames and passwords".
fn captures_passwords(view: &View<'_>) -> bool {
    let captures = |word: &str| {
        matches!(
            word,
            "captured" | "recorded" | "harvested" | "stole" | "stolen" | "collected" | "logged"
        )
    };
    let names = |index| names_password(&view.moved(index));
    view.words().any(captures) && (0..view.clause.len()).any(names)
}

// Cracked

/// A statement of fact: "many were quickly resolved back to plain text", "had been cracked". That
/// a hash can be cracked says nothing about whether it was.
fn read_cracked(view: &View<'_>, wording: &mut Wording) {
    if !is_cracked_verb(view) || is_hypothetical(view) || !is_about_hashes(view) {
        return;
    }
    let passive = (1..=4).any(|places| matches!(view.behind(places), "were" | "was" | "been"));
    let active = view.word() == "cracked"
        && matches!(
            view.ahead(1),
            "most"
                | "many"
                | "some"
                | "all"
                | "the"
                | "several"
                | "thousands"
                | "millions"
                | "nearly"
        )
        && (2..=7).any(|places| {
            let at = view.moved(view.index + places);
            names_password(&at) || matches!(at.word(), "hash" | "hashes")
        });
    if passive || active {
        wording.cracked.push(view.evidence("turned_back"));
    }
}

fn is_cracked_verb(view: &View<'_>) -> bool {
    match view.word() {
        "cracked" | "decrypted" | "unhashed" => true,
        "converted" | "resolved" | "reversed" | "turned" | "recovered" => (1..=4).any(|places| {
            let at = view.moved(view.index + places);
            matches!(at.word(), "back" | "original") || plain_phrase(&at).is_some()
        }),
        _ => false,
    }
}

/// Whether it only could be so, or is said not to be.
fn is_hypothetical(view: &View<'_>) -> bool {
    (1..=6).any(|places| {
        matches!(
            view.behind(places),
            "could" | "can" | "may" | "might" | "not" | "never"
        )
    }) || (1..=8).any(|places| view.behind(places) == "none")
}

/// "Not hashed", "never encrypted".
fn is_denied(view: &View<'_>) -> bool {
    matches!(view.behind(1), "not" | "never")
        || (view.behind(1) == "no" && matches!(view.word(), "hashing" | "encryption"))
}

fn is_about_hashes(view: &View<'_>) -> bool {
    if view
        .words()
        .zip(view.words().skip(1))
        .any(|(first, second)| first == "of" && second.starts_with("email"))
    {
        return false;
    }
    let about = |word: &str| word.starts_with("password") || is_hash_word(word);
    let pronoun = matches!(
        view.moved(0).word(),
        "many" | "most" | "these" | "some" | "all" | "they" | "were" | "was"
    );
    pronoun || view.words().any(about)
}

// Hashes

fn is_hash_word(word: &str) -> bool {
    is_generic_hash(word) || is_fast(word) || is_slow(word) || word == "sha"
}

fn is_generic_hash(word: &str) -> bool {
    matches!(
        word,
        "hash" | "hashes" | "hashed" | "hashing" | "salted" | "salt" | "phpass"
    )
}

fn is_fast(word: &str) -> bool {
    matches!(
        word,
        "md4"
            | "md5"
            | "md5crypt"
            | "sha1"
            | "sha2"
            | "sha224"
            | "sha256"
            | "sha384"
            | "sha512"
            | "ntlm"
            | "unsalted"
            | "descrypt"
            | "crc32"
    )
}

fn is_slow(word: &str) -> bool {
    matches!(word, "bcrypt" | "scrypt" | "yescrypt")
        || word.starts_with("pbkdf2")
        || word.starts_with("argon2")
}

fn read_hash(view: &View<'_>, wording: &mut Wording) {
    let Some((list, rule)) = hash_rule(view) else {
        return;
    };
    if hashes_something_else(view) || is_denied(view) {
        return;
    }
    let evidence = view.evidence(rule);
    match list {
        Strength::Fast => wording.fast.push(evidence),
        Strength::Slow => wording.slow.push(evidence),
        Strength::Unknown => wording.hashed.push(evidence),
    }
    if view.words().any(|word| word.starts_with("password")) {
        wording.about_passwords = true;
    }
}

enum Strength {
    Fast,
    Slow,
    Unknown,
}

fn hash_rule(view: &View<'_>) -> Option<(Strength, &'static str)> {
    let word = view.word();
    let named_sha =
        word == "sha" && matches!(view.ahead(1), "1" | "2" | "224" | "256" | "384" | "512");
    let des = word == "des" && matches!(view.ahead(1), "crypt" | "hash" | "hashes" | "hashed");
    let no_salt = word == "salt" && (1..=2).any(|n| matches!(view.behind(n), "no" | "without"));
    if is_fast(word) || named_sha || des {
        Some((Strength::Fast, "fast_hash_named"))
    } else if no_salt {
        Some((Strength::Fast, "no_salt"))
    } else if is_slow(word) {
        Some((Strength::Slow, "slow_hash_named"))
    } else if is_generic_hash(word) {
        let weak = (1..=4).any(|n| is_weak(view.behind(n)) || is_weak(view.ahead(n)));
        Some(if weak {
            (Strength::Fast, "weak_hash")
        } else {
            (Strength::Unknown, "hash_named")
        })
    } else if word == "cryptographically" && is_about_password(view, 3) {
        Some((Strength::Unknown, "cryptographically_stored"))
    } else {
        None
    }
}

fn is_weak(word: &str) -> bool {
    matches!(word, "weak" | "weakly" | "crackable")
}

/// "MD5 hashes of email addresses", "hashed phone numbers".
fn hashes_something_else(view: &View<'_>) -> bool {
    let other = |word: &str| {
        matches!(
            word,
            "email" | "emails" | "phone" | "ip" | "credit" | "card" | "pin" | "pins" | "social"
        )
    };
    (0..=3).any(|places| view.ahead(places) == "of" && other(view.ahead(places + 1)))
        || (matches!(view.word(), "hashed" | "salted") && other(view.ahead(1)))
}

// Around

fn is_about_password(view: &View<'_>, reach: usize) -> bool {
    (1..=reach).any(|places| {
        names_password(&view.moved(view.index + places)) || names_password_back(view, places)
    })
}

fn forum_product(view: &View<'_>) -> Option<&'static str> {
    match (view.word(), view.ahead(1)) {
        ("vbulletin" | "mybb" | "phpbb" | "xenforo" | "ipboard" | "punbb" | "smf", _)
        | ("ip", "board")
        | ("invision", "power")
        | ("simple", "machines") => Some("forum_product"),
        _ => None,
    }
}
