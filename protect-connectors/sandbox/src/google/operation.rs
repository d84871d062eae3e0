//! What a method of Google's is: its path, which scopes open it, what it takes, and what it does.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Google,
    error::{Answer, Refusal},
};
use crate::request::{Call, Context, decode};

/// One method of one path.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) api: Api,
    /// Any of these opens it; without what stands before every scope's name.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) parameters: &'static [&'static str],
    pub(crate) act: Caller,
}

pub(crate) type Caller = fn(&mut Google, &Ask<'_>, &mut Context) -> Answer;

/// Which API a method belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Api {
    Directory,
    Reports,
    Policy,
    Alerts,
}

/// A request on its way through a method.
pub(crate) struct Ask<'a> {
    pub(crate) call: &'a Call,
    pub(crate) operation: &'static Operation,
    /// What stands in the place of the template's parameters.
    pub(crate) ids: Vec<String>,
    /// The number of the administrator whose rights are used.
    pub(crate) subject: usize,
    pub(crate) now: Timestamp,
}

/// Taken by every method.
const COMMON: [&str; 2] = ["alt", "prettyPrint"];

impl Api {
    /// The name of the service that is switched on or off in a project.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "admin.googleapis.com",
            Self::Policy => "cloudidentity.googleapis.com",
            Self::Alerts => "alertcenter.googleapis.com",
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Directory | Self::Reports => "Admin SDK API",
            Self::Policy => "Cloud Identity API",
            Self::Alerts => "Google Workspace Alert Center API",
        }
    }

    pub(crate) fn is_admin_sdk(self) -> bool {
        matches!(self, Self::Directory | Self::Reports)
    }
}

impl Ask<'_> {
    /// What stands in the place of the `place`th parameter of the path.
    pub(crate) fn id(&self, place: usize) -> &str {
        self.ids.get(place).map_or("", String::as_str)
    }

    /// A query parameter; given twice, the last one wins.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        let mut given = self.call.query.iter().rev();
        let found = given.find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// What the request asks for, without the place in it.
    pub(crate) fn request(&self) -> String {
        let mut given: Vec<String> = self
            .call
            .query
            .iter()
            .filter(|(key, _)| key != "pageToken")
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        given.sort();
        format!("{}?{}", self.call.segments.join("/"), given.join("&"))
    }

    /// Notes what this method does not take; Google ignores it.
    pub(crate) fn check_parameters(&self, cx: &mut Context) {
        let known =
            |name: &str| COMMON.contains(&name) || self.operation.parameters.contains(&name);
        if self.call.query.iter().any(|(name, _)| !known(name)) {
            cx.violate("unknown_parameter", "not a parameter of this method");
        }
    }

    /// A whole number from 1 to `most`.
    pub(crate) fn count(
        &self,
        name: &str,
        most: usize,
        default: usize,
        cx: &mut Context,
    ) -> Result<usize, Refusal> {
        let Some(given) = self.parameter(name) else {
            return Ok(default);
        };
        match given.parse() {
            Ok(count) if (1..=most).contains(&count) => Ok(count),
            _ => {
                let message = format!(
                    "Invalid value for {name}. Values must be within the range: [1, {most}]"
                );
                Err(bad(&message, cx))
            }
        }
    }

    /// One of several words.
    pub(crate) fn word(
        &self,
        name: &str,
        words: &[&'static str],
        cx: &mut Context,
    ) -> Result<&'static str, Refusal> {
        let Some(given) = self.parameter(name) else {
            return Ok(words[0]);
        };
        let found = words.iter().find(|it| it.eq_ignore_ascii_case(given));
        match found {
            Some(word) => Ok(word),
            None => Err(bad(&format!("Invalid value for {name}"), cx)),
        }
    }

    pub(crate) fn flag(&self, name: &str, cx: &mut Context) -> Result<bool, Refusal> {
        Ok(self.word(name, &["false", "true"], cx)? == "true")
    }

    /// The body: a JSON object with no other fields than these.
    pub(crate) fn body(
        &self,
        fields: &[&str],
        cx: &mut Context,
    ) -> Result<Map<String, Value>, Refusal> {
        let body = match self.call.json() {
            Some(Value::Object(body)) if self.call.content_type_is("application/json") => body,
            _ => return Err(bad("Parse Error", cx)),
        };
        match body.keys().find(|name| !fields.contains(&name.as_str())) {
            None => Ok(body),
            Some(_) => Err(bad("Invalid JSON payload received. Unknown name", cx)),
        }
    }

    /// Methods that say so take no body.
    pub(crate) fn no_body(&self, cx: &mut Context) -> Result<(), Refusal> {
        if matches!(&self.call.body[..], b"" | b"{}") {
            return Ok(());
        }
        Err(bad("The request body must be empty", cx))
    }
}

impl Operation {
    /// The parameters of this path, or `None` where the template does not fit.
    pub(crate) fn fits(&self, path: &[String]) -> Option<Vec<String>> {
        let mut template = self.template.split('/').skip(1);
        let mut ids = Vec::new();
        for segment in path {
            let (wanted, given) = (template.next()?, decode(segment)?);
            if wanted.starts_with('{') {
                (!given.is_empty()).then(|| ids.push(given))?;
            } else {
                (wanted == given).then_some(())?;
            }
        }
        template.next().is_none().then_some(ids)
    }

    pub(crate) fn changing(&self) -> bool {
        self.method != "GET"
    }
}

/// The refusal of what Google takes and the sandbox does not.
pub(crate) fn not_simulated(name: &str) -> Refusal {
    Refusal::invalid(&format!("The sandbox does not simulate {name}"))
}

/// The refusal of a request that no correct client sends.
pub(crate) fn bad(message: &str, cx: &mut Context) -> Refusal {
    cx.violate(
        "invalid_request",
        "a parameter or body is not as documented",
    );
    Refusal::invalid(message)
}
