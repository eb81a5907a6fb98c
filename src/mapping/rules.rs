//! Entries of `rules`.

use super::file::{Compiler, pattern, template, template_from};
use super::node::{Fields, Node};
use super::pattern::Pattern;
use super::problem::{Problem, ProblemKind};
use super::template::Names;
use super::yaml::Yaml;
use super::{Action, MapRule, Rule, TargetTemplate, apply, zip};
use crate::transform::Transform;

const KEYS: &[&str] = &["from", "to", "apply", "optional", "drop", "zip"];

/// Reads one rule.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Rule> {
    let fields = node.fields(KEYS)?;
    let action = match (fields.get("from"), fields.get("zip"), fields.get("drop")) {
        (Some(from), None, None) => Action::Map(map(from, &fields, compiler)?),
        (None, Some(zip), None) => Action::Zip(zip::read(zip, &fields, compiler)?),
        (None, None, Some(drop)) => Action::Drop(drop_rule(drop, &fields)?),
        (None, None, None) => {
            let message = "a rule needs one of `from`, `zip` and `drop`";
            node.report(Problem::new(ProblemKind::Key, message), None);
            return None;
        }
        _ => {
            let message = "a rule has only one of `from`, `zip` and `drop`";
            node.report(Problem::new(ProblemKind::Key, message), None);
            return None;
        }
    };
    Some(Rule { id: compiler.id(node), action })
}

fn map(from: &Node<'_>, fields: &Fields<'_>, compiler: &Compiler<'_>) -> Option<MapRule> {
    let to = fields.require("to");
    if let Yaml::List(_) = from.yaml {
        let problem =
            Problem::new(ProblemKind::Value, "joining several sources is not possible yet");
        from.report(problem.help("give one pattern"), None);
        return None;
    }
    let from_pattern = pattern(from, Pattern::whole);
    let (apply, optional) = (transforms(fields, compiler), optional(fields));
    let from_pattern = from_pattern?;
    let names = compiler.names(Some(&from_pattern));
    collisions(from, &from_pattern, compiler);
    let targets = to?;
    if targets.one_or_many().is_empty() {
        let problem = Problem::new(ProblemKind::Value, "a rule needs at least one target");
        targets.report(problem.help("`drop` accounts for variables that go nowhere"), None);
        return None;
    }
    let to: Option<Vec<_>> =
        targets.one_or_many().iter().map(|node| target(node, &names)).collect();
    Some(MapRule { to: to?, apply: apply?, optional: optional?, from: from_pattern })
}

/// The transforms under `apply`.
pub(super) fn transforms(fields: &Fields<'_>, compiler: &Compiler<'_>) -> Option<Vec<Transform>> {
    match fields.get("apply") {
        Some(node) => apply::read(node, compiler),
        None => Some(Vec::new()),
    }
}

/// Whether the rule may match nothing.
pub(super) fn optional(fields: &Fields<'_>) -> Option<bool> {
    fields.get("optional").map_or(Some(false), Node::truth)
}

/// Parameters and named groups share one name space.
fn collisions(node: &Node<'_>, pattern: &Pattern, compiler: &Compiler<'_>) {
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

/// Reads one target.
pub(super) fn target(node: &Node<'_>, names: &Names<'_>) -> Option<TargetTemplate> {
    if let Yaml::Map(_) = node.yaml {
        return described(&node.fields(&["labels", "path", "name", "all"])?, names);
    }
    path(node, names)
}

/// A target written as a map.
fn described(fields: &Fields<'_>, names: &Names<'_>) -> Option<TargetTemplate> {
    let all = fields.get("all").map_or(Some(false), Node::truth)?;
    let name =
        |node: &Node<'_>| Some(TargetTemplate::Name { template: template(node, names)?, all });
    match (fields.get("labels"), fields.get("path"), fields.get("name")) {
        (Some(labels), None, None) => {
            let labels = labels.list()?;
            let labels: Option<Vec<_>> = labels.iter().map(|one| template(one, names)).collect();
            Some(TargetTemplate::Labels(labels?))
        }
        (None, Some(paths), None) => first(paths, &|node| path(node, names)),
        (None, None, Some(found)) => first(found, &name),
        _ => {
            let message = "a target has one of `path`, `name` and `labels`";
            fields.node.report(Problem::new(ProblemKind::Key, message), None);
            None
        }
    }
}

/// One target, or the first of several that the template has.
fn first(
    node: &Node<'_>,
    read: &dyn Fn(&Node<'_>) -> Option<TargetTemplate>,
) -> Option<TargetTemplate> {
    let mut targets = node.one_or_many().iter().map(read).collect::<Option<Vec<_>>>()?;
    match targets.len() {
        1 => targets.pop(),
        _ => Some(TargetTemplate::First(targets)),
    }
}

/// Labels between slashes.
fn path(node: &Node<'_>, names: &Names<'_>) -> Option<TargetTemplate> {
    let text = node.text()?;
    let relative = text.strip_prefix('/');
    let skip = usize::from(relative.is_some());
    let template = template_from(node, relative.unwrap_or(text), skip, names)?;
    Some(TargetTemplate::Path { template, absolute: relative.is_some() })
}

fn drop_rule(node: &Node<'_>, fields: &Fields<'_>) -> Option<Vec<Pattern>> {
    for key in ["to", "apply", "optional"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` has no meaning beside `drop`");
            node.report_key(Problem::new(ProblemKind::Key, message), key);
        }
    }
    node.one_or_many().iter().map(|item| pattern(item, Pattern::whole)).collect()
}
