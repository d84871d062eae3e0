//! Query options: which ones an operation takes, and what a request asks by them.

use serde_json::{Map, Value};

use super::{error::Refusal, filter::Filter, operation::Query};
use crate::request::{Call, Context};

/// The query options of one request.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<Vec<String>>,
    pub(crate) filter: Option<Filter>,
    pub(crate) expand: Vec<String>,
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) count: bool,
    /// A property and whether the order is descending.
    pub(crate) order: Option<(String, bool)>,
    pub(crate) skip_token: Option<String>,
    pub(crate) delta_token: Option<String>,
    /// Everything but the place, as it must stay from page to page.
    pub(crate) kept: Vec<(String, String)>,
}

impl Options {
    pub(crate) fn parse(call: &Call, query: &Query, cx: &mut Context) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for (name, value) in &call.query {
            let known = options.take(name.trim_start_matches('$'), value, query);
            if let Err(message) = known {
                cx.violate("query_option", "not an option that this operation takes");
                return Err(Refusal::new(400, "BadRequest", message));
            }
        }
        options.check_advanced(call, query, cx)?;
        Ok(options)
    }

    fn take(&mut self, name: &str, value: &str, query: &Query) -> Result<(), &'static str> {
        match name.to_ascii_lowercase().as_str() {
            "skiptoken" => self.skip_token = Some(value.to_owned()),
            "deltatoken" => self.delta_token = Some(value.to_owned()),
            _ => self.kept.push((format!("${name}"), value.to_owned())),
        }
        match name.to_ascii_lowercase().as_str() {
            "select" if query.select => {
                self.select = Some(value.split(',').map(|n| n.trim().to_owned()).collect());
            }
            "filter" => self.filter = Some(filter(value, query)?),
            "expand" if query.expand.contains(&value) => self.expand.push(value.to_owned()),
            "top" if query.top > 0 => self.top = Some(number(value, 1, query.top)?),
            "skip" if query.skip => self.skip = number(value, 0, usize::MAX)?,
            "count" if query.count => self.count = value == "true",
            "orderby" => self.order = Some(order(value, query)?),
            "skiptoken" if query.paged() => {}
            "deltatoken" if query.delta => {}
            _ => return Err("The query option is not allowed here."),
        }
        Ok(())
    }

    /// Directory objects: counts and some operators need the header and `$count=true`.
    fn check_advanced(&self, call: &Call, query: &Query, cx: &mut Context) -> Result<(), Refusal> {
        let advanced = self.filter.as_ref().is_some_and(Filter::advanced);
        if !query.eventual || !(self.count || advanced) {
            return Ok(());
        }
        let eventual = call
            .header("consistencylevel")
            .is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        if eventual && (self.count || !advanced) {
            return Ok(());
        }
        cx.violate(
            "advanced_query",
            "an advanced query needs ConsistencyLevel: eventual and $count=true",
        );
        Err(Refusal::unsupported_query(
            "Unsupported or invalid query filter clause specified for property.",
        ))
    }

    /// The row as it was asked for; `defaults` are what comes without `$select`.
    pub(crate) fn shown(&self, row: Value, defaults: Option<&[&str]>) -> Value {
        let Value::Object(row) = row else {
            return row;
        };
        let wanted = |name: &str| match (&self.select, defaults) {
            (Some(select), _) => select.iter().any(|wanted| wanted == name),
            (None, Some(defaults)) => defaults.contains(&name),
            (None, None) => true,
        };
        let expanded = |name: &str| {
            self.expand
                .iter()
                .any(|it| it.split('(').next() == Some(name))
        };
        let kept: Map<String, Value> = row
            .into_iter()
            .filter(|(name, _)| !name.starts_with('_'))
            .filter(|(name, _)| name.starts_with('@') || wanted(name) || expanded(name))
            .collect();
        Value::Object(kept)
    }

    /// The properties that are selected, or these where none are, and those that are compared.
    pub(crate) fn looks_at(&self, defaults: &[&str]) -> Vec<String> {
        let filtered = self.filter.iter().flat_map(Filter::properties);
        let filtered = filtered.map(str::to_owned);
        match &self.select {
            Some(select) => select.iter().cloned().chain(filtered).collect(),
            None => defaults
                .iter()
                .map(|it| (*it).to_owned())
                .chain(filtered)
                .collect(),
        }
    }

    /// Refuses a `$select` of something that the rows have not.
    pub(crate) fn check_select(
        &self,
        has: impl Fn(&str) -> bool,
        cx: &mut Context,
    ) -> Result<(), Refusal> {
        let unknown = self.select.iter().flatten().find(|name| !has(name));
        let Some(name) = unknown else {
            return Ok(());
        };
        cx.violate("select_unknown", "no property of this type");
        let message = format!("Could not find a property named '{name}' on this type.");
        Err(Refusal::new(400, "BadRequest", &message))
    }
}

fn filter(value: &str, query: &Query) -> Result<Filter, &'static str> {
    let filter = Filter::parse(value).ok_or("Invalid filter clause.")?;
    if filter.properties().all(|name| query.filter.contains(&name)) {
        return Ok(filter);
    }
    Err("Unsupported property filter clause.")
}

fn order(value: &str, query: &Query) -> Result<(String, bool), &'static str> {
    let (property, direction) = value.split_once(' ').unwrap_or((value, "asc"));
    if query.order.contains(&property) && matches!(direction, "asc" | "desc") {
        return Ok((property.to_owned(), direction == "desc"));
    }
    Err("Sorting by this property is not supported.")
}

fn number(value: &str, least: usize, most: usize) -> Result<usize, &'static str> {
    let parsed = value.parse::<usize>().ok();
    parsed
        .filter(|number| (least..=most).contains(number))
        .ok_or("Invalid value specified for the number of items.")
}
