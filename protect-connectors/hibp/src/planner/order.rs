//! Who is asked about, and in which order.

use std::collections::HashMap;

use protect_core::model::{WatchedAddress, hash_fields};

use super::memory::AddressMemory;
use crate::catalogue::Version;
use crate::client::PREFIX;
use crate::config::Cadence;
use crate::passwords::address_hash;

/// What decides whether an address is due.
#[derive(Clone, Debug)]
pub(crate) struct Gate<'a> {
    pub(crate) cadence: Cadence,
    pub(crate) version: &'a Version,
    /// Now, in seconds since 1970.
    pub(crate) now: i64,
    /// Somebody asked for this run.
    pub(crate) forced: bool,
    /// The run began then and was interrupted: what was answered since is done.
    pub(crate) resumed_from: Option<i64>,
    pub(crate) max_age: i64,
}

/// Half a window: a run that follows another after a restart does not ask everybody again.
const NOT_BEFORE: i64 = 6 * 3_600;
/// Seven days.
const PASTES_EVERY: i64 = 7 * 24 * 3_600;

/// What an address needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// A question.
    Ask,
    /// The stored answer judged by the new wording.
    Judge,
    /// Nothing.
    Nothing,
}

impl Gate<'_> {
    /// What an address needs, by what is remembered of it.
    pub(crate) fn need(&self, memory: Option<&AddressMemory>) -> Need {
        let Some(memory) = memory.filter(|memory| memory.at > 0) else {
            return Need::Ask;
        };
        if self.is_done(memory.at) {
            return Need::Nothing;
        }
        let age = self.now - memory.at;
        let stale = memory.answers != self.version.answers || age >= self.max_age;
        let by_time = self.cadence == Cadence::EveryWindow && age >= NOT_BEFORE;
        if self.forced || stale || by_time {
            Need::Ask
        } else if memory.wording != self.version.wording {
            Need::Judge
        } else {
            Need::Nothing
        }
    }

    /// Whether this run has answered it, before it was interrupted.
    fn is_done(&self, at: i64) -> bool {
        self.resumed_from.is_some_and(|began| at >= began)
    }

    /// Whether the pastes of an address are due.
    pub(crate) fn wants_pastes(&self, memory: Option<&AddressMemory>) -> bool {
        match memory.and_then(|memory| memory.pastes_at) {
            None => true,
            Some(at) if self.is_done(at) => false,
            Some(at) => self.forced || self.now - at >= PASTES_EVERY,
        }
    }

    /// Whether a domain is due. Searches over a domain are always gated: the vendor asks for them
    /// only after a breach was added, and refuses more.
    pub(crate) fn domain_is_due(&self, at: i64, answers: &str, wording: &str) -> bool {
        if self.is_done(at) {
            return false;
        }
        self.forced
            || at == 0
            || answers != self.version.answers
            || wording != self.version.wording
            || self.now - at >= self.max_age
    }
}

/// Never asked about first, then privileged, then the longest unasked; ties by a hash, so that
/// nobody is always last.
pub(crate) fn sort_due(due: &mut [u32], addresses: &[WatchedAddress], last: &HashMap<u32, i64>) {
    due.sort_by_cached_key(|&index| {
        let at = last.get(&index).copied().unwrap_or(0);
        let watched = addresses.get(index as usize);
        let class = match watched {
            _ if at == 0 => 0_u8,
            Some(watched) if watched.privileged => 1,
            _ => 2,
        };
        let tie = watched.map_or_else(String::new, |watched| {
            hash_fields("hibp.order", &[watched.address.as_str()])
        });
        (class, at, tie)
    });
}

/// Brings those together whose hashes begin alike, each group at the place of its first.
pub(crate) fn group_by_prefix(due: &[u32], addresses: &[WatchedAddress]) -> Vec<Vec<u32>> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for &index in due {
        let Some(watched) = addresses.get(index as usize) else {
            continue;
        };
        let hash = address_hash(watched.address.as_str());
        let prefix = hash.get(..PREFIX).unwrap_or_default().to_owned();
        let place = *places.entry(prefix).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[place].push(index);
    }
    groups
}

#[cfg(test)]
mod tests {
    use protect_core::model::Address;

    use super::*;

    fn version(answers: &str, wording: &str) -> Version {
        Version {
            answers: answers.into(),
            wording: wording.into(),
            stealers: String::new(),
        }
    }

    fn gate(cadence: Cadence, version: &Version) -> Gate<'_> {
        Gate {
            cadence,
            version,
            now: 1_000_000,
            forced: false,
            resumed_from: None,
            max_age: 7 * 24 * 3_600,
        }
    }

    fn answered(version: &Version, hours_ago: i64) -> AddressMemory {
        AddressMemory {
            answers: version.answers.clone(),
            wording: version.wording.clone(),
            at: 1_000_000 - hours_ago * 3_600,
            ..AddressMemory::default()
        }
    }

    #[test]
    fn gated_by_the_catalogue_an_answer_holds_until_a_breach_is_added_or_it_is_a_week_old() {
        let version_now = version("1", "a");
        let gate = gate(Cadence::CatalogueGated, &version_now);
        assert_eq!(gate.need(None), Need::Ask);
        assert_eq!(gate.need(Some(&answered(&version_now, 100))), Need::Nothing);
        assert_eq!(gate.need(Some(&answered(&version("0", "a"), 1))), Need::Ask);
        assert_eq!(
            gate.need(Some(&answered(&version("1", "b"), 1))),
            Need::Judge
        );
        assert_eq!(gate.need(Some(&answered(&version_now, 7 * 24))), Need::Ask);
    }

    #[test]
    fn every_window_asks_again_but_not_right_after_a_restart() {
        let version_now = version("1", "a");
        let gate = gate(Cadence::EveryWindow, &version_now);
        assert_eq!(gate.need(Some(&answered(&version_now, 12))), Need::Ask);
        assert_eq!(gate.need(Some(&answered(&version_now, 1))), Need::Nothing);
        let forced = Gate {
            forced: true,
            ..gate
        };
        assert_eq!(forced.need(Some(&answered(&version_now, 1))), Need::Ask);
    }

    #[test]
    fn what_this_run_has_answered_is_done_even_when_forced() {
        let version_now = version("1", "a");
        let mut gate = gate(Cadence::EveryWindow, &version_now);
        gate.forced = true;
        gate.resumed_from = Some(1_000_000 - 3_600);
        assert_eq!(gate.need(Some(&answered(&version_now, 0))), Need::Nothing);
    }

    fn watched(address: &str, privileged: bool) -> WatchedAddress {
        WatchedAddress {
            address: Address::new(address).unwrap(),
            person: None,
            privileged,
            source: "test".into(),
        }
    }

    #[test]
    fn never_asked_comes_first_then_privileged_then_the_oldest() {
        let addresses = [
            watched("old@a.example", false),
            watched("older@a.example", false),
            watched("boss@a.example", true),
            watched("new@a.example", false),
        ];
        let last = HashMap::from([(0, 200), (1, 100), (2, 300)]);
        let mut due = [0, 1, 2, 3];
        sort_due(&mut due, &addresses, &last);
        assert_eq!(due, [3, 2, 1, 0]);
    }

    #[test]
    fn addresses_whose_hashes_begin_alike_share_one_question() {
        let addresses = [
            watched("a@a.example", false),
            watched("b@a.example", false),
            watched("a@a.example", true),
        ];
        let groups = group_by_prefix(&[1, 0, 2], &addresses);
        assert_eq!(groups, [vec![1], vec![0, 2]]);
    }
}
