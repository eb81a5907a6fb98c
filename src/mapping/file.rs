//! The keys at the top of a rule file.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compiler::{Compiler, collisions, list, pattern, template};
use super::include::Files;
use super::pattern::Pattern;
use super::{
    Averages, Dialect, Mapping, Rename, Unmatched, builtin, ema, fill, optimizer, refuse, rules,
    scopes,
};
use crate::names::nearest;
use crate::object::unescape;
use crate::yaml::{self, Context, Fields, Node, Problem, ProblemKind, Problems, SourceText};

const KEYS: &[&str] = &[
    "version",
    "params",
    "include",
    "refuse",
    "root",
    "target",
    "rename",
    "leaves",
    "scopes",
    "rules",
    "fill",
    "unmatched",
    "optimizer",
    "ema",
];

/// Files that one rule file may include; links may make folders endless.
const MAX_FILES: usize = 100;

/// A rule file that waits to be read.
struct Waiting {
    source: Arc<SourceText>,
    folder: String,
    /// Values of parameters from the command line, then from the files that include it.
    given: BTreeMap<String, String>,
}

/// Reads a rule file and those it includes, each behind the one that includes it.
pub(super) fn parse(
    source: SourceText,
    set: &BTreeMap<String, String>,
    files: &dyn Files,
) -> Result<Mapping, Problems> {
    let source = Arc::new(source);
    let mut mapping = Mapping {
        source: Arc::clone(&source),
        sites: Vec::new(),
        problems: Vec::new(),
        params: BTreeMap::new(),
        refusals: Vec::new(),
        root: Vec::new(),
        rooted: false,
        dialect: None,
        renames: Vec::new(),
        leaves: BTreeMap::new(),
        recordings: Vec::new(),
        rules: Vec::new(),
        fills: Vec::new(),
        unmatched: None,
        optimizer: None,
        averages: None,
    };
    let mut compiler = Compiler {
        params: BTreeMap::new(),
        sites: Vec::new(),
        source: Arc::clone(&source),
        folder: String::new(),
        files,
        known: RefCell::default(),
    };
    let mut seen = BTreeSet::from([source.name.clone()]);
    let mut waiting = vec![Waiting { source, folder: String::new(), given: set.clone() }];
    while let Some(Waiting { source, folder, mut given }) = waiting.pop() {
        if seen.len() > MAX_FILES {
            let message = format!("more than {MAX_FILES} files are included");
            mapping.problems.push(Problem::new(ProblemKind::Value, message));
            break;
        }
        compiler.source = Arc::clone(&source);
        compiler.folder = folder;
        let tree = match yaml::read(&source) {
            Ok(tree) => tree,
            Err(broken) if Arc::ptr_eq(&source, &mapping.source) => {
                return Err(Problems::one(*broken));
            }
            Err(broken) => {
                mapping.problems.push(*broken);
                continue;
            }
        };
        let context = Context::new(Arc::clone(&source));
        if let Some(fields) = Node::root(&tree, &context).fields(KEYS) {
            fields.version("rule");
            compiler.params = params(&fields, &mut given);
            for (name, value) in &compiler.params {
                mapping.params.entry(name.clone()).or_insert_with(|| value.clone());
            }
            read(&fields, &mut compiler, &mut mapping);
            let includes = fields.get("include").map(Node::one_or_many).unwrap_or_default();
            let mut found: Vec<Waiting> = includes
                .iter()
                .filter_map(|node| included(node, &compiler, &mapping.source.name, &given))
                // What two files include is there once.
                .filter(|file| seen.insert(file.source.name.clone()))
                .collect();
            found.reverse();
            waiting.extend(found);
        }
        mapping.problems.extend(context.into_problems());
    }
    mapping.sites = compiler.sites;
    for name in set.keys().filter(|name| !mapping.params.contains_key(*name)) {
        let message = format!("`--set {name}=…` sets a parameter that the rule file does not have");
        let help = match nearest(name, mapping.params.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it: `params: {{{name}: …}}`"),
        };
        mapping.problems.push(Problem::new(ProblemKind::Key, message).help(help));
    }
    Ok(mapping)
}

/// Reads one file. What can be said once is taken from the file that comes first.
fn read(fields: &Fields<'_>, compiler: &mut Compiler<'_>, mapping: &mut Mapping) {
    let root = fields.get("root").and_then(|node| compiler.text(node));
    // An empty one is said, too.
    if let Some(text) = root.filter(|_| !mapping.rooted) {
        mapping.rooted = true;
        mapping.root = text.split('/').filter(|label| !label.is_empty()).map(unescape).collect();
    }
    let dialect = fields.get("target").and_then(|node| node.choice(Dialect::ALL));
    mapping.dialect = mapping.dialect.or(dialect);
    let policies =
        [("error", Unmatched::Error), ("warn", Unmatched::Warn), ("drop", Unmatched::Drop)];
    let unmatched = fields.get("unmatched").and_then(|node| node.choice(&policies));
    mapping.unmatched = mapping.unmatched.or(unmatched);
    let optimizer = fields.get("optimizer").and_then(|node| optimizer::read(node, compiler));
    mapping.optimizer = mapping.optimizer.take().or(optimizer);
    let averages: Option<Averages> = fields.get("ema").and_then(|node| ema::read(node, compiler));
    mapping.averages = mapping.averages.take().or(averages);
    mapping.refusals.extend(list(fields, "refuse", |node| refuse::read(node, compiler)));
    mapping.renames.extend(list(fields, "rename", |node| rename(node, compiler)));
    for (leaf, node) in fields.get("leaves").and_then(Node::entries).unwrap_or_default() {
        if let Some(name) = compiler.text(&node) {
            mapping.leaves.entry(leaf.to_owned()).or_insert(name);
        }
    }
    mapping.recordings.extend(scopes::read(fields, compiler));
    mapping.rules.extend(list(fields, "rules", |node| rules::read(node, compiler)));
    mapping.fills.extend(list(fields, "fill", |node| fill::read(node, compiler)));
}

/// A file that `include` names.
fn included(
    node: &Node<'_>,
    compiler: &Compiler<'_>,
    top: &str,
    given: &BTreeMap<String, String>,
) -> Option<Waiting> {
    let name = compiler.text(node)?;
    let given = given.clone();
    if let Some(builtin) = name.strip_prefix(builtin::PREFIX) {
        let found = builtin::find(builtin);
        let found = found.map_err(|problem| node.report(*problem, None)).ok()?;
        return Some(Waiting {
            source: Arc::new(SourceText::new(&name, found.text)),
            folder: String::new(),
            given,
        });
    }
    let text = compiler.file(node, &name)?;
    let path = format!("{}{name}", compiler.folder);
    let folder = path.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let beside = top.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
    let source = Arc::new(SourceText::new(&format!("{beside}{path}"), &text));
    Some(Waiting { source, folder, given })
}

/// The file's parameters. A value that was given before counts: by the command line, or by a file
/// that includes this one.
fn params(fields: &Fields<'_>, given: &mut BTreeMap<String, String>) -> BTreeMap<String, String> {
    let declared = fields.get("params").and_then(Node::entries).unwrap_or_default();
    declared
        .into_iter()
        .map(|(name, node)| {
            // One that cannot be read is still a name that exists.
            let value = node.scalar().unwrap_or_default();
            let value = given.entry(name.to_owned()).or_insert(value);
            (name.to_owned(), value.clone())
        })
        .collect()
}

fn rename(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Rename> {
    let fields = node.fields(&["find", "replace", "optional"])?;
    let (find_node, replace) = (fields.require("find"), fields.require("replace"));
    let find = pattern(find_node?, compiler, Pattern::search)?;
    collisions(find_node?, &find, compiler);
    let replace = template(replace?, &compiler.names(Some(&find)))?;
    let optional = fields.truth("optional")?;
    Some(Rename { id: compiler.id(node), find, replace, optional })
}
