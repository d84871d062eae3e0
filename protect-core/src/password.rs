//! Passwords that nobody thought of.

use crate::context::Random;

/// Longer than the 20 that are advised; Entra takes up to 256, Google up to 100.
const LENGTH: usize = 24;

/// Without what is mistaken for something else when it is read out.
const CLASSES: [&[u8]; 4] = [
    b"ABCDEFGHJKLMNPQRSTUVWXYZ",
    b"abcdefghijkmnopqrstuvwxyz",
    b"23456789",
    b"-_.!*+=?@#%",
];

/// A password with a character of each class, as vendors' rules ask.
pub fn generate(random: &dyn Random) -> String {
    let all: Vec<u8> = CLASSES.concat();
    loop {
        let made: String = (0..LENGTH)
            .map(|_| char::from(one_of(&all, random)))
            .collect();
        let has = |class: &[u8]| made.bytes().any(|byte| class.contains(&byte));
        if CLASSES.iter().all(|class| has(class)) {
            return made;
        }
    }
}

/// One of the bytes, each as likely as the others.
fn one_of(bytes: &[u8], random: &dyn Random) -> u8 {
    let usable = 256 - 256 % bytes.len();
    loop {
        let mut drawn = [0];
        random.fill(&mut drawn);
        let drawn = usize::from(drawn[0]);
        if drawn < usable
            && let Some(byte) = bytes.get(drawn % bytes.len())
        {
            return *byte;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::SeededRandom;

    use super::*;

    #[test]
    fn a_password_has_every_class_and_is_another_each_time() {
        let random = SeededRandom::new(1);
        let made: Vec<_> = (0..200).map(|_| generate(&random)).collect();
        for password in &made {
            assert_eq!(password.len(), LENGTH);
            for class in CLASSES {
                assert!(
                    password.bytes().any(|byte| class.contains(&byte)),
                    "{password}"
                );
            }
        }
        let different: std::collections::BTreeSet<_> = made.iter().collect();
        assert_eq!(different.len(), made.len());
    }
}
