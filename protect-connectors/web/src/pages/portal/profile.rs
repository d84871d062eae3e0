//! An employee's own profile, of which they change a part themselves.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::Result;
use protect_core::inbound::InboundAnswer;
use protect_core::people::ProfileEdit;

use super::{Desk, Wrong};
use crate::pages::Pages;

/// The fields of the form.
const FIELDS: [&str; 4] = ["preferred_name", "phone", "home_address", "personal_email"];

pub(super) async fn page(
    pages: &Pages,
    desk: &Desk<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let own = &desk.own;
    let manager = match &own.manager {
        Some(manager) => Some(desk.seen.employee(manager.as_str()).await?.display_name()),
        None => None,
    };
    let given = if wrong.is_some() {
        Value::from_pairs(FIELDS.map(|name| (name, desk.field(name))))
    } else {
        let private = own.private.as_ref();
        context! {
            preferred_name => own.preferred_name.as_deref().unwrap_or_default(),
            phone => own.phone.as_deref().unwrap_or_default(),
            home_address => private
                .and_then(|it| it.home_address.as_deref())
                .unwrap_or_default(),
            personal_email => private
                .and_then(|it| it.personal_email.as_ref())
                .map(ToString::to_string)
                .unwrap_or_default(),
        }
    };
    let page = context! {
        employee => Value::from(Serde(own)),
        name => own.display_name(),
        manager => manager,
        given => given,
        wrong => wrong.as_ref().map(Wrong::text),
        ..desk.common("Profile")
    };
    let page = pages.page("portal_profile.html", page)?;
    Ok(match wrong {
        Some(wrong) => wrong.answered(page),
        None => page,
    })
}

/// Takes what was filled in.
pub(super) async fn edit(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    let given = |name: &str| Some(desk.field(name));
    let edit = ProfileEdit {
        preferred_name: given("preferred_name"),
        phone: given("phone"),
        home_address: given("home_address"),
        personal_email: given("personal_email"),
    };
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    match tenant.update_profile(&desk.own.id, &edit, actor).await {
        Ok(_) => desk.done("profile", "saved"),
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}
