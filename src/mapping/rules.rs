//! Entries of `rules`.

use std::collections::BTreeSet;

use super::compiler::{Compiler, collisions, pattern};
use super::pattern::Pattern;
use super::target::targets;
use super::{Action, MapRule, Rule, Step, apply, cell, zip};
use crate::yaml::{Fields, Node, Problem, ProblemKind};

const KEYS: &[&str] =
    &["from", "to", "apply", "optional", "skip_mismatch", "drop", "zip", "cell", "forget_bias"];

/// Reads one rule.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Rule> {
    let fields = node.fields(KEYS)?;
    let given = |key: &str| fields.get(key);
    let action = match (given("cell"), given("from"), given("zip"), given("drop")) {
        (Some(cell), _, None, None) => Action::Cell(cell::read(cell, &fields, compiler)?),
        (None, Some(from), None, None) => Action::Map(map(from, &fields, compiler)?),
        (None, None, Some(zip), None) => Action::Zip(zip::read(zip, &fields, compiler)?),
        (None, None, None, Some(drop)) => Action::Drop(drop_rule(drop, &fields, compiler)?),
        (None, None, None, None) => {
            let message = "a rule needs one of `from`, `cell`, `zip` and `drop`";
            node.report(Problem::new(ProblemKind::Key, message), None);
            return None;
        }
        _ => {
            let message = "a rule has only one of `from`, `cell`, `zip` and `drop`";
            let help = "make a rule of each";
            node.report(Problem::new(ProblemKind::Key, message).help(help), None);
            return None;
        }
    };
    if let Some(bias) = given("forget_bias").filter(|_| !matches!(action, Action::Cell(_))) {
        let message = "`forget_bias` belongs beside `cell`";
        bias.report_key(Problem::new(ProblemKind::Key, message), "forget_bias");
    }
    Some(Rule { id: compiler.id(node), action })
}

fn map(from: &Node<'_>, fields: &Fields<'_>, compiler: &Compiler<'_>) -> Option<MapRule> {
    let to = fields.require("to");
    let patterns: Option<Vec<Pattern>> =
        from.one_or_many().iter().map(|one| pattern(one, compiler, Pattern::whole)).collect();
    let (apply, optional) = (transforms(fields, compiler), fields.truth("optional"));
    let skip_mismatch = fields.truth("skip_mismatch");
    let patterns = patterns?;
    let Some(first) = patterns.first() else {
        let problem = Problem::new(ProblemKind::Value, "a rule needs at least one pattern");
        from.report(problem.help("leave the rule out if it is for nothing"), None);
        return None;
    };
    for one in &patterns {
        collisions(from, one, compiler);
    }
    let apply = apply?;
    let joins = patterns.len() > 1 || apply.iter().any(Step::joins);
    if joins {
        same_groups(from, &patterns)?;
    }
    let mut names = compiler.names(Some(first));
    if joins {
        // A numbered group may be another one in each of the variables that are joined.
        names.groups = None;
    }
    let to = targets(to?, &names)?;
    if patterns.len() > 1 && !apply.iter().any(Step::joins) && patterns.len() != to.len() {
        let message = "several patterns need `concat` or `stack` under `apply`, or as many targets";
        from.report(Problem::new(ProblemKind::Value, message), None);
        return None;
    }
    let from = patterns;
    Some(MapRule { from, to, apply, optional: optional?, skip_mismatch: skip_mismatch? })
}

/// Patterns that are joined have the same named groups: these say what belongs together.
fn same_groups(node: &Node<'_>, patterns: &[Pattern]) -> Option<()> {
    let nodes = node.one_or_many();
    let mut seen = BTreeSet::new();
    for (one, node) in patterns.iter().zip(&nodes) {
        if !seen.insert(one.text()) {
            let message = format!("`{}` stands here twice", one.text());
            let help = "a variable is one part of what is joined, not two";
            node.report(Problem::new(ProblemKind::Pattern, message).help(help), None);
            return None;
        }
    }
    let first = patterns.first().map(Pattern::group_names).unwrap_or_default();
    for (one, node) in patterns.iter().zip(&nodes) {
        let other = one.group_names();
        if let Some(name) = first.symmetric_difference(&other).next() {
            let message = format!("not every pattern of this rule has the group `{name}`");
            let help =
                "named groups say which variables belong together: give each pattern the same";
            node.report(Problem::new(ProblemKind::Pattern, message).help(help), None);
            return None;
        }
    }
    Some(())
}

/// The pipeline under `apply`.
fn transforms(fields: &Fields<'_>, compiler: &Compiler<'_>) -> Option<Vec<Step>> {
    match fields.get("apply") {
        Some(node) => apply::read(node, compiler),
        None => Some(Vec::new()),
    }
}

fn drop_rule(
    node: &Node<'_>,
    fields: &Fields<'_>,
    compiler: &Compiler<'_>,
) -> Option<Vec<Pattern>> {
    for key in ["to", "apply", "optional", "skip_mismatch"] {
        if let Some(node) = fields.get(key) {
            let message = format!("`{key}` has no meaning beside `drop`");
            let problem = Problem::new(ProblemKind::Key, message);
            node.report_key(problem.help("leave it out"), key);
        }
    }
    node.one_or_many().iter().map(|item| pattern(item, compiler, Pattern::whole)).collect()
}
