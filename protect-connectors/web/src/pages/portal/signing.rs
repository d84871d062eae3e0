//! Signing a policy: which version it is, reading it, saying so under one's name, and what came of it. Whoever
//! publishes the policy holds the record: what it did not record is not signed, whatever happened to it.

use minijinja::value::Serde;
use minijinja::{Value, context};
use protect_core::inbound::InboundAnswer;
use protect_core::model::AcknowledgementStatus;
use protect_core::people::{PolicyOfEmployee, PolicySignature};
use protect_core::publisher::PolicyText;
use protect_core::{Error, ErrorKind, Result};
use url::form_urlencoded::Serializer;

use super::{Desk, Wrong};
use crate::pages::{Pages, nothing_here, with_policy};
use crate::people::Signing;

/// The publisher's text may be styled and hold pictures, and do nothing else.
const TEXT_ALONE: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox";

/// The page of a policy, below the pages of an employee.
pub(super) fn path(id: &str) -> String {
    format!("me/documents/policy?{}", query(&[("id", id)]))
}

/// The policy as it stands now, with the form where it is to be signed.
pub(super) async fn page(
    pages: &Pages,
    desk: &Desk<'_>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let id = desk.named("id");
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    let all = tenant.policies_of(&desk.own.id, actor).await?;
    let found = all.into_iter().find(|it| it.policy.id == id);
    let found = found.ok_or_else(nothing_here)?;
    let text = if is_to_be_signed(&found) {
        let policy = &found.policy;
        tenant
            .policy_text(&policy.id, &policy.version, actor)
            .await
            .ok()
    } else {
        None
    };
    show(pages, desk, &found, text.as_ref(), wrong)
}

/// What the publisher wrote, on a page of its own that runs nothing.
pub(super) async fn text(desk: &Desk<'_>) -> Result<InboundAnswer> {
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    let (id, version) = (desk.named("id"), desk.named("version"));
    let text = tenant.policy_text(&id, &version, actor).await?;
    let page = InboundAnswer::bytes("text/html; charset=utf-8", text.content_html);
    Ok(with_policy(page, TEXT_ALONE))
}

/// Has the publisher record a signature. Only what it recorded is said to be signed.
pub(super) async fn sign(pages: &Pages, desk: &Desk<'_>) -> Result<InboundAnswer> {
    let (tenant, actor) = (desk.visit.tenant, &desk.visit.caller.actor);
    let signed = match signature(desk) {
        Ok(signature) => {
            tenant
                .acknowledge_policy(&desk.own.id, &signature, actor)
                .await
        }
        Err(error) => Err(error),
    };
    match signed {
        Ok(_) => desk.done("documents", "acknowledged"),
        Err(error) if is_unrecorded(&error) => {
            let known = desk.last_known().await?;
            let wrong = Wrong(Error::new(ErrorKind::Unavailable, NOT_RECORDED));
            show(pages, desk, &known, None, Some(wrong))
        }
        Err(error) => page(pages, desk, Some(Wrong::of(error)?)).await,
    }
}

const NOT_RECORDED: &str = "Your signature was not recorded, since whoever publishes the policy could not be \
    reached or did not take it. Nothing counts as signed. Try again in a while: what was recorded after all is \
    not recorded twice";

fn show(
    pages: &Pages,
    desk: &Desk<'_>,
    found: &PolicyOfEmployee,
    text: Option<&PolicyText>,
    wrong: Option<Wrong>,
) -> Result<InboundAnswer> {
    let policy = &found.policy;
    let reading = query(&[("id", &policy.id), ("version", &policy.version)]);
    let is_signed = found.status == AcknowledgementStatus::Acknowledged;
    let page = context! {
        policy => Value::from(Serde(policy)),
        is_signed => is_signed,
        is_known => !found.stale,
        // Where it was tried and did not work, it can be tried again at once.
        has_form => !is_signed && (text.is_some() || wrong.is_some()),
        acknowledged_at => found.acknowledged_at.map(|at| at.to_string()),
        digest => text.map(|text| text.content_sha256.as_str()),
        reading => reading,
        typed_name => desk.field("typed_name"),
        called => desk.own.display_name(),
        wrong => wrong.as_ref().map(Wrong::text),
        ..desk.common(&policy.title)
    };
    let page = pages.page("portal_policy.html", page)?;
    Ok(match wrong {
        Some(wrong) => wrong.answered(page),
        None => page,
    })
}

/// What was filled in, and from where it came.
fn signature(desk: &Desk<'_>) -> Result<PolicySignature> {
    if desk.field("read").is_empty() {
        return Err(Error::invalid_input("say that you have read this version"));
    }
    let typed_name = desk.field("typed_name").trim().to_owned();
    if typed_name.is_empty() {
        let error = Error::invalid_input("write your name");
        return Err(error.with_context("field", "name"));
    }
    let signing = Signing {
        policy_id: desk.field("id"),
        version: desk.field("version"),
        typed_name: Some(typed_name),
    };
    signing.seen_in(desk.visit.request)
}

fn is_to_be_signed(found: &PolicyOfEmployee) -> bool {
    !found.stale && found.status != AcknowledgementStatus::Acknowledged
}

/// Whether the publisher did not take it, for a reason that the person cannot put right.
fn is_unrecorded(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Conflict | ErrorKind::Store => false,
        // What we refuse ourselves is for the person to put right, what the publisher refuses is not.
        ErrorKind::InvalidInput | ErrorKind::Refused => error.http_status().is_some(),
        _ => true,
    }
}

fn query(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

impl Desk<'_> {
    /// What the query or the form names.
    fn named(&self, name: &str) -> String {
        let asked = self.visit.request.query(name).map(str::to_owned);
        asked.unwrap_or_else(|| self.field(name))
    }

    /// The policy that the form names, as it was last heard of, without asking its publisher.
    async fn last_known(&self) -> Result<PolicyOfEmployee> {
        let id = self.field("id");
        let mut own = self
            .seen
            .acknowledgements_of(&self.own.id)
            .await?
            .into_iter();
        let found = own.find(|(policy, _)| policy.id == id);
        let (policy, status) = found.ok_or_else(nothing_here)?;
        Ok(PolicyOfEmployee {
            policy,
            status,
            acknowledged_at: None,
            stale: true,
            compliant: false,
        })
    }
}
