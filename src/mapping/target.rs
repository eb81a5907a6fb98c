//! Targets as written: paths, names, labels, and alternatives.

use super::TargetTemplate;
use super::compiler::{template, template_from};
use super::template::Names;
use crate::yaml::{Fields, Node, Problem, ProblemKind, Yaml};

/// The targets of a rule, at least one.
pub(super) fn targets(node: &Node<'_>, names: &Names<'_>) -> Option<Vec<TargetTemplate>> {
    let targets = node.one_or_many();
    if targets.is_empty() {
        let problem = Problem::new(ProblemKind::Value, "a rule needs at least one target");
        node.report(problem.help("`drop` accounts for variables that go nowhere"), None);
        return None;
    }
    targets.iter().map(|node| target(node, names)).collect()
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
        0 => {
            let message = "at least one of several targets must stand here";
            node.report(Problem::new(ProblemKind::Value, message), None);
            None
        }
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
