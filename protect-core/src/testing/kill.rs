//! Places where a test can have the process killed, as a power cut would.

use std::process::{Command, abort, id};

/// Every place: its number, its name, and what has and has not happened there. A number is never
/// given again.
pub const KILL_POINTS: &[(u32, &str, &str)] = &[
    (
        1,
        "store.before_commit",
        "SQLite holds every change of a group of commits; none of it is durable",
    ),
    (
        2,
        "store.after_commit",
        "the group is durable; no caller has been told",
    ),
    (
        3,
        "apply.before_attempt",
        "the intent is leased and the guards let it pass; the attempt is not stored",
    ),
    (
        4,
        "apply.after_attempt",
        "the attempt is stored; the vendor has not been called",
    ),
    (
        5,
        "apply.after_vendor",
        "the vendor has answered; what it answered is not stored",
    ),
    (
        6,
        "apply.after_outcome",
        "what came of the attempt is stored; nobody has been told",
    ),
    (
        7,
        "apply.after_probe",
        "the vendor was asked what became of an attempt; its answer is not stored",
    ),
];

/// Kills this process without any clean-up where `PROTECT_KILL_AT` is the number of the point.
///
/// A name that is not in [`KILL_POINTS`] never kills; a test holds the list to the sources.
pub fn kill_point(name: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one switch that works before any configuration is read; only in test builds"
    )]
    let Ok(wanted) = std::env::var("PROTECT_KILL_AT") else {
        return;
    };
    let number = KILL_POINTS
        .iter()
        .find(|(_, known, _)| *known == name)
        .map(|(number, _, _)| number.to_string());
    if number.as_ref() == Some(&wanted) {
        kill_this_process();
    }
}

/// SIGKILL, which nothing can catch; where it cannot be sent, an abort.
fn kill_this_process() {
    let sent = Command::new("kill")
        .args(["-9", &id().to_string()])
        .status();
    if sent.is_ok_and(|status| status.success()) {
        loop {
            std::thread::park();
        }
    }
    abort();
}

#[cfg(test)]
mod tests {
    use super::KILL_POINTS;

    #[test]
    fn the_points_are_numbered_from_one_and_named_once() {
        for (index, (number, name, meaning)) in KILL_POINTS.iter().enumerate() {
            assert_eq!(usize::try_from(*number).unwrap(), index + 1);
            let same = KILL_POINTS.iter().filter(|(_, other, _)| other == name);
            assert_eq!(same.count(), 1, "{name}");
            assert!(!meaning.is_empty(), "{name}");
        }
    }
}
