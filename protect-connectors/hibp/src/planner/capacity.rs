//! How many searches a plan allows in a window, how many are needed, and which cadence follows.
//!
//! The vendor counts requests in any one minute (troyhunt.com, 30 March 2026). A bucket of burst `B`
//! and refill `p` a minute stays below the rate in every minute, however it is aligned, where
//! `B + p` is at most 95 % of the rate; a sweep may use 80 % of what is left, so that it ends
//! before its window does.

use crate::config::Cadence;

/// Minutes of a window: every address is asked about every twelve hours.
const WINDOW_MINUTES: u32 = 12 * 60;
/// Windows between two looks for pastes: seven days.
const WINDOWS_BETWEEN_PASTES: u64 = 14;

/// What a plan's rate gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Capacity {
    rate: u32,
}

impl Capacity {
    /// For so many searches a minute.
    pub(crate) fn of(rate: u32) -> Self {
        Self { rate: rate.max(1) }
    }

    /// Searches a minute that are planned with.
    pub(crate) fn per_minute(self) -> f64 {
        let burst = f64::from((self.rate / 50).max(1));
        (0.95 * f64::from(self.rate) - burst).max(0.5)
    }

    /// Searches a minute that a sweep may use.
    pub(crate) fn sweep_per_minute(self) -> f64 {
        self.per_minute() * 0.8
    }

    /// Searches in one window.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and far below 2^52"
    )]
    pub(crate) fn per_window(self) -> u64 {
        (self.sweep_per_minute() * f64::from(WINDOW_MINUTES)).floor() as u64
    }

    /// Requests under way at once, by Little's law at an answer in 300 ms.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and small"
    )]
    pub(crate) fn in_flight(self) -> usize {
        ((self.per_minute() / 60.0 * 0.3).ceil() as usize).clamp(1, 64)
    }
}

/// What asking about everybody takes who is watched through a key, whichever tenant's they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Demand {
    /// Searches for the breaches of everybody once.
    pub(crate) searches: u64,
    /// What one of them counts for.
    pub(crate) weight: u32,
    /// Addresses whose pastes are looked for.
    pub(crate) pastes: u64,
    /// Tenants that share the key.
    pub(crate) tenants: usize,
}

impl Demand {
    /// What one tenant takes.
    pub(crate) fn new(searches: u64, weight: u32, pastes: u64) -> Self {
        Self {
            searches,
            weight,
            pastes,
            tenants: 1,
        }
    }

    /// The same with another tenant's, whose searches count for as much.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            searches: self.searches.saturating_add(other.searches),
            weight: self.weight,
            pastes: self.pastes.saturating_add(other.pastes),
            tenants: self.tenants + other.tenants,
        }
    }

    /// Searches in one window.
    pub(crate) fn per_window(self) -> u64 {
        self.searches
            .saturating_mul(u64::from(self.weight))
            .saturating_add(self.pastes.div_ceil(WINDOWS_BETWEEN_PASTES))
    }

    /// Searches a minute.
    pub(crate) fn per_minute(self) -> u64 {
        self.per_window().div_ceil(u64::from(WINDOW_MINUTES))
    }
}

/// The cadence of a run, and whether the plan can keep it up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) cadence: Cadence,
    /// Why the plan cannot keep it up.
    pub(crate) infeasible: Option<String>,
}

/// Every window while the plan's rate allows, else gated; a setting is obeyed and, where it cannot
/// be kept up, said to be infeasible before the run begins. `windows` is how many windows a gated
/// sweep may take: it must be through before answers reach their maximum age.
pub(crate) fn decide(
    setting: Option<Cadence>,
    demand: Demand,
    capacity: Capacity,
    windows: u64,
) -> Decision {
    let fits = demand.per_window() <= capacity.per_window();
    let cadence = setting.unwrap_or(if fits {
        Cadence::EveryWindow
    } else {
        Cadence::CatalogueGated
    });
    let kept_up = match cadence {
        Cadence::EveryWindow => fits,
        Cadence::CatalogueGated => {
            demand.per_window() <= capacity.per_window().saturating_mul(windows.max(1))
        }
    };
    Decision {
        cadence,
        infeasible: (!kept_up).then(|| shortfall(cadence, demand, capacity, windows)),
    }
}

fn shortfall(cadence: Cadence, demand: Demand, capacity: Capacity, windows: u64) -> String {
    let needed = match cadence {
        Cadence::EveryWindow => demand.per_minute(),
        Cadence::CatalogueGated => demand
            .per_window()
            .div_ceil(u64::from(WINDOW_MINUTES) * windows.max(1)),
    };
    let whose = match demand.tenants {
        1 => String::new(),
        many => format!(" for the {many} tenants that share the key"),
    };
    format!(
        "infeasible: needs {needed} per minute{whose}, the plan gives {:.0}",
        capacity.sweep_per_minute().floor()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(searches: u64) -> Demand {
        Demand::new(searches, 1, 0)
    }

    #[test]
    fn capacities_are_those_of_the_plans() {
        for (rate, per_minute, per_window) in [
            (10, 8.5, 4_896),
            (50, 46.5, 26_784),
            (100, 93.0, 53_568),
            (500, 465.0, 267_840),
            (1_000, 930.0, 535_680),
            (8_000, 7_440.0, 4_285_440),
            (12_000, 11_160.0, 6_428_160),
        ] {
            let capacity = Capacity::of(rate);
            assert!((capacity.per_minute() - per_minute).abs() < 1e-9, "{rate}");
            assert_eq!(capacity.per_window(), per_window, "{rate}");
        }
        assert_eq!(Capacity::of(500).in_flight(), 3);
        assert_eq!(Capacity::of(8_000).in_flight(), 38);
        assert!(Capacity::of(1).per_minute() > 0.0);
    }

    #[test]
    fn everybody_every_window_while_the_rate_allows_else_gated() {
        let small = decide(None, demand(4_896), Capacity::of(10), 14);
        assert_eq!(small.cadence, Cadence::EveryWindow);
        assert_eq!(small.infeasible, None);
        let large = decide(None, demand(4_897), Capacity::of(10), 14);
        assert_eq!(large.cadence, Cadence::CatalogueGated);
        assert_eq!(large.infeasible, None);
    }

    #[test]
    fn what_cannot_be_kept_up_says_what_it_needs_and_what_there_is() {
        let asked = decide(
            Some(Cadence::EveryWindow),
            demand(100_000),
            Capacity::of(50),
            14,
        );
        assert_eq!(
            asked.infeasible.unwrap(),
            "infeasible: needs 139 per minute, the plan gives 37"
        );
        let hopeless = decide(None, demand(1_000_000), Capacity::of(10), 14);
        assert_eq!(
            hopeless.infeasible.unwrap(),
            "infeasible: needs 100 per minute, the plan gives 6"
        );
    }

    #[test]
    fn what_fits_one_tenant_may_not_fit_all_that_share_the_key() {
        let one = demand(3_000);
        assert_eq!(
            decide(None, one, Capacity::of(10), 14).cadence,
            Cadence::EveryWindow
        );
        let both = decide(
            Some(Cadence::EveryWindow),
            one.and(one),
            Capacity::of(10),
            14,
        );
        assert_eq!(
            both.infeasible.unwrap(),
            "infeasible: needs 9 per minute for the 2 tenants that share the key, the plan gives 6"
        );
        assert_eq!(
            decide(None, one.and(one), Capacity::of(10), 14).cadence,
            Cadence::CatalogueGated
        );
    }

    #[test]
    fn ranges_weigh_double_and_pastes_are_spread_over_a_week() {
        let demand = Demand::new(1_000, 2, 1_400);
        assert_eq!(demand.per_window(), 2_100);
        assert_eq!(demand.per_minute(), 3);
    }
}
