//! The bodies of incoming webhooks.

use serde::Serialize;
use serde_json::{Value, json};

use crate::format;
use crate::notice::Notice;

/// Slack: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.
#[derive(Serialize)]
pub(crate) struct SlackMessage {
    text: String,
}

impl SlackMessage {
    pub(crate) fn of(notice: &Notice) -> Self {
        Self {
            text: format::slack(notice),
        }
    }
}

/// Teams: a message that holds one Adaptive Card
/// (<https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>).
pub(crate) fn teams_message(notice: &Notice) -> Value {
    let heading = json!({
        "type": "TextBlock",
        "text": notice.heading().replace("](", "] ("),
        "weight": "Bolder",
        "size": "Medium",
        "wrap": true,
    });
    let lines = format::teams(notice)
        .into_iter()
        .map(|text| json!({ "type": "TextBlock", "text": text, "wrap": true, "spacing": "Small" }));
    let body: Vec<Value> = [heading].into_iter().chain(lines).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.2",
                "body": body,
            },
        }],
    })
}
