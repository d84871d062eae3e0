//! What several checks want to know of the large collections, each gone through once.

mod apps;
mod policies;
mod registrations;
mod roles;
mod users;

use serde::{Deserialize, Deserializer};

pub(crate) use apps::{App, Apps, Credential, Principal, Principals};
pub(crate) use policies::{Grant, Policies, Policy};
pub(crate) use registrations::Registrations;
pub(crate) use roles::Roles;
pub(crate) use users::{User, Users};

/// Tells a field that is null from one that is missing, which nobody asked Graph for.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}
