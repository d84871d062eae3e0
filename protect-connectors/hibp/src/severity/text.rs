//! From a description in HTML to clauses of lower-case words, in one pass and without a tree.
//!
//! Descriptions come from outside: nothing here fails, recurses, or looks at a character twice
//! more than a constant number of times.

use std::iter::Peekable;
use std::str::CharIndices;

/// One word and where it began in the original text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// Letters and digits, in lower case.
    pub(super) text: String,
    /// Byte offset in the description, for evidence.
    pub(super) at: usize,
}

/// Words that belong together: a list item or a subordinate clause is one of its own.
pub(super) type Clause = Vec<Word>;

/// The clauses of a description.
pub(super) fn clauses(html: &str) -> Vec<Clause> {
    let mut splitter = Splitter::default();
    let mut text = PlainText::new(html).peekable();
    while let Some((at, piece)) = text.next() {
        let next = text.peek().map(|(_, piece)| *piece);
        splitter.feed(at, piece, next);
    }
    splitter.finish()
}

/// A character of the text, or the edge of a block of markup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Char(char),
    Block,
}

/// Drops tags and decodes entities while reading.
struct PlainText<'a> {
    html: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

impl<'a> PlainText<'a> {
    fn new(html: &'a str) -> Self {
        Self {
            html,
            chars: html.char_indices().peekable(),
        }
    }

    /// Reads the rest of a tag; `None` where the `<` began none.
    fn tag(&mut self, at: usize) -> Option<Piece> {
        let rest = self.html.get(at + 1..)?;
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!') {
            return None;
        }
        let end = rest.find('>')?;
        let name = rest[..end].trim_start_matches('/');
        let name = name
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        self.skip_to(at + 1 + end + 1);
        let block = matches!(
            name.as_str(),
            "p" | "br" | "li" | "ul" | "ol" | "div" | "tr" | "td" | "h1" | "h2" | "h3"
        );
        Some(if block {
            Piece::Block
        } else {
            // An inline tag joins nothing and parts nothing: an empty piece would do, a
            // zero-width joiner is one that the splitter ignores.
            Piece::Char('\u{200d}')
        })
    }

    /// Reads the rest of an entity; `None` where the `&` began none.
    fn entity(&mut self, at: usize) -> Option<char> {
        let rest = self.html.get(at + 1..)?;
        let end = rest.bytes().take(12).position(|byte| byte == b';')?;
        let name = &rest[..end];
        let decoded = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" | "ldquo" | "rdquo" => '"',
            "apos" | "lsquo" | "rsquo" => '\'',
            "nbsp" => ' ',
            "ndash" => '\u{2013}',
            "mdash" => '\u{2014}',
            "hellip" => '\u{2026}',
            _ => numeric_entity(name)?,
        };
        self.skip_to(at + 1 + end + 1);
        Some(decoded)
    }

    fn skip_to(&mut self, offset: usize) {
        while self.chars.next_if(|(at, _)| *at < offset).is_some() {}
    }
}

impl Iterator for PlainText<'_> {
    type Item = (usize, Piece);

    fn next(&mut self) -> Option<Self::Item> {
        let (at, character) = self.chars.next()?;
        let piece = match character {
            '<' => self.tag(at).unwrap_or(Piece::Char('<')),
            '&' => Piece::Char(self.entity(at).unwrap_or('&')),
            other => Piece::Char(other),
        };
        Some((at, piece))
    }
}

fn numeric_entity(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(code)
}

/// How strongly a clause is parted from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Break {
    #[default]
    Sentence,
    Comma,
}

#[derive(Default)]
struct Splitter {
    done: Vec<Clause>,
    clause: Clause,
    before_clause: Break,
    word: Option<Word>,
    digit_before: bool,
}

impl Splitter {
    fn feed(&mut self, at: usize, piece: Piece, next: Option<Piece>) {
        let Piece::Char(character) = piece else {
            self.end_clause(Break::Sentence);
            return;
        };
        match character {
            c if c.is_alphanumeric() => self.letter(at, c),
            '\'' | '\u{2019}' | '\u{200d}' => {}
            '.' | '!' | '?' if ends_sentence(next) => self.end_clause(Break::Sentence),
            ',' if self.digit_before && next_is_digit(next) => self.end_word(),
            ',' if self.word_is_open_adjective() => self.end_word(),
            ',' | ';' | ':' | '(' | ')' | '\u{2013}' | '\u{2014}' => self.end_clause(Break::Comma),
            _ => self.end_word(),
        }
        self.digit_before = character.is_ascii_digit();
    }

    fn letter(&mut self, at: usize, character: char) {
        let word = self.word.get_or_insert_with(|| Word {
            text: String::new(),
            at,
        });
        word.text.extend(character.to_lowercase());
    }

    /// "the cracked, plain text versions": a comma between adjectives parts nothing.
    fn word_is_open_adjective(&self) -> bool {
        self.word.as_ref().is_some_and(|word| {
            matches!(
                word.text.as_str(),
                "cracked" | "hashed" | "salted" | "unsalted" | "encrypted" | "weak"
            )
        })
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        if matches!(
            word.text.as_str(),
            "whilst" | "while" | "although" | "though" | "whereas" | "but"
        ) {
            self.close(Break::Comma);
        }
        self.clause.push(word);
    }

    fn end_clause(&mut self, kind: Break) {
        self.end_word();
        self.close(kind);
    }

    fn close(&mut self, kind: Break) {
        let clause = std::mem::take(&mut self.clause);
        if !clause.is_empty() {
            match self.done.last_mut() {
                Some(before) if self.before_clause == Break::Comma && refers_back(&clause) => {
                    before.extend(clause);
                }
                _ => self.done.push(clause),
            }
            self.before_clause = kind;
        } else if kind == Break::Sentence {
            self.before_clause = kind;
        }
    }

    fn finish(mut self) -> Vec<Clause> {
        self.end_clause(Break::Sentence);
        self.done
    }
}

fn ends_sentence(next: Option<Piece>) -> bool {
    match next {
        None | Some(Piece::Block) => true,
        Some(Piece::Char(c)) => c.is_whitespace() || matches!(c, '"' | ')' | '\u{200d}'),
    }
}

fn next_is_digit(next: Option<Piece>) -> bool {
    matches!(next, Some(Piece::Char(c)) if c.is_ascii_digit())
}

/// "passwords, most of which were stored in plain text": the second half talks about the first.
fn refers_back(clause: &[Word]) -> bool {
    let words: Vec<&str> = clause
        .iter()
        .take(5)
        .map(|word| word.text.as_str())
        .collect();
    match words.as_slice() {
        [
            "all" | "most" | "many" | "some" | "both" | "which" | "stored" | "often",
            ..,
        ]
        | [
            "in" | "as",
            "plain" | "plaintext" | "clear" | "cleartext",
            ..,
        ] => true,
        words => words.contains(&"which"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(html: &str) -> Vec<String> {
        clauses(html)
            .iter()
            .map(|clause| {
                let words: Vec<&str> = clause.iter().map(|word| word.text.as_str()).collect();
                words.join(" ")
            })
            .collect()
    }

    #[test]
    fn tags_vanish_and_entities_are_decoded() {
        assert_eq!(
            words("The <a href=\"https://x.example/?a,b\">Old &amp; New</a> &quot;forum&quot;."),
            ["the old new forum"]
        );
        assert_eq!(
            words("one<br/>two<p class=x>three &#8211; four &#x2014; five"),
            ["one", "two", "three", "four", "five"]
        );
    }

    #[test]
    fn a_dot_inside_a_name_and_a_comma_inside_a_number_end_nothing() {
        assert_eq!(
            words("About 26,000 users of shop.example lost SHA-1 hashes. Then it closed"),
            [
                "about 26 000 users of shop example lost sha 1 hashes",
                "then it closed"
            ]
        );
    }

    #[test]
    fn commas_part_list_items_and_relative_clauses_go_with_what_they_refer_to() {
        assert_eq!(
            words("names, answers in plain text, passwords, most of which were hashed"),
            [
                "names",
                "answers in plain text",
                "passwords most of which were hashed"
            ]
        );
    }

    #[test]
    fn a_lone_angle_bracket_or_ampersand_is_text() {
        assert_eq!(words("a < b & c &unknown d"), ["a b c unknown d"]);
        assert_eq!(words("broken <a href="), ["broken a href"]);
    }

    #[test]
    fn offsets_point_into_the_original() {
        let html = "<em>Plain</em> text";
        let found = clauses(html);
        assert_eq!(&html[found[0][1].at..], "text");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_offsets_are_on_character_borders(html in "\\PC*|(<|&|#|;|,|\\.|[a-zé]){0,60}") {
            for word in clauses(&html).iter().flatten() {
                prop_assert!(html.is_char_boundary(word.at));
                prop_assert!(!word.text.is_empty());
            }
        }
    }
}
