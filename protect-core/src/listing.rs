//! A vendor's listing as a stream of its items, page by page.

use std::collections::HashSet;
use std::future::Future;

use futures::stream::{self, Stream, StreamExt as _};

use crate::error::{Error, ErrorKind, Result};
use crate::model::RejectedItem;

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed<T> {
    /// What could be read.
    pub items: Vec<T>,
    /// What could not.
    pub rejected: Vec<RejectedItem>,
    /// What the next page is asked for with; `None` on the last.
    pub next: Option<String>,
}

/// Every item of the listing whose pages `page` gives: the first for `None`, every other for what the
/// page before it said.
///
/// An item that cannot be read is an `Err` of its own and ends nothing; after any other `Err`, and a
/// page that leads round in circles is one, nothing more comes.
pub fn listing<T, F, P>(operation: &'static str, page: F) -> impl Stream<Item = Result<T>> + Send
where
    T: Send,
    F: Fn(Option<String>) -> P + Send,
    P: Future<Output = Result<Listed<T>>> + Send,
{
    let begin = Some((page, None, HashSet::new()));
    stream::unfold(begin, move |at| async move {
        let (page, token, mut seen) = at?;
        let listed = page(token).await.and_then(|listed| match &listed.next {
            Some(next) if !seen.insert(next.clone()) => Err(repeated_page(operation)),
            _ => Ok(listed),
        });
        let next = listed.as_ref().ok().and_then(|listed| listed.next.clone());
        let rest = next.map(|next| (page, Some(next), seen));
        Some((listed, rest))
    })
    .flat_map(move |listed| {
        let (items, failures) = match listed {
            Ok(listed) => {
                let unreadable = |item| unreadable(operation, item);
                let failures = listed.rejected.into_iter().map(unreadable).collect();
                (listed.items, failures)
            }
            Err(error) => (Vec::new(), vec![error]),
        };
        let items = items.into_iter().map(Ok);
        stream::iter(items.chain(failures.into_iter().map(Err)))
    })
}

/// A page that leads to one that was there before.
pub fn repeated_page(operation: &'static str) -> Error {
    Error::new(
        ErrorKind::InvalidResponse,
        "a page of the listing leads back to an earlier one",
    )
    .with_operation(operation)
}

fn unreadable(operation: &'static str, item: RejectedItem) -> Error {
    Error::new(ErrorKind::InvalidResponse, item.reason)
        .with_operation(operation)
        .with_context("place", item.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages of one number each, up to the last; the page after it leads to `after_last`.
    async fn read(last: u32, after_last: Option<&str>) -> Vec<Result<u32>> {
        let after_last = after_last.map(ToOwned::to_owned);
        let page = |token: Option<String>| {
            let number: u32 = token.map_or(1, |token| token.parse().unwrap());
            let next = if number < last {
                Some((number + 1).to_string())
            } else {
                after_last.clone()
            };
            let rejected = vec![RejectedItem {
                place: format!("page {number}"),
                reason: "it has an unexpected form".to_owned(),
            }];
            async move {
                Ok(Listed {
                    items: vec![number],
                    rejected,
                    next,
                })
            }
        };
        listing("vendor.things", page).collect().await
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error_of_its_own_and_ends_nothing() {
        let read = read(2, None).await;
        let found: Vec<_> = read.iter().flatten().collect();
        assert_eq!(found, [&1, &2]);
        assert_eq!(read.iter().filter(|item| item.is_err()).count(), 2);
    }

    #[tokio::test]
    async fn pages_that_lead_round_in_circles_end_in_an_error() {
        let read = read(3, Some("2")).await;
        let error = read.last().unwrap().as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.message().contains("leads back"), "{error}");
        assert_eq!(read.iter().flatten().count(), 2);
    }
}
