//! From which network address somebody calls, where a proxy stands in front.

use std::net::{IpAddr, SocketAddr};

use protect_core::inbound::InboundRequest;

/// Whom the farthest of our own proxies answers: counted from the end, since what stands before was written by
/// whoever asked.
pub(crate) fn behind(request: &InboundRequest, proxies: usize) -> Option<IpAddr> {
    let values = request.headers.get_all("x-forwarded-for").into_iter();
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    let all = values.join(",");
    let told = all.rsplit(',').nth(proxies.checked_sub(1)?)?.trim();
    let plain = told.trim_start_matches('[').trim_end_matches(']');
    let alone = plain.parse::<IpAddr>().ok();
    // Some proxies add the port.
    let address = alone.or_else(|| Some(told.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    #[test]
    fn what_our_proxies_added_counts_and_not_what_came_with_the_request() {
        for (values, proxies, expected) in [
            (&["198.51.100.7"][..], 1, Some("198.51.100.7")),
            (&["1.2.3.4, 198.51.100.7"], 1, Some("198.51.100.7")),
            (&["1.2.3.4", "198.51.100.7:4711"], 1, Some("198.51.100.7")),
            (
                &["1.2.3.4, 198.51.100.7, 10.0.0.1"],
                2,
                Some("198.51.100.7"),
            ),
            (&["2001:db8::1"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]:443"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]"], 1, Some("2001:db8::1")),
            (&["::ffff:198.51.100.7"], 1, Some("198.51.100.7")),
            (&["198.51.100.7, unknown"], 1, None),
            (&["198.51.100.7"], 2, None),
            (&["198.51.100.7"], 0, None),
            (&[], 1, None),
        ] {
            let mut request = Request::get("/");
            for value in values {
                request = request.header("x-forwarded-for", *value);
            }
            let request = InboundRequest::of(request.body(Bytes::new()).unwrap());
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(behind(&request, proxies), expected, "{values:?}");
        }
    }
}
