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

/// A field that Graph answers only when asked: null is an answer, and missing is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    #[default]
    Missing,
    Null,
    Is(T),
}

impl<T> Answer<T> {
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    pub(crate) fn value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Missing | Self::Null => None,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Answer<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(from)?.map_or(Self::Null, Self::Is))
    }
}
