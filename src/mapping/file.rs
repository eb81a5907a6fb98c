//! The keys at the top of a rule file.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::node::{Context, Fields, Node, Site};
use super::pattern::Pattern;
use super::problem::{Place, Problem, ProblemKind, Problems, SourceText};
use super::template::{Names, Template};
use super::yaml::{self, Anchor, Yaml};
use super::{Dialect, Mapping, Rename, RuleId, Unmatched, fill, optimizer, rules, scopes};
use crate::names::nearest;
use crate::object::unescape;

const KEYS: &[&str] = &[
    "version",
    "params",
    "root",
    "target",
    "rename",
    "leaves",
    "scopes",
    "rules",
    "fill",
    "unmatched",
    "optimizer",
];

/// What reading a rule file fills: sites by rule, and the values of parameters.
#[derive(Debug)]
pub(super) struct Compiler<'y> {
    pub(super) sites: Vec<Site>,
    pub(super) params: BTreeMap<&'y str, String>,
}

impl Compiler<'_> {
    /// Numbers a part of the file that messages will point at.
    pub(super) fn id(&mut self, node: &Node<'_>) -> RuleId {
        self.sites.push(node.site(Anchor::Value));
        RuleId(self.sites.len() - 1)
    }

    /// Names for a template beside `pattern`.
    pub(super) fn names<'a>(&'a self, pattern: Option<&'a Pattern>) -> Names<'a> {
        Names {
            groups: pattern.map(Pattern::groups),
            captures: pattern.map(Pattern::group_names).unwrap_or_default(),
            constants: self.params.iter().map(|(name, value)| (*name, value.clone())).collect(),
        }
    }

    /// Text whose `$parameters` are filled in.
    pub(super) fn text(&self, node: &Node<'_>) -> Option<String> {
        template(node, &self.names(None))?.expand(None).ok()
    }
}

/// Reads a rule file.
pub(super) fn parse(
    source: SourceText,
    set: &BTreeMap<String, String>,
) -> Result<Mapping, Problems> {
    let source = Arc::new(source);
    let tree = match yaml::parse(&source.text) {
        Ok(tree) => tree,
        Err(error) => return Err(broken(&source, &error)),
    };
    let context = Context::new(Arc::clone(&source));
    let mut mapping = Mapping {
        source,
        sites: Vec::new(),
        problems: Vec::new(),
        root: Vec::new(),
        dialect: None,
        renames: Vec::new(),
        leaves: BTreeMap::new(),
        recordings: Vec::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        unmatched: Unmatched::default(),
        optimizer: None,
    };
    if let Some(fields) = Node::root(&tree, &context).fields(KEYS) {
        mapping.sites = read(&fields, set, &mut mapping);
    }
    mapping.problems = context.into_problems();
    Ok(mapping)
}

fn read(fields: &Fields<'_>, set: &BTreeMap<String, String>, mapping: &mut Mapping) -> Vec<Site> {
    version(fields);
    let mut compiler = Compiler { sites: Vec::new(), params: params(fields, set) };
    if let Some(text) = fields.get("root").and_then(|node| compiler.text(node)) {
        mapping.root = text.split('/').filter(|label| !label.is_empty()).map(unescape).collect();
    }
    mapping.dialect = fields.get("target").and_then(|node| choice(node, Dialect::ALL));
    let policies =
        [("error", Unmatched::Error), ("warn", Unmatched::Warn), ("drop", Unmatched::Drop)];
    let unmatched = fields.get("unmatched").and_then(|node| choice(node, &policies));
    mapping.unmatched = unmatched.unwrap_or_default();
    mapping.optimizer =
        fields.get("optimizer").and_then(|node| optimizer::read(node, &mut compiler));
    mapping.renames = list(fields, "rename", |node| rename(node, &mut compiler));
    if let Some(entries) = fields.get("leaves").and_then(Node::entries) {
        mapping.leaves = entries
            .into_iter()
            .filter_map(|(leaf, node)| Some((leaf.to_owned(), compiler.text(&node)?)))
            .collect();
    }
    mapping.recordings = scopes::read(fields, &mut compiler);
    mapping.rules = list(fields, "rules", |node| rules::read(node, &mut compiler));
    mapping.fills = list(fields, "fill", |node| fill::read(node, &mut compiler));
    compiler.sites
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

fn version(fields: &Fields<'_>) {
    match fields.require("version").map(|node| (node, node.yaml)) {
        None | Some((_, Yaml::Integer(1))) => {}
        Some((node, _)) => {
            let problem =
                Problem::new(ProblemKind::Value, "this version of rule files is not known");
            node.report(problem.help("this program reads `version: 1`"), None);
        }
    }
}

fn params<'y>(fields: &Fields<'y>, set: &BTreeMap<String, String>) -> BTreeMap<&'y str, String> {
    let declared = fields.get("params").and_then(Node::entries).unwrap_or_default();
    for name in set.keys() {
        if !declared.iter().any(|(known, _)| known == name) {
            let message =
                format!("`--set {name}=…` sets a parameter that the rule file does not have");
            let help = match nearest(name, declared.iter().map(|(known, _)| *known)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declare it: `params: {{{name}: …}}`"),
            };
            fields.node.report_nowhere(Problem::new(ProblemKind::Key, message).help(help));
        }
    }
    declared
        .into_iter()
        .map(|(name, node)| {
            // One that cannot be read is still a name that exists.
            let value = node.scalar().unwrap_or_default();
            (name, set.get(name).cloned().unwrap_or(value))
        })
        .collect()
}

fn rename(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Rename> {
    let fields = node.fields(&["find", "replace"])?;
    let (find, replace) = (fields.require("find"), fields.require("replace"));
    let find = pattern(find?, Pattern::search)?;
    let replace = template(replace?, &compiler.names(Some(&find)))?;
    Some(Rename { id: compiler.id(node), find, replace })
}

/// One of a few words.
pub(super) fn choice<T: Copy>(node: &Node<'_>, choices: &[(&'static str, T)]) -> Option<T> {
    let text = node.text()?;
    let found = choices.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let words = || choices.iter().map(|(word, _)| *word);
        let near = nearest(text, words()).map(|near| format!("did you mean `{near}`?"));
        let help =
            near.unwrap_or_else(|| format!("known: {}", words().collect::<Vec<_>>().join(", ")));
        let message = format!("`{text}` is not known here");
        node.report(Problem::new(ProblemKind::Value, message).help(help), None);
    }
    found
}

/// A pattern, or a located problem.
pub(super) fn pattern(
    node: &Node<'_>,
    compile: fn(&str) -> Result<Pattern, super::pattern::PatternError>,
) -> Option<Pattern> {
    let error = match compile(node.text()?) {
        Ok(pattern) => return Some(pattern),
        Err(error) => error,
    };
    let mut problem =
        Problem::new(ProblemKind::Pattern, format!("not a pattern: {}", error.message));
    problem.help = error.help.map(str::to_owned);
    node.report(problem, Some(error.span));
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

fn broken(source: &Arc<SourceText>, error: &yaml::YamlError) -> Problems {
    let mut problem = Problem::new(ProblemKind::Yaml, format!("not YAML: {}", error.message));
    if error.message.contains("escape") {
        problem =
            problem.help("in double quotes `\\` begins an escape; write patterns in single quotes");
    }
    problem.place = error.offset.map(|offset| {
        let offset = offset.min(source.text.len());
        Place { source: Arc::clone(source), span: offset..offset }
    });
    Problems::one(problem)
}
