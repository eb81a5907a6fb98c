//! Templates: text with `$1`, `${i}`, `${i+1}`, `${i:auto}` in it.
//!
//! | written | means |
//! |---|---|
//! | `$1_x` | group 1, then `_x` |
//! | `$i_x` | the longest name: `i_x` |
//! | `${1}x`, `${i}x` | the same, delimited |
//! | `$0` | the whole match |
//! | `$$` | a dollar |
//! | `${i+1}` | integer arithmetic; captures inside must be named, bare integers are numbers |
//! | `${i:auto}` | numbering as Keras and TensorFlow do it: nothing for 0, else `_i` |

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use regex::Captures;

use super::expression::Expression;
use crate::names::nearest;
use crate::object::unescape;

/// The names a template may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    /// Groups of the pattern by number, the whole match not counted; `None` without a pattern.
    pub(super) groups: Option<usize>,
    /// Groups of the pattern by name.
    pub(super) captures: BTreeSet<&'a str>,
    /// Parameters and loop variables.
    pub(super) constants: BTreeMap<&'a str, String>,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateError {
    pub(super) message: String,
    /// Where, in bytes of the template.
    pub(super) span: Range<usize>,
    pub(super) label: Option<String>,
    pub(super) help: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Written by the author of the rule file; in a path, escapes in it count.
    Literal(String),
    /// A parameter's value.
    Constant(String),
    Group(usize),
    Capture(String),
    Number {
        expression: Expression,
        constants: BTreeMap<String, String>,
        auto: bool,
    },
}

/// A text with places to fill in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    /// Reads a template; every name in it must be one of `names`.
    pub(super) fn parse(text: &str, names: &Names<'_>) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(dollar) = text.get(at..).and_then(|rest| rest.find('$')) {
            let dollar = at + dollar;
            parts.push(Part::Literal(text.get(at..dollar).unwrap_or_default().to_owned()));
            let (part, end) = Reader { text, dollar, names }.part()?;
            parts.push(part);
            at = end;
        }
        parts.push(Part::Literal(text.get(at..).unwrap_or_default().to_owned()));
        parts.retain(|part| !matches!(part, Part::Literal(text) if text.is_empty()));
        Ok(Self { text: text.to_owned(), parts })
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Fills in the groups of a match; the error says why that cannot be done.
    pub fn expand(&self, captures: Option<&Captures<'_>>) -> Result<String, String> {
        self.parts.iter().map(|part| part.value(captures)).collect()
    }

    /// Fills in the groups of a match and takes the result apart at each `/`. Escapes (`.S`, `..`)
    /// count only where the template's author wrote them: what a group brings is a name as it is.
    pub fn expand_path(&self, captures: Option<&Captures<'_>>) -> Result<Vec<String>, String> {
        let mut labels = vec![String::new()];
        for part in &self.parts {
            let value = part.value(captures)?;
            for (i, piece) in value.split('/').enumerate() {
                if i > 0 {
                    labels.push(String::new());
                }
                if let Some(label) = labels.last_mut() {
                    match part {
                        Part::Literal(_) => label.push_str(&unescape(piece)),
                        _ => label.push_str(piece),
                    }
                }
            }
        }
        Ok(labels)
    }
}

impl Part {
    fn value(&self, captures: Option<&Captures<'_>>) -> Result<String, String> {
        let no_part = |group: &str| {
            format!("group `{group}` took no part in the match, so it has no value to use")
        };
        match self {
            Self::Literal(text) | Self::Constant(text) => Ok(text.clone()),
            Self::Group(index) => captures
                .and_then(|captures| captures.get(*index))
                .map(|group| group.as_str().to_owned())
                .ok_or_else(|| no_part(&format!("${index}"))),
            Self::Capture(name) => captures
                .and_then(|captures| captures.name(name))
                .map(|group| group.as_str().to_owned())
                .ok_or_else(|| no_part(name)),
            Self::Number { expression, constants, auto } => {
                let of = |name: &str| {
                    let text = match constants.get(name) {
                        Some(value) => value.clone(),
                        None => Self::Capture(name.to_owned()).value(captures)?,
                    };
                    text.parse().map_err(|_| format!("`{name}` is `{text}`, which is no integer"))
                };
                let value = expression.value(&of)?;
                match (value, auto) {
                    (..0, _) => Err(format!("the number is {value}, which is below zero")),
                    (0, true) => Ok(String::new()),
                    (_, true) => Ok(format!("_{value}")),
                    (_, false) => Ok(value.to_string()),
                }
            }
        }
    }
}

/// Reads what follows one `$`.
struct Reader<'t, 'n> {
    text: &'t str,
    dollar: usize,
    names: &'n Names<'n>,
}

impl Reader<'_, '_> {
    /// The part, and the byte behind it.
    fn part(&self) -> Result<(Part, usize), TemplateError> {
        let start = self.dollar + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let run = |belongs: fn(char) -> bool| -> usize {
            rest.chars().take_while(|&c| belongs(c)).map(char::len_utf8).sum()
        };
        match rest.chars().next() {
            Some('$') => Ok((Part::Literal("$".to_owned()), start + 1)),
            Some('{') => {
                let close = rest.find('}').ok_or_else(|| {
                    self.error(
                        self.text.len(),
                        "`${` is never closed",
                        Some("write `$$` for a dollar"),
                    )
                })?;
                let part = self.braced(start + 1, start + close)?;
                Ok((part, start + close + 1))
            }
            Some(c) if c.is_ascii_digit() => {
                let end = start + run(|c| c.is_ascii_digit());
                Ok((self.group(start, end)?, end))
            }
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let end = start + run(is_name);
                Ok((self.name(start, end, end)?, end))
            }
            _ => Err(self.error(start, "`$` stands alone here", Some("write `$$` for a dollar"))),
        }
    }

    /// Between `${` and `}`.
    fn braced(&self, start: usize, end: usize) -> Result<Part, TemplateError> {
        let inner = self.text.get(start..end).unwrap_or_default();
        if !inner.is_empty() && inner.chars().all(|c| c.is_ascii_digit()) {
            return self.group(start, end);
        }
        if !inner.is_empty() && inner.chars().all(is_name) {
            return self.name(start, end, end + 1);
        }
        let (formula, auto) = match inner.strip_suffix(":auto") {
            Some(formula) => (formula, true),
            None => (inner, false),
        };
        if let Some(colon) = formula.find(':') {
            let help = "`:auto` is the only one there is";
            return Err(TemplateError {
                span: start + colon..end,
                ..self.error(end, "there is no such way to write a number", Some(help))
            });
        }
        let expression = Expression::parse(formula).map_err(|error| TemplateError {
            message: error.message.clone(),
            span: start + error.span.start..start + error.span.end.max(error.span.start + 1),
            label: None,
            help: None,
        })?;
        let mut used = Vec::new();
        expression.names(&mut used);
        let mut constants = BTreeMap::new();
        for name in used {
            match self.names.constants.get(name) {
                Some(value) => {
                    constants.insert(name.to_owned(), value.clone());
                }
                None if self.names.captures.contains(name) => {}
                None => {
                    let offset = start + formula.find(name).unwrap_or_default();
                    return Err(self.unknown(name, offset..offset + name.len()));
                }
            }
        }
        Ok(Part::Number { expression, constants, auto })
    }

    fn group(&self, start: usize, end: usize) -> Result<Part, TemplateError> {
        let digits = self.text.get(start..end).unwrap_or_default();
        let (message, help) = match (self.names.groups, digits.parse::<usize>()) {
            (Some(groups), Ok(index)) if index <= groups => return Ok(Part::Group(index)),
            (Some(0), _) => {
                ("the pattern has no groups".to_owned(), "put `( )` around a part of it")
            }
            (Some(1), _) => ("the pattern has 1 group".to_owned(), "groups are numbered from 1"),
            (Some(n), _) => (format!("the pattern has {n} groups"), "groups are numbered from 1"),
            (None, _) => ("there is no pattern here".to_owned(), "only `$parameters` can be used"),
        };
        let what = format!("capture group `${digits}` does not exist in this rule");
        let mut error = self.error(end, &what, Some(help));
        error.label = Some(message);
        Err(error)
    }

    fn name(&self, start: usize, end: usize, behind: usize) -> Result<Part, TemplateError> {
        let name = self.text.get(start..end).unwrap_or_default();
        if let Some(value) = self.names.constants.get(name) {
            return Ok(Part::Constant(value.clone()));
        }
        if self.names.captures.contains(name) {
            return Ok(Part::Capture(name.to_owned()));
        }
        Err(self.unknown(name, self.dollar..behind))
    }

    fn unknown(&self, name: &str, span: Range<usize>) -> TemplateError {
        let known = || {
            let captures = self.names.captures.iter().copied();
            captures.chain(self.names.constants.keys().copied())
        };
        // `$i_dense` is the name `i_dense`; who writes it nearly always means `${i}_dense`.
        let shorter = known()
            .filter(|known| name.strip_prefix(known).is_some_and(|rest| rest.starts_with('_')))
            .max_by_key(|known| known.len());
        let help = match shorter {
            Some(known) => {
                let rest = name.strip_prefix(known).unwrap_or_default();
                format!("did you mean `${{{known}}}{rest}`?")
            }
            None => match nearest(name, known()) {
                Some(near) => format!("did you mean `${near}`?"),
                None if known().next().is_none() => {
                    "name a group with `(?<name>…)`, or give a parameter under `params`".to_owned()
                }
                None => format!("known here: {}", known().collect::<Vec<_>>().join(", ")),
            },
        };
        TemplateError {
            message: format!("`{name}` is neither a named group nor a parameter"),
            span,
            label: None,
            help: Some(help),
        }
    }

    fn error(&self, end: usize, message: &str, help: Option<&str>) -> TemplateError {
        TemplateError {
            message: message.to_owned(),
            span: self.dollar..end,
            label: None,
            help: help.map(str::to_owned),
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn names() -> Names<'static> {
        Names {
            groups: Some(2),
            captures: BTreeSet::from(["i"]),
            constants: BTreeMap::from([("heads", "12".to_owned())]),
        }
    }

    fn expand(template: &str) -> Result<String, String> {
        let regex = Regex::new(r"(?<i>\d+)/(a|b)?").unwrap();
        let captures = regex.captures("07/").unwrap();
        let template = Template::parse(template, &names()).map_err(|error| error.message)?;
        template.expand(Some(&captures))
    }

    #[test]
    fn every_form() {
        assert_eq!(expand("$1_dense").unwrap(), "07_dense");
        assert_eq!(expand("${i}_dense").unwrap(), "07_dense");
        assert_eq!(expand("x$0x").unwrap(), "x07/x");
        assert_eq!(expand("a$$b").unwrap(), "a$b");
        assert_eq!(expand("${i+1}").unwrap(), "8");
        assert_eq!(expand("c${i:auto}/d${i-7:auto}").unwrap(), "c_7/d");
        assert_eq!(expand("$heads/${heads*2}").unwrap(), "12/24");
    }

    #[test]
    fn a_group_without_a_match_is_an_error_when_used() {
        assert!(expand("$2").unwrap_err().contains("took no part"));
        assert!(expand("${i-8}").unwrap_err().contains("below zero"));
    }

    #[test]
    fn mistakes_know_their_place() {
        let error = |text| Template::parse(text, &names()).unwrap_err();
        assert_eq!(error("x$i_dense").help.unwrap(), "did you mean `${i}_dense`?");
        assert_eq!(error("x$i_dense").span, 1..9);
        assert_eq!(error("a/$3").span, 2..4);
        assert_eq!(error("a/$3").label.unwrap(), "the pattern has 2 groups");
        assert_eq!(error("a${i+}").span, 5..6);
        assert_eq!(error("$head").help.unwrap(), "did you mean `$heads`?");
        assert_eq!(error("a$").span, 1..2);
        assert!(error("${i:hex}").message.contains("no such way"));
        assert!(error("${1+k}").message.contains("`k`"));
    }

    #[test]
    fn escapes_count_only_where_they_were_written() {
        let regex = Regex::new("(.+)").unwrap();
        let captures = regex.captures("conv.Stem/w").unwrap();
        let names = Names { groups: Some(1), ..Names::default() };
        let template = Template::parse("a.Sb/$1", &names).unwrap();
        assert_eq!(template.expand_path(Some(&captures)).unwrap(), ["a/b", "conv.Stem", "w"]);
    }
}
