//! A mail server for submission (RFC 5321, RFC 6409), strict about commands and messages, in clear on
//! loopback. The session is in [`session`], the reading of a message in [`message`].

mod command;
mod message;
mod session;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{request::Context, rng::Rng};

pub(crate) use session::serve;

/// The largest message, as EHLO announces it (RFC 1870).
pub(crate) const LARGEST: usize = 256 * 1024;

/// RFC 5321 section 4.5.3.1.8.
const MOST_RECIPIENTS: usize = 100;

/// The local part of mailboxes that there are not.
const NOBODY: &str = "nobody";

pub(crate) struct Smtp {
    pub(crate) username: String,
    pub(crate) password: String,
    mails: Vec<Mail>,
}

/// A mail as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// A reply: a code and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) code: u16,
    pub(crate) lines: Vec<String>,
}

impl Reply {
    pub(crate) fn new(code: u16, text: &str) -> Self {
        let lines = vec![text.to_owned()];
        Self { code, lines }
    }

    /// As it goes over the wire (RFC 5321 section 4.2.1).
    pub(crate) fn wire(&self) -> String {
        let last = self.lines.len().saturating_sub(1);
        let lines = self.lines.iter().enumerate().map(|(place, line)| {
            let mark = if place == last { ' ' } else { '-' };
            format!("{}{mark}{line}\r\n", self.code)
        });
        lines.collect()
    }
}

impl Smtp {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, "smtp");
        Self {
            username: "protect@acme.example".to_owned(),
            password: rng.hex(24),
            mails: Vec::new(),
        }
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!({ "mails": self.mails })
    }

    /// Whether the pair may sign in.
    fn accepts(&self, username: &str, password: &str) -> bool {
        username == self.username && password == self.password
    }

    /// A whole message has arrived.
    fn receive(&mut self, mail: Mail, cx: &mut Context) -> Reply {
        if self.mails.iter().any(|known| known.id == mail.id) {
            cx.violate(
                "message_repeated",
                "a message with this id was accepted before",
            );
        }
        cx.change("mail", &mail.id, "", "accepted");
        let queued = format!("2.0.0 queued as {}", self.mails.len() + 1);
        self.mails.push(mail);
        Reply::new(250, &queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_of_several_lines_marks_all_but_the_last() {
        let reply = Reply {
            code: 250,
            lines: vec!["a".to_owned(), "b".to_owned()],
        };
        assert_eq!(reply.wire(), "250-a\r\n250 b\r\n");
    }
}
