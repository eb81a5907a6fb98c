//! From what a rule calls a target to a place for a value.

use regex::Captures;

use super::claim::Planner;
use super::template::Leaf;
use crate::mapping::TargetTemplate;
use crate::object::{ObjectPath, Target};
use crate::tensor::TensorSpec;

/// Why a name leads nowhere.
pub(super) const ONLY_TEMPLATES: &str = "only a template (`--like`) has names";

/// A place for a value.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    /// The key the value gets.
    pub(super) target: Target,
    /// How people call it.
    pub(super) shown: String,
    /// Its `full_name`; empty if it has none.
    pub(super) name: String,
    /// Where to put the object, if there is no template.
    pub(super) path: Option<ObjectPath>,
    /// What must arrive, if there is one.
    pub(super) wants: Option<TensorSpec>,
}

impl Spot {
    /// A place that is made as wanted.
    pub(super) fn made(path: ObjectPath) -> Self {
        Self {
            target: Target::variable(&path),
            shown: path.to_string(),
            name: String::new(),
            path: Some(path),
            wants: None,
        }
    }

    /// A place that the template has.
    pub(super) fn leaf(leaf: &Leaf<'_>) -> Self {
        Self {
            target: leaf.target.clone(),
            shown: leaf.shown.clone(),
            name: leaf.full_name.to_owned(),
            path: None,
            wants: Some(leaf.spec.clone()),
        }
    }

    /// As messages call it: with its name where the path has numbers for layers.
    pub(super) fn called(&self) -> String {
        let numbered = |label: &str| {
            label.starts_with("layer_with_weights-")
                || label.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !self.name.is_empty() && self.shown.split('/').any(numbered) {
            format!("`{}` (`{}`)", self.shown, self.name)
        } else {
            format!("`{}`", self.shown)
        }
    }
}

/// Why there is no place.
#[derive(Debug)]
pub(super) enum NoSpot {
    /// The template does not have it; an optional rule may live with that.
    Absent(Lack),
    /// The target makes no sense.
    Wrong(String),
}

/// What the template does not have. A sentence is made of it where it is said: that takes a search
/// for what may have been meant.
#[derive(Debug)]
pub(super) enum Lack {
    /// No variable at this path.
    Path(ObjectPath),
    /// No variable of this name.
    Name(String),
    /// None of these.
    Several(Vec<Lack>),
}

impl From<String> for NoSpot {
    fn from(reason: String) -> Self {
        Self::Wrong(reason)
    }
}

impl Planner<'_> {
    /// The places a target means for a match, with the labels `below` put behind it: several only
    /// where the rule says `all`.
    pub(super) fn spots(
        &self,
        target: &TargetTemplate,
        captures: Option<&Captures<'_>>,
        below: &[String],
    ) -> Result<Vec<Spot>, NoSpot> {
        let labels = match target {
            TargetTemplate::Path { template, absolute } => {
                let labels = template.expand_path(captures)?;
                if *absolute {
                    return self.at(labels.iter().chain(below).cloned().collect());
                }
                labels
            }
            TargetTemplate::Labels(labels) => {
                labels.iter().map(|label| label.expand(captures)).collect::<Result<_, _>>()?
            }
            TargetTemplate::Name { template, all } => {
                let name =
                    [template.expand(captures)?].iter().chain(below).cloned().collect::<Vec<_>>();
                return self.called(&name.join("/"), *all);
            }
            TargetTemplate::First(targets) => return self.first(targets, captures, below),
        };
        self.at(self.mapping.root.iter().chain(&labels).chain(below).cloned().collect())
    }

    fn at(&self, labels: Vec<String>) -> Result<Vec<Spot>, NoSpot> {
        let path = ObjectPath::new(labels).map_err(|error| error.to_string())?;
        let Some(template) = &self.template else { return Ok(vec![Spot::made(path)]) };
        let Some(leaf) = template.by_path(path.labels()) else {
            return Err(NoSpot::Absent(Lack::Path(path)));
        };
        let spot = self.leaf(leaf).ok_or_else(|| NoSpot::Wrong("it is no leaf".to_owned()))?;
        // The way the rule's author went says more than the shortest one; the last label is the
        // template's own, which may have an underscore in front.
        let hidden = format!("_{}", path.leaf());
        let labels = match path.labels().split_last() {
            Some((_, parent)) if spot.shown.rsplit('/').next() == Some(&hidden) => {
                [parent, &[hidden]].concat()
            }
            _ => path.labels().to_vec(),
        };
        let shown = ObjectPath::new(labels).map_or(spot.shown, |path| path.to_string());
        Ok(vec![Spot { shown, ..spot }])
    }

    fn called(&self, name: &str, all: bool) -> Result<Vec<Spot>, NoSpot> {
        let Some(template) = &self.template else {
            let reason = format!("`{name}` is a name, and {ONLY_TEMPLATES}");
            return Err(NoSpot::Wrong(reason));
        };
        let leaves = template.by_name(name);
        if leaves.is_empty() {
            return Err(NoSpot::Absent(Lack::Name(name.to_owned())));
        }
        let spots: Vec<Spot> = leaves.iter().filter_map(|leaf| self.leaf(*leaf)).collect();
        let alike = spots.windows(2).all(|pair| matches!(pair, [a, b] if a.wants == b.wants));
        if spots.len() == 1 || (all && alike) {
            return Ok(spots);
        }
        let mut paths: Vec<&str> = spots.iter().take(6).map(|spot| spot.shown.as_str()).collect();
        if spots.len() > paths.len() {
            paths.push("…");
        }
        let why =
            if all { "which are of different shapes" } else { "so it must be named by its path" };
        let reason =
            format!("{} leaves are called `{name}`, {why}: {}", spots.len(), paths.join(", "));
        Err(NoSpot::Wrong(reason))
    }

    fn first(
        &self,
        targets: &[TargetTemplate],
        captures: Option<&Captures<'_>>,
        below: &[String],
    ) -> Result<Vec<Spot>, NoSpot> {
        if self.template.is_none() {
            let reason = "only a template (`--like`) can tell which of several targets exists";
            return Err(NoSpot::Wrong(reason.to_owned()));
        }
        let mut lacking = Vec::new();
        for target in targets {
            match self.spots(target, captures, below) {
                Err(NoSpot::Absent(lack)) => lacking.push(lack),
                found => return found,
            }
        }
        Err(NoSpot::Absent(Lack::Several(lacking)))
    }

    /// Why there is no place, in a sentence.
    pub(super) fn why(&self, none: &NoSpot) -> String {
        match none {
            NoSpot::Wrong(reason) => reason.clone(),
            NoSpot::Absent(lack) => self.lacks(lack),
        }
    }

    pub(super) fn lacks(&self, lack: &Lack) -> String {
        match (lack, &self.template) {
            (Lack::Several(all), _) => {
                all.iter().map(|one| self.lacks(one)).collect::<Vec<_>>().join("; ")
            }
            (Lack::Path(path), Some(template)) => template.lacks_path(path.labels()),
            (Lack::Name(name), Some(template)) => template.lacks_name(name),
            (Lack::Path(_) | Lack::Name(_), None) => "there is no template".to_owned(),
        }
    }

    pub(super) fn leaf(&self, leaf: usize) -> Option<Spot> {
        self.template.as_ref()?.leaves.get(leaf).map(Spot::leaf)
    }
}
