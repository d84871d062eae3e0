//! A made-up catalogue with every way in which a description can speak of passwords.

use serde_json::{Value, json};

use super::catalogue::Breach;
use crate::rng::Rng;

const COUNT: usize = 320;

/// A way to describe what was taken.
struct Form {
    /// Continues "The data included e-mail addresses, names".
    text: &'static str,
    /// Beside e-mail addresses and names.
    classes: &'static [&'static str],
    /// The flag that is set, beside `IsVerified`.
    flag: &'static str,
}

const fn form(text: &'static str, classes: &'static [&'static str]) -> Form {
    flagged(text, classes, "")
}

const fn flagged(text: &'static str, classes: &'static [&'static str], flag: &'static str) -> Form {
    Form {
        text,
        classes,
        flag,
    }
}

const PASSWORDS: &[&str] = &["Passwords"];

const FORMS: [Form; 34] = [
    form(" and passwords stored in plain text.", PASSWORDS),
    form(" and plain text passwords.", PASSWORDS),
    form(". Passwords were kept as unsalted MD5 hashes.", PASSWORDS),
    form(" and passwords stored as salted SHA-1 hashes.", PASSWORDS),
    form(" and passwords protected with DES crypt.", PASSWORDS),
    form(" and passwords stored as bcrypt hashes.", PASSWORDS),
    form(". Passwords were hashed with PBKDF2.", PASSWORDS),
    form(" and passwords hashed with Argon2.", PASSWORDS),
    form(" and scrypt hashes of passwords.", PASSWORDS),
    form(" and hashed passwords.", PASSWORDS),
    form(" and salted hashes of passwords.", PASSWORDS),
    form(
        " and passwords that were encrypted with a key found beside them.",
        PASSWORDS,
    ),
    form(
        " and passwords, some of them in plain text and some as MD5 hashes.",
        PASSWORDS,
    ),
    form(
        " and password hashes, many of which have since been cracked back to plain text.",
        PASSWORDS,
    ),
    form(" from a forum that ran on <em>vBulletin</em>.", PASSWORDS),
    form(" and passwords.", PASSWORDS),
    form(
        " and passwords stored as bcrypt hashes. Answers to security questions were kept in plain text.",
        &["Passwords", "Security questions and answers"],
    ),
    form(
        " and encrypted passwords, next to password hints in plain text.",
        &["Password hints", "Passwords"],
    ),
    form(
        " and authentication tokens of linked services.",
        &["Auth tokens"],
    ),
    form(
        " and security questions with their answers.",
        &["Security questions and answers"],
    ),
    form(" and PINs of loyalty cards.", &["PINs"]),
    form(" and past passwords of staff.", &["Historical passwords"]),
    form(
        ", dates of birth and telephone numbers.",
        &["Dates of birth", "Phone numbers"],
    ),
    form(" and physical addresses.", &["Physical addresses"]),
    form(" and nothing else.", &[]),
    flagged(" and plain text passwords.", PASSWORDS, "IsSensitive"),
    flagged(
        " and relationship preferences.",
        &["Sexual orientations"],
        "IsSensitive",
    ),
    flagged(", gathered to be mailed in bulk.", &[], "IsSpamList"),
    flagged(
        " and plain text passwords of mail accounts from which bulk mail was sent.",
        PASSWORDS,
        "IsSpamList",
    ),
    flagged(
        " and credentials taken by a program on infected machines.",
        PASSWORDS,
        "IsMalware",
    ),
    flagged(
        " and credentials with the addresses of the sites they belong to.",
        PASSWORDS,
        "IsStealerLog",
    ),
    flagged(" and job titles.", &["Job titles"], "IsFabricated"),
    flagged(
        " and passwords stored as SHA-256 hashes.",
        PASSWORDS,
        "IsSubscriptionFree",
    ),
    flagged(" and website activity.", &["Website activity"], "IsRetired"),
];

const KINDS: [&str; 10] = [
    "online shop",
    "gaming forum",
    "travel agency",
    "recruitment site",
    "fitness service",
    "music service",
    "photo community",
    "file sharing site",
    "delivery company",
    "education platform",
];
const HEADS: [&str; 16] = [
    "Aero", "Bright", "Cargo", "Delta", "Echo", "Fable", "Grid", "Harbor", "Ivory", "Jolly",
    "Kite", "Lumen", "Maple", "North", "Orbit", "Pixel",
];
const TAILS: [&str; 16] = [
    "base", "cart", "deck", "fleet", "garden", "hub", "land", "market", "nest", "path", "room",
    "shelf", "town", "vault", "works", "yard",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(crate) fn breaches(seed: u64) -> Vec<Breach> {
    let mut rng = Rng::new(seed, "catalogue");
    (0..COUNT)
        .filter_map(|number| Breach::parse(breach(number, &mut rng)))
        .collect()
}

/// A breach for a case that a loaded catalogue happens to lack.
pub(crate) fn stand_in(name: &str, flag: &str, classes: &[&str], text: &str) -> Value {
    let facts = Facts {
        name: name.to_owned(),
        title: name.to_owned(),
        domain: format!("{}.example", name.to_lowercase()),
        date: "2013-10-04".to_owned(),
        added: "2013-12-04T00:00:00Z".to_owned(),
        count: 152_445,
    };
    facts.body(flag, classes, text)
}

struct Facts {
    name: String,
    title: String,
    domain: String,
    date: String,
    added: String,
    count: usize,
}

impl Facts {
    fn body(&self, flag: &str, classes: &[&str], text: &str) -> Value {
        let mut all: Vec<&str> = vec!["Email addresses", "Names"];
        all.extend(classes);
        all.sort_unstable();
        let mut body = json!({
            "Name": self.name,
            "Title": self.title,
            "Domain": self.domain,
            "BreachDate": self.date,
            "AddedDate": self.added,
            "ModifiedDate": self.added,
            "PwnCount": self.count,
            "Description": text,
            "LogoPath": format!("https://logos.invalid/{}.png", self.name),
            "DataClasses": all,
            "IsVerified": true,
            "IsFabricated": false,
            "IsSensitive": false,
            "IsRetired": false,
            "IsSpamList": false,
            "IsMalware": false,
            "IsStealerLog": false,
            "IsSubscriptionFree": false,
            "Attribution": null,
        });
        if !flag.is_empty() {
            body[flag] = Value::from(true);
        }
        body
    }
}

fn breach(number: usize, rng: &mut Rng) -> Value {
    let form = &FORMS[number % FORMS.len()];
    // Each pair of head and tail once, so that names are unique.
    let (head, tail) = (HEADS[number % 16], TAILS[(number / 16 + number) % 16]);
    let round = number / (HEADS.len() * TAILS.len());
    let suffix = if round == 0 {
        String::new()
    } else {
        format!("{}", 2020 + round)
    };
    let title = format!("{head}{tail} {suffix}").trim_end().to_owned();
    let name = title.replace(' ', "");
    let domain = if rng.below(20) == 0 {
        String::new()
    } else {
        format!("{}.example", name.to_lowercase())
    };
    let year = rng.between(2009, 2025);
    let month = rng.between(1, 12);
    let facts = Facts {
        date: format!("{year}-{month:02}-{:02}", rng.between(1, 28)),
        added: format!(
            "{}-{:02}-{:02}T{:02}:{:02}:07Z",
            year + 1,
            rng.between(1, 10),
            rng.between(1, 28),
            rng.below(24),
            rng.below(60)
        ),
        count: rng.between(900, 40_000_000),
        domain,
        name,
        title: title.clone(),
    };
    let text = format!(
        "In {} {year}, the {} <a href=\"https://news.invalid/{number}\" target=\"_blank\" \
         rel=\"noopener\">{title}</a> lost the records of its users. The data included e-mail \
         addresses, names{}",
        MONTHS[month - 1],
        rng.pick(&KINDS),
        form.text
    );
    let mut body = facts.body(form.flag, form.classes, &text);
    if number % 23 == 7 {
        body["IsVerified"] = Value::from(false);
    }
    if number % 29 == 11 {
        body["Attribution"] = Value::from("A researcher who asked to be named");
    }
    body
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn generated_names_are_unique_and_every_flag_occurs() {
        let breaches = breaches(7);
        let names: HashSet<&str> = breaches.iter().map(|b| b.name.as_str()).collect();
        assert_eq!((names.len(), breaches.len()), (COUNT, COUNT));
        assert!(breaches.iter().any(|b| b.sensitive));
        assert!(breaches.iter().any(|b| b.stealer_log));
        assert!(
            breaches
                .iter()
                .any(|b| b.spam_list && b.has_class("Passwords"))
        );
        assert!(
            breaches
                .iter()
                .any(|b| b.plain_case() && b.says_plain_text())
        );
    }

    #[test]
    fn another_seed_tells_other_stories() {
        let (one, other) = (breaches(1), breaches(2));
        assert!(one[0].body != other[0].body);
    }
}
