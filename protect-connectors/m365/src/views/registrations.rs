use protect_core::posture::{Read, Reader, View};
use serde::Deserialize;

use crate::graph::REGISTRATIONS;
use crate::id::{Name, Names};

/// Who registered what for signing in, by user.
#[derive(Debug)]
pub(crate) struct Registrations(Vec<Registration>);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Registration {
    pub(crate) id: Name,
    /// Whether what is registered is also allowed by policy.
    pub(crate) is_mfa_capable: Option<bool>,
    pub(crate) is_admin: Option<bool>,
    #[serde(default)]
    pub(crate) methods_registered: Names,
}

impl View for Registrations {
    const PATHS: &'static [&'static str] = &[REGISTRATIONS];

    fn build(read: &Reader<'_>) -> Read<Self> {
        let mut all: Vec<Registration> = Vec::new();
        read.each(REGISTRATIONS, |registration| all.push(registration))?;
        all.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        all.dedup_by(|one, other| one.id == other.id);
        Ok(Self(all))
    }
}

impl Registrations {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Registration> {
        self.0.iter()
    }

    pub(crate) fn by_user(&self, id: &Name) -> Option<&Registration> {
        let at = self.0.binary_search_by(|it| it.id.cmp(id)).ok()?;
        self.0.get(at)
    }
}
