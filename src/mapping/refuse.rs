//! `refuse`: how a rule file knows that it is not for this checkpoint, and says so in a sentence.

use super::RuleId;
use super::compiler::{Compiler, pattern};
use super::pattern::Pattern;
use crate::yaml::{Node, Problem, ProblemKind};

/// One reason why the rules do not fit. All conditions that it has must hold.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Where it stands.
    pub id: RuleId,
    /// Some variable of the source is called so.
    pub has: Option<Pattern>,
    /// No variable of the source is.
    pub lacks: Option<Pattern>,
    /// Some leaf of the template has this path or this name.
    pub template_has: Option<Pattern>,
    /// No leaf of the template has.
    pub template_lacks: Option<Pattern>,
    /// What to tell the user.
    pub say: String,
}

/// Reads one entry.
pub(super) fn read(node: &Node<'_>, compiler: &mut Compiler<'_>) -> Option<Refusal> {
    let fields = node.fields(&["has", "lacks", "template_has", "template_lacks", "say"])?;
    let condition = |key: &str| match fields.get(key) {
        Some(node) => pattern(node, compiler, Pattern::whole).map(Some),
        None => Some(None),
    };
    let (has, lacks) = (condition("has"), condition("lacks"));
    let (template_has, template_lacks) = (condition("template_has"), condition("template_lacks"));
    let say = fields.require("say")?.text()?.to_owned();
    let (has, lacks, template_has, template_lacks) = (has?, lacks?, template_has?, template_lacks?);
    if [&has, &lacks, &template_has, &template_lacks].iter().all(|given| given.is_none()) {
        let message = "a refusal needs a condition";
        let help = "one of `has`, `lacks`, `template_has` and `template_lacks`";
        node.report(Problem::new(ProblemKind::Key, message).help(help), None);
        return None;
    }
    Some(Refusal { id: compiler.id(node), has, lacks, template_has, template_lacks, say })
}
