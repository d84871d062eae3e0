//! The breach catalogue: loaded from a caller's file, or generated.

use std::{collections::HashMap, path::Path};

use serde_json::{Map, Value};

use super::generate;
use crate::SandboxError;

/// A breach in the vendor's own shape, with what the simulator decides by.
#[derive(Debug, Clone)]
pub(crate) struct Breach {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) domain: String,
    pub(crate) added: String,
    pub(crate) sensitive: bool,
    pub(crate) retired: bool,
    pub(crate) spam_list: bool,
    pub(crate) verified: bool,
    pub(crate) stealer_log: bool,
    pub(crate) subscription_free: bool,
    pub(crate) malware: bool,
    pub(crate) fabricated: bool,
    pub(crate) classes: Vec<String>,
    pub(crate) date: String,
    pub(crate) description: String,
    pub(crate) body: Value,
}

#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    breaches: Vec<Breach>,
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    pub(crate) fn load(path: &Path) -> Result<Self, SandboxError> {
        let text = std::fs::read(path).map_err(SandboxError::CatalogueUnreadable)?;
        let bodies: Vec<Value> =
            serde_json::from_slice(&text).map_err(|_| SandboxError::CatalogueMalformed)?;
        let breaches: Option<Vec<Breach>> = bodies.into_iter().map(Breach::parse).collect();
        let breaches = breaches.filter(|breaches| !breaches.is_empty());
        Ok(Self::of(breaches.ok_or(SandboxError::CatalogueMalformed)?))
    }

    pub(crate) fn generated(seed: u64) -> Self {
        Self::of(generate::breaches(seed))
    }

    fn of(breaches: Vec<Breach>) -> Self {
        let mut catalogue = Self {
            breaches: Vec::new(),
            by_name: HashMap::new(),
        };
        for breach in breaches {
            catalogue.put(breach);
        }
        catalogue
    }

    /// Adds a breach, or replaces the one of the same name.
    pub(crate) fn put(&mut self, breach: Breach) {
        if let Some(place) = self.by_name.get(&breach.name) {
            self.breaches[*place] = breach;
            return;
        }
        self.by_name
            .insert(breach.name.clone(), self.breaches.len());
        self.breaches.push(breach);
    }

    pub(crate) fn all(&self) -> &[Breach] {
        &self.breaches
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Breach> {
        self.by_name.get(name).map(|place| &self.breaches[*place])
    }

    /// Looks a breach up as a path gives it, in any case.
    pub(crate) fn find(&self, name: &str) -> Option<&Breach> {
        self.get(name).or_else(|| {
            self.breaches
                .iter()
                .find(|breach| breach.name.eq_ignore_ascii_case(name))
        })
    }

    pub(crate) fn latest(&self) -> Option<&Breach> {
        // All dates have one form, so their text sorts as their time.
        self.breaches.iter().max_by(|a, b| a.added.cmp(&b.added))
    }

    /// The names of the first `count` breaches that fit, newest first.
    pub(crate) fn some(&self, count: usize, fits: impl Fn(&Breach) -> bool) -> Vec<String> {
        let mut fitting: Vec<&Breach> = self.breaches.iter().filter(|b| fits(b)).collect();
        fitting.sort_by(|a, b| (&b.added, &b.name).cmp(&(&a.added, &a.name)));
        fitting
            .into_iter()
            .take(count)
            .map(|breach| breach.name.clone())
            .collect()
    }

    /// A breach that fits; one made by `make` is added where the catalogue has none.
    pub(crate) fn ensure(&mut self, fits: impl Fn(&Breach) -> bool, make: Value) -> String {
        if let Some(name) = self.some(1, fits).pop() {
            return name;
        }
        let Some(breach) = Breach::parse(make) else {
            return String::new();
        };
        let name = breach.name.clone();
        self.put(breach);
        name
    }
}

impl Breach {
    /// `None` for what is not a breach: an object with a `Name`.
    pub(crate) fn parse(body: Value) -> Option<Self> {
        let object = body.as_object()?;
        let name = text(object, "Name");
        if name.is_empty() {
            return None;
        }
        Some(Self {
            title: text(object, "Title"),
            domain: text(object, "Domain"),
            added: text(object, "AddedDate"),
            date: text(object, "BreachDate"),
            description: text(object, "Description"),
            sensitive: flag(object, "IsSensitive"),
            retired: flag(object, "IsRetired"),
            spam_list: flag(object, "IsSpamList"),
            verified: flag(object, "IsVerified"),
            stealer_log: flag(object, "IsStealerLog"),
            subscription_free: flag(object, "IsSubscriptionFree"),
            malware: flag(object, "IsMalware"),
            fabricated: flag(object, "IsFabricated"),
            classes: classes(object),
            name,
            body,
        })
    }

    pub(crate) fn has_class(&self, class: &str) -> bool {
        self.classes.iter().any(|own| own == class)
    }

    /// Verified, found by a plain search, and with no flag that changes how it counts.
    pub(crate) fn plain_case(&self) -> bool {
        self.verified
            && !(self.sensitive
                || self.retired
                || self.spam_list
                || self.stealer_log
                || self.malware
                || self.fabricated
                || self.subscription_free)
    }

    /// Its text says that passwords were in plain text, and says nothing else about secrets.
    pub(crate) fn says_plain_text(&self) -> bool {
        const PHRASES: [&str; 3] = [
            "plain text passwords",
            "passwords stored in plain text",
            "passwords in plain text",
        ];
        const OTHERS: [&str; 12] = [
            "hash", "md5", "sha1", "sha-1", "bcrypt", "crypt", "salt", "hint", "question",
            "answer", "token", "crack",
        ];
        let text = self.description.to_lowercase();
        self.has_class("Passwords")
            && PHRASES.iter().any(|phrase| text.contains(phrase))
            && !OTHERS.iter().any(|word| text.contains(word))
    }
}

fn text(object: &Map<String, Value>, name: &str) -> String {
    let value = object.get(name).and_then(Value::as_str);
    value.unwrap_or_default().to_owned()
}

fn flag(object: &Map<String, Value>, name: &str) -> bool {
    object.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn classes(object: &Map<String, Value>) -> Vec<String> {
    let classes = object.get("DataClasses").and_then(Value::as_array);
    classes
        .into_iter()
        .flatten()
        .filter_map(|class| class.as_str().map(str::to_owned))
        .collect()
}
