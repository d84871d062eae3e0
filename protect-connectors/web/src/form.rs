//! Forms, as browsers send them.

use http::header::CONTENT_TYPE;
use protect_core::inbound::InboundRequest;

/// A field of a form; `None` where the body is none, or has it not.
pub(crate) fn value(request: &InboundRequest, name: &str) -> Option<String> {
    let content = request.header(CONTENT_TYPE.as_str())?;
    let content = content.split(';').next().unwrap_or_default().trim();
    if !content.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return None;
    }
    let mut fields = url::form_urlencoded::parse(&request.body);
    let found = fields.find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}
