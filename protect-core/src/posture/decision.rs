//! What a check's function says.

use serde_json::{Value, json};

use crate::model::{Attributes, Confidence, Verdict};

/// What a check's function says; the table adds the rest of the result.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The decision.
    pub verdict: Verdict,
    /// One sentence for people.
    pub reason: String,
    /// The ids of what is not as it should be, in order.
    pub affected: Vec<String>,
    /// How sure we are.
    pub confidence: Confidence,
    /// What else explains it.
    pub details: Attributes,
}

impl Decision {
    /// As it should be.
    pub fn pass(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, reason)
    }

    /// Not as it should be.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, reason)
    }

    /// Has no meaning here.
    pub fn not_applicable(reason: impl Into<String>) -> Self {
        Self::new(Verdict::NotApplicable, reason)
    }

    /// Only a person can decide.
    pub fn manual(reason: impl Into<String>) -> Self {
        Self::new(Verdict::Manual, reason)
    }

    /// `pass` where something holds, else `fail`.
    pub fn of(holds: bool, reason: impl Into<String>) -> Self {
        if holds {
            Self::pass(reason)
        } else {
            Self::fail(reason)
        }
    }

    fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            reason: reason.into(),
            affected: Vec::new(),
            confidence: Confidence::High,
            details: Attributes::new(),
        }
    }

    /// The ids of what is not as it should be. Their order and repeats have no meaning.
    #[must_use]
    pub fn affecting(mut self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.affected.extend(ids.into_iter().map(Into::into));
        self.affected.sort_unstable();
        self.affected.dedup();
        self
    }

    /// Is less sure than usual.
    #[must_use]
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }

    /// What else explains it.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// What would do but for one thing: each by its name, with that thing.
    #[must_use]
    pub fn near_misses(mut self, misses: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut misses: Vec<_> = misses.into_iter().collect();
        misses.sort_unstable();
        let misses: Vec<_> = misses
            .into_iter()
            .map(|(name, but_for)| json!({ "name": name, "but_for": but_for }))
            .collect();
        if !misses.is_empty() {
            self.details.insert("near_misses".to_owned(), misses.into());
        }
        self
    }
}
