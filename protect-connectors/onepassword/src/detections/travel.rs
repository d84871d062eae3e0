//! Two successes too far apart for the time between them.

use protect_core::model::{Confidence, Severity, Signal};

use super::burst::is_ignored;
use super::{Case, Hit, seconds_between};
use crate::signals::SignalExt;

/// How far back the sign-in before is looked for: nothing on Earth is further than a day away.
pub(super) const WINDOW_SECONDS: u64 = 24 * 3_600;

/// The mean radius of the Earth in kilometres.
const EARTH_KM: f64 = 6_371.0;

pub(super) fn impossible_travel<'a>(case: &Case<'a>) -> Vec<Hit<'a>> {
    let t = case.thresholds;
    let counts = |signal: &Signal| {
        signal.is_success()
            && !is_ignored(signal, &t.ignored_clients)
            && !positions(signal).is_empty()
    };
    case.each()
        .filter(|(signal, _)| counts(signal))
        .filter_map(|(signal, earlier)| {
            let before = earlier.rev().find(|before| counts(before))?;
            let seconds = seconds_between(before.at, signal.at);
            let is_same_address =
                before.fact("ip").is_some() && before.fact("ip") == signal.fact("ip");
            if is_same_address || seconds > WINDOW_SECONDS {
                return None;
            }
            let km = distance_km(before, signal)?;
            #[expect(clippy::cast_precision_loss, reason = "at most the seconds of a day")]
            let hours = seconds as f64 / 3_600.0;
            let is_travel =
                km < f64::from(t.travel_min_km) || km <= f64::from(t.travel_kmh) * hours;
            (!is_travel).then(|| {
                let reason = format!("{km:.0} km within {seconds} seconds");
                Hit::new(signal, Severity::High, Confidence::Medium, reason)
                    .with("kilometres", km.round())
                    .with("previous_event", before.id.clone())
            })
        })
        .collect()
}

/// The shortest distance that the two locations allow.
///
/// The vendor's own example has latitude and longitude swapped, so each pair of numbers is read
/// both ways where both are places: better to miss a journey than to invent one.
fn distance_km(a: &Signal, b: &Signal) -> Option<f64> {
    let from = positions(a);
    let to = positions(b);
    from.iter()
        .flat_map(|from| to.iter().map(move |to| great_circle_km(*from, *to)))
        .min_by(f64::total_cmp)
}

/// The places that the numbers may mean; none where they can mean none.
fn positions(signal: &Signal) -> Vec<(f64, f64)> {
    let (Some(latitude), Some(longitude)) = (signal.number("latitude"), signal.number("longitude"))
    else {
        return Vec::new();
    };
    [(latitude, longitude), (longitude, latitude)]
        .into_iter()
        .filter(|(latitude, longitude)| latitude.abs() <= 90.0 && longitude.abs() <= 180.0)
        .collect()
}

fn great_circle_km(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a_lat, b_lat) = (a.0.to_radians(), b.0.to_radians());
    let half_lat = (b_lat - a_lat) / 2.0;
    let half_lon = (b.1 - a.1).to_radians() / 2.0;
    let h = half_lat.sin().powi(2) + a_lat.cos() * b_lat.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin()
}
