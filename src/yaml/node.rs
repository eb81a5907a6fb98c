//! A cursor over a file: asks for what should stand somewhere and reports what does not,
//! with its place. Reading goes on after a mistake, so that all of them come out together.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use super::problem::{Place, Problem, ProblemKind, SourceText};
use super::tree::{self, Anchor, Step, Yaml};
use crate::names::nearest;

/// Where something stands in a file; looked up in the text only when a message needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Site {
    path: Vec<Step>,
    anchor: Anchor,
    /// The scalar there, as read.
    text: Option<String>,
}

impl Site {
    /// The stretch of text; `within` a scalar, if given.
    pub(crate) fn place(
        &self,
        source: &Arc<SourceText>,
        within: Option<Range<usize>>,
    ) -> Option<Place> {
        let start = source.locate(&self.path, self.anchor)?;
        let raw = source.text.get(start..)?;
        let line = raw.split(['\n', '\r']).next().unwrap_or_default();
        let len = match &self.text {
            Some(text) if raw.starts_with(text.as_str()) => text.len(),
            _ => quoted_len(raw).unwrap_or_else(|| bracketed_len(line)),
        };
        let span = match within {
            Some(within) if raw.starts_with(['\'', '"']) => {
                start + quoted_at(raw, within.start)..start + quoted_at(raw, within.end)
            }
            Some(within) if within.end <= line.len() => start + within.start..start + within.end,
            _ => start..start + len,
        };
        Some(Place { source: Arc::clone(source), span })
    }
}

/// Length of a quoted scalar, quotes included.
fn quoted_len(raw: &str) -> Option<usize> {
    let quote = raw.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut chars = raw.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quote == '"' => drop(chars.next()),
            '\'' if quote == '\'' && chars.peek().is_some_and(|(_, c)| *c == '\'') => {
                chars.next();
            }
            c if c == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Length of what a line begins with: to the bracket that closes its first one, or to a comment.
fn bracketed_len(line: &str) -> usize {
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(c) = line.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = line.get(at..).unwrap_or_default();
        match c {
            '{' | '[' => open += 1,
            '}' | ']' => {
                open = open.saturating_sub(1);
                if open == 0 && line.starts_with(['{', '[']) {
                    return at + 1;
                }
            }
            '#' if line.get(..at).is_some_and(|before| before.ends_with([' ', '\t'])) => break,
            _ => {}
        }
        at += quoted_len(rest).unwrap_or(c.len_utf8());
    }
    line.get(..at).unwrap_or(line).trim_end().len()
}

/// Where byte `offset` of a quoted scalar's content stands in the text: a doubled quote or an
/// escape is longer there than what it means.
fn quoted_at(raw: &str, offset: usize) -> usize {
    let double = raw.starts_with('"');
    let mut content = 0;
    let mut chars = raw.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if content >= offset {
            return at;
        }
        if (c == '\'' && !double) || (c == '\\' && double) {
            chars.next();
        }
        content += c.len_utf8();
    }
    raw.len()
}

/// What the parser says, and what to do; `next` is the character at which it stopped.
fn in_our_words(message: &str, next: Option<char>) -> (&str, Option<&'static str>) {
    if message.contains("escape") {
        let help = "in double quotes `\\` begins an escape; write patterns in single quotes";
        (message, Some(help))
    } else if message.contains("more than one document") {
        ("a second document begins", Some("leave out what stands behind the second `---`"))
    } else if message.contains("cannot start any token") && next == Some('\t') {
        ("a tab stands here", Some("indent with blanks"))
    } else if message.contains("cannot start any token") {
        (message, Some("put text that begins so in single quotes"))
    } else if message.starts_with("did not find expected") {
        (message, Some("a bracket, a comma or a quote is missing, here or above"))
    } else if message.contains("mapping values are not allowed") {
        (message, Some("put text that has a colon and a blank in it in single quotes"))
    } else {
        (message, None)
    }
}

/// A file's YAML, or what is wrong with it.
pub(crate) fn read(source: &Arc<SourceText>) -> Result<Yaml, Box<Problem>> {
    tree::parse(&source.text).map_err(|error| {
        let rest = error.offset.and_then(|offset| source.text.get(offset..)).unwrap_or_default();
        let (message, help) = in_our_words(&error.message, rest.chars().next());
        let mut problem = Problem::new(ProblemKind::Yaml, format!("not YAML: {message}"));
        problem.help = help.map(ToOwned::to_owned);
        problem.place = error.offset.map(|offset| {
            let offset = offset.min(source.text.len());
            Place { source: Arc::clone(source), span: offset..offset }
        });
        Box::new(problem)
    })
}

/// A file being read.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) source: Arc<SourceText>,
    problems: RefCell<Vec<Problem>>,
}

impl Context {
    pub(crate) fn new(source: Arc<SourceText>) -> Self {
        Self { source, problems: RefCell::default() }
    }

    pub(crate) fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }
}

/// A value in a file.
#[derive(Debug, Clone)]
pub(crate) struct Node<'y> {
    pub(crate) yaml: &'y Yaml,
    path: Vec<Step>,
    context: &'y Context,
}

impl<'y> Node<'y> {
    pub(crate) fn root(yaml: &'y Yaml, context: &'y Context) -> Self {
        Self { yaml, path: Vec::new(), context }
    }

    fn down(&self, yaml: &'y Yaml, step: Step) -> Self {
        let path = self.path.iter().cloned().chain([step]).collect();
        Self { yaml, path, context: self.context }
    }

    pub(crate) fn site(&self, anchor: Anchor) -> Site {
        let text = match (self.yaml, anchor) {
            (Yaml::Text(text), Anchor::Value) => Some(text.clone()),
            (Yaml::Integer(number), Anchor::Value) => Some(number.to_string()),
            _ => None,
        };
        Site { path: self.path.clone(), anchor, text }
    }

    pub(crate) fn place(&self) -> Option<Place> {
        self.site(Anchor::Value).place(&self.context.source, None)
    }

    /// Reports a problem about this value, or about a part of its text.
    pub(crate) fn report(&self, problem: Problem, within: Option<Range<usize>>) {
        let place = self.site(Anchor::Value).place(&self.context.source, within);
        self.context.report(Problem { place, ..problem });
    }

    fn expected(&self, what: &str) {
        let message = format!("{what} should stand here, not {}", self.yaml.kind());
        self.report(Problem::new(ProblemKind::Value, message), None);
    }

    pub(crate) fn text(&self) -> Option<&'y str> {
        match self.yaml {
            Yaml::Text(text) => Some(text),
            _ => {
                self.expected("text");
                None
            }
        }
    }

    /// Text, or a number as it would be written.
    pub(crate) fn scalar(&self) -> Option<String> {
        match self.yaml {
            Yaml::Text(text) => Some(text.clone()),
            Yaml::Integer(number) => Some(number.to_string()),
            Yaml::Float(number) => Some(number.to_string()),
            _ => {
                self.expected("text or a number");
                None
            }
        }
    }

    /// One of several words.
    pub(crate) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words = || choices.iter().map(|(word, _)| *word);
            let near = nearest(text, words()).map(|near| format!("did you mean `{near}`?"));
            let help = near
                .unwrap_or_else(|| format!("known: {}", words().collect::<Vec<_>>().join(", ")));
            let message = format!("`{text}` is not known here");
            self.report(Problem::new(ProblemKind::Value, message).help(help), None);
        }
        found
    }

    pub(crate) fn truth(&self) -> Option<bool> {
        match self.yaml {
            Yaml::Bool(value) => Some(*value),
            _ => {
                self.expected("`true` or `false`");
                None
            }
        }
    }

    pub(crate) fn list(&self) -> Option<Vec<Node<'y>>> {
        match self.yaml {
            Yaml::List(items) => Some(self.items(items)),
            _ => {
                self.expected("a list");
                None
            }
        }
    }

    /// A list, or one item that stands for a list of one.
    pub(crate) fn one_or_many(&self) -> Vec<Node<'y>> {
        match self.yaml {
            Yaml::List(items) => self.items(items),
            _ => vec![self.clone()],
        }
    }

    fn items(&self, items: &'y [Yaml]) -> Vec<Node<'y>> {
        items.iter().enumerate().map(|(i, item)| self.down(item, Step::Item(i))).collect()
    }

    /// All entries of a map with their keys; duplicates are reported and left out.
    pub(crate) fn entries(&self) -> Option<Vec<(&'y str, Node<'y>)>> {
        let Yaml::Map(map) = self.yaml else {
            self.expected("a map");
            return None;
        };
        let mut entries: Vec<(&str, Node<'_>)> = Vec::with_capacity(map.len());
        for (i, (key, value)) in map.iter().enumerate() {
            let node = self.down(value, Step::Entry(i));
            match entries.iter().find(|(known, _)| known == key) {
                Some((_, first)) => {
                    let message = format!("the key `{key}` stands here a second time");
                    let site = Site { text: Some(key.clone()), ..first.site(Anchor::Key) };
                    let first = site.place(&self.context.source, None);
                    let problem = Problem::new(ProblemKind::Key, message);
                    let problem = problem.related(first, "the first time");
                    node.report_key(problem.help("leave one of them out"), key);
                }
                None => entries.push((key, node)),
            }
        }
        Some(entries)
    }

    /// The entries of a map that may have only certain keys.
    pub(crate) fn fields(&self, known: &[&'static str]) -> Option<Fields<'y>> {
        let entries = self.entries()?;
        for (key, node) in &entries {
            if !known.contains(key) {
                let problem =
                    Problem::new(ProblemKind::Key, format!("there is no key `{key}` here"));
                let help = match nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                node.report_key(problem.help(help), key);
            }
        }
        Some(Fields { node: self.clone(), entries })
    }

    /// Reports a problem about this value's key.
    pub(crate) fn report_key(&self, problem: Problem, key: &str) {
        let site = Site { text: Some(key.to_owned()), ..self.site(Anchor::Key) };
        let place = site.place(&self.context.source, None);
        self.context.report(Problem { place, ..problem });
    }
}

/// The entries of a map, by key.
#[derive(Debug)]
pub(crate) struct Fields<'y> {
    pub(crate) node: Node<'y>,
    entries: Vec<(&'y str, Node<'y>)>,
}

impl<'y> Fields<'y> {
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'y>> {
        self.entries.iter().find(|(known, _)| *known == key).map(|(_, node)| node)
    }

    /// The file's version, which this program must know.
    pub(crate) fn version(&self, what: &str) {
        match self.require("version").map(|node| (node, node.yaml)) {
            None | Some((_, Yaml::Integer(1))) => {}
            Some((node, _)) => {
                let message = format!("this version of {what} files is not known");
                let problem = Problem::new(ProblemKind::Value, message);
                node.report(problem.help("this program reads `version: 1`"), None);
            }
        }
    }

    /// A truth value that may be left out.
    pub(crate) fn truth(&self, key: &str) -> Option<bool> {
        self.get(key).map_or(Some(false), Node::truth)
    }

    /// The value of a key that must be there.
    pub(crate) fn require(&self, key: &str) -> Option<&Node<'y>> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("the key `{key}` is missing here");
            self.node.report(Problem::new(ProblemKind::Key, message), None);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_end_where_values_do() {
        assert_eq!(bracketed_len("{a: 'x}', b: [1, 2]}, {c: d}]"), 20);
        assert_eq!(bracketed_len("from: a#b   # why"), 9);
        assert_eq!(bracketed_len("{open"), 5);
        assert_eq!(quoted_len("'it''s' x"), Some(7));
        assert_eq!(quoted_len(r#""a\"b" x"#), Some(6));
        assert_eq!(quoted_len("'open"), None);
        assert_eq!(quoted_at("'it''s'", 4), 6);
    }
}
