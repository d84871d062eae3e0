//! `people = { ... }` of a tenant.

use jiff::tz::TimeZone;

use crate::config::model::PeopleConfig;
use crate::config::read::Node;
use crate::error::Error;
use crate::model::TaskTemplate;

/// Days between a task and the last or first day, at most.
const FARTHEST: i64 = 3_650;

pub(super) fn read(node: &Node<'_>) -> Option<PeopleConfig> {
    let default = PeopleConfig::default();
    let table = node.table()?;
    let time_zone = table
        .get("time_zone")
        .map_or(Some(default.time_zone), |node| node.parsed(time_zone));
    let tasks = |name: &str| {
        let node = table.get(name);
        node.map_or(Some(None), |node| node.each(task).map(Some))
    };
    let offboarding = tasks("offboarding");
    let onboarding = tasks("onboarding");
    table.finish();
    Some(PeopleConfig {
        time_zone: time_zone?,
        offboarding: offboarding?,
        onboarding: onboarding?,
    })
}

fn time_zone(text: &str) -> Result<String, Error> {
    match TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(Error::invalid_input(
            "not a time zone: write it like \"Europe/Berlin\"",
        )),
    }
}

fn task(node: &Node<'_>) -> Option<TaskTemplate> {
    let table = node.table()?;
    let text = |name: &str, otherwise: &str| match table.get(name) {
        Some(node) => node.text().map(str::to_owned),
        None => Some(otherwise.to_owned()),
    };
    let title = table.need("title", "what to do");
    let title = title.and_then(|node| node.text().map(str::to_owned));
    let category = text("category", "orientation");
    let assignee = text("assignee", "hr");
    let due = table
        .get("due")
        .map_or(Some(0), |node| node.integer(-FARTHEST, FARTHEST));
    table.finish();
    Some(TaskTemplate {
        title: title?,
        category: category?,
        assignee: assignee?,
        due: i32::try_from(due?).ok()?,
    })
}
