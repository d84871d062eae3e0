use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a key is good for, as its prefix says (<https://docs.stripe.com/keys>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyMode {
    /// Nothing it does is ever charged.
    Test,
    /// Customers pay for what it reports.
    Live,
    /// The prefix is none that is documented.
    Unknown,
}

/// What a key's text says about it. Never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyFacts {
    pub(crate) mode: KeyMode,
    /// Whether it may do only what it was made for; `None` where the prefix does not say.
    pub(crate) restricted: Option<bool>,
    /// Whether it is the one for browsers, which may report nothing.
    pub(crate) publishable: bool,
}

impl KeyFacts {
    pub(crate) fn of(key: &str) -> Self {
        let mut parts = key.splitn(3, '_');
        let (sort, mode) = (parts.next(), parts.next());
        Self {
            mode: match mode {
                Some("test") => KeyMode::Test,
                Some("live") => KeyMode::Live,
                _ => KeyMode::Unknown,
            },
            restricted: match sort {
                Some("rk") => Some(true),
                Some("sk") => Some(false),
                _ => None,
            },
            publishable: sort == Some("pk"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_says_mode_and_reach() {
        for (key, mode, restricted) in [
            ("sk_test_x", KeyMode::Test, Some(false)),
            ("rk_test_x", KeyMode::Test, Some(true)),
            ("sk_live_x", KeyMode::Live, Some(false)),
            ("rk_live_a_test_b", KeyMode::Live, Some(true)),
            ("whsec_x", KeyMode::Unknown, None),
            ("", KeyMode::Unknown, None),
        ] {
            let facts = KeyFacts::of(key);
            assert_eq!((facts.mode, facts.restricted), (mode, restricted), "{key}");
        }
        assert!(KeyFacts::of("pk_test_x").publishable);
    }
}
