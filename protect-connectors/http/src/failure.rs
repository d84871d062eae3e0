//! What `reqwest` says went wrong, as how far the request got.

use std::error::Error;

use protect_core::http::{HttpError, HttpErrorKind};

use crate::guard::Forbidden;

/// Classifies an error from sending. In doubt the vendor may have seen the request: only what
/// surely happened before says otherwise.
pub(crate) fn sending(error: reqwest::Error) -> HttpError {
    let kind = if find::<Forbidden>(&error).is_some() {
        HttpErrorKind::Refused
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_builder() {
        HttpErrorKind::Request
    } else if error.is_timeout() {
        HttpErrorKind::Timeout
    } else {
        match find::<hyper::Error>(&error) {
            Some(cause) if cause.is_canceled() || cause.is_closed() => HttpErrorKind::Request,
            Some(cause) if cause.is_parse() => HttpErrorKind::Decode,
            _ => HttpErrorKind::Interrupted,
        }
    };
    HttpError::new(kind, error.without_url())
}

/// Classifies an error from reading the body.
pub(crate) fn reading(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_decode() && find::<hyper::Error>(&error).is_none() {
        HttpErrorKind::Decode
    } else {
        HttpErrorKind::Interrupted
    };
    HttpError::new(kind, error.without_url())
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(found) = cause {
        if let Some(wanted) = found.downcast_ref() {
            return Some(wanted);
        }
        cause = found.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guard::GuardedResolver;

    #[tokio::test]
    async fn an_inside_address_is_refused_and_not_taken_for_a_broken_connection() {
        let client = reqwest::Client::builder()
            .no_proxy()
            .dns_resolver(GuardedResolver)
            .connect_timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        let error = client.get("https://localhost:1/").send().await.unwrap_err();
        assert_eq!(sending(error).kind(), HttpErrorKind::Refused);
    }

    #[tokio::test]
    async fn f02_a_name_that_does_not_resolve_was_never_sent() {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let error = client
            .get("https://name.invalid/")
            .send()
            .await
            .unwrap_err();
        assert_eq!(sending(error).kind(), HttpErrorKind::Connect);
    }
}
