//! Made-up people. The seed decides who they are.

use std::collections::HashSet;

use crate::rng::Rng;

const FIRST: [&str; 48] = [
    "Ada", "Alina", "Amir", "Anouk", "Arjun", "Beatriz", "Bela", "Carla", "Chidi", "Clara",
    "Dario", "Deniz", "Elif", "Emil", "Esther", "Farah", "Felix", "Greta", "Hanna", "Hugo", "Ines",
    "Ivo", "Jana", "Jonas", "Kaya", "Kim", "Lena", "Liam", "Lucia", "Malik", "Marta", "Mika",
    "Nadia", "Nils", "Noor", "Olga", "Oskar", "Paula", "Priya", "Rafael", "Rosa", "Sami", "Selma",
    "Tariq", "Thea", "Vera", "Yara", "Zoe",
];
const LAST: [&str; 48] = [
    "Abbott", "Aydin", "Baumann", "Bianchi", "Brandt", "Castillo", "Chen", "Conti", "Costa",
    "Dahl", "Dubois", "Eriksen", "Farkas", "Fischer", "Fontaine", "Garcia", "Haas", "Hansen",
    "Horvat", "Ivanova", "Jansen", "Kaplan", "Keller", "Kowalski", "Kruger", "Lang", "Larsen",
    "Lindgren", "Lopez", "Marino", "Meyer", "Moreau", "Nakamura", "Novak", "Okafor", "Olsen",
    "Patel", "Petrov", "Quist", "Rossi", "Santos", "Schmidt", "Silva", "Tanaka", "Toth", "Vogel",
    "Weber", "Ziegler",
];

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// The part of the address before the at sign.
    pub(crate) alias: String,
}

/// The person of this number, without inventing those before; no alias is one of [`invent`]'s.
pub(crate) fn numbered(number: usize) -> Person {
    let first = FIRST[number % FIRST.len()];
    let last = LAST[number / FIRST.len() % LAST.len()];
    Person {
        name: format!("{first} {last}"),
        alias: format!("{}.{}.{number}", first.to_lowercase(), last.to_lowercase()),
    }
}

/// The number at the end of an address that [`numbered`] may have made.
pub(crate) fn number(address: &str) -> Option<usize> {
    let alias = address.split(['@', '_']).next()?;
    alias.rsplit('.').next()?.parse().ok()
}

/// `count` people with different names.
pub(crate) fn invent(rng: &mut Rng, count: usize) -> Vec<Person> {
    let mut seen = HashSet::new();
    let mut people = Vec::with_capacity(count);
    while people.len() < count {
        let (first, last) = (*rng.pick(&FIRST), *rng.pick(&LAST));
        // Large directories outgrow the names: people of the same name are numbered.
        let round = people.len() / (FIRST.len() * LAST.len() / 2);
        let suffix = if round == 0 {
            String::new()
        } else {
            round.to_string()
        };
        let alias = format!("{}.{}{suffix}", first.to_lowercase(), last.to_lowercase());
        if seen.insert(alias.clone()) {
            let name = format!("{first} {last}");
            people.push(Person { name, alias });
        }
    }
    people
}
