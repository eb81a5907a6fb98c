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

mod builtin;
mod file;
mod fit;
mod index;
mod judge;
mod new;
mod old;
mod reasons;
mod rules;
mod scopes;
mod series;
mod side;
mod solve;
mod words;
mod write;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::catalog::{Catalog, VariableName};
use crate::mapping::ProblemKind;
use crate::names::{counted, natural, nearest};
use crate::object::Target;
use crate::plan::Value;
use crate::tensor::TensorSpec;

use builtin::fitting;
use file::{File, Line};
pub use judge::Confidence;
use new::New;
use old::{Left, Old};
use reasons::{reasons, weighed};
use series::{Alikes, Order, Series};
use side::{Names, Side};
use solve::{Solution, Solver, Weights};
use write::{Decision, Material, Neutral};

/// Candidates that are named.
const MOST_CANDIDATES: usize = 4;
/// By how much less may speak for a candidate that is still named.
const NEAR: f64 = 0.6;

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
        "the template is no object-based checkpoint: save one of the new model, \
         `tf.train.Checkpoint(model=model).save(…)`"
    )]
    Template,
    /// The template has no variables but an optimizer's.
    #[error("the template has no variables of a model: call the model once before you save it")]
    Empty,
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
    #[error("`{old}` does not fit `{new}`: {reason}")]
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
    let mut names = Names::default();
    let side = |items: Vec<side::Named>, names: &mut Names| Side::new(items, names);
    let old_side = side(old.iter().map(|item| item.named.clone()).collect(), &mut names);
    let new_side = side(new.places.iter().map(|place| place.named.clone()).collect(), &mut names);
    let hints = hints(&options.hints, &old, &new)?;
    let mut solver = Solver {
        old: &old_side,
        new: &new_side,
        alikes: Vec::new(),
        hints: &hints,
        weights: Weights::new(&old_side, &new_side),
        logits: names.word("logits"),
        vocabulary: names.vocabulary(),
    };
    let orders = orders(&old, &creation);
    let every_series = Series::of(&new_side, &|_| true);
    let objects: Vec<usize> = (0..new.places.len()).collect();
    let solution = solver.solve(&|of_old, of_new, partner| {
        let mut old = Series::of(&old_side, of_old);
        old.extend(Series::ordered(&old_side, &orders, of_old));
        let mut new = Series::of(&new_side, of_new);
        let objects = Order { called: "objects in their order", items: objects.clone() };
        new.extend(Series::ordered(&new_side, &objects, of_new));
        let mut alikes = Alikes::new((&old_side, &old), (&new_side, &new));
        alikes.append(Alikes::beside(&old_side, (&new_side, &every_series), partner));
        alikes
    });
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
        return Order { called: "TF1's layers in the order of their creation", items };
    }
    let name = |at: &usize| old.get(*at).and_then(|item| item.named.views.first());
    let mut items: Vec<usize> = (0..old.len()).collect();
    items.sort_by(|a, b| match (name(a), name(b)) {
        (Some(a), Some(b)) => natural(a, b),
        _ => std::cmp::Ordering::Equal,
    });
    Order { called: "layers in the order of their names", items }
}

/// Pairs that are said, by place.
fn hints(
    said: &[(String, String)],
    old: &[Old],
    new: &New,
) -> Result<BTreeMap<usize, usize>, SuggestError> {
    let mut hints = BTreeMap::new();
    for (from, to) in said {
        let named = |item: &Old| item.named.views.first() == Some(from);
        let old_at = old.iter().position(named).ok_or_else(|| {
            let names = old.iter().filter_map(|item| item.named.views.first());
            SuggestError::Unknown {
                side: "the old checkpoint",
                name: from.clone(),
                near: nearest(from, names.map(String::as_str)).map(str::to_owned),
            }
        })?;
        let place_at =
            new.places.iter().position(|place| place.is_called(to)).ok_or_else(|| {
                let names = new.places.iter().flat_map(|place| &place.named.views);
                SuggestError::Unknown {
                    side: "the new model",
                    name: to.clone(),
                    near: nearest(to, names.map(String::as_str)).map(str::to_owned),
                }
            })?;
        if let (Some(item), Some(place)) = (old.get(old_at), new.places.get(place_at)) {
            let (a, b) = (&item.named.spec, &place.named.spec);
            if fit::Fit::of(a, b).is_none() {
                return Err(SuggestError::Unfit {
                    old: from.clone(),
                    new: to.clone(),
                    reason: format!("{a}, and {b} is wanted"),
                });
            }
        }
        hints.insert(place_at, old_at);
    }
    Ok(hints)
}

/// What was found out, to be put into words.
struct Found<'f> {
    solver: &'f Solver<'f>,
    solution: &'f Solution,
    material: &'f Material<'f>,
}

impl Found<'_> {
    fn suggestion(&self, options: &Options) -> Suggestion {
        let whys = judge::certain(self.solver, self.solution);
        let mut decisions: Vec<Option<Decision>> = Vec::new();
        let mut said: Vec<Vec<String>> = Vec::new();
        for (place, chosen) in self.solution.chosen.iter().enumerate() {
            let why = whys.get(place).copied().flatten();
            let found = chosen.and_then(|old| {
                let candidates = self.solution.candidates.get(place)?;
                let fit = candidates.iter().find(|candidate| candidate.old == old)?.fit;
                Some((old, fit, reasons(self.solver, self.solution, why, (old, place))))
            });
            let confidence = if why.is_some() { Confidence::Certain } else { Confidence::Likely };
            decisions.push(found.as_ref().map(|(old, fit, reasons)| Decision {
                old: *old,
                fit: *fit,
                confidence,
                reason: reasons.join("; "),
            }));
            said.push(found.map(|(_, _, reasons)| reasons).unwrap_or_default());
        }
        let mut file = self.policies();
        let (neutral, open) = self.settle(&mut file, &mut decisions);
        let asked = self.ask_about_optimizers(&mut file);
        let complete = open.is_empty() && !asked;
        let mut suggestion = Suggestion {
            old: self.material.source.origin.clone(),
            like: self.material.template.origin.clone(),
            builtin: None,
            rules: String::new(),
            pairings: self.pairings(&decisions, &said, &neutral),
            fills: self.fillings(&neutral),
            dropped: self.dropped(&decisions),
            questions: file.open_policies(),
            complete,
            explanations: self.explanations(options, &decisions),
        };
        file.title = Self::title(&suggestion);
        suggestion.rules = file.text();
        if !options.no_builtin && options.hints.is_empty() {
            self.prefer_builtin(&mut suggestion, &file);
        }
        suggestion
    }

    /// Writes the file until it does what was decided; what it cannot do stays open.
    fn settle(
        &self,
        file: &mut File,
        decisions: &mut [Option<Decision>],
    ) -> (BTreeMap<usize, (Neutral, String)>, BTreeSet<usize>) {
        let mut plain: BTreeSet<usize> = BTreeSet::new();
        for last in [false, false, true] {
            let (moves, lost) = self.material.moves(decisions);
            for place in lost {
                if let Some(decision) = decisions.get_mut(place) {
                    *decision = None;
                }
            }
            let mut neutral = BTreeMap::new();
            let mut open = BTreeSet::new();
            let decided = |place: usize| decisions.get(place).is_some_and(Option::is_some);
            for place in (0..decisions.len()).filter(|place| !decided(*place)) {
                // Where something might still go, nothing is filled in.
                let value = self.material.neutral(place, decisions);
                match value.filter(|_| self.candidates(place, decisions).is_empty()) {
                    Some(value) => drop(neutral.insert(place, value)),
                    None => drop(open.insert(place)),
                }
            }
            self.material.write(file, moves, &plain, &open);
            file.fills = self.material.fills(&neutral, &open);
            let questions = open.iter().map(|place| (*place, self.candidates(*place, decisions)));
            file.questions = self.material.questions(&questions.collect());
            let differs = self.material.differs(&file.text(), decisions);
            let all = || (0..decisions.len()).collect::<BTreeSet<usize>>();
            let differs = differs.unwrap_or_else(all);
            if differs.is_empty() {
                return (neutral, open);
            }
            if last || differs.iter().all(|place| plain.contains(place)) {
                for place in &differs {
                    decisions.iter_mut().skip(*place).take(1).for_each(|decision| *decision = None);
                }
            }
            plain.extend(differs);
        }
        let (moves, _) = self.material.moves(decisions);
        let decided = |place: &usize| decisions.get(*place).is_some_and(Option::is_some);
        let open: BTreeSet<usize> = (0..decisions.len()).filter(|place| !decided(place)).collect();
        self.material.write(file, moves, &plain, &open);
        file.fills.clear();
        let questions = open.iter().map(|place| (*place, self.candidates(*place, decisions)));
        file.questions = self.material.questions(&questions.collect());
        (BTreeMap::new(), open)
    }

    /// What has no place and might go here, the likeliest first.
    fn candidates(&self, place: usize, decisions: &[Option<Decision>]) -> Vec<String> {
        let given: BTreeSet<usize> = decisions.iter().flatten().map(|one| one.old).collect();
        self.ranked(place)
            .into_iter()
            .filter(|(_, old)| !given.contains(old))
            .take(MOST_CANDIDATES)
            .filter_map(|(_, old)| self.name_of(old))
            .collect()
    }

    /// All that fits a place, by what speaks for it.
    fn ranked(&self, place: usize) -> Vec<(f64, usize)> {
        let candidates = self.solution.candidates.get(place).map(Vec::as_slice).unwrap_or_default();
        let weight = |old: usize| self.solver.evidence(self.solution, old, place).sum();
        let mut ranked: Vec<(f64, usize)> =
            candidates.iter().map(|candidate| (weight(candidate.old), candidate.old)).collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        ranked
    }

    fn name_of(&self, old: usize) -> Option<String> {
        self.material.old.get(old).and_then(|item| item.named.views.first().cloned())
    }

    /// What becomes of averages and of optimizers.
    fn policies(&self) -> File {
        let Material { left, new, .. } = self.material;
        let mut policies = Vec::new();
        let mut say = |text: String, confidence, reason: &str| {
            policies.push(Line { text, confidence, reason: reason.to_owned() });
        };
        let trains = left.has_slots && !new.optimizers.is_empty();
        if !left.averages.is_empty() {
            let (choice, reason) = if trains {
                ("ignore", "training goes on from raw values; `prefer` takes the averages")
            } else {
                ("prefer", "averages are what such models are used with; `ignore` takes raw values")
            };
            say(format!("ema: {choice}"), Confidence::Likely, reason);
        }
        match (left.has_slots, new.optimizers.as_slice()) {
            (false, []) => {}
            (true, []) => {
                let reason = "the new model's checkpoint has no optimizer";
                say("optimizer: drop".to_owned(), Confidence::Certain, reason);
            }
            // It is tried whether it takes over the count of steps.
            (_, [one]) if left.has_slots || left.has_step => {
                let to = crate::mapping::scalar(&one.shown);
                let given = if left.has_objects { ", hyperparameters: source" } else { "" };
                let reason = "state follows its variables";
                say(format!("optimizer: {{to: {to}{given}}}"), Confidence::Likely, reason);
            }
            (false, _) => {
                let reason = "the old checkpoint has no state of an optimizer";
                say("optimizer: keep".to_owned(), Confidence::Certain, reason);
            }
            (true, several) => {
                let names: Vec<&str> = several.iter().map(|one| one.shown.as_str()).collect();
                let reason = format!(
                    "there are several optimizers, {}: which variables does each train? write a \
                     list, each with `variables:`",
                    names.join(", ")
                );
                say("optimizer: [{to: …, variables: …}]".to_owned(), Confidence::Open, &reason);
            }
        }
        File { policies, root: new.root.clone(), ..File::default() }
    }

    /// Whether something about an optimizer has to be asked: what nobody but the user knows.
    fn ask_about_optimizers(&self, file: &mut File) -> bool {
        let is_optimizer = |line: &&mut Line| line.text.starts_with("optimizer: {to");
        let problems = self.material.problems(&file.text());
        let found = problems.into_iter().find(|problem| problem.kind == ProblemKind::Optimizer);
        let (Some(problem), Some(line)) = (found, file.policies.iter_mut().find(is_optimizer))
        else {
            return file.policies.iter().any(|line| line.confidence == Confidence::Open);
        };
        if !self.material.left.has_slots {
            // A count of steps alone: what cannot take it over begins anew.
            let reason = "the old checkpoint has no state for it";
            let (text, reason) = ("optimizer: keep".to_owned(), reason.to_owned());
            *line = Line { text, confidence: Confidence::Likely, reason };
            return false;
        }
        let help = problem.help.map_or(String::new(), |help| format!("; {help}"));
        line.reason = format!("{}{help}", problem.message);
        line.confidence = Confidence::Open;
        true
    }

    fn title(suggestion: &Suggestion) -> Vec<String> {
        let of = |confidence| suggestion.count(confidence);
        let mut title = vec![format!(
            "{} to {}, as `ckptmap suggest` proposes it",
            suggestion.old, suggestion.like
        )];
        let mut parts = vec![
            format!("{} certain", of(Confidence::Certain)),
            format!("{} likely", of(Confidence::Likely)),
        ];
        let open = of(Confidence::Open);
        parts.extend((open > 0).then(|| format!("{open} open")));
        let all = counted(suggestion.pairings.len(), "variable");
        title.push(format!("{all} of the new model: {}", parts.join(", ")));
        title
    }

    fn pairings(
        &self,
        decisions: &[Option<Decision>],
        said: &[Vec<String>],
        neutral: &BTreeMap<usize, (Neutral, String)>,
    ) -> Vec<Pairing> {
        let mut pairings = Vec::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            if neutral.contains_key(&at) {
                continue;
            }
            let decision = decisions.get(at).and_then(Option::as_ref);
            let ranked = self.ranked(at);
            let own = decision.and_then(|one| {
                ranked.iter().find(|(_, old)| *old == one.old).map(|(weight, _)| *weight)
            });
            let others = ranked.iter().filter(|(weight, old)| {
                let near = own.is_none_or(|own| *weight >= own - NEAR);
                near && decision.is_none_or(|one| one.old != *old)
            });
            let certain = decision.is_some_and(|one| one.confidence == Confidence::Certain);
            let alternatives = others.take(if certain { 0 } else { MOST_CANDIDATES });
            let old = decision.and_then(|one| self.material.old.get(one.old));
            pairings.push(Pairing {
                target: place.target.clone(),
                path: place.shown.clone(),
                spec: place.named.spec.clone(),
                sources: old.map(|old| old.origin.sources()).unwrap_or_default(),
                confidence: decision.map_or(Confidence::Open, |one| one.confidence),
                reasons: match decision {
                    Some(_) => said.get(at).cloned().unwrap_or_default(),
                    None if ranked.is_empty() => vec!["nothing fits".to_owned()],
                    None => vec!["nothing tells its candidates apart".to_owned()],
                },
                alternatives: alternatives.filter_map(|(_, old)| self.name_of(*old)).collect(),
            });
        }
        pairings
    }

    fn fillings(&self, neutral: &BTreeMap<usize, (Neutral, String)>) -> Vec<Filling> {
        let filling = |(at, (value, reason)): (&usize, &(Neutral, String))| {
            let place = self.material.new.places.get(*at)?;
            Some(Filling {
                target: place.target.clone(),
                path: place.shown.clone(),
                with: value.word(),
                reason: reason.clone(),
            })
        };
        neutral.iter().filter_map(filling).collect()
    }

    fn dropped(&self, decisions: &[Option<Decision>]) -> Vec<(VariableName, String)> {
        let used: BTreeSet<VariableName> = decisions
            .iter()
            .flatten()
            .filter_map(|one| self.material.old.get(one.old))
            .flat_map(|old| old.origin.sources())
            .collect();
        let fits = |name: &VariableName| {
            let variable = self.material.source.variables.get(name)?;
            let mut places = self.material.new.places.iter();
            Some(places.any(|place| fit::Fit::of(&variable.spec, &place.named.spec).is_some()))
        };
        let reason = |name: &VariableName| match fits(name) {
            Some(true) => "everything of its shape has another source",
            _ => "the new model has nothing of its shape",
        };
        let free = self.material.free().into_iter().filter(|name| !used.contains(name));
        free.map(|name| (name.clone(), reason(&name).to_owned())).collect()
    }

    fn explanations(&self, options: &Options, decisions: &[Option<Decision>]) -> Vec<Explanation> {
        let Some(wanted) = &options.explain else { return Vec::new() };
        let goes: HashMap<usize, usize> = decisions
            .iter()
            .enumerate()
            .filter_map(|(place, one)| Some((one.as_ref()?.old, place)))
            .collect();
        let mut explanations = Vec::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            let ranked = self.ranked(at);
            let is_meant = |old: &usize| self.name_of(*old).as_ref() == Some(wanted);
            let about = ranked.iter().any(|(_, old)| is_meant(old));
            if !place.is_called(wanted) && !about {
                continue;
            }
            let decision = decisions.get(at).and_then(Option::as_ref);
            let candidates = ranked.into_iter().filter_map(|(weight, old)| {
                let evidence = self.solver.evidence(self.solution, old, at);
                let elsewhere = goes.get(&old).filter(|place| **place != at);
                Some(Candidate {
                    name: self.name_of(old)?,
                    chosen: decision.is_some_and(|one| one.old == old),
                    instead: elsewhere
                        .and_then(|place| self.material.new.places.get(*place))
                        .map(|place| place.shown.clone()),
                    weight,
                    evidence: weighed(self.solver, &evidence, (old, at)),
                })
            });
            explanations.push(Explanation {
                path: place.shown.clone(),
                name: place.name.clone(),
                spec: place.named.spec.clone(),
                confidence: decision.map_or(Confidence::Open, |one| one.confidence),
                candidates: candidates.collect(),
            });
        }
        explanations
    }

    /// Puts a built-in mapping that fits in place of the rules; pairs that were worked out otherwise
    /// are likely only.
    fn prefer_builtin(&self, suggestion: &mut Suggestion, file: &File) {
        let Some(fitting) = fitting(self.material.source, self.material.template, file) else {
            return;
        };
        let given: BTreeMap<&str, &Value> =
            fitting.plan.assignments.iter().map(|one| (one.target.key(), &one.value)).collect();
        let mut pairings = Vec::new();
        let mut fills = Vec::new();
        let mut used: BTreeSet<VariableName> = BTreeSet::new();
        for (at, place) in self.material.new.places.iter().enumerate() {
            let value = given.get(place.target.key());
            let raw =
                |name: &VariableName| self.material.left.raw.get(name).unwrap_or(name).clone();
            let sources: Vec<VariableName> = value
                .map(|value| value.sources().into_iter().map(raw).collect())
                .unwrap_or_default();
            used.extend(sources.iter().cloned());
            if sources.is_empty() {
                fills.push(Filling {
                    target: place.target.clone(),
                    path: place.shown.clone(),
                    with: "template",
                    reason: format!("builtin:{} says so", fitting.name),
                });
                continue;
            }
            let own = self.solution.chosen.get(at).copied().flatten();
            let own =
                own.and_then(|old| self.material.old.get(old)).map(|old| old.origin.sources());
            let set = |names: &Vec<VariableName>| names.iter().cloned().collect::<BTreeSet<_>>();
            let agrees = own.as_ref().is_none_or(|own| set(own) == set(&sources));
            let mut reasons = vec![format!("builtin:{} fits", fitting.name)];
            let others = own.filter(|_| !agrees).unwrap_or_default();
            if !agrees {
                reasons.push("by itself, something else would have seemed likelier".to_owned());
            }
            pairings.push(Pairing {
                target: place.target.clone(),
                path: place.shown.clone(),
                spec: place.named.spec.clone(),
                sources,
                confidence: if agrees { Confidence::Certain } else { Confidence::Likely },
                reasons,
                alternatives: others.iter().map(|name| name.as_str().to_owned()).collect(),
            });
        }
        suggestion.dropped.retain(|(name, _)| !used.contains(name));
        suggestion.builtin = Some(fitting.name);
        suggestion.pairings = pairings;
        suggestion.fills = fills;
        suggestion.questions.clear();
        suggestion.complete = true;
        let mut title = Self::title(suggestion);
        title.push(format!("builtin:{} fits: {}", fitting.name, fitting.title));
        suggestion.rules = File { title, ..fitting.file }.text();
    }
}
