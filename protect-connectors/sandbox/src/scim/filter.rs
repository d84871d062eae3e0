//! The filters that the service provider knows: one comparison with `eq` (RFC 7644 section 3.4.2.2).

use serde_json::Value;

/// A comparison: an attribute in lower case, and the value.
pub(crate) struct Filter {
    pub(crate) attribute: String,
    pub(crate) value: Value,
}

impl Filter {
    /// `None` for what is no filter, or none that this service provider knows.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (attribute, rest) = text.trim().split_once(' ')?;
        let (operator, value) = rest.trim_start().split_once(' ')?;
        let attribute = attribute.to_lowercase();
        let known = ["username", "emails.value", "externalid", "active", "id"];
        if !operator.eq_ignore_ascii_case("eq") || !known.contains(&&*attribute) {
            return None;
        }
        let value = serde_json::from_str(value.trim()).ok()?;
        Some(Self { attribute, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comparison_with_a_json_value_is_known_and_nothing_else() {
        let filter = Filter::parse(r#"userName eq "a\"b""#).unwrap();
        assert_eq!(filter.attribute, "username");
        assert_eq!(filter.value, Value::from("a\"b"));
        for text in [
            "",
            "userName eq ann",
            r#"userName eq "a" or id pr"#,
            r#"name.familyName eq "a""#,
            r#"userName co "a""#,
        ] {
            assert!(Filter::parse(text).is_none(), "{text}");
        }
    }
}
