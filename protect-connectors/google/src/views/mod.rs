//! What several checks want to know of the large parts, each gone through once.

mod admin_log;
mod directory;
mod domains;
mod policies;
mod users;

pub(crate) use admin_log::{AdminLog, Change, Entries, Key};
pub(crate) use directory::{Directory, bare};
pub(crate) use domains::Domains;
pub(crate) use policies::Policies;
use protect_core::posture::{Read, Reader};
use serde::Deserialize;
use serde::de::DeserializeOwned;
pub(crate) use users::{Seen, User, Users, both};

/// Every item of a part. Google leaves the list out of a reply that has nothing to list.
pub(crate) fn each<T: DeserializeOwned>(
    read: &Reader<'_>,
    path: &'static str,
    on_item: impl FnMut(T),
) -> Read<()> {
    or_empty(read, path, read.each(path, on_item))
}

/// The text of every item of a part, likewise.
pub(crate) fn each_text(
    read: &Reader<'_>,
    path: &'static str,
    on_item: impl FnMut(&str) -> Option<()>,
) -> Read<()> {
    or_empty(read, path, read.each_text(path, on_item))
}

fn or_empty(read: &Reader<'_>, path: &'static str, all: Read<()>) -> Read<()> {
    match all {
        Err(unread) if unread.code.is_none() && is_empty_reply(read, path) => Ok(()),
        all => all,
    }
}

/// Whether a part is a reply without a list: it says what it is, in the plural, and names no next
/// page.
fn is_empty_reply(read: &Reader<'_>, path: &'static str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Reply {
        kind: String,
        next_page_token: Option<String>,
        #[serde(alias = "users", alias = "domains", alias = "organizationUnits")]
        #[serde(alias = "groups", alias = "domainAliases")]
        items: Option<serde::de::IgnoredAny>,
    }
    read.one::<Reply>(path).is_ok_and(|reply| {
        let plural = reply.kind.ends_with('s') && !reply.kind.ends_with("Alias");
        plural && reply.next_page_token.is_none() && reply.items.is_none()
    })
}
