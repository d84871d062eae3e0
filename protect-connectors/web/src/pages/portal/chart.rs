//! Who leads whom, drawn around one person: those above them, the person, and those whom they lead. The rest is
//! one step away, since each box is a link.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::InboundAnswer;
use protect_core::model::EmployeeId;
use protect_core::people::{OrgChart, OrgNode};
use protect_core::{Error, ErrorKind, Result};
use serde::Serialize;

use super::Desk;
use crate::pages::Pages;

/// A box, and the room between two, in units of the picture.
const WIDTH: usize = 236;
const HEIGHT: usize = 62;
const GAP: usize = 22;
const STEP: usize = 44;

/// How many boxes stand side by side on a wide screen and on a narrow one: an even number, so that a line
/// comes down between them.
const WIDE: usize = 4;
const NARROW: usize = 2;

/// How many people that somebody leads are drawn; the others are counted.
const DRAWN: usize = 24;

/// How many letters of a name, and of a title, find room in a box.
const NAME: usize = 22;
const TITLE: usize = 29;

/// A person in the picture.
#[derive(Serialize)]
struct Box {
    x: usize,
    y: usize,
    id: EmployeeId,
    name: String,
    title: String,
    /// The whole of it, for those who hear the picture.
    label: String,
    is_here: bool,
}

/// A line from whoever leads to whom they lead.
#[derive(Serialize)]
struct Line {
    path: String,
}

/// The picture.
#[derive(Serialize)]
struct Picture {
    width: usize,
    height: usize,
    box_width: usize,
    box_height: usize,
    boxes: Vec<Box>,
    lines: Vec<Line>,
    /// How many more people are led than are drawn.
    more: usize,
}

pub(super) async fn page(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    let of: Option<EmployeeId> = desk.visit.request.query_as("of")?;
    let of = of.unwrap_or_else(|| desk.own.id.clone());
    let chart = desk.seen.org_chart(None).await?;
    let mut pictures = Vec::new();
    for (class, side_by_side) in [("for-wide", WIDE), ("for-narrow", NARROW)] {
        let picture = draw(&chart, &of, side_by_side).ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "nobody here has this place in the org chart",
            )
        })?;
        pictures.push(context! { class => class, drawn => Value::from(Serde(&picture)) });
    }
    let name = chart.people.iter().find(|it| it.employee == of);
    let page = context! {
        pictures => pictures,
        name => name.map(|it| it.name.as_str()),
        is_own => of == desk.own.id,
        ..desk.common("Org chart")
    };
    pages.page("portal_chart.html", page)
}

/// The picture around a person; `None` where nobody who works here is that.
fn draw(chart: &OrgChart, of: &EmployeeId, side_by_side: usize) -> Option<Picture> {
    let find = |id: &EmployeeId| chart.people.iter().find(|it| it.employee == *id);
    let here = find(of)?;
    let mut above = Vec::new();
    let mut at = here;
    while let Some(manager) = at.manager.as_ref().and_then(find) {
        above.push(manager);
        at = manager;
    }
    above.reverse();
    let led: Vec<&OrgNode> = chart
        .people
        .iter()
        .filter(|it| it.manager.as_ref() == Some(of))
        .collect();
    let drawn = led.len().min(DRAWN);
    let abreast = drawn.clamp(1, side_by_side);
    let width = abreast * WIDTH + (abreast - 1) * GAP;
    let middle = (width - WIDTH) / 2;
    let mut boxes = Vec::new();
    let mut lines = Vec::new();
    let mut y = 0;
    for node in above.into_iter().chain([here]) {
        if y > 0 {
            let x = middle + WIDTH / 2;
            lines.push(Line {
                path: format!("M{x} {} V{y}", y - STEP),
            });
        }
        boxes.push(boxed(node, middle, y, node.employee == *of));
        y += HEIGHT + STEP;
    }
    for (place, node) in led.iter().take(DRAWN).enumerate() {
        let (row, column) = (place / side_by_side, place % side_by_side);
        let in_row = (drawn - row * side_by_side).min(side_by_side);
        let row_width = in_row * WIDTH + (in_row - 1) * GAP;
        let x = (width - row_width) / 2 + column * (WIDTH + GAP);
        let top = y + row * (HEIGHT + STEP);
        let (from, to) = (width / 2, x + WIDTH / 2);
        lines.push(Line {
            path: format!("M{from} {} V{} H{to} V{top}", y - STEP, top - STEP / 2),
        });
        boxes.push(boxed(node, x, top, false));
    }
    let rows = drawn.div_ceil(side_by_side);
    let height = match rows {
        0 => y - STEP,
        rows => y + rows * HEIGHT + (rows - 1) * STEP,
    };
    Some(Picture {
        width,
        height,
        box_width: WIDTH,
        box_height: HEIGHT,
        boxes,
        lines,
        more: led.len() - drawn,
    })
}

fn boxed(node: &OrgNode, x: usize, y: usize, is_here: bool) -> Box {
    let title = node.job_title.as_deref().or(node.department.as_deref());
    let title = title.unwrap_or_default();
    let leads = match node.reports {
        0 => String::new(),
        reports => format!(", leads {reports}"),
    };
    let mut label = node.name.clone();
    for part in [title, node.department.as_deref().unwrap_or_default()] {
        if !part.is_empty() && !label.contains(part) {
            label = format!("{label}, {part}");
        }
    }
    Box {
        x,
        y,
        id: node.employee.clone(),
        name: shortened(&node.name, NAME),
        title: shortened(title, TITLE),
        label: format!("{label}{leads}"),
        is_here,
    }
}

/// As much of a text as finds room.
fn shortened(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(letters - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: usize, manager: Option<usize>, reports: u32) -> OrgNode {
        OrgNode {
            employee: id(number),
            name: format!("Person {number}"),
            job_title: Some("Engineer".to_owned()),
            department: None,
            manager: manager.map(id),
            depth: 0,
            reports,
        }
    }

    fn id(number: usize) -> EmployeeId {
        let tenant = "acme".parse().unwrap();
        let address = format!("p{number}@acme.example").parse().unwrap();
        EmployeeId::of(&tenant, &address, 1)
    }

    #[test]
    fn those_above_the_person_and_those_below_are_drawn_and_nobody_else() {
        let mut people = vec![node(0, None, 2), node(1, Some(0), 30), node(2, Some(0), 0)];
        people.extend((10..40).map(|number| node(number, Some(1), 0)));
        let chart = OrgChart { people };
        let picture = draw(&chart, &id(1), WIDE).unwrap();
        assert_eq!(picture.boxes.len(), 2 + DRAWN);
        assert_eq!(picture.more, 6);
        assert!(picture.boxes.iter().all(|it| it.id != id(2)));
        let here: Vec<&Box> = picture.boxes.iter().filter(|it| it.is_here).collect();
        assert!(here.len() == 1 && here[0].id == id(1) && here[0].label.ends_with("leads 30"));
        for (place, one) in picture.boxes.iter().enumerate() {
            assert!(one.x + WIDTH <= picture.width && one.y + HEIGHT <= picture.height);
            for other in &picture.boxes[place + 1..] {
                let apart = one.x.abs_diff(other.x) >= WIDTH || one.y.abs_diff(other.y) >= HEIGHT;
                assert!(apart, "{} {}", one.name, other.name);
            }
        }
        let alone = draw(&chart, &id(39), NARROW).unwrap();
        assert_eq!(alone.boxes.len(), 3);
        assert_eq!(alone.width, WIDTH);
        assert!(draw(&chart, &id(99), WIDE).is_none());
    }

    #[test]
    fn a_long_name_is_cut_in_the_picture_and_whole_for_those_who_hear_it() {
        let mut long = node(0, None, 0);
        long.name = "Ä".repeat(40);
        let drawn = boxed(&long, 0, 0, true);
        assert_eq!(drawn.name.chars().count(), NAME);
        assert!(drawn.label.starts_with(&"Ä".repeat(40)));
    }
}
