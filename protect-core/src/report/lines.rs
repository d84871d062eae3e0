//! Shares over time as a drawing: inline SVG that needs no script, follows the page's colours, and
//! says in words what it shows.

use minijinja::{Value, context};

use super::Line;

/// The drawing's size, in its own units.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 160.0;

/// What is left free around the lines for their labels.
const LEFT: f64 = 40.0;
const BOTTOM: f64 = 22.0;
const TOP: f64 = 8.0;
const RIGHT: f64 = 8.0;

/// Labels along the bottom that fit.
const LABELS: usize = 7;

/// How lines that share a drawing differ beside their colour.
const DASHES: [&str; 4] = ["", "6 3", "2 3", "8 3 2 3"];

/// Lines as a page's template takes them (`levels`, `labels`, `lines` with `path` and `dots`): every number
/// is ours, every text is escaped there.
pub fn drawing(along: &[String], lines: &[Line]) -> Value {
    let drawn: Vec<_> = lines
        .iter()
        .enumerate()
        .map(|(index, line)| {
            let style = index % DASHES.len();
            context! {
                label => line.label.as_str(),
                class => format!("line{style}"),
                dash => DASHES.get(style).copied().unwrap_or_default(),
                path => path(line),
                dots => lone(line),
            }
        })
        .collect();
    let levels: Vec<_> = [0.0, 50.0, 100.0]
        .map(|percent| context! { percent => percent, y => y(percent) })
        .into();
    let step = along.len().div_ceil(LABELS).max(1);
    let labels: Vec<_> = along
        .iter()
        .enumerate()
        .step_by(step)
        .map(|(index, text)| context! { text => text, x => x(index, along.len()) })
        .collect();
    context! {
        width => WIDTH,
        height => HEIGHT,
        left => LEFT,
        right => WIDTH - RIGHT,
        below => HEIGHT - 6.0,
        levels => levels,
        labels => labels,
        lines => drawn,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "nobody draws more than 52 bits of points"
)]
fn x(index: usize, count: usize) -> f64 {
    let steps = count.saturating_sub(1).max(1) as f64;
    rounded(LEFT + (WIDTH - LEFT - RIGHT) * index as f64 / steps)
}

fn y(percent: f64) -> f64 {
    let share = if percent.is_finite() {
        percent.clamp(0.0, 100.0) / 100.0
    } else {
        0.0
    };
    rounded(TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share))
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The commands of an SVG path: a gap begins a new piece.
fn path(line: &Line) -> String {
    let mut commands = Vec::new();
    let mut drawing = false;
    for (index, percent) in line.percent.iter().enumerate() {
        if let Some(percent) = percent {
            let command = if drawing { 'L' } else { 'M' };
            let (x, y) = (x(index, line.percent.len()), y(*percent));
            commands.push(format!("{command}{x} {y}"));
        }
        drawing = percent.is_some();
    }
    commands.join(" ")
}

/// Points between two gaps, which a path would not show.
fn lone(line: &Line) -> Vec<Value> {
    let at = |index: usize| line.percent.get(index).copied().flatten();
    let points = line.percent.iter().enumerate();
    let alone = points.filter_map(|(index, percent)| {
        let before = index.checked_sub(1).and_then(at);
        let percent = (*percent)?;
        (before.is_none() && at(index + 1).is_none())
            .then(|| context! { x => x(index, line.percent.len()), y => y(percent) })
    });
    alone.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(percent: &[Option<f64>]) -> Line {
        Line {
            label: String::new(),
            percent: percent.to_vec(),
        }
    }

    #[test]
    fn a_gap_begins_a_new_piece_and_a_lone_point_is_a_dot() {
        let line = line(&[Some(0.0), Some(100.0), None, Some(50.0)]);
        assert_eq!(path(&line), "M40 138 L224 8 M592 73");
        assert_eq!(lone(&line).len(), 1);
    }

    #[test]
    fn whatever_the_numbers_a_point_lies_within_the_drawing() {
        for percent in [f64::NAN, f64::INFINITY, -5.0, 250.0] {
            assert!((TOP..=HEIGHT - BOTTOM).contains(&y(percent)), "{percent}");
        }
        assert!(x(0, 0).is_finite() && x(0, 1).is_finite());
    }
}
