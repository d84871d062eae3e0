//! Going through a vendor's answer item by item, without keeping it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use serde_json::value::RawValue;

use super::catalogue::VendorError;
use super::format::Format;
use super::reader::Unread;

/// What a page was besides its items.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageEnd {
    /// Whether it had a place for items at all.
    pub(super) is_collection: bool,
    /// The link to the next page.
    pub(super) next: Option<String>,
    /// The error that the vendor answered instead.
    pub(super) error: Option<VendorError>,
}

/// What is done with an item.
pub(super) type OnItem<'a> = dyn FnMut(&RawValue) -> Result<(), Unread> + 'a;

/// Why a page could not be gone through.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It is not JSON.
    NotJson,
    /// An item was not as it should be.
    Item(Unread),
}

/// Goes through a page.
pub(super) fn page(
    text: &str,
    format: &Format,
    on_item: &mut OnItem<'_>,
) -> Result<PageEnd, Stopped> {
    let mut stopped = None;
    let mut json = serde_json::Deserializer::from_str(text);
    let visitor = PageVisitor {
        format,
        items: ItemsSeed {
            on_item,
            stopped: &mut stopped,
        },
    };
    let end = json.deserialize_any(visitor);
    let end = end.and_then(|end| json.end().map(|()| end));
    match (end, stopped) {
        (_, Some(unread)) => Err(Stopped::Item(unread)),
        (Ok(end), None) => Ok(end),
        (Err(_), None) => Err(Stopped::NotJson),
    }
}

/// The error that the vendor answered, where this is one.
pub(super) fn error_in(text: &str, format: &Format) -> Option<VendorError> {
    if !text.contains("\"error\"") {
        return None;
    }
    page(text, format, &mut |_| Ok(())).ok()?.error
}

/// Whether a line holds a whole page or an error, and not one item. Once that is known, the rest of the
/// line is not looked at.
pub(super) fn is_page(line: &str, format: &Format) -> bool {
    let may_be = |field: &&str| line.contains(&format!("\"{field}\""));
    if !format.items.iter().chain(&["error"]).any(may_be) {
        return false;
    }
    let mut found = false;
    let mut json = serde_json::Deserializer::from_str(line);
    let looked = json.deserialize_any(TopVisitor {
        format,
        found: &mut found,
    });
    drop(looked);
    found
}

/// Looks for the items or the error of a page, and stops there.
struct TopVisitor<'f, 'a> {
    format: &'f Format,
    found: &'a mut bool,
}

impl<'de> Visitor<'de> for TopVisitor<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of the vendor")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        *self.found = true;
        Err(A::Error::custom("known"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if self.format.items.contains(&&*key) {
                let mut first = |_: &RawValue| Err(Unread::absent(""));
                let mut stopped = None;
                let items = ItemsSeed {
                    on_item: &mut first,
                    stopped: &mut stopped,
                };
                let is_array = map.next_value_seed(MaybeItems(items));
                *self.found = stopped.is_some() || is_array?;
            } else if key == "error" {
                *self.found = vendor_error(&map.next_value()?).is_some();
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            if *self.found {
                return Err(A::Error::custom("known"));
            }
        }
        Ok(())
    }
}

struct PageVisitor<'f, 'a, 'i> {
    format: &'f Format,
    items: ItemsSeed<'a, 'i>,
}

impl<'de> Visitor<'de> for PageVisitor<'_, '_, '_> {
    type Value = PageEnd;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of the vendor")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, seq: A) -> Result<PageEnd, A::Error> {
        self.items.visit(seq)?;
        Ok(PageEnd {
            is_collection: true,
            ..PageEnd::default()
        })
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<PageEnd, A::Error> {
        let mut end = PageEnd::default();
        let link = self.format.paging.map(|paging| paging.field);
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            if self.format.items.contains(&&*key) {
                end.is_collection |= map.next_value_seed(MaybeItems(self.items.by_ref()))?;
            } else if key == "error" {
                end.error = vendor_error(&map.next_value()?);
            } else if Some(&*key) == link {
                end.next = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(end)
    }
}

struct ItemsSeed<'a, 'i> {
    on_item: &'a mut OnItem<'i>,
    stopped: &'a mut Option<Unread>,
}

impl<'i> ItemsSeed<'_, 'i> {
    fn by_ref(&mut self) -> ItemsSeed<'_, 'i> {
        ItemsSeed {
            on_item: self.on_item,
            stopped: self.stopped,
        }
    }

    fn visit<'de, A: SeqAccess<'de>>(&mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<&RawValue>()? {
            if let Err(unread) = (self.on_item)(item) {
                *self.stopped = Some(unread);
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

/// The items where an array is; anything else under that name is something else. Says which.
struct MaybeItems<'a, 'i>(ItemsSeed<'a, 'i>);

impl<'de> DeserializeSeed<'de> for MaybeItems<'_, '_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, items: D) -> Result<bool, D::Error> {
        items.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MaybeItems<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the items of a collection")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, seq: A) -> Result<bool, A::Error> {
        self.0.visit(seq)?;
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// An error as vendors write it: an object with `code` and `message`, or a word. Where the code is a
/// number only, Google says the rest in `errors[0].reason`, or in `status`.
fn vendor_error(error: &Value) -> Option<VendorError> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    match error {
        Value::Null => None,
        Value::Object(fields) => Some(VendorError {
            code: error
                .pointer("/errors/0/reason")
                .or_else(|| fields.get("status"))
                .or_else(|| fields.get("code"))
                .map(text)
                .unwrap_or_default(),
            message: fields.get("message").map(text).unwrap_or_default(),
        }),
        other => Some(VendorError {
            code: text(other),
            message: String::new(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::format::{Bodies, Paging};
    use super::*;

    const GRAPH: Format = Format {
        provider: "m365",
        tenant_field: "tenant_id",
        bodies: Bodies::Under("resources"),
        items: &["value"],
        aliases: &[],
        paging: Some(Paging {
            field: "@odata.nextLink",
            path: |_| None,
        }),
        version: 1,
    };

    fn items(text: &str) -> (Vec<String>, Result<PageEnd, Stopped>) {
        let mut items = Vec::new();
        let end = page(text, &GRAPH, &mut |item| {
            items.push(item.get().to_owned());
            Ok(())
        });
        (items, end)
    }

    #[test]
    fn the_items_of_a_page_and_of_an_array_are_gone_through_in_order() {
        let (found, end) = items(r#"{"@odata.nextLink":"x","value":[{"id":1},2],"other":{}}"#);
        assert_eq!(found, [r#"{"id":1}"#, "2"]);
        assert_eq!(end.unwrap().next.as_deref(), Some("x"));
        assert_eq!(items("[1,2]").0, ["1", "2"]);
    }

    #[test]
    fn a_vendors_error_is_not_an_empty_page() {
        let end = items(r#"{"error":{"code":"Forbidden","message":"no"}}"#)
            .1
            .unwrap();
        assert_eq!(end.error.unwrap().code, "Forbidden");
        assert!(!end.is_collection);
        for (error, code) in [
            (
                r#"{"code":403,"errors":[{"reason":"forbidden"}]}"#,
                "forbidden",
            ),
            (
                r#"{"code":403,"status":"PERMISSION_DENIED"}"#,
                "PERMISSION_DENIED",
            ),
            (r#"{"code":403,"errors":[]}"#, "403"),
            (r#""access_denied""#, "access_denied"),
        ] {
            let end = items(&format!(r#"{{"error":{error}}}"#)).1.unwrap();
            assert_eq!(end.error.unwrap().code, code);
        }
    }

    #[test]
    fn what_follows_the_page_is_not_json() {
        assert!(matches!(items("[1] x").1, Err(Stopped::NotJson)));
        assert!(matches!(items(r#"{"value":[1,}"#).1, Err(Stopped::NotJson)));
    }

    #[test]
    fn a_line_is_a_page_only_where_items_lie_at_its_top() {
        assert!(is_page(r#"{"value":[]}"#, &GRAPH));
        assert!(is_page(r#"{"error":{"code":"x"}}"#, &GRAPH));
        assert!(!is_page(r#"{"values":[{"name":"a","value":"b"}]}"#, &GRAPH));
        assert!(!is_page(r#"{"name":"a","value":"b"}"#, &GRAPH));
    }
}
