//! Domain names as reporters write them.

use super::limits;

/// A domain name in lower case, as A-labels, without a trailing dot; `None` where it is too long to
/// be one. What is no name at all stays as it is: it is a claim, and is kept as one.
pub(super) fn normal(text: &str) -> Option<String> {
    let text = text.trim_end_matches('.');
    let name = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(text).unwrap_or_else(|_| text.to_lowercase())
    };
    (name.len() <= limits::NAME).then_some(name)
}

/// Whether `name` is `parent` or lies below it; both in lower case.
pub(super) fn is_within(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Whether two names have one organisational domain, by the public suffix list.
pub(super) fn is_aligned(one: &str, other: &str) -> bool {
    let organisation = |name: &str| psl::domain_str(name).map(str::to_owned);
    one == other || organisation(one).is_some_and(|domain| organisation(other) == Some(domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_other_letters_becomes_its_a_labels() {
        assert_eq!(normal("BÜCHER.Example.").unwrap(), "xn--bcher-kva.example");
        // A Cyrillic letter that looks Latin does not become the Latin one.
        assert_ne!(normal("ex\u{430}mple.com").unwrap(), "example.com");
    }

    #[test]
    fn a_name_of_more_octets_than_dns_has_is_none() {
        assert_eq!(normal(&"a.".repeat(200)), None);
    }

    #[test]
    fn a_name_that_merely_ends_alike_does_not_lie_below() {
        assert!(is_within("mail.example.com", "example.com"));
        assert!(!is_within("badexample.com", "example.com"));
    }

    #[test]
    fn names_are_aligned_where_their_organisational_domains_are_the_same() {
        assert!(is_aligned("news.example.co.uk", "example.co.uk"));
        assert!(!is_aligned("one.co.uk", "two.co.uk"));
    }
}
