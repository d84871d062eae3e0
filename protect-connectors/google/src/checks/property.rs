//! What a setting may be.

use jiff::Timestamp;
use serde_json::Value;

use crate::settings::fits;
use crate::time::seconds;

/// What a setting may be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expected {
    /// This truth value.
    Flag(bool),
    /// A word that fits one of the first patterns; one that fits the second is known to be wrong. A
    /// word that nobody knows decides nothing.
    Word {
        right: &'static [&'static str],
        wrong: &'static [&'static str],
    },
    /// A whole number in these bounds.
    Number { least: u64, most: u64 },
    /// A length of time in these bounds, in seconds.
    Seconds { least: u64, most: u64 },
    /// A moment that is past. The year 1970 stands for never.
    Since,
    /// A list of services of which none is switched on.
    NoneEnabled,
    /// What became of an alert rule, in words whose end is known.
    SwitchedOn,
}

impl Expected {
    /// Whether a value is as expected; `None` where nobody knows what it means.
    pub(super) fn holds(self, value: &Value, now: Timestamp) -> Option<bool> {
        match self {
            Self::Flag(wanted) => Some(flag(value)? == wanted),
            Self::Word { right, wrong } => {
                let word = value.as_str()?.trim();
                let is_in = |words: &[&str]| words.iter().any(|it| fits(it, word));
                (is_in(right) || is_in(wrong)).then(|| is_in(right))
            }
            Self::Number { least, most } => {
                let text = value.as_str().map(str::trim);
                let number = value.as_u64().or_else(|| text?.parse().ok())?;
                Some((least..=most).contains(&number))
            }
            Self::Seconds { least, most } => {
                let length = value.as_u64().or_else(|| seconds(value.as_str()?))?;
                Some((least..=most).contains(&length))
            }
            Self::Since => {
                let moment: Timestamp = value.as_str()?.parse().ok()?;
                Some(moment > Timestamp::UNIX_EPOCH && moment <= now)
            }
            Self::NoneEnabled => none_enabled(value),
            Self::SwitchedOn => switched_on(value.as_str()?),
        }
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn none_enabled(value: &Value) -> Option<bool> {
    let services = value.as_array().filter(|it| !it.is_empty())?;
    let mut unknown = false;
    for service in services {
        match service["isEnabled"].as_bool() {
            Some(true) => return Some(false),
            Some(false) => {}
            None => unknown = true,
        }
    }
    (!unknown).then_some(true)
}

fn switched_on(text: &str) -> Option<bool> {
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let last = words.rfind(|word| !word.is_empty())?.to_ascii_lowercase();
    match last.as_str() {
        "on" | "active" | "enabled" => Some(true),
        "off" | "inactive" | "disabled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_nobody_knows_is_neither_right_nor_wrong() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let word = Expected::Word {
            right: &["ONLY_*"],
            wrong: &["ANY"],
        };
        let length = Expected::Seconds {
            least: 1,
            most: 43_200,
        };
        for (expected, value, holds) in [
            (Expected::Flag(true), json!(true), Some(true)),
            (Expected::Flag(true), json!("FALSE"), Some(false)),
            (Expected::Flag(true), json!("maybe"), None),
            (Expected::Flag(true), json!(null), None),
            (word, json!("only_security_key"), Some(true)),
            (word, json!("any"), Some(false)),
            (word, json!("SOMETHING_NEW"), None),
            (
                Expected::Number {
                    least: 12,
                    most: 100,
                },
                json!("12"),
                Some(true),
            ),
            (
                Expected::Number {
                    least: 12,
                    most: 100,
                },
                json!(8),
                Some(false),
            ),
            (
                Expected::Number {
                    least: 12,
                    most: 100,
                },
                json!("many"),
                None,
            ),
            (length, json!("43200s"), Some(true)),
            (length, json!("63072000"), Some(false)),
            (length, json!("0s"), Some(false)),
            (length, json!("for ever"), None),
            (Expected::Since, json!("2026-01-01T00:00:00Z"), Some(true)),
            (Expected::Since, json!("1970-01-01T00:00:00Z"), Some(false)),
            (Expected::Since, json!("2027-01-01T00:00:00Z"), Some(false)),
            (Expected::Since, json!("soon"), None),
            (
                Expected::NoneEnabled,
                json!([{ "isEnabled": false }]),
                Some(true),
            ),
            (
                Expected::NoneEnabled,
                json!([{ "isEnabled": false }, { "isEnabled": true }]),
                Some(false),
            ),
            (
                Expected::NoneEnabled,
                json!([{ "isEnabled": false }, {}]),
                None,
            ),
            (Expected::NoneEnabled, json!([]), None),
            (
                Expected::SwitchedOn,
                json!("Status changed from OFF to ON."),
                Some(true),
            ),
            (Expected::SwitchedOn, json!("ACTIVE"), Some(true)),
            (Expected::SwitchedOn, json!("ON to OFF"), Some(false)),
            (Expected::SwitchedOn, json!("..."), None),
        ] {
            assert_eq!(expected.holds(&value, now), holds, "{expected:?} {value}");
        }
    }
}
