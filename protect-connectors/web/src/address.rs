//! From which network address somebody calls, where a proxy stands in front.

use std::net::{IpAddr, SocketAddr};

use protect_core::inbound::InboundRequest;

/// What the proxy wrote, which is what stands last: everything before it came with the request.
pub(crate) fn told(request: &InboundRequest, header: &str) -> Option<IpAddr> {
    let mut values = request.headers.get_all(header).iter();
    let last = values
        .next_back()?
        .to_str()
        .ok()?
        .rsplit(',')
        .next()?
        .trim();
    let plain = last.trim_start_matches('[').trim_end_matches(']');
    let alone = plain.parse::<IpAddr>().ok();
    // Some proxies add the port.
    let address = alone.or_else(|| Some(last.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    #[test]
    fn what_the_proxy_added_counts_and_not_what_came_with_the_request() {
        for (values, expected) in [
            (&["198.51.100.7"][..], Some("198.51.100.7")),
            (&["1.2.3.4, 198.51.100.7"], Some("198.51.100.7")),
            (&["1.2.3.4", "198.51.100.7:4711"], Some("198.51.100.7")),
            (&["2001:db8::1"], Some("2001:db8::1")),
            (&["[2001:db8::1]:443"], Some("2001:db8::1")),
            (&["[2001:db8::1]"], Some("2001:db8::1")),
            (&["::ffff:198.51.100.7"], Some("198.51.100.7")),
            (&["198.51.100.7, unknown"], None),
            (&[], None),
        ] {
            let mut request = Request::get("/");
            for value in values {
                request = request.header("x-forwarded-for", *value);
            }
            let request = InboundRequest::of(request.body(Bytes::new()).unwrap());
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(told(&request, "x-forwarded-for"), expected, "{values:?}");
        }
    }
}
