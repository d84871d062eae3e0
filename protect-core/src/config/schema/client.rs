//! `client_view` and `branding` of a tenant.

use serde_json::{Value, json};

use super::build::{documented, object, text};

pub(super) fn view() -> Value {
    let switch = |docs: &str| documented(json!({ "type": "boolean", "default": true }), docs);
    object(
        "What the tenant's clients may see, in a portal and on our pages.",
        &[
            (
                "protection_dashboard",
                switch("The protection score and how it went."),
            ),
            (
                "active_alerts",
                switch("Exposed credentials; a client never changes them."),
            ),
            (
                "dmarc_status",
                switch("How each domain's mail is authenticated."),
            ),
            ("reports", switch("The monthly reports.")),
        ],
        &[],
    )
}

pub(super) fn branding() -> Value {
    let colour = |docs: &str| {
        documented(
            json!({ "type": "string", "pattern": "^#[0-9a-fA-F]{6}$" }),
            docs,
        )
    };
    object(
        "How the tenant's reports look.",
        &[
            (
                "logo",
                documented(
                    json!({ "type": "string", "pattern": "^data:image/" }),
                    "A picture as `data:image/png;base64,...`, at most 256 KiB; nothing is ever fetched.",
                ),
            ),
            ("primary", colour("The colour of the band on top.")),
            (
                "accent",
                colour("The colour of charts; refused where its contrast to white is below 3."),
            ),
            ("footer", documented(text(), "What stands at the end.")),
        ],
        &[],
    )
}
