use std::collections::BTreeMap;
use std::f64::consts::TAU;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Value, context};

use super::{Block, Branding, Rating, Report, ScoreArea, Section, lines};
use crate::error::{Error, Result};

/// Our own band, and its ink.
const BAND: [&str; 2] = ["#16324f", "#ffffff"];

/// The colour of our own charts, in daylight and in the dark.
const ACCENT: [&str; 2] = ["#2f6fde", "#6ea0ff"];

/// The radius of a score's ring, in its own units.
const RADIUS: f64 = 18.0;

/// The report as one HTML page. The template escapes everything that comes from outside.
pub(super) fn render(report: &Report) -> Result<String> {
    let drawings: Vec<_> = report.sections.iter().map(drawings).collect();
    let areas: BTreeMap<_, _> = ScoreArea::ALL
        .map(|area| (area.as_str(), area.title()))
        .into();
    page(
        include_str!("page.html"),
        &report.branding,
        context! {
            report => Value::from(Serde(report)),
            drawings => drawings,
            areas => areas,
            rings => rings(report),
        },
    )
}

/// A page in the style of all pages, with the colours of a branding.
pub(super) fn page(template: &str, branding: &Branding, values: Value) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let defect = |error| Error::unexpected("a page has a defect").with_source(error);
    environment
        .add_template("style.css", include_str!("style.css"))
        .map_err(defect)?;
    let colours = |given: &Option<[String; 2]>, own: [&str; 2]| {
        given.clone().unwrap_or_else(|| own.map(str::to_owned))
    };
    let own = context! {
        band => colours(&branding.band, BAND),
        accent => colours(&branding.accent, ACCENT),
    };
    environment
        .render_str(template, context! { ..values, ..own })
        .map_err(defect)
}

/// The score and its parts, each as a ring.
fn rings(report: &Report) -> Vec<Value> {
    let score = &report.score;
    let change = score.change.map(|change| format!("{change:+}"));
    let whole = ring("protection score", score.total, score.rating, change);
    let parts = score
        .parts
        .iter()
        .map(|part| ring(part.area.title(), part.value, part.rating, None));
    std::iter::once(whole).chain(parts).collect()
}

fn ring(label: &str, value: Option<u32>, rating: Option<Rating>, change: Option<String>) -> Value {
    let drawn = value.map(|value| (TAU * RADIUS * f64::from(value.min(100))).round() / 100.0);
    context! {
        label => label,
        value => value,
        drawn => drawn,
        rating => rating.map_or("", Rating::as_str),
        change => change,
    }
}

/// The drawing of each block; nothing where it is not drawn.
fn drawings(section: &Section) -> Vec<Value> {
    let drawing = |block: &Block| match block {
        Block::Lines { along, lines, .. } => lines::drawing(along, lines),
        _ => Value::UNDEFINED,
    };
    section.blocks.iter().map(drawing).collect()
}
