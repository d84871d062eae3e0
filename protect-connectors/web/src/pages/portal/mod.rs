//! For employees: their own time off, documents and profile, who leads whom, and for managers what waits for
//! them. What is shown and what may be done is the engine's to say, by the person's role in the workforce.

mod chart;
mod documents;
mod profile;
mod signing;
mod team;
mod time_off;

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::{InboundAnswer, refusal};
use protect_core::model::Employee;
use protect_core::people::{PeopleOperation, Reach, WorkforceAs};
use protect_core::{Error, ErrorKind, Result};

use super::{Pages, Visit, nothing_here};
use crate::app::see_other;
use crate::form;

/// Below this part of a tenant's path the pages stand.
pub(super) const PART: &str = "me";

const LINKS: &[(&str, &str)] = &[
    ("me", "Overview"),
    ("me/time-off", "Time off"),
    ("me/documents", "Documents"),
    ("me/profile", "Profile"),
    ("me/org-chart", "Org chart"),
    ("me/team", "To decide"),
];

/// Who looks at the pages: an employee, and what they may see.
struct Desk<'a> {
    visit: &'a Visit<'a>,
    seen: WorkforceAs<'a>,
    own: Employee,
}

pub(super) async fn answer(pages: &Pages, visit: &Visit<'_>) -> Result<InboundAnswer> {
    let seen = visit.tenant.workforce_as(&visit.caller.actor).await?;
    let own = seen.own().await?.ok_or_else(unknown)?;
    let desk = Desk { visit, seen, own };
    let path = visit.path();
    match (visit.is_get(), path.get(1..).unwrap_or_default()) {
        (true, []) => overview(pages, &desk).await,
        (true, ["time-off"]) => time_off::page(pages, &desk, None).await,
        (true, ["documents"]) => documents::page(pages, &desk).await,
        (true, ["documents", "policy"]) => signing::page(pages, &desk, None).await,
        (true, ["documents", "text"]) => signing::text(&desk).await,
        (true, ["profile"]) => profile::page(pages, &desk, None).await,
        (true, ["org-chart"]) => chart::page(pages, &desk).await,
        (true, ["team"]) => team::page(pages, &desk, None).await,
        (false, ["time-off"]) => time_off::request(pages, &desk).await,
        (false, ["time-off", id, "cancel"]) => time_off::cancel(pages, &desk, &id.parse()?).await,
        (false, ["documents", "policy"]) => signing::sign(pages, &desk).await,
        (false, ["profile"]) => profile::edit(pages, &desk).await,
        (false, ["team", id, what]) => team::decide(pages, &desk, &id.parse()?, what).await,
        _ => Err(nothing_here()),
    }
}

async fn overview(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    let waiting = if desk.decides() {
        desk.seen.time_off_to_decide().await?.len()
    } else {
        0
    };
    let page = context! {
        balances => time_off::balances(desk).await?,
        coming => time_off::coming(desk).await?,
        sections => documents::open_sections(desk).await?,
        waiting => waiting,
        employee => Value::from(Serde(&desk.own)),
        ..desk.common(&format!("Hello, {}", desk.called()))
    };
    pages.page("portal.html", page)
}

impl Desk<'_> {
    /// What people call them, in short.
    fn called(&self) -> &str {
        let preferred = self.own.preferred_name.as_deref();
        let first = preferred.unwrap_or(&self.own.first_name);
        if first.is_empty() {
            &self.own.last_name
        } else {
            first
        }
    }

    /// Whether there is anybody whose time off they decide about.
    fn decides(&self) -> bool {
        self.seen.reach(PeopleOperation::DecideTimeOff) >= Reach::Team
    }

    fn common(&self, title: &str) -> Value {
        let shown =
            |(path, _): &&(&'static str, &'static str)| *path != "me/team" || self.decides();
        let links: Vec<_> = LINKS.iter().filter(shown).copied().collect();
        context! {
            is_portal => true,
            done => self.visit.request.query("done").unwrap_or_default(),
            ..self.visit.common(title, &links)
        }
    }

    /// A field of the form that was sent.
    fn field(&self, name: &str) -> String {
        form::value(self.visit.request, name).unwrap_or_default()
    }

    /// Back to a page, with a word on what was done.
    fn done(&self, page: &str, what: &str) -> Result<InboundAnswer> {
        let tenant = self.visit.tenant.id();
        see_other(&format!("/t/{tenant}/{PART}/{page}?done={what}"))
    }
}

/// Something that people can put right in the form that they sent: shown above it, with the status that a
/// program would get.
pub(super) struct Wrong(Error);

impl Wrong {
    /// What went wrong, where the form is the place to say so.
    pub(super) fn of(error: Error) -> Result<Self> {
        let kinds = [
            ErrorKind::InvalidInput,
            ErrorKind::Conflict,
            ErrorKind::Refused,
        ];
        if kinds.contains(&error.kind()) {
            Ok(Self(error))
        } else {
            Err(error)
        }
    }

    pub(super) fn text(&self) -> String {
        let field = self.0.context().iter().find(|(key, _)| *key == "field");
        match field {
            Some((_, field)) => format!("{}: {}.", field.replace('_', " "), self.0.message()),
            None => format!("{}.", self.0.message()),
        }
    }

    /// A page that says so.
    pub(super) fn answered(&self, page: InboundAnswer) -> InboundAnswer {
        page.with_status(refusal(&self.0).status)
    }
}

fn unknown() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "the workforce does not know the address that you signed in with; ask Human Resources to enter it",
    )
}
