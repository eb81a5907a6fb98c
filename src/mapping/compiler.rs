//! What every part of a rule file is read with: parameters, places, and the files beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::RuleId;
use super::include::{self, Files};
use super::pattern::{Pattern, PatternError};
use super::template::{Names, Template};
use crate::yaml::{Anchor, Fields, Node, Problem, ProblemKind, Site, SourceText};

/// A list of rows, and how many the input must have if that is known.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) list: Arc<[Option<u64>]>,
    pub(super) of: Option<u64>,
}

/// Lists that were read before, by the files they are from: a file may be named by many rules.
pub(super) type Known = BTreeMap<(String, String), Result<Rows, String>>;

/// What reading a rule file needs beside its text, and the sites it fills, by rule.
#[derive(Debug)]
pub(super) struct Compiler<'f> {
    pub(super) params: BTreeMap<String, String>,
    pub(super) sites: Vec<(Arc<SourceText>, Site)>,
    pub(super) source: Arc<SourceText>,
    /// Where this file lies, as seen from the first one: empty, or with a slash at its end.
    pub(super) folder: String,
    pub(super) files: &'f dyn Files,
    /// Lists of rows that were read.
    pub(super) known: RefCell<Known>,
}

impl Compiler<'_> {
    /// Numbers a part of the file that messages will point at.
    pub(super) fn id(&mut self, node: &Node<'_>) -> RuleId {
        self.sites.push((Arc::clone(&self.source), node.site(Anchor::Value)));
        RuleId(self.sites.len() - 1)
    }

    /// Names for a template beside `pattern`.
    pub(super) fn names<'a>(&'a self, pattern: Option<&'a Pattern>) -> Names<'a> {
        Names {
            groups: pattern.map(Pattern::groups),
            captures: pattern.map(Pattern::group_names).unwrap_or_default(),
            constants: self
                .params
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect(),
        }
    }

    /// Text whose `$parameters` are filled in.
    pub(super) fn text(&self, node: &Node<'_>) -> Option<String> {
        template(node, &self.names(None))?.expand(None).ok()
    }

    /// A list of rows from these files, which is read once.
    pub(super) fn rows(
        &self,
        one: &str,
        other: &str,
        read: impl FnOnce() -> Option<Result<Rows, String>>,
    ) -> Option<Result<Rows, String>> {
        let key = (format!("{}{one}", self.folder), format!("{}{other}", self.folder));
        if let Some(known) = self.known.borrow().get(&key) {
            return Some(known.clone());
        }
        let rows = read()?;
        self.known.borrow_mut().insert(key, rows.clone());
        Some(rows)
    }

    /// The text of a file that the rule file names.
    pub(super) fn file(&self, node: &Node<'_>, name: &str) -> Option<String> {
        let read = include::below(&self.folder, name).and_then(|path| self.files.read(&path));
        read.map_err(|reason| {
            let message = format!("`{name}` cannot be read: {reason}");
            let help = "such files lie in the rule file's own folder, or below it";
            node.report(Problem::new(ProblemKind::Value, message).help(help), None);
        })
        .ok()
    }
}

/// Reads each item of the list under `key`, leaving out what cannot be read.
pub(super) fn list<'y, T>(
    fields: &Fields<'y>,
    key: &str,
    read: impl FnMut(&Node<'y>) -> Option<T>,
) -> Vec<T> {
    let items = fields.get(key).and_then(Node::list).unwrap_or_default();
    items.iter().filter_map(read).collect()
}

/// A pattern, or a located problem. `${name}` in it stands for a parameter's value, as it is.
pub(super) fn pattern(
    node: &Node<'_>,
    compiler: &Compiler<'_>,
    compile: fn(&str) -> Result<Pattern, PatternError>,
) -> Option<Pattern> {
    let text = node.text()?;
    // What follows a dollar in braces is no regular expression.
    let filled = compiler.params.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("${{{name}}}"), &regex::escape(value))
    });
    let error = match compile(&filled) {
        Ok(pattern) => return Some(pattern),
        Err(error) => error,
    };
    let mut problem =
        Problem::new(ProblemKind::Pattern, format!("not a pattern: {}", error.message));
    problem.help = error.help.map(str::to_owned);
    node.report(problem, (filled == text).then_some(error.span));
    None
}

/// A template, or a located problem.
pub(super) fn template(node: &Node<'_>, names: &Names<'_>) -> Option<Template> {
    template_from(node, node.text()?, 0, names)
}

/// A template that begins `skip` bytes into the node's text.
pub(super) fn template_from(
    node: &Node<'_>,
    text: &str,
    skip: usize,
    names: &Names<'_>,
) -> Option<Template> {
    let error = match Template::parse(text, names) {
        Ok(template) => return Some(template),
        Err(error) => error,
    };
    let mut problem = Problem::new(ProblemKind::Template, error.message);
    problem.label = error.label;
    problem.help = error.help;
    node.report(problem, Some(skip + error.span.start..skip + error.span.end));
    None
}

/// A template that is the key of `node`.
pub(super) fn key_template(node: &Node<'_>, key: &str, names: &Names<'_>) -> Option<Template> {
    Template::parse(key, names)
        .map_err(|error| {
            let mut problem = Problem::new(ProblemKind::Template, error.message);
            problem.help = error.help;
            node.report_key(problem, key);
        })
        .ok()
}

/// Parameters and named groups share one name space.
pub(super) fn collisions(node: &Node<'_>, pattern: &Pattern, compiler: &Compiler<'_>) {
    for name in pattern.group_names() {
        if compiler.params.contains_key(name) {
            let message = format!("`{name}` is a parameter and a group of this pattern");
            let problem =
                Problem::new(ProblemKind::Pattern, message).help("give one of them another name");
            let at =
                pattern.text().find(&format!("<{name}>")).map(|at| at + 1..at + 1 + name.len());
            node.report(problem, at);
        }
    }
}
