//! A client's session, from the greeting to the end.

use std::{io, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{LARGEST, MOST_RECIPIENTS, Mail, NOBODY, Reply, Smtp, command::Command, message};
use crate::{
    faults::{FaultKind, Struck},
    request::Context,
    world::World,
};

/// RFC 5321 section 4.5.3.1.4 and RFC 4954 section 4 (for the answers to AUTH).
const LONGEST_COMMAND: usize = 12_288;

/// A step of the dialogue, as the journal names it.
pub(crate) type Step = (&'static str, &'static str);

const CONNECT: Step = ("CONNECT", "/connect");
const MESSAGE: Step = ("MESSAGE", "/message");

/// Serves until its runtime ends.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let session = Session::new(stream, Arc::clone(&world));
                tokio::spawn(async move {
                    // A client that goes away ends its session and nothing else.
                    let _ = session.run().await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

struct Session {
    stream: BufReader<TcpStream>,
    world: Arc<World>,
    greeted: bool,
    signed_in: bool,
    envelope: Option<Envelope>,
}

#[derive(Debug)]
struct Envelope {
    from: String,
    eight_bit: bool,
    to: Vec<String>,
}

/// Whether the session goes on.
type Goes = io::Result<bool>;

impl Session {
    fn new(stream: TcpStream, world: Arc<World>) -> Self {
        // Small replies must not wait for an acknowledgement; a failure only costs time.
        let _ = stream.set_nodelay(true);
        Self {
            stream: BufReader::new(stream),
            world,
            greeted: false,
            signed_in: false,
            envelope: None,
        }
    }

    async fn run(mut self) -> io::Result<()> {
        let greeting = Reply::new(220, "mail.sandbox.example ESMTP");
        let mut goes = self.step(CONNECT, false, |_, _| greeting).await?;
        while goes {
            let Some(line) = self.line().await? else {
                return Ok(());
            };
            goes = match line {
                Ok(line) => self.obey(Command::parse(&line)).await?,
                Err((rule, text)) => self.refuse(("?", "unknown"), rule, 500, text).await?,
            };
        }
        Ok(())
    }

    async fn obey(&mut self, command: Command) -> Goes {
        let step = command.verb();
        match command {
            Command::Ehlo | Command::Helo => self.hello(step, command == Command::Ehlo).await,
            Command::AuthPlain(_) | Command::AuthLogin(_) | Command::OtherAuth => {
                self.auth(step, command).await
            }
            Command::Mail {
                from,
                eight_bit,
                size,
            } => self.mail(step, from, eight_bit, size).await,
            Command::Rcpt { to } => self.rcpt(step, to).await,
            Command::Data => self.data(step).await,
            Command::Rset => {
                self.envelope = None;
                self.say(step, 250, "2.0.0 reset").await
            }
            Command::Noop => self.say(step, 250, "2.0.0 so be it").await,
            Command::Vrfy => self.say(step, 252, "2.5.2 send and see").await,
            Command::Quit => {
                self.say(step, 221, "2.0.0 good-bye").await?;
                Ok(false)
            }
            Command::UnknownParameter => {
                let text = "5.5.4 a parameter that was not announced";
                self.refuse(step, "smtp_parameter", 555, text).await
            }
            Command::Malformed => {
                let text = "5.5.4 the arguments are wrong";
                self.refuse(step, "smtp_syntax", 501, text).await
            }
            Command::Unknown => {
                let text = "5.5.1 no such command";
                self.refuse(step, "smtp_command", 500, text).await
            }
        }
    }

    async fn hello(&mut self, step: Step, extended: bool) -> Goes {
        self.envelope = None;
        self.greeted = true;
        let mut reply = Reply::new(250, "mail.sandbox.example");
        if extended {
            let announced = ["8BITMIME", "ENHANCEDSTATUSCODES", "AUTH PLAIN LOGIN"];
            reply.lines.extend(announced.map(str::to_owned));
            reply.lines.push(format!("SIZE {LARGEST}"));
        }
        self.step(step, false, |_, _| reply).await
    }

    async fn auth(&mut self, step: Step, command: Command) -> Goes {
        if !self.greeted || self.signed_in || self.envelope.is_some() {
            return self.out_of_order(step).await;
        }
        let given = match command {
            Command::AuthPlain(initial) => {
                let text = match initial {
                    Some(text) => Some(text),
                    None => self.challenge("").await?,
                };
                text.as_deref().and_then(plain)
            }
            Command::AuthLogin(initial) => {
                let username = match initial {
                    Some(text) => Some(text),
                    None => self.challenge("VXNlcm5hbWU6").await?,
                };
                let password = self.challenge("UGFzc3dvcmQ6").await?;
                username.zip(password).and_then(|(username, password)| {
                    Some((decoded(&username)?, decoded(&password)?))
                })
            }
            _ => {
                let text = "5.5.4 this mechanism is not offered";
                return self.refuse(step, "smtp_mechanism", 504, text).await;
            }
        };
        let mut accepted = false;
        let goes = self
            .step(step, false, |smtp, cx| match given {
                None => {
                    cx.violate("smtp_auth_malformed", "not the base64 that AUTH takes");
                    Reply::new(501, "5.5.2 not base64")
                }
                Some((username, password)) if smtp.accepts(&username, &password) => {
                    accepted = true;
                    Reply::new(235, "2.7.0 welcome")
                }
                Some(_) => {
                    cx.violate(
                        "smtp_credentials",
                        "a user name or password that is unknown",
                    );
                    Reply::new(535, "5.7.8 user name or password is wrong")
                }
            })
            .await?;
        self.signed_in |= accepted;
        Ok(goes)
    }

    async fn mail(
        &mut self,
        step: Step,
        from: String,
        eight_bit: bool,
        size: Option<usize>,
    ) -> Goes {
        if !self.greeted || self.envelope.is_some() {
            return self.out_of_order(step).await;
        }
        if !self.signed_in {
            let text = "5.7.0 sign in first";
            return self.refuse(step, "smtp_not_signed_in", 530, text).await;
        }
        if size.is_some_and(|size| size > LARGEST) {
            return self.say(step, 552, "5.3.4 too large").await;
        }
        let mut taken = false;
        let goes = self
            .step(step, false, |_, _| {
                taken = true;
                Reply::new(250, "2.1.0 go on")
            })
            .await?;
        self.envelope = taken.then_some(Envelope {
            from,
            eight_bit,
            to: Vec::new(),
        });
        Ok(goes)
    }

    async fn rcpt(&mut self, step: Step, to: String) -> Goes {
        let Some(envelope) = &self.envelope else {
            return self.out_of_order(step).await;
        };
        if envelope.to.len() >= MOST_RECIPIENTS {
            return self.say(step, 452, "4.5.3 too many recipients").await;
        }
        let mut taken = false;
        let goes = self
            .step(step, false, |_, _| {
                if to.split('@').next() == Some(NOBODY) {
                    return Reply::new(550, "5.1.1 no such mailbox");
                }
                taken = true;
                Reply::new(250, "2.1.5 go on")
            })
            .await?;
        if let Some(envelope) = self.envelope.as_mut().filter(|_| taken) {
            envelope.to.push(to);
        }
        Ok(goes)
    }

    async fn data(&mut self, step: Step) -> Goes {
        if self.envelope.as_ref().is_none_or(|it| it.to.is_empty()) {
            return self.out_of_order(step).await;
        }
        let mut taken = false;
        let goes = self
            .step(step, false, |_, _| {
                taken = true;
                Reply::new(354, "end with a line that holds a dot")
            })
            .await?;
        if !goes || !taken {
            return Ok(goes);
        }
        let Some(text) = self.text().await? else {
            return Ok(false);
        };
        let Some(envelope) = self.envelope.take() else {
            return Ok(false);
        };
        self.step(MESSAGE, true, |smtp, cx| receive(smtp, cx, envelope, text))
            .await
    }

    async fn out_of_order(&mut self, step: Step) -> Goes {
        let text = "5.5.1 commands in the wrong order";
        self.refuse(step, "smtp_sequence", 503, text).await
    }

    async fn refuse(&mut self, step: Step, rule: &'static str, code: u16, text: &str) -> Goes {
        let reply = Reply::new(code, text);
        self.step(step, false, |_, cx| {
            cx.violate(rule, "a command that a correct client would not have sent");
            reply
        })
        .await
    }

    async fn say(&mut self, step: Step, code: u16, text: &str) -> Goes {
        let reply = Reply::new(code, text);
        self.step(step, false, |_, _| reply).await
    }

    /// One step: faults, the server's own answer, the journal, the wire.
    async fn step(
        &mut self,
        step: Step,
        changing: bool,
        own: impl FnOnce(&mut Smtp, &mut Context) -> Reply,
    ) -> Goes {
        let (reply, struck) = self.world.smtp(step, changing, |smtp, cx| {
            let fault = instead(&cx.struck, step);
            fault.unwrap_or_else(|| own(smtp, cx))
        });
        self.deliver(&reply, &struck).await
    }

    async fn deliver(&mut self, reply: &Reply, struck: &Struck) -> Goes {
        if let Some(fault) = struck.get(FaultKind::Delay) {
            tokio::time::sleep(Duration::from_millis(fault.millis)).await;
        }
        if struck.has(FaultKind::CloseEarly) || struck.has(FaultKind::AnswerLost) {
            return Ok(false);
        }
        if struck.has(FaultKind::TruncatedJson) || struck.has(FaultKind::ResetMidBody) {
            self.write(&reply.wire()[..2]).await?;
            return Ok(false);
        }
        if struck.has(FaultKind::Html200) || struck.has(FaultKind::Html502) {
            self.write("<!DOCTYPE html><html><body>Something is in the way</body></html>\r\n")
                .await?;
            return Ok(false);
        }
        if struck.has(FaultKind::HugeBody) {
            self.write(&format!("{} {}\r\n", reply.code, "x".repeat(1024 * 1024)))
                .await?;
            return Ok(true);
        }
        self.write(&reply.wire()).await?;
        Ok(reply.code != 421)
    }

    /// Asks for one more line of AUTH; `None` where the client gives up with `*`.
    async fn challenge(&mut self, text: &str) -> io::Result<Option<String>> {
        self.write(&format!("334 {text}\r\n")).await?;
        let line = self.line().await?.and_then(Result::ok);
        Ok(line.filter(|line| line != "*"))
    }

    async fn write(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.flush().await
    }

    /// A line without its CRLF, or what is wrong with it; `None` at the end.
    async fn line(&mut self) -> io::Result<Option<Result<String, (&'static str, &'static str)>>> {
        let mut line = Vec::new();
        let limit = LONGEST_COMMAND as u64;
        let mut limited = (&mut self.stream).take(limit);
        if limited.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        let Some(line) = line.strip_suffix(b"\r\n") else {
            let wrong = ("smtp_line_end", "5.5.2 a line must end in CRLF");
            return Ok(Some(Err(wrong)));
        };
        let text = std::str::from_utf8(line)
            .ok()
            .filter(|text| text.is_ascii());
        let wrong = ("smtp_not_ascii", "5.5.2 a command is ASCII");
        Ok(Some(text.map(str::to_owned).ok_or(wrong)))
    }

    /// What comes up to the line with the dot, unstuffed (RFC 5321 section 4.5.2); `None` at the end.
    async fn text(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        loop {
            let mut line = Vec::new();
            let read = self.stream.read_until(b'\n', &mut line).await?;
            if read == 0 {
                return Ok(None);
            }
            if line == b".\r\n" {
                return Ok(Some(text));
            }
            // What is too much is read and forgotten.
            if text.len() <= LARGEST {
                text.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
            }
        }
    }
}

fn receive(smtp: &mut Smtp, cx: &mut Context, envelope: Envelope, text: Vec<u8>) -> Reply {
    if text.len() > LARGEST {
        return Reply::new(552, "5.3.4 too large");
    }
    let bare = |window: &[u8]| window[1] == b'\n' && window[0] != b'\r';
    if text.windows(2).any(bare) {
        cx.violate(
            "smtp_line_end",
            "a line of the message that does not end in CRLF",
        );
        return Reply::new(554, "5.6.0 a line must end in CRLF");
    }
    let read = match String::from_utf8(text) {
        Ok(text) => message::read(&text, envelope.eight_bit),
        Err(_) => Err("message_not_utf8"),
    };
    match read {
        Ok(read) => {
            let mail = Mail {
                id: read.id,
                from: envelope.from,
                to: envelope.to,
                subject: read.subject,
                text: read.text,
            };
            smtp.receive(mail, cx)
        }
        Err(rule) => {
            cx.violate(rule, "a message that RFC 5322 does not know");
            Reply::new(554, "5.6.0 the message is malformed")
        }
    }
}

/// The reply that stands in the place of the server's own.
fn instead(struck: &Struck, step: Step) -> Option<Reply> {
    struck.0.iter().find_map(|fault| match fault.kind {
        FaultKind::CloseEarly | FaultKind::Html200 | FaultKind::Html502 => {
            Some(Reply::new(451, "4.3.0 never said"))
        }
        FaultKind::Unavailable => Some(Reply::new(421, "4.3.2 closing")),
        FaultKind::RateLimitedSeconds | FaultKind::RateLimitedDate | FaultKind::RateLimitedBare => {
            Some(Reply::new(451, "4.7.1 try again later"))
        }
        FaultKind::Unauthorized if step.0 == "AUTH" => {
            Some(Reply::new(535, "5.7.8 user name or password is wrong"))
        }
        FaultKind::NotFound if step.0 == "RCPT" => Some(Reply::new(550, "5.1.1 no such mailbox")),
        FaultKind::ScopeRemoved => Some(Reply::new(554, "5.7.1 not for you")),
        _ => None,
    })
}

/// `authorization NUL user NUL password` (RFC 4616).
fn plain(text: &str) -> Option<(String, String)> {
    let text = decoded(text)?;
    let parts: Vec<_> = text.split('\0').collect();
    match parts.as_slice() {
        [_, username, password] => Some(((*username).to_owned(), (*password).to_owned())),
        _ => None,
    }
}

fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok()
}
