//! A vendor's answer, whatever the vendor: status, the headers that we read, and a body.

use http::{Method, StatusCode, header};
use protect_core::http::HttpClient;
use protect_core::testing::op;
use serde_json::Value;

use crate::vendor::{Said, block_on, context};

/// The first line is the status, the second `Retry-After`, the third `Date`, the rest the body.
pub(crate) fn answer(data: &[u8]) {
    let mut parts = data.splitn(4, |byte| *byte == b'\n');
    let mut part = || parts.next().unwrap_or_default();
    let Ok(status) = StatusCode::from_bytes(part()) else {
        return;
    };
    let (retry_after, date) = (part(), part());
    let said = Said::with(status, part())
        .header(header::RETRY_AFTER, retry_after)
        .header(header::DATE, date);
    let context = context(&[], said);
    let Ok(client) = HttpClient::builder(&context, "https://vendor.example") else {
        return;
    };
    let client = client.build();
    let (cx, request) = (op(), client.request(Method::GET, "fuzz.answer", "/"));
    if let Ok(answer) = block_on(request.send(&cx)) {
        let _ = answer.date();
        let _ = answer.json::<Value>();
        let _ = answer.json_with_private_keys::<Vec<String>>();
    }
}
