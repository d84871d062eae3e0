//! The organisation "acme": who works there, and what was planted.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{google::PlantedDomain, graph::PlantedTenant, people, people::Person, rng::Rng};

/// The mail domain of the planted organisation.
pub const DOMAIN: &str = "acme.example";

/// Fewer people than parts to play would leave a part without a player.
pub(crate) const FEWEST: usize = 8;

/// What was planted: the answers a client that watches this organisation should arrive at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Planted {
    /// The organisation's mail domain.
    pub domain: String,
    /// Is in [`Planted::leaked_breach`], whose passwords were in plain text: to be suspended.
    pub leaked: PlantedUser,
    /// Name of that breach.
    pub leaked_breach: String,
    /// Had a burst of failed sign-ins from one country, then a success from another: to be
    /// suspended.
    pub suspicious: PlantedUser,
    /// How many sign-ins failed in that burst.
    pub suspicious_failures: usize,
    /// ISO code of the country of the failures.
    pub failures_country: String,
    /// ISO code of the country of the success.
    pub success_country: String,
    /// Is in [`Planted::forgotten_breach`], an old one without passwords: nothing to suspend.
    pub forgotten: PlantedUser,
    /// Name of that breach.
    pub forgotten_breach: String,
    /// Mistyped a password once and then signed in from the same place: nothing to do.
    pub mistyped: PlantedUser,
    /// The only owner: cannot be suspended.
    pub owner: PlantedUser,
    /// An administrator managed from outside: cannot be suspended.
    pub external_admin: PlantedUser,
    /// Suspended from the beginning.
    pub leaver: PlantedUser,
    /// The same people, and what else there is, in Microsoft 365.
    pub m365: PlantedTenant,
    /// The same people, and what else there is, in Google Workspace.
    pub google: PlantedDomain,
}

/// A planted person's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PlantedUser {
    /// Identifier at the vendor: in 1Password, in Entra ID below `m365`, or in Google
    /// Workspace below `google`.
    pub id: String,
    /// Mail address; a guest's is elsewhere than in the organisation's domain.
    pub email: String,
    /// Display name.
    pub name: String,
}

/// The cast, in the order of the directory.
#[derive(Debug, Clone)]
pub(crate) struct Cast {
    pub(crate) members: Vec<Member>,
    pub(crate) begins: Timestamp,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) joined: Timestamp,
    pub(crate) part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Nobody,
    Leaked,
    Suspicious,
    Forgotten,
    Mistyped,
    Owner,
    ExternalAdmin,
    Leaver,
}

impl Cast {
    pub(crate) fn new(seed: u64, count: usize, begins: Timestamp) -> Self {
        let mut rng = Rng::new(seed, "cast");
        let people = people::invent(&mut rng, count.max(FEWEST));
        let mut members: Vec<Member> = people
            .into_iter()
            .map(|person| member(person, &mut rng, begins))
            .collect();
        let parts = [
            Part::Leaked,
            Part::Suspicious,
            Part::Forgotten,
            Part::Mistyped,
            Part::Owner,
            Part::ExternalAdmin,
            Part::Leaver,
        ];
        for part in parts {
            assign(&mut members, part, &mut rng);
        }
        Self { members, begins }
    }

    pub(crate) fn player(&self, part: Part) -> PlantedUser {
        let player = self.members.iter().find(|member| member.part == part);
        // `new` gives every part to somebody, so the default is never seen.
        player.map_or_else(PlantedUser::default, |member| PlantedUser {
            id: member.id.clone(),
            email: member.email.clone(),
            name: member.name.clone(),
        })
    }
}

fn member(person: Person, rng: &mut Rng, begins: Timestamp) -> Member {
    let days = i64::try_from(rng.between(200, 1500)).unwrap_or(200);
    Member {
        id: rng.base32(26),
        email: format!("{}@{DOMAIN}", person.alias),
        name: person.name,
        joined: crate::clock::later(begins, SignedDuration::from_hours(-24 * days)),
        part: Part::Nobody,
    }
}

fn assign(members: &mut [Member], part: Part, rng: &mut Rng) {
    let mut place = rng.below(members.len());
    while members[place].part != Part::Nobody {
        place = (place + 1) % members.len();
    }
    members[place].part = part;
}
