//! What a filter's `matches` takes here: literals, `.`, `X*`, escapes, anchors and one group of
//! alternatives. RE2, which Google has, takes more.

/// A pattern without alternatives, each.
#[derive(Debug)]
pub(super) struct Pattern(Vec<Vec<Piece>>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Begin,
    End,
    Any,
    Char(char),
    /// Any number of the piece before it, which it takes the place of.
    AnyNumber,
    CharNumber(char),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let alternatives = match text.split_once('(') {
            None => vec![text.to_owned()],
            Some((before, rest)) => {
                let (inner, after) = rest.split_once(')')?;
                let joined = |it: &str| format!("{before}{it}{after}");
                inner.split('|').map(joined).collect()
            }
        };
        let parsed: Option<Vec<_>> = alternatives.iter().map(|it| pieces(it)).collect();
        parsed.map(Self)
    }

    /// Whether it is found anywhere in the text.
    pub(super) fn is_in(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        let found = |pieces: &Vec<Piece>| (0..=text.len()).any(|at| here(pieces, &text, at));
        self.0.iter().any(found)
    }
}

fn pieces(text: &str) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        let piece = match char {
            '^' => Piece::Begin,
            '$' => Piece::End,
            '.' => Piece::Any,
            '*' => match pieces.pop()? {
                Piece::Any => Piece::AnyNumber,
                Piece::Char(char) => Piece::CharNumber(char),
                _ => return None,
            },
            '\\' => Piece::Char(chars.next().filter(|it| !it.is_alphanumeric())?),
            '(' | ')' | '[' | ']' | '{' | '}' | '|' | '+' | '?' => return None,
            other => Piece::Char(other),
        };
        pieces.push(piece);
    }
    Some(pieces)
}

fn here(pieces: &[Piece], text: &[char], at: usize) -> bool {
    let Some((first, rest)) = pieces.split_first() else {
        return true;
    };
    let next = |fits: bool| fits && here(rest, text, at + 1);
    let many = |fits: &dyn Fn(char) -> bool| {
        let run = text[at..].iter().take_while(|it| fits(**it)).count();
        (0..=run).any(|taken| here(rest, text, at + taken))
    };
    match first {
        Piece::Begin => at == 0 && here(rest, text, at),
        Piece::End => at == text.len() && here(rest, text, at),
        Piece::Any => next(at < text.len()),
        Piece::Char(wanted) => next(text.get(at) == Some(wanted)),
        Piece::AnyNumber => many(&|_| true),
        Piece::CharNumber(wanted) => many(&|it| it == *wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_found_as_re2_would_find_it() {
        let found = |pattern: &str, text: &str| Pattern::parse(pattern).unwrap().is_in(text);
        assert!(found(r"^settings/gmail\..*$", "settings/gmail.pop_access"));
        assert!(!found(r"^settings/gmail\..*$", "settings/gmailx"));
        assert!(found("pop", "settings/gmail.pop_access"));
        assert!(found(
            r"settings/(security|chat)\.",
            "settings/security.password"
        ));
        assert!(!found("^pop", "settings/gmail.pop_access"));
        assert!(Pattern::parse("a+").is_none() && Pattern::parse("*").is_none());
    }
}
