//! Where values come from: expressions that are worked out on specs here and on bytes later.

use crate::catalog::VariableName;
use crate::tensor::{Constant, Shape, TensorSpec};
use crate::transform::{Along, Transform};

/// Where a value comes from: an expression that `plan` works out on specs and `convert` on bytes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A variable of the source.
    Variable(VariableName),
    /// What the template has under this key.
    Template(VariableName),
    /// The same element throughout.
    Constant(Constant),
    /// Another value, transformed.
    Apply(Transform, Box<Value>),
    /// Values that stand one after the other along an axis.
    Concat {
        /// Which axis.
        axis: usize,
        /// The values; at least one, equal along the other axes.
        parts: Vec<Value>,
    },
}

impl Value {
    /// The source variable whose bytes these are, unchanged.
    pub fn untouched(&self) -> Option<&VariableName> {
        match self {
            Self::Variable(name) => Some(name),
            _ => None,
        }
    }

    /// The source variables this is made of, from first to last.
    pub fn sources(&self) -> Vec<&VariableName> {
        match self {
            Self::Variable(name) => vec![name],
            Self::Constant(_) | Self::Template(_) => Vec::new(),
            Self::Apply(_, of) => of.sources(),
            Self::Concat { parts, .. } => parts.iter().flat_map(Self::sources).collect(),
        }
    }

    /// What is done on the way, first to last, as rule files write it.
    pub fn steps(&self) -> Vec<String> {
        match self {
            Self::Apply(transform, of) => {
                let mut steps = of.steps();
                steps.push(transform.to_string());
                steps
            }
            Self::Concat { axis, parts } => {
                let concat = format!("concat: {axis}");
                let each: Vec<Vec<String>> = parts.iter().map(Self::steps).collect();
                match each.split_first() {
                    Some((first, rest)) if rest.iter().all(|other| other == first) => {
                        first.iter().cloned().chain([concat]).collect()
                    }
                    _ => {
                        let shown = |(part, steps): (&Self, &Vec<String>)| {
                            let leaf = part.sources().first().map(|name| leaf(name.as_str()));
                            let leaf = leaf.unwrap_or("a constant");
                            if steps.is_empty() {
                                leaf.to_owned()
                            } else {
                                format!("{leaf} ({})", steps.join(", "))
                            }
                        };
                        let parts = parts.iter().zip(&each).map(shown).collect::<Vec<_>>();
                        vec![format!("{concat} of {}", parts.join(" and "))]
                    }
                }
            }
            _ => Vec::new(),
        }
    }

    /// What it is, from what the variables at its bottom are; the error says what does not go
    /// together.
    pub(crate) fn spec(
        &self,
        of: &dyn Fn(&Self) -> Option<TensorSpec>,
    ) -> Result<TensorSpec, String> {
        match self {
            Self::Variable(name) | Self::Template(name) => {
                of(self).ok_or_else(|| format!("there is no `{name}`"))
            }
            Self::Constant(constant) => Ok(constant.spec().clone()),
            Self::Apply(transform, value) => {
                let spec = value.spec(of)?;
                transform.op().infer(&spec).map_err(|error| error.to_string())
            }
            Self::Concat { axis, parts } => {
                let specs: Result<Vec<TensorSpec>, String> =
                    parts.iter().map(|part| part.spec(of)).collect();
                joined(*axis, &specs?)
            }
        }
    }

    /// The way of a variable's state: the same expression over its slots. The error says why state
    /// cannot go that way.
    pub(super) fn along(
        &self,
        slot: &dyn Fn(&VariableName) -> Result<VariableName, String>,
    ) -> Result<Self, String> {
        Ok(match self {
            Self::Variable(name) => Self::Variable(slot(name)?),
            Self::Constant(_) | Self::Template(_) => {
                return Err("it is joined with a value that has no state".to_owned());
            }
            Self::Apply(transform, of) => match transform.op().along() {
                Along::As(transform) => Self::Apply(transform, Box::new(of.along(slot)?)),
                Along::Unchanged => of.along(slot)?,
                Along::Never(reason) => return Err(reason.to_owned()),
            },
            Self::Concat { axis, parts } => {
                let parts: Result<Vec<Self>, String> =
                    parts.iter().map(|part| part.along(slot)).collect();
                Self::Concat { axis: *axis, parts: parts? }
            }
        })
    }

    /// Whether some elements are new: no source holds them.
    pub(super) fn has_new(&self) -> bool {
        match self {
            Self::Apply(Transform::Pad(pad), of) => pad.has_gaps() || of.has_new(),
            Self::Apply(Transform::Gather(gather), of) => gather.has_gaps() || of.has_new(),
            Self::Apply(_, of) => of.has_new(),
            Self::Concat { parts, .. } => parts.iter().any(Self::has_new),
            _ => false,
        }
    }
}

/// What values of these specs are, one after the other along an axis.
pub(crate) fn joined(axis: usize, specs: &[TensorSpec]) -> Result<TensorSpec, String> {
    let Some((first, rest)) = specs.split_first() else {
        return Err("there is nothing to join".to_owned());
    };
    let mut dims = first.shape().dims().to_vec();
    let others = |spec: &TensorSpec| -> Vec<u64> {
        let dims = spec.shape().dims().iter().enumerate();
        dims.filter(|(at, _)| *at != axis).map(|(_, dim)| *dim).collect()
    };
    let same = others(first);
    if let Some(spec) = specs.iter().find(|spec| spec.dtype().size().is_none()) {
        return Err(format!("{spec} has elements of no fixed size and cannot be joined"));
    }
    for spec in rest {
        let fits = spec.dtype() == first.dtype()
            && spec.shape().rank() == first.shape().rank()
            && others(spec) == same;
        if !fits {
            return Err(format!("{first} and {spec} cannot be joined"));
        }
        if let (Some(sum), Some(more)) = (dims.get_mut(axis), spec.shape().dims().get(axis)) {
            *sum = sum.saturating_add(*more);
        }
    }
    let spec = Shape::new(dims).and_then(|shape| TensorSpec::new(first.dtype(), shape));
    spec.map_err(|error| error.to_string())
}

fn leaf(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
