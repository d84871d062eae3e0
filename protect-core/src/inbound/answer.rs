use ::http::header::CONTENT_TYPE;
use ::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use bytes::Bytes;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::model::Observation;

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundAnswer {
    /// The status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// What a message said is wrong: a connector's are taken like those of a scan, before the answer
    /// goes out. Nothing of it does.
    pub observations: Vec<Observation>,
    /// What a message said has moved at its sender: the engine looks it up there and takes nothing of
    /// it from the message. Nothing of it goes out.
    pub news: Vec<News>,
}

/// That something has moved at the sender of a message, and not where to: so one that is old, or comes
/// after a newer one, turns nothing back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A ticket or an incident, by the sender's id.
    Item(String),
    /// Whatever we asked of the sender and that is not over yet.
    Requests,
}

impl InboundAnswer {
    /// 200 with JSON.
    ///
    /// # Errors
    /// `unexpected` where the content has no JSON form.
    pub fn json(content: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_vec(content)
            .map_err(|error| Error::unexpected("an answer has no JSON form").with_source(error))?;
        Ok(Self::bytes("application/json", body))
    }

    /// 200 with a body of another type.
    pub fn bytes(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let answer = Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: body.into(),
            observations: Vec::new(),
            news: Vec::new(),
        };
        answer.with_header(CONTENT_TYPE, HeaderValue::from_static(content_type))
    }

    /// 204 without a body.
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            observations: Vec::new(),
            news: Vec::new(),
        }
    }

    /// With another status.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With what a message said is wrong.
    #[must_use]
    pub fn with_observations(mut self, observations: Vec<Observation>) -> Self {
        self.observations = observations;
        self
    }

    /// With what a message said has moved.
    #[must_use]
    pub fn with_news(mut self, news: impl IntoIterator<Item = News>) -> Self {
        self.news.extend(news);
        self
    }

    /// With a header more; one of the same name is replaced.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

impl From<InboundAnswer> for Response<Bytes> {
    fn from(answer: InboundAnswer) -> Self {
        let mut response = Response::new(answer.body);
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        response
    }
}
