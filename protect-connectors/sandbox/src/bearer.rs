//! Access tokens that simulated vendors issue, check and revoke.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::request::{Call, Context};

/// Access tokens by their text, each with what it grants.
pub(crate) struct Bearers<G> {
    tokens: HashMap<String, Token<G>>,
}

struct Token<G> {
    grant: G,
    expires: Timestamp,
    revoked: bool,
}

impl<G> Bearers<G> {
    pub(crate) fn new() -> Self {
        let tokens = HashMap::new();
        Self { tokens }
    }

    pub(crate) fn add(&mut self, text: String, grant: G, expires: Timestamp) {
        let token = Token {
            grant,
            expires,
            revoked: false,
        };
        self.tokens.insert(text, token);
    }

    /// Revokes this token where its grant fits; an unknown one is no error.
    pub(crate) fn revoke(&mut self, text: &str, fits: impl Fn(&G) -> bool) {
        if let Some(token) = self.tokens.get_mut(text)
            && fits(&token.grant)
        {
            token.revoked = true;
        }
    }

    pub(crate) fn revoke_all(&mut self) {
        for token in self.tokens.values_mut() {
            token.revoked = true;
        }
    }

    /// What the request's bearer token grants; `None` is a 401.
    pub(crate) fn check(&self, call: &Call, cx: &mut Context) -> Option<&G> {
        let Some(text) = call.bearer() else {
            cx.violate("bearer_missing", "no bearer token");
            return None;
        };
        let Some(token) = self.tokens.get(text) else {
            cx.violate("bearer_unknown", "not a token of this sandbox");
            return None;
        };
        // A client cannot know of a revocation, and an expiry may overtake a request.
        (!token.revoked && cx.now < token.expires).then_some(&token.grant)
    }
}
