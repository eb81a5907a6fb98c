//! Names of element types.

use crate::names::nearest;
use crate::tensor::DType;
use crate::yaml::{Node, Problem, ProblemKind};

/// What others call them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("double", "float64"),
    ("float", "float32"),
    ("half", "float16"),
    ("int", "int32"),
    ("long", "int64"),
    ("str", "string"),
];

/// The element type of that name.
pub(super) fn dtype(node: &Node<'_>) -> Option<DType> {
    let name = node.text()?;
    let found = DType::from_name(name);
    if found.is_none() {
        let names: Vec<_> = DType::ALL.iter().map(|dtype| dtype.name()).collect();
        let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, name)| *name);
        let near = elsewhere.or_else(|| nearest(name, names.iter().map(AsRef::as_ref)));
        let help = near.map_or_else(
            || "names are TensorFlow's, such as `float32`, `int64` and `bool`".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        let problem = Problem::new(ProblemKind::Value, format!("`{name}` is no dtype"));
        node.report(problem.help(help), None);
    }
    found
}
