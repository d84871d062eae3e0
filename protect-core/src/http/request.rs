use std::borrow::Cow;
use std::fmt;

use ::http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use ::http::{HeaderName, HeaderValue, Method};
use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::answer::Answer;
use super::client::HttpClient;
use super::errors::{self, ErrorTable};
use super::limit::BudgetKey;
use super::retry;
use crate::connector::OpContext;
use crate::error::{Error, Result};
use crate::secret::{ExposeSecret, SecretString};

/// A request in the making.
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    client: HttpClient,
    method: Method,
    operation: &'static str,
    template: Cow<'static, str>,
    path: Vec<(&'static str, String)>,
    query: String,
    /// The whole address, where the vendor gave it.
    link: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
    budget: Option<BudgetKey>,
    weight: u32,
    idempotent: bool,
    sensitive: bool,
    authenticated: bool,
    takes_redirect: bool,
    errors: ErrorTable,
    defect: Option<Error>,
}

/// A request as the layers see it.
pub(super) struct Call {
    pub(super) request: ::http::Request<Bytes>,
    pub(super) operation: &'static str,
    /// The path for logs.
    pub(super) template: Cow<'static, str>,
    pub(super) changes: bool,
    pub(super) idempotent: bool,
    pub(super) authenticated: bool,
    pub(super) takes_redirect: bool,
    pub(super) budget: Option<BudgetKey>,
    pub(super) weight: u32,
    pub(super) errors: ErrorTable,
}

/// Everything but the unreserved characters of RFC 3986 section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl RequestBuilder {
    pub(super) fn new(
        client: HttpClient,
        method: Method,
        operation: &'static str,
        template: Cow<'static, str>,
    ) -> Self {
        Self {
            idempotent: method.is_idempotent(),
            budget: client.0.budget.clone(),
            errors: client.0.errors,
            client,
            method,
            operation,
            template,
            path: Vec::new(),
            query: String::new(),
            link: None,
            headers: Vec::new(),
            body: Bytes::new(),
            weight: 1,
            sensitive: false,
            authenticated: true,
            takes_redirect: false,
            defect: None,
        }
    }

    /// The whole address, in the place of base URL, path and query.
    pub(super) fn link(mut self, link: &str) -> Self {
        self.link = Some(link.to_owned());
        self
    }

    /// Fills `{name}`: percent-encoded, always one segment. An empty value and a dot segment make
    /// the request fail, since they would name another path.
    pub fn path(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.path.push((name, value.into()));
        self
    }

    /// Adds a query parameter; may be repeated.
    pub fn query(mut self, name: &str, value: impl AsRef<str>) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, ENCODED));
        self.query.push('=');
        self.query
            .extend(utf8_percent_encode(value.as_ref(), ENCODED));
        self
    }

    /// A header. A name or value that HTTP does not allow makes the request fail.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.add_header(name, value, false)
    }

    /// A header whose value is a secret.
    pub fn secret_header(self, name: &str, value: &SecretString) -> Self {
        self.add_header(name, value.expose_secret(), true)
    }

    /// A JSON body.
    ///
    /// # Errors
    /// `unexpected` where the value cannot be written as JSON.
    pub fn json(self, body: &(impl Serialize + ?Sized)) -> Result<Self> {
        let bytes = serde_json::to_vec(body)
            .map_err(|_| Error::unexpected("the request cannot be written as JSON"))?;
        Ok(self.bytes("application/json", Bytes::from(bytes)))
    }

    /// A form body (`application/x-www-form-urlencoded`).
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.bytes("application/x-www-form-urlencoded", Bytes::from(body))
    }

    /// Any body.
    pub fn bytes(mut self, content_type: &str, body: Bytes) -> Self {
        self.body = body;
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// What it counts against.
    pub fn budget(mut self, key: BudgetKey) -> Self {
        self.budget = Some(key);
        self
    }

    /// How much it counts, 1 by default.
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Whether sending it twice does what sending it once does. By default true for the methods
    /// of RFC 9110 section 9.2.2 and false for POST and PATCH, which are then sent again only
    /// where nothing was sent at all.
    pub fn idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Keeps even the path template out of the log: for requests about credentials.
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Leaves the client's authorisation out.
    pub fn unauthenticated(mut self) -> Self {
        self.authenticated = false;
        self
    }

    /// A redirect is an answer, for vendors who hand out downloads so. It is not followed: where it
    /// leads stands in the answer's `Location`, and no credential goes there.
    pub fn takes_redirect(mut self) -> Self {
        self.takes_redirect = true;
        self
    }

    /// Another error table, for this request alone.
    pub fn errors(mut self, table: ErrorTable) -> Self {
        self.errors = table;
        self
    }

    /// Sends it, as often as that is needed and safe.
    ///
    /// # Errors
    /// No answer, or one outside 2xx; the kind comes from the connector's error table. A permanent
    /// error means that nothing was changed.
    pub async fn send(self, cx: &OpContext) -> Result<Answer> {
        let client = self.client.clone();
        let operation = self.operation;
        let call = self
            .prepare()
            .map_err(|error| error.with_operation(operation))?;
        retry::send(&client.0, cx, &call)
            .await
            .map_err(|error| error.with_operation(operation))
    }

    fn prepare(mut self) -> Result<Call> {
        if let Some(defect) = self.defect.take() {
            return Err(defect);
        }
        let uri = self.uri()?;
        let changes = errors::changes(&self.method);
        let mut request = ::http::Request::new(self.body);
        *request.uri_mut() = uri;
        *request.method_mut() = self.method;
        let context = self.client.context();
        let agent = HeaderValue::from_str(&context.user_agent)
            .map_err(|_| Error::config("user_agent", "holds characters that HTTP forbids"))?;
        request.headers_mut().insert(USER_AGENT, agent);
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in self.headers {
            request.headers_mut().insert(name, value);
        }
        request.extensions_mut().insert(self.client.0.max_body);
        if let Some(policy) = &self.client.0.policy {
            request.extensions_mut().insert(policy.clone());
        }
        Ok(Call {
            request,
            operation: self.operation,
            template: if self.sensitive {
                Cow::Borrowed("(sensitive)")
            } else {
                self.template
            },
            changes,
            idempotent: self.idempotent,
            authenticated: self.authenticated,
            takes_redirect: self.takes_redirect,
            budget: self.budget,
            weight: self.weight,
            errors: self.errors,
        })
    }

    fn uri(&self) -> Result<::http::Uri> {
        let text = match &self.link {
            // A fragment is never sent.
            Some(link) => link.split('#').next().unwrap_or_default().to_owned(),
            None => self.address()?,
        };
        text.parse().map_err(|_| {
            Error::invalid_input("the request's address cannot be written or is too long")
        })
    }

    fn address(&self) -> Result<String> {
        let mut text = self.client.0.base.clone();
        fill(&mut text, &self.template, &self.path)?;
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(&self.query);
        }
        Ok(text)
    }

    fn add_header(mut self, name: &str, value: &str, secret: bool) -> Self {
        let parsed = HeaderName::try_from(name)
            .ok()
            .zip(HeaderValue::from_str(value).ok());
        match parsed {
            Some((name, mut value)) => {
                value.set_sensitive(secret);
                self.headers.push((name, value));
            }
            None => {
                self.defect.get_or_insert_with(|| {
                    Error::invalid_input("a header holds characters that HTTP forbids")
                        .with_context("header", name)
                });
            }
        }
        self
    }
}

/// Appends the template with its placeholders filled.
fn fill(text: &mut String, template: &str, values: &[(&'static str, String)]) -> Result<()> {
    let mut rest = template;
    let mut filled = 0;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| Error::unexpected("a path template lacks a closing brace"))?;
        let (_, value) = values
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| {
                Error::unexpected("a path template was not filled in").with_context("name", name)
            })?;
        if matches!(value.as_str(), "" | "." | "..") {
            return Err(
                Error::invalid_input("the value cannot stand in a path").with_context("name", name)
            );
        }
        text.push_str(before);
        text.extend(utf8_percent_encode(value, ENCODED));
        filled += 1;
        rest = after;
    }
    text.push_str(rest);
    if filled < values.len() {
        return Err(Error::unexpected(
            "a path value has no place in the template",
        ));
    }
    Ok(())
}

impl fmt::Debug for RequestBuilder {
    /// Method, operation and template; nothing that was filled in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestBuilder")
            .field("method", &self.method)
            .field("operation", &self.operation)
            .field("template", &self.template)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
