//! One command line (RFC 5321 section 4.1, RFC 4954).

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Ehlo,
    Helo,
    AuthPlain(Option<String>),
    AuthLogin(Option<String>),
    Mail {
        from: String,
        eight_bit: bool,
        size: Option<usize>,
    },
    Rcpt {
        to: String,
    },
    Data,
    Rset,
    Noop,
    Vrfy,
    Quit,
    /// A mechanism that is not offered.
    OtherAuth,
    /// A parameter that was not announced.
    UnknownParameter,
    /// The command's arguments are wrong.
    Malformed,
    Unknown,
}

impl Command {
    /// Its name in the journal.
    pub(crate) const fn verb(&self) -> (&'static str, &'static str) {
        match self {
            Self::Ehlo | Self::Helo => ("EHLO", "/ehlo"),
            Self::AuthPlain(_) | Self::AuthLogin(_) | Self::OtherAuth => ("AUTH", "/auth"),
            Self::Mail { .. } => ("MAIL", "/mail"),
            Self::Rcpt { .. } => ("RCPT", "/rcpt"),
            Self::Data => ("DATA", "/data"),
            Self::Rset => ("RSET", "/rset"),
            Self::Noop => ("NOOP", "/noop"),
            Self::Vrfy => ("VRFY", "/vrfy"),
            Self::Quit => ("QUIT", "/quit"),
            Self::UnknownParameter | Self::Malformed | Self::Unknown => ("?", "unknown"),
        }
    }

    /// Reads a line without its CRLF.
    pub(crate) fn parse(line: &str) -> Self {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let bare = |command: Self| match rest {
            "" => command,
            _ => Self::Malformed,
        };
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if is_client(rest) => Self::Ehlo,
            "HELO" if is_client(rest) => Self::Helo,
            "EHLO" | "HELO" => Self::Malformed,
            "AUTH" => auth(rest),
            "MAIL" => mail(rest),
            "RCPT" => rcpt(rest),
            "DATA" => bare(Self::Data),
            "RSET" => bare(Self::Rset),
            "QUIT" => bare(Self::Quit),
            "NOOP" => Self::Noop,
            "VRFY" => Self::Vrfy,
            _ => Self::Unknown,
        }
    }
}

/// A domain or an address literal (RFC 5321 section 4.1.1.1).
fn is_client(text: &str) -> bool {
    let literal = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match literal {
        Some(inside) => !inside.is_empty() && !inside.contains(' '),
        None => is_domain(text),
    }
}

fn is_domain(text: &str) -> bool {
    !text.is_empty()
        && text.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
}

fn auth(rest: &str) -> Command {
    let (mechanism, initial) = match rest.split_once(' ') {
        Some((mechanism, initial)) => (mechanism, Some(initial.to_owned())),
        None => (rest, None),
    };
    match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => Command::AuthPlain(initial),
        "LOGIN" => Command::AuthLogin(initial),
        "" => Command::Malformed,
        _ => Command::OtherAuth,
    }
}

fn mail(rest: &str) -> Command {
    let Some((from, parameters)) = path(rest, "FROM:") else {
        return Command::Malformed;
    };
    let (mut eight_bit, mut size) = (false, None);
    for parameter in parameters.split_ascii_whitespace() {
        match parameter.split_once('=') {
            Some((key, value)) if key.eq_ignore_ascii_case("SIZE") => match value.parse() {
                Ok(bytes) => size = Some(bytes),
                Err(_) => return Command::Malformed,
            },
            Some((key, value)) if key.eq_ignore_ascii_case("BODY") => {
                match value.to_ascii_uppercase().as_str() {
                    "7BIT" => {}
                    "8BITMIME" => eight_bit = true,
                    _ => return Command::Malformed,
                }
            }
            _ => return Command::UnknownParameter,
        }
    }
    Command::Mail {
        from,
        eight_bit,
        size,
    }
}

fn rcpt(rest: &str) -> Command {
    match path(rest, "TO:") {
        Some((to, "")) => Command::Rcpt { to },
        Some(_) => Command::UnknownParameter,
        None => Command::Malformed,
    }
}

/// `FROM:<local@domain> parameters`.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(String, &'a str)> {
    let head = rest.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, parameters) = rest[keyword.len()..].strip_prefix('<')?.split_once('>')?;
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let fits = !local.is_empty() && local.chars().all(is_atom) && is_domain(domain);
    fits.then(|| (address.to_owned(), parameters.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_rfc_5321_has_them() {
        assert_eq!(Command::parse("ehlo [127.0.0.1]"), Command::Ehlo);
        assert_eq!(Command::parse("EHLO"), Command::Malformed);
        let mail = Command::Mail {
            from: "a@b.example".to_owned(),
            eight_bit: true,
            size: Some(10),
        };
        assert_eq!(
            Command::parse("MAIL FROM:<a@b.example> SIZE=10 BODY=8BITMIME"),
            mail
        );
        assert_eq!(
            Command::parse("MAIL FROM:<a@b.example> SMTPUTF8"),
            Command::UnknownParameter
        );
        assert_eq!(
            Command::parse("MAIL FROM: <a@b.example>"),
            Command::Malformed
        );
        assert_eq!(Command::parse("RCPT TO:a@b.example"), Command::Malformed);
        assert_eq!(Command::parse("DATA now"), Command::Malformed);
        assert_eq!(Command::parse("TURN"), Command::Unknown);
    }
}
