//! Proposes a rule file: which variable of an old checkpoint becomes which of a new model's, with
//! the reason and with how sure it is. A pure function of what the two checkpoints hold.
//!
//! Names, shapes, the order of series and the structure of both sides each tell a part:
//!
//! ```text
//!   old ──► items ┐                  ┌► judge ──► write ──► rule file
//!                 ├► series ► solve ─┤              ▲ └──► plan ─┐
//!   new ──► items ┘                  └► reasons     └────────────┘ what it does is compared
//! ```
//!
//! Nothing is guessed in silence: what leaves another choice is marked, and what cannot be told
//! stays open. The file is planned, and what it does not do as it was meant is written anew, name by
//! name.

mod alike;
mod beside;
mod builtin;
mod cell;
mod check;
mod drops;
mod explain;
mod file;
mod fills;
mod fit;
mod found;
mod hints;
mod index;
mod judge;
mod learnt;
mod moves;
mod new;
mod old;
mod policies;
mod reasons;
mod role;
mod rules;
mod scopes;
mod series;
mod side;
mod solve;
mod tokens;
mod weights;
mod words;
mod write;

use std::collections::{BTreeSet, HashMap};

use crate::catalog::{Catalog, VariableName};
use crate::names::natural;
use crate::object::Target;
use crate::tensor::TensorSpec;

use alike::Alikes;
use beside::Beside;
use found::Found;
use hints::hints;
pub use judge::Confidence;
use new::New;
use old::{Left, Old};
use series::{Order, Series};
use side::{Names, Side};
use solve::Solver;
use weights::Weights;
use write::Material;

/// Variables of a side.
const MOST_VARIABLES: usize = 20_000;
/// What an order is called that the old program tells.
const CREATED: &str = "TF1's layers in the order of their creation";

/// What the user knows.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Pairs that are so: a variable of the old checkpoint, and a path or a full name in the new
    /// one.
    pub hints: Vec<(String, String)>,
    /// Leaves built-in mappings aside.
    pub no_builtin: bool,
    /// What is to be explained: a variable of either side.
    pub explain: Option<String>,
}

/// A proposal.
#[derive(Debug, Clone)]
pub struct Suggestion {
    /// How messages call the old checkpoint.
    pub old: String,
    /// How messages call the template.
    pub like: String,
    /// The built-in mapping that fits, if one does.
    pub builtin: Option<&'static str>,
    /// The rule file.
    pub rules: String,
    /// One for each variable of the new model that has a source, or needs one.
    pub pairings: Vec<Pairing>,
    /// Variables of the new model that get a value without a source.
    pub fills: Vec<Filling>,
    /// What of the old checkpoint goes nowhere, and why; optimizer state is not counted.
    pub dropped: Vec<(VariableName, String)>,
    /// What is open beside variables, in sentences: what to do about an optimizer.
    pub questions: Vec<String>,
    /// Whether nothing is open.
    pub complete: bool,
    /// What was asked to be explained.
    pub explanations: Vec<Explanation>,
}

impl Suggestion {
    /// Whether nothing is open, and nothing could be otherwise.
    pub fn is_certain(&self) -> bool {
        let certain = self.pairings.iter().all(|one| one.confidence == Confidence::Certain);
        self.complete && certain && self.fills.is_empty()
    }

    /// How many pairings are so sure.
    pub fn count(&self, confidence: Confidence) -> usize {
        self.pairings.iter().filter(|one| one.confidence == confidence).count()
    }
}

/// What becomes a variable of the new model.
#[derive(Debug, Clone)]
pub struct Pairing {
    /// The key it stands under.
    pub target: Target,
    /// A way to it, as people write it.
    pub path: String,
    /// What it must be.
    pub spec: TensorSpec,
    /// What it is made of; nothing if that is open.
    pub sources: Vec<VariableName>,
    /// How sure that is.
    pub confidence: Confidence,
    /// What speaks for it.
    pub reasons: Vec<String>,
    /// What else it might be, the likeliest first.
    pub alternatives: Vec<String>,
}

/// A variable of the new model that gets a value without a source.
#[derive(Debug, Clone)]
pub struct Filling {
    /// The key it stands under.
    pub target: Target,
    /// A way to it, as people write it.
    pub path: String,
    /// `ones`, `zeros` or `template`.
    pub with: &'static str,
    /// Why.
    pub reason: String,
}

/// What speaks for and against the candidates of a place.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// A way to the place.
    pub path: String,
    /// Its full name, if no other has it.
    pub name: Option<String>,
    /// What it must be.
    pub spec: TensorSpec,
    /// How sure its pairing is.
    pub confidence: Confidence,
    /// All that fits, the likeliest first.
    pub candidates: Vec<Candidate>,
}

/// Something that fits a place.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it is called.
    pub name: String,
    /// Whether it was chosen.
    pub chosen: bool,
    /// Where it goes instead.
    pub instead: Option<String>,
    /// How much speaks for it, all in all.
    pub weight: f64,
    /// What speaks for and against it.
    pub evidence: Vec<String>,
}

/// Why there is no proposal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuggestError {
    /// The template has no objects.
    #[error(
        "the template has no object graph, so it is none; write one from the new model: \
         `tf.train.Checkpoint(model=model).write(…)`"
    )]
    Template,
    /// The template has no variables but an optimizer's.
    #[error("the template has no variables of a model; call the model once before you write it")]
    Empty,
    /// There are more variables than any model has.
    #[error("{variables} variables are too many: rules are proposed for {most} at most")]
    TooLarge {
        /// Variables of the larger side.
        variables: usize,
        /// How many may be.
        most: usize,
    },
    /// Most variables have the same shape.
    #[error(
        "too many variables have the same shapes: more than {pairs} pairs would have to be weighed"
    )]
    TooMany {
        /// Pairs that fit.
        pairs: usize,
    },
    /// A hint is about something that is not there.
    #[error("{side} has no `{name}`{}", meant(near.as_ref()))]
    Unknown {
        /// Which side.
        side: &'static str,
        /// What it was called.
        name: String,
        /// What may have been meant.
        near: Option<String>,
    },
    /// A hint pairs what does not fit.
    #[error("`{old}` does not fit `{new}`: {reason}; leave out this `--hint`, or correct it")]
    Unfit {
        /// The variable.
        old: String,
        /// The place.
        new: String,
        /// Their specs.
        reason: String,
    },
}

fn meant(near: Option<&String>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// Works out a proposal.
pub fn suggest(
    source: &Catalog,
    template: &Catalog,
    options: &Options,
) -> Result<Suggestion, SuggestError> {
    let new = new::read(template).ok_or(SuggestError::Template)?;
    if new.places.is_empty() {
        return Err(SuggestError::Empty);
    }
    let left = old::left(source);
    let old = offered(source, &left, &new);
    let creation: HashMap<String, usize> = source
        .facts
        .creation_order
        .iter()
        .enumerate()
        .map(|(at, name)| (name.clone(), at))
        .collect();
    let most = old.len().max(new.places.len());
    if most > MOST_VARIABLES {
        return Err(SuggestError::TooLarge { variables: most, most: MOST_VARIABLES });
    }
    let mut names = Names::default();
    let side = |items: Vec<side::Named>, names: &mut Names| Side::new(items, names);
    let old_side = side(old.iter().map(|item| item.named.clone()).collect(), &mut names);
    let new_side = side(new.places.iter().map(|place| place.named.clone()).collect(), &mut names);
    let hints = hints(&options.hints, &old, &new)?;
    let orders = orders(&old, &creation);
    // Names tell no order of creation.
    let is_created = orders.called == CREATED;
    let created = if is_created { orders.items.as_slice() } else { &[] };
    let mut solver = Solver {
        old: &old_side,
        new: &new_side,
        alikes: Vec::new(),
        hints: &hints,
        weights: Weights::new(&old_side, &new_side),
        beside: Beside::new(&old_side, created, &new_side),
        logits: names.word("logits"),
        vocabulary: names.vocabulary(),
    };
    let every_series = Series::of(&new_side, &|_| true);
    let items = (0..new.places.len()).collect();
    let objects = Order { called: "objects in their order", items };
    let solution = solver.solve(&|of_old, of_new, partner| {
        let mut old = Series::of(&old_side, of_old);
        old.extend(Series::ordered(&old_side, &orders, of_old));
        let mut new = Series::of(&new_side, of_new);
        new.extend(Series::ordered(&new_side, &objects, of_new));
        let mut alikes = Alikes::new((&old_side, &old), (&new_side, &new));
        alikes.append(Alikes::beside(&old_side, (&new_side, &every_series), partner));
        alikes
    });
    let solution = solution.map_err(|pairs| SuggestError::TooMany { pairs })?;
    let material =
        Material { source, template, old: &old, left: &left, new: &new, creation: &creation };
    let found = Found { solver: &solver, solution: &solution, material: &material };
    Ok(found.suggestion(options))
}

/// Everything that can be given; heads that only help training, only if the new model has one.
fn offered(source: &Catalog, left: &Left, new: &New) -> Vec<Old> {
    let dims = |place: &new::Place| place.named.spec.shape().dims().to_vec();
    let wanted: BTreeSet<Vec<u64>> = new.places.iter().map(dims).collect();
    let mut old = old::items(source, left, &wanted);
    let is_aside = |named: &side::Named| named.views.iter().any(|name| old::is_aside(name));
    if !new.places.iter().any(|place| is_aside(&place.named)) {
        old.retain(|item| !is_aside(&item.named));
    }
    old
}

/// The order in which the old program made its variables; without one, the order of their names.
fn orders(old: &[Old], creation: &HashMap<String, usize>) -> Order {
    let mut made: Vec<(usize, usize)> = Vec::new();
    for (at, item) in old.iter().enumerate() {
        let sources = item.origin.sources();
        let place = sources.first().and_then(|name| creation.get(name.as_str()));
        made.extend(place.map(|place| (*place, at)));
    }
    if !made.is_empty() {
        made.sort_unstable();
        let items = made.into_iter().map(|(_, at)| at).collect();
        return Order { called: CREATED, items };
    }
    let name = |at: &usize| old.get(*at).and_then(|item| item.named.views.first());
    // An alphabet alone is no order.
    let has_number = |name: &String| name.contains(|c: char| c.is_ascii_digit());
    let numbered = old.iter().filter(|item| item.named.views.iter().any(has_number)).count();
    let mut items: Vec<usize> =
        if numbered * 2 >= old.len() { (0..old.len()).collect() } else { Vec::new() };
    items.sort_by(|a, b| match (name(a), name(b)) {
        (Some(a), Some(b)) => natural(a, b),
        _ => std::cmp::Ordering::Equal,
    });
    Order { called: "layers in the order of their names", items }
}
