//! Templates that exist only as catalogs, and files beside a rule file that exist only as text.

use std::collections::BTreeMap;

use ckptmap::catalog::Catalog;
use ckptmap::mapping::{Files, Mapping, Problems};
use ckptmap::object::{Attribute, Edge, Node, ObjectGraph};
use ckptmap::plan::{self, Options, Plan};

use crate::harness::{catalog, is, read, render};

/// Files by name, all in the rule file's folder or below it.
#[derive(Debug)]
pub(crate) struct Folder<'f>(pub(crate) &'f [(&'f str, &'f str)]);

impl Files for Folder<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "there is no such file".to_owned())
    }
}

/// An object-based checkpoint of one leaf per line or `;`: its path, dtype and sizes as in
/// [`catalog`], and `as NAME` for its full name; `a/b -> c/d` is another way to an object.
pub(crate) fn template(leaves: &str) -> Catalog {
    let mut nodes = vec![Node::default()];
    let mut specs = String::new();
    let mut links = Vec::new();
    for line in leaves.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((from, to)) = line.split_once(" -> ") {
            links.push((from.to_owned(), to.to_owned()));
            continue;
        }
        let (line, full_name) = line.split_once(" as ").unwrap_or((line, ""));
        let (path, spec) = line.split_once(' ').unwrap_or((line, ""));
        let key = format!("{path}/.ATTRIBUTES/VARIABLE_VALUE");
        specs.extend([key.as_str(), " ", spec, "\n"]);
        let node = walk(&mut nodes, path);
        nodes[node].attributes.push(Attribute {
            name: "VARIABLE_VALUE".to_owned(),
            full_name: full_name.to_owned(),
            key,
        });
    }
    for (from, to) in links {
        let (parent, label) = from.rsplit_once('/').unwrap_or(("", &from));
        let (parent, node) = (walk(&mut nodes, parent), walk(&mut nodes, &to));
        nodes[parent].children.push(Edge { label: label.to_owned(), node });
    }
    let graph = Some(ObjectGraph::new(nodes).unwrap());
    Catalog { origin: "fresh".to_owned(), graph, ..catalog(&specs) }
}

/// The object at `path`, made where there is none.
fn walk(nodes: &mut Vec<Node>, path: &str) -> usize {
    path.split('/').filter(|label| !label.is_empty()).fold(0, |at, label| {
        let found = nodes[at].children.iter().find(|edge| edge.label == label);
        if let Some(edge) = found {
            return edge.node;
        }
        nodes.push(Node::default());
        let node = nodes.len() - 1;
        nodes[at].children.push(Edge { label: label.to_owned(), node });
        node
    })
}

/// A template whose variables Keras 3 trains, all but those with `~` in front: leaves as for
/// [`template`], and the optimizer's lists.
pub(crate) fn trained(leaves: &str, lists: &[&str]) -> Catalog {
    let lines: Vec<&str> =
        leaves.split(['\n', ';']).map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut text = lines.join("\n").replace('~', "");
    text.push_str("\noptimizer/_iterations int64 -\noptimizer/_learning_rate float32 -");
    text.push_str("\noptimizer/_variables/0 -> optimizer/_iterations\n");
    let mut lists_of = Vec::new();
    for (i, line) in lines.iter().filter(|line| !line.starts_with('~')).enumerate() {
        let (path, spec) = line.split_once(' ').unwrap_or((line, ""));
        let spec = spec.split(" as ").next().unwrap_or_default();
        lists_of.push(format!("optimizer/_trainable_variables/{i} -> {path}"));
        for list in lists {
            lists_of.push(format!("optimizer/{list}/{i} {spec}"));
        }
    }
    template(&(text + &lists_of.join("\n")))
}

/// What stands around the rules.
#[derive(Default)]
pub(crate) struct Around<'a> {
    pub(crate) template: Option<Catalog>,
    pub(crate) files: &'a [(&'a str, &'a str)],
    pub(crate) set: &'a [(&'a str, &'a str)],
    pub(crate) options: Option<Options>,
}

impl Around<'_> {
    /// Reads rules, `version` not added.
    pub(crate) fn mapping(&self, rules: &str) -> Result<Mapping, Problems> {
        let set: BTreeMap<String, String> = self
            .set
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Mapping::parse("rules.yaml", rules, &set, &Folder(self.files))
    }

    pub(crate) fn plan(&self, rules: &str, source: &Catalog) -> Result<Plan, Problems> {
        let mapping = self.mapping(&format!("version: 1\n{rules}"))?;
        let options = self.options.clone().unwrap_or_else(read);
        plan::plan(source, &mapping, self.template.as_ref(), &options)
    }

    #[track_caller]
    pub(crate) fn check(&self, rules: &str, variables: &str, expected: &str) {
        is(&render(self.plan(rules, &catalog(variables))), expected);
    }

    /// Every problem with file, line, column and the text it spans.
    pub(crate) fn places(&self, rules: &str, variables: &str) -> String {
        let problems = self.plan(rules, &catalog(variables)).expect_err("there are no problems");
        let lines = problems.iter().map(|problem| match &problem.place {
            Some(place) => {
                let text = &place.source.text[place.span.clone()];
                format!("{place} {} «{text}»", problem.kind.word())
            }
            None => problem.kind.word().to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Plans for a template and compares.
#[track_caller]
pub(crate) fn fits(leaves: &str, rules: &str, variables: &str, expected: &str) {
    let around = Around { template: Some(template(leaves)), ..Around::default() };
    around.check(rules, variables, expected);
}

/// A source whose program created its variables in this order.
pub(crate) fn created(variables: &str, order: &[&str]) -> Catalog {
    let mut catalog = catalog(variables);
    catalog.facts.creation_order = order.iter().map(|name| (*name).to_owned()).collect();
    assert!(order.iter().all(|name| catalog.variables.contains_key(*name)));
    catalog
}
