//! The receivers behind incoming webhooks of Slack and Microsoft Teams.
//!
//! Slack: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>. Teams, by a
//! Workflow: <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>.

use axum::http::Method;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::{
    journal::Vendor,
    limits::Window,
    request::{Call, Context, Reply, Route, changes},
    rng::Rng,
};

const SLACK_KEYS: [&str; 6] = [
    "text",
    "blocks",
    "attachments",
    "thread_ts",
    "unfurl_links",
    "unfurl_media",
];

const CARD: &str = "application/vnd.microsoft.card.adaptive";

/// What Teams takes of a message, with everything in it.
const TEAMS_BYTES: usize = 28 * 1024;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Endpoint {
    Slack,
    Teams,
}

pub(crate) struct Chat {
    slack_path: String,
    workflow: String,
    signature: String,
    base: String,
    slack_limit: Window,
    teams_limit: Window,
    slack: Vec<String>,
    teams: Vec<Value>,
}

impl Chat {
    pub(crate) fn new(seed: u64, base: &str) -> Self {
        let mut rng = Rng::new(seed, "chat");
        let second = SignedDuration::from_secs(1);
        Self {
            slack_path: format!("T{}/B{}/{}", rng.base32(8), rng.base32(8), rng.hex(24)),
            workflow: rng.hex(32),
            signature: rng.hex(43),
            base: base.to_owned(),
            // One message a second, "short bursts" allowed.
            slack_limit: Window::new(4, second),
            teams_limit: Window::new(8, second),
            slack: Vec::new(),
            teams: Vec::new(),
        }
    }

    pub(crate) fn slack_url(&self) -> String {
        format!("{}/slack/services/{}", self.base, self.slack_path)
    }

    pub(crate) fn teams_url(&self) -> String {
        format!(
            "{}/teams/workflows/{}/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={}",
            self.base, self.workflow, self.signature
        )
    }

    pub(crate) fn snapshot(&self) -> (Value, Value) {
        (
            json!({ "messages": self.slack }),
            json!({ "messages": self.teams }),
        )
    }

    pub(crate) fn route(call: &Call) -> Option<Route<Endpoint>> {
        match (&call.method, call.vendor, &call.path()[..]) {
            (&Method::POST, Vendor::Slack, ["services", _, _, _]) => {
                changes(Endpoint::Slack, "/services/{team}/{app}/{token}")
            }
            (
                &Method::POST,
                Vendor::Teams,
                ["workflows", _, "triggers", "manual", "paths", "invoke"],
            ) => changes(
                Endpoint::Teams,
                "/workflows/{workflow}/triggers/manual/paths/invoke",
            ),
            _ => None,
        }
    }

    /// An error as the vendor prints it: Slack a word, Teams an object.
    pub(crate) fn error(vendor: Vendor, status: u16, message: &str) -> Reply {
        if vendor == Vendor::Slack {
            return Reply::text(status, message.to_owned());
        }
        let error = json!({ "error": { "code": "Error", "message": message } });
        Reply::json(status, &error)
    }

    pub(crate) fn handle(&mut self, endpoint: Endpoint, call: &Call, cx: &mut Context) -> Reply {
        match endpoint {
            Endpoint::Slack => self.slack(call, cx),
            Endpoint::Teams => self.teams(call, cx),
        }
    }

    fn slack(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let word = |status, word: &str| Chat::error(Vendor::Slack, status, word);
        if call.path()[1..].join("/") != self.slack_path {
            cx.violate("slack_unknown_webhook", "no such incoming webhook");
            return word(404, "no_service");
        }
        if let Err(wait) = limited(&mut self.slack_limit, cx) {
            return word(429, "rate_limited").retry_after(&wait);
        }
        let body = call.json().filter(Value::is_object);
        let body = body.filter(|_| call.content_type_is("application/json"));
        let Some(Value::Object(body)) = body else {
            cx.violate("slack_payload", "not a JSON object");
            return word(400, "invalid_payload");
        };
        if body.keys().any(|key| !SLACK_KEYS.contains(&key.as_str())) {
            cx.violate("slack_unknown_key", "a key that Slack does not document");
            return word(400, "invalid_payload");
        }
        let Some(text) = body.get("text").and_then(Value::as_str) else {
            cx.violate("slack_no_text", "a message without text");
            return word(400, "no_text");
        };
        if let Err(rule) = escaped(text) {
            cx.violate(rule, "a text that was not escaped");
        }
        self.slack.push(text.to_owned());
        cx.change("message", &self.slack.len().to_string(), "", "posted");
        Reply::text(200, "ok".to_owned())
    }

    fn teams(&mut self, call: &Call, cx: &mut Context) -> Reply {
        let refuse = |status, message: &str| Chat::error(Vendor::Teams, status, message);
        let of_query = |name: &str| {
            let found = call.query.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.as_str())
        };
        if call.path()[1] != self.workflow {
            cx.violate("teams_unknown_workflow", "no such Workflow");
            return refuse(404, "WorkflowNotFound");
        }
        let wanted = [
            ("api-version", "2016-06-01"),
            ("sp", "/triggers/manual/run"),
            ("sv", "1.0"),
            ("sig", self.signature.as_str()),
        ];
        if call.query.len() != wanted.len() || wanted.iter().any(|(k, v)| of_query(k) != Some(*v)) {
            cx.violate("teams_signature", "the address is not the one given out");
            return refuse(401, "DirectApiAuthorizationRequired");
        }
        if let Err(wait) = limited(&mut self.teams_limit, cx) {
            return refuse(429, "TooManyRequests").retry_after(&wait);
        }
        if call.body.len() > TEAMS_BYTES {
            cx.violate("teams_too_large", "more than 28 KB");
            return refuse(413, "RequestEntityTooLarge");
        }
        let body = call.json();
        let body = body.filter(|_| call.content_type_is("application/json"));
        let Some(card) = body.as_ref().and_then(card) else {
            cx.violate("teams_card", "not a message with one Adaptive Card");
            return refuse(400, "BadRequest");
        };
        self.teams.push(card.clone());
        cx.change("message", &self.teams.len().to_string(), "", "posted");
        Reply::empty(202)
    }
}

fn limited(limit: &mut Window, cx: &mut Context) -> Result<(), String> {
    if !cx.limits {
        return Ok(());
    }
    limit.take(cx.now, 1).map_err(|wait| {
        cx.violate("rate_limit_exceeded", "more messages than the vendor takes");
        wait.to_string()
    })
}

/// Slack's three escapes, and links of the form `<https://...|...>`; nothing else in angle brackets,
/// which would mention somebody.
fn escaped(text: &str) -> Result<(), &'static str> {
    for (at, _) in text.match_indices('&') {
        let is_escape = ["&amp;", "&lt;", "&gt;"];
        if !is_escape
            .iter()
            .any(|escape| text[at..].starts_with(escape))
        {
            return Err("slack_unescaped");
        }
    }
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        if before.contains('>') {
            return Err("slack_unescaped");
        }
        let (inner, behind) = after.split_once('>').ok_or("slack_unescaped")?;
        if !inner.starts_with("https://") || !inner.contains('|') || inner.contains('<') {
            return Err("slack_mention");
        }
        rest = behind;
    }
    if rest.contains('>') {
        return Err("slack_unescaped");
    }
    Ok(())
}

/// The card of a message, where it is one that Teams can show.
fn card(message: &Value) -> Option<&Value> {
    let known = |object: &Map<String, Value>, keys: &[&str]| {
        object.keys().all(|key| keys.contains(&key.as_str()))
    };
    let message = message.as_object()?;
    let attachments = message.get("attachments")?.as_array()?;
    let [attachment] = attachments.as_slice() else {
        return None;
    };
    let attachment = attachment.as_object()?;
    let card = attachment.get("content")?;
    let shown = card.as_object()?;
    let is_block = |block: &Value| {
        block.as_object().is_some_and(|block| {
            block.get("type").and_then(Value::as_str) == Some("TextBlock")
                && block.get("text").is_some_and(Value::is_string)
                && known(
                    block,
                    &[
                        "type", "text", "weight", "size", "wrap", "spacing", "isSubtle", "color",
                    ],
                )
        })
    };
    let fits = message.get("type")? == "message"
        && known(message, &["type", "attachments"])
        && attachment.get("contentType")? == CARD
        && known(attachment, &["contentType", "contentUrl", "content"])
        && shown.get("type")? == "AdaptiveCard"
        && known(shown, &["$schema", "type", "version", "body", "msteams"])
        && shown.get("version").is_some_and(|version| {
            ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]
                .iter()
                .any(|known| version == *known)
        })
        && shown.get("body")?.as_array()?.iter().all(is_block);
    fits.then_some(card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_escaped_text_and_labelled_links_pass() {
        escaped("a &lt;b&gt; &amp; <https://x.example/?a&amp;b|label>").unwrap();
        assert_eq!(escaped("<!channel>"), Err("slack_mention"));
        assert_eq!(escaped("<@U1>"), Err("slack_mention"));
        assert_eq!(escaped("a & b"), Err("slack_unescaped"));
        assert_eq!(escaped("a > b"), Err("slack_unescaped"));
    }
}
