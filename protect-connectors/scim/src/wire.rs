//! The JSON of RFC 7643 and 7644. Attribute names are compared without case (RFC 7643 section 2.1),
//! and booleans are also read from text, since some service providers write `"False"`.

use jiff::Timestamp;
use protect_core::model::RejectedItem;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::config::{ActiveAs, PatchStyle};
use crate::model::{ServiceProviderConfig, User, UserPage};

/// The media type (RFC 7644 section 3.1).
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A body of `PATCH` that sets `active` (RFC 7644 section 3.5.2.3).
#[derive(Serialize)]
pub(crate) struct PatchActive {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: [Value; 1],
}

impl PatchActive {
    pub(crate) fn new(active: bool, value: ActiveAs, style: PatchStyle) -> Self {
        let value = match (value, active) {
            (ActiveAs::Boolean, _) => json!(active),
            (ActiveAs::Text, true) => json!("True"),
            (ActiveAs::Text, false) => json!("False"),
        };
        let operation = match style {
            PatchStyle::Path => json!({ "op": "replace", "path": "active", "value": value }),
            PatchStyle::Value => json!({ "op": "replace", "value": { "active": value } }),
        };
        Self {
            schemas: [PATCH_OP],
            operations: [operation],
        }
    }
}

/// A text as a filter's value: a JSON string (RFC 7644 section 3.4.2.2).
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// One resource; `None` where it has no id to call it by.
pub(crate) fn user(value: &Value) -> Option<User> {
    let record = value.as_object()?;
    let id = text(record, "id")?;
    let name = get(record, "name").and_then(Value::as_object);
    let enterprise = get(record, ENTERPRISE).and_then(Value::as_object);
    let meta = get(record, "meta").and_then(Value::as_object);
    Some(User {
        id,
        external_id: text(record, "externalId"),
        user_name: text(record, "userName").unwrap_or_default(),
        email: get(record, "emails").and_then(primary),
        display_name: text(record, "displayName")
            .or_else(|| name.and_then(full_name))
            .unwrap_or_default(),
        active: get(record, "active").and_then(boolean),
        title: text(record, "title"),
        user_type: text(record, "userType"),
        department: enterprise.and_then(|it| text(it, "department")),
        employee_number: enterprise.and_then(|it| text(it, "employeeNumber")),
        manager_id: enterprise.and_then(manager),
        created: meta
            .and_then(|it| text(it, "created"))
            .and_then(|time| time.parse::<Timestamp>().ok()),
        version: meta.and_then(|it| text(it, "version")),
    })
}

/// An answer to a query (RFC 7644 section 3.4.2); `None` where it is none, or where the service
/// provider began elsewhere than it was asked to: its pages would then repeat and leave out users.
pub(crate) fn page(value: &Value, asked: u32) -> Option<UserPage> {
    let answer = value.as_object()?;
    let total = get(answer, "totalResults").and_then(number)?;
    let began = get(answer, "startIndex").and_then(number);
    if asked > 1 && began != Some(asked) {
        return None;
    }
    let resources = match get(answer, "Resources") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(list)) => list,
        Some(_) => return None,
    };
    let count = u32::try_from(resources.len()).ok()?;
    let next = asked.checked_add(count)?;
    let mut page = UserPage {
        total,
        next_start_index: (count > 0 && next <= total).then_some(next),
        ..UserPage::default()
    };
    for (place, resource) in resources.iter().enumerate() {
        match user(resource) {
            Some(user) => page.users.push(user),
            None => page.rejected.push(RejectedItem {
                place: format!("Resources[{place}]"),
                reason: "`id` is missing, or the record is no object".to_owned(),
            }),
        }
    }
    Some(page)
}

/// What the service provider says of itself; `None` where it says something else.
pub(crate) fn provider(value: &Value) -> Option<ServiceProviderConfig> {
    let record = value.as_object()?;
    let part = |name: &str| get(record, name).and_then(Value::as_object);
    let supported = |name: &str| get(part(name)?, "supported").and_then(boolean);
    let schemes = get(record, "authenticationSchemes").and_then(Value::as_array);
    Some(ServiceProviderConfig {
        patch: supported("patch"),
        filter: supported("filter"),
        max_results: part("filter").and_then(|it| get(it, "maxResults").and_then(number)),
        etag: supported("etag"),
        authentication_schemes: schemes
            .into_iter()
            .flatten()
            .filter_map(|scheme| text(scheme.as_object()?, "type"))
            .collect(),
        documentation_uri: text(record, "documentationUri"),
    })
}

/// The words for machines in an error's body (RFC 7644 section 3.12).
pub(crate) fn scim_type(value: &Value) -> Option<&str> {
    get(value.as_object()?, "scimType")?.as_str()
}

fn get<'a>(record: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    record.get(name).or_else(|| {
        let mut members = record.iter();
        let found = members.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(found.1)
    })
}

fn text(record: &Map<String, Value>, name: &str) -> Option<String> {
    match get(record, name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|number| number.try_into().ok()),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The address that is marked as primary, or else the first. A list of bare texts is read too.
fn primary(emails: &Value) -> Option<String> {
    let emails = emails.as_array()?;
    let is_primary = |email: &&Value| {
        Some(true)
            == email
                .as_object()
                .and_then(|it| boolean(get(it, "primary")?))
    };
    let value = |email: &Value| match email {
        Value::String(text) => Some(text.clone()),
        Value::Object(email) => text(email, "value"),
        _ => None,
    };
    let marked = emails.iter().find(is_primary).and_then(value);
    marked.or_else(|| emails.iter().find_map(value))
}

fn full_name(name: &Map<String, Value>) -> Option<String> {
    text(name, "formatted").or_else(|| {
        let parts = [text(name, "givenName"), text(name, "familyName")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    })
}

/// The manager's id; some service providers write it without the object around it.
fn manager(enterprise: &Map<String, Value>) -> Option<String> {
    match get(enterprise, "manager")? {
        Value::Object(manager) => text(manager, "value"),
        Value::String(id) if !id.is_empty() => Some(id.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_attributes_are_read_whatever_their_case_and_whether_active_is_text() {
        let read = user(&json!({
            "ID": "7",
            "username": "ann",
            "Emails": [{ "value": "old@acme.example" }, { "value": "ann@acme.example", "primary": "true" }],
            "name": { "givenName": "Ann", "familyName": "Lee" },
            "Active": "False",
            "meta": { "created": "2026-01-02T03:04:05Z", "version": "W/\"1\"" },
            ENTERPRISE: { "department": "Sales", "manager": { "value": "3" }, "employeeNumber": 12 },
        }))
        .unwrap();
        assert_eq!(read.active, Some(false));
        assert_eq!(read.email.as_deref(), Some("ann@acme.example"));
        assert_eq!(read.display_name, "Ann Lee");
        assert_eq!(read.department.as_deref(), Some("Sales"));
        assert_eq!(read.manager_id.as_deref(), Some("3"));
        assert_eq!(read.employee_number.as_deref(), Some("12"));
        assert!(read.created.is_some());
        assert!(!format!("{read:?}").contains("acme"));
    }

    #[test]
    fn a_user_that_does_not_say_whether_it_is_active_is_neither() {
        let read = user(&json!({ "id": "7", "active": "perhaps" })).unwrap();
        assert_eq!(read.active, None);
        assert_eq!(read.state().as_str(), "unspecified");
    }

    #[test]
    fn pages_go_on_until_the_total_and_a_record_without_id_is_listed_as_rejected() {
        let answer = json!({
            "totalResults": "3", "startIndex": 1,
            "Resources": [{ "id": "1" }, { "userName": "nobody" }],
        });
        let first = page(&answer, 1).unwrap();
        assert_eq!(first.next_start_index, Some(3));
        assert_eq!((first.users.len(), first.rejected.len()), (1, 1));
        let last = json!({ "totalResults": 3, "startIndex": 3, "Resources": [{ "id": "3" }] });
        assert_eq!(page(&last, 3).unwrap().next_start_index, None);
        let none = json!({ "totalResults": 0 });
        assert_eq!(page(&none, 1).unwrap().users, []);
        let short = json!({ "totalResults": 9, "startIndex": 4 });
        assert_eq!(page(&short, 4).unwrap().next_start_index, None);
    }

    #[test]
    fn a_page_that_begins_elsewhere_than_asked_is_no_page() {
        for began in [json!(1), json!(null)] {
            let answer =
                json!({ "totalResults": 9, "startIndex": began, "Resources": [{ "id": "1" }] });
            assert_eq!(page(&answer, 4), None);
        }
        assert_eq!(page(&json!([]), 1), None);
        assert_eq!(page(&json!({ "Resources": [] }), 1), None);
    }

    #[test]
    fn active_is_written_as_the_service_provider_takes_it() {
        let written =
            |value, style| json!(PatchActive::new(false, value, style))["Operations"][0].clone();
        assert_eq!(
            written(ActiveAs::Boolean, PatchStyle::Path),
            json!({ "op": "replace", "path": "active", "value": false })
        );
        assert_eq!(
            written(ActiveAs::Text, PatchStyle::Value),
            json!({ "op": "replace", "value": { "active": "False" } })
        );
    }

    #[test]
    fn a_filters_value_cannot_break_out_of_its_quotes() {
        assert_eq!(quoted(r#"a" or id pr or "b"#), r#""a\" or id pr or \"b""#);
    }
}
