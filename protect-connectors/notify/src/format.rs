//! The engine's Markdown as chat programs write it.

use std::str::FromStr;

use protect_core::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::notice::{Notice, cut};

/// Slack advises 4,000 characters of text at most
/// (<https://docs.slack.dev/reference/methods/chat.postMessage>, "Truncating content").
const SLACK_TEXT: usize = 3_900;

/// Teams takes 28 KB a message, the card's JSON around the text included
/// (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>).
const TEAMS_TEXT: usize = 12 * 1024;

/// More lines than anybody reads in a chat.
const TEAMS_LINES: usize = 60;

/// Whose incoming webhook an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatFormat {
    /// Slack.
    Slack,
    /// Microsoft Teams, by a Workflow "when a Teams webhook request is received".
    Teams,
}

impl ChatFormat {
    /// What the vendors' own hosts take; `None` for any other host.
    pub(crate) fn of_host(host: &str) -> Option<Self> {
        let is_below = |domain: &str| {
            host.strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.'))
        };
        if matches!(host, "hooks.slack.com" | "hooks.slack-gov.com") {
            Some(Self::Slack)
        } else if is_below("api.powerplatform.com") || is_below("logic.azure.com") {
            Some(Self::Teams)
        } else {
            None
        }
    }
}

impl FromStr for ChatFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "slack" => Ok(Self::Slack),
            "teams" => Ok(Self::Teams),
            _ => Err(Error::invalid_input("the format is slack or teams")),
        }
    }
}

/// A line of the engine's Markdown.
struct Line<'a> {
    /// The spaces before it.
    indent: usize,
    /// Whether it is an item of a list.
    item: bool,
    text: &'a str,
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().map(|line| {
        let trimmed = line.trim_start();
        let item = trimmed.strip_prefix("- ");
        Line {
            indent: line.len() - trimmed.len(),
            item: item.is_some(),
            text: item.unwrap_or(trimmed),
        }
    })
}

/// A credit, which is the only line that may hold a link: what a vendor wrote elsewhere must not
/// become one.
fn credit(text: &str) -> Option<(&str, &str, &str)> {
    let (label, rest) = text.strip_prefix("Source: [")?.split_once("](")?;
    let (url, rest) = rest.split_once(')')?;
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '|' | '"');
    (url.starts_with("https://") && url.chars().all(is_plain)).then_some((label, url, rest))
}

/// A notice as Slack's `mrkdwn`
/// (<https://docs.slack.dev/messaging/formatting-message-text>): `&`, `<` and `>` are escaped, so
/// that nothing in it mentions anybody or becomes a link.
pub(crate) fn slack(notice: &Notice) -> String {
    let mut text = format!("*{}*", escaped(&notice.heading()));
    for line in lines(&notice.text) {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', line.indent));
        if line.item {
            text.push_str("• ");
        }
        match credit(line.text) {
            Some((label, url, rest)) => {
                let (label, rest) = (escaped(label), escaped(rest));
                let credit = format!("Source: <{}|{label}>{rest}", escaped(url));
                text.push_str(&credit);
            }
            None => text.push_str(&escaped(line.text).replace("**", "*")),
        }
    }
    let whole = cut(&text, SLACK_TEXT);
    if whole.len() == text.len() {
        return text;
    }
    // Cut between lines, so that no entity and no link is cut apart.
    let end = whole.rfind('\n').unwrap_or(0);
    format!("{}\n…", &whole[..end])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The lines of a notice's text as an Adaptive Card writes them: a subset of Markdown, in which only
/// a credit is a link
/// (<https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features>).
pub(crate) fn teams(notice: &Notice) -> Vec<String> {
    let mut shown = Vec::new();
    let mut size = 0;
    for line in lines(&notice.text).filter(|line| !line.text.is_empty()) {
        let text = match credit(line.text) {
            Some(_) => line.text.to_owned(),
            None => line.text.replace("](", "] ("),
        };
        size += text.len();
        if size > TEAMS_TEXT || shown.len() == TEAMS_LINES {
            shown.push("…".to_owned());
            break;
        }
        let mark = match (line.item, line.indent) {
            (true, 0) => "• ",
            (true, _) => "\u{2003}◦ ",
            (false, _) => "",
        };
        shown.push(format!("{mark}{text}"));
    }
    shown
}

/// A notice as plain text, for mail.
pub(crate) fn plain(notice: &Notice) -> String {
    notice.text.replace("**", "")
}

#[cfg(test)]
mod tests {
    use protect_core::model::Severity;

    use super::*;

    fn notice(title: &str, text: &str) -> Notice {
        Notice::new("1", title, text, Severity::High).unwrap()
    }

    #[test]
    fn nothing_in_a_slack_message_mentions_anybody_or_becomes_a_link() {
        let sent = slack(&notice(
            "<!channel> & co",
            "- **<@U1>** [x](https://evil.example)",
        ));
        assert_eq!(
            sent,
            "*[high] &lt;!channel&gt; &amp; co*\n• *&lt;@U1&gt;* [x](https://evil.example)"
        );
    }

    #[test]
    fn a_credit_is_a_link() {
        let text = "Source: [HIBP](https://haveibeenpwned.com/?a=1&b), CC BY 4.0.";
        let sent = slack(&notice("t", text));
        assert!(sent.ends_with("Source: <https://haveibeenpwned.com/?a=1&amp;b|HIBP>, CC BY 4.0."));
        assert_eq!(teams(&notice("t", text)), [text]);
    }

    #[test]
    fn what_a_vendor_wrote_is_no_link_in_teams() {
        let sent = teams(&notice(
            "t",
            "see [here](https://evil.example)\n\n  - deeper",
        ));
        assert_eq!(
            sent,
            ["see [here] (https://evil.example)", "\u{2003}◦ deeper"]
        );
    }

    #[test]
    fn a_long_text_is_cut_between_lines() {
        let long = "- &&&&&&&&&&&&&&&&&&&&\n".repeat(1_000);
        let sent = slack(&notice("t", &long));
        assert!(sent.len() <= SLACK_TEXT + 4, "{}", sent.len());
        assert!(sent.ends_with("&amp;\n…"), "{}", &sent[sent.len() - 20..]);
        assert_eq!(teams(&notice("t", &long)).len(), TEAMS_LINES + 1);
    }

    #[test]
    fn the_vendors_own_hosts_say_whose_they_are_and_others_do_not() {
        assert_eq!(
            ChatFormat::of_host("hooks.slack.com"),
            Some(ChatFormat::Slack)
        );
        assert_eq!(
            ChatFormat::of_host("prod-1.westeurope.logic.azure.com"),
            Some(ChatFormat::Teams)
        );
        for host in [
            "evil-logic.azure.com.example",
            "evillogic.azure.com",
            "acme.example",
        ] {
            assert_eq!(ChatFormat::of_host(host), None, "{host}");
        }
    }
}
