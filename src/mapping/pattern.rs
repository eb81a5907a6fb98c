//! Patterns: regular expressions that match a whole name.

use std::collections::BTreeSet;
use std::ops::Range;

use regex::{Captures, Regex};
use regex_syntax::ast;

/// Nobody writes longer ones; compiling and matching them takes seconds.
const MAX_LENGTH: usize = 10_000;

/// A regular expression anchored at both ends.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    regex: Regex,
    whole: bool,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatternError {
    /// What is wrong.
    pub(super) message: String,
    /// Where, in bytes of the pattern.
    pub(super) span: Range<usize>,
    /// What to do.
    pub(super) help: Option<&'static str>,
}

impl Pattern {
    /// Compiles a pattern that matches the whole name.
    pub(crate) fn whole(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        // The line break ends a comment in `(?x)` patterns, which would swallow the bracket.
        let plain = format!("\\A(?:{text})\\z");
        Self::compile(text, &format!("\\A(?:{text}\n)\\z"), &plain, true)
    }

    /// Compiles a pattern that is searched for.
    pub(super) fn search(text: &str) -> Result<Self, PatternError> {
        check(text)?;
        Self::compile(text, text, text, false)
    }

    fn compile(text: &str, verbose: &str, plain: &str, whole: bool) -> Result<Self, PatternError> {
        let anchored = if text.starts_with("(?x)") { verbose } else { plain };
        let regex = Regex::new(anchored).map_err(|error| PatternError {
            message: match error {
                regex::Error::CompiledTooBig(limit) => {
                    format!("the compiled pattern is larger than {limit} bytes")
                }
                other => other.to_string(),
            },
            span: 0..text.len(),
            help: Some("shorten the repetition counts"),
        })?;
        Ok(Self { text: text.to_owned(), regex, whole })
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The expression that is matched, its anchors included.
    pub(super) fn regex_text(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether it is anchored at both ends.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether it matches.
    pub fn is_match(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }

    /// Its groups, if it matches.
    pub fn captures<'n>(&self, name: &'n str) -> Option<Captures<'n>> {
        self.regex.captures(name)
    }

    /// Every place where it matches, one after the other.
    pub fn captures_iter<'n>(&self, name: &'n str) -> impl Iterator<Item = Captures<'n>> {
        self.regex.captures_iter(name)
    }

    /// How many groups it has, the whole match not counted.
    pub(crate) fn groups(&self) -> usize {
        self.regex.captures_len() - 1
    }

    /// The names of its groups.
    pub fn group_names(&self) -> BTreeSet<&str> {
        self.regex.capture_names().flatten().collect()
    }
}

/// Parses `text` by itself: an unbalanced bracket must not pair with those put around it, and
/// this parser knows places.
fn check(text: &str) -> Result<(), PatternError> {
    if text.len() > MAX_LENGTH {
        return Err(PatternError {
            message: format!("it has {} bytes, more than {MAX_LENGTH}", text.len()),
            span: 0..text.len(),
            help: Some("use several rules"),
        });
    }
    ast::parse::Parser::new().parse(text).map(|_| ()).map_err(|error| {
        let span = error.span();
        let help = match error.kind() {
            ast::ErrorKind::UnsupportedLookAround => {
                Some("there is no look-around; put a rule for the exceptions above this one")
            }
            ast::ErrorKind::UnsupportedBackreference => {
                Some("there are no backreferences in patterns; `$1` belongs into `to`")
            }
            ast::ErrorKind::GroupUnclosed | ast::ErrorKind::GroupUnopened => {
                Some("close what is open; a parenthesis itself is `\\(` or `\\)`")
            }
            ast::ErrorKind::RepetitionMissing => {
                Some("nothing stands before it to be repeated; the character itself has a `\\` before it")
            }
            _ => None,
        };
        PatternError {
            message: error.kind().to_string(),
            span: span.start.offset..span.end.offset,
            help,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        let pattern = Pattern::whole("a|b").unwrap();
        assert!(pattern.is_match("a"));
        assert!(!pattern.is_match("ab"));
        assert!(!pattern.is_match("a\n"));
        assert!(Pattern::whole("(?x) a # first\n b # second").unwrap().is_match("ab"));
    }

    #[test]
    fn errors_know_their_place() {
        let error = Pattern::whole("x(?!y)").unwrap_err();
        assert_eq!(error.span, 1..4);
        assert!(error.help.unwrap().contains("exceptions above"));
        assert_eq!(Pattern::whole("a)(b").unwrap_err().span, 1..2);
        assert!(Pattern::whole("(a{1000}){1000}").is_err());
    }
}
