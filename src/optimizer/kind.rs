//! The nine optimizers as one table.

/// An optimizer, by its update rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Kind {
    GradientDescent,
    Momentum,
    Adam,
    RmsProp,
    RmsPropCentered,
    Adadelta,
    Adagrad,
    Ftrl,
    Adamax,
    Nadam,
}

/// One piece of state per variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// What messages call it.
    pub name: &'static str,
    /// The slot name of Keras's older optimizers.
    pub legacy: &'static str,
    /// Attributes of newer optimizers that list it, one entry per variable.
    pub lists: &'static [&'static str],
    /// Whether it is zero before the first step.
    pub starts_at_zero: bool,
}

const fn role(name: &'static str, legacy: &'static str, lists: &'static [&'static str]) -> Role {
    Role { name, legacy, lists, starts_at_zero: true }
}

/// Sums of squares begin above zero, where they are divided by.
const ACCUMULATOR: Role =
    Role { starts_at_zero: false, ..role("accumulator", "accumulator", &["_accumulators"]) };

const FIRST_MOMENT: Role = role("first moment", "m", &["_momentums"]);
const SECOND_MOMENT: Role = role("second moment", "v", &["_velocities"]);
const MEAN_SQUARE: Role = role("mean square", "rms", &["_velocities"]);
const RMS_MOMENTUM: Role = role("momentum", "momentum", &["_momentums"]);
const MEAN_GRADIENT: Role = role("mean gradient", "mg", &["_average_gradients"]);

/// Word, names TF1 gives its slots, roles in the order of TF1's slots, and the op of TF1's graphs.
type Row = (Kind, &'static str, &'static [&'static str], &'static [Role], &'static [&'static str]);

/// Sources: the slot order of `tf.compat.v1.train` and of Keras, as run.
const TABLE: &[Row] = &[
    (
        Kind::GradientDescent,
        "gradient_descent",
        &[],
        &[],
        &["ApplyGradientDescent", "ApplyProximalGradientDescent"],
    ),
    (
        Kind::Momentum,
        "momentum",
        &["Momentum"],
        &[role("momentum", "momentum", &["momentums", "_momentums"])],
        &["ApplyMomentum"],
    ),
    (
        Kind::Adam,
        "adam",
        &["Adam", "AdamW", "LazyAdam", "AdamWeightDecayOptimizer", "BERTAdam", "adam"],
        &[FIRST_MOMENT, SECOND_MOMENT],
        &["ApplyAdam"],
    ),
    (Kind::RmsProp, "rmsprop", &["RMSProp"], &[MEAN_SQUARE, RMS_MOMENTUM], &["ApplyRMSProp"]),
    (
        Kind::RmsPropCentered,
        "rmsprop_centered",
        &["RMSProp"],
        &[MEAN_SQUARE, MEAN_GRADIENT, RMS_MOMENTUM],
        &["ApplyCenteredRMSProp"],
    ),
    (
        Kind::Adadelta,
        "adadelta",
        &["Adadelta"],
        &[
            role("accumulated gradients", "accum_grad", &["_accumulated_grads"]),
            role("accumulated updates", "accum_var", &["_accumulated_delta_vars"]),
        ],
        &["ApplyAdadelta"],
    ),
    (
        Kind::Adagrad,
        "adagrad",
        &["Adagrad", "ProximalAdagrad"],
        &[ACCUMULATOR],
        &["ApplyAdagrad", "ApplyAdagradV2", "ApplyProximalAdagrad"],
    ),
    (
        Kind::Ftrl,
        "ftrl",
        &["Ftrl"],
        &[ACCUMULATOR, role("linear", "linear", &["_linears"])],
        &["ApplyFtrl", "ApplyFtrlV2"],
    ),
    (
        Kind::Adamax,
        "adamax",
        &["AdaMax"],
        &[role("first moment", "m", &["_m"]), role("infinity norm", "v", &["_u"])],
        &["ApplyAdaMax"],
    ),
    (Kind::Nadam, "nadam", &["Nadam"], &[FIRST_MOMENT, SECOND_MOMENT], &[]),
];

/// Optimizers that TF2 has no counterpart of.
const REFUSED: &[(&str, &str)] = &[
    ("AdagradDA", "it keeps sums of gradients, which no TF2 optimizer does"),
    ("LARSOptimizer", "its momentum includes a trust ratio, which no TF2 optimizer has"),
    ("MomentumW", "its weight decay is decoupled, which Keras's SGD does otherwise"),
];

impl Kind {
    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|(kind, ..)| *kind == self)
    }

    /// The word rule files use.
    pub fn word(self) -> &'static str {
        self.row().map_or("", |row| row.1)
    }

    /// Every kind with the word rule files use.
    pub fn words() -> Vec<(&'static str, Self)> {
        TABLE.iter().map(|row| (row.1, row.0)).collect()
    }

    /// Its pieces of state, in the order in which TF1 numbers slots.
    pub fn roles(self) -> &'static [Role] {
        self.row().map(|row| row.3).unwrap_or_default()
    }

    /// Every piece of state that some kind keeps.
    pub fn every_role() -> impl Iterator<Item = &'static Role> {
        TABLE.iter().flat_map(|row| row.3)
    }

    /// The kind that a TF1 graph's op carries out.
    pub fn from_op(op: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.4.contains(&op)).map(|row| row.0)
    }

    /// The kind of a TF1 optimizer by the name of its slots and their number per variable.
    pub fn from_slots(name: &str, count: usize) -> Option<Self> {
        TABLE.iter().find(|row| row.2.contains(&name) && row.3.len() == count).map(|row| row.0)
    }

    /// Kinds with so many slots per variable: what a custom name may stand for.
    pub fn with_slots(count: usize) -> impl Iterator<Item = Self> {
        TABLE.iter().filter(move |row| row.3.len() == count).map(|row| row.0)
    }

    /// The kind of an older Keras optimizer by the names of its slots.
    pub fn from_legacy(slots: &[&str]) -> Option<Self> {
        let same = |roles: &[Role]| {
            roles.len() == slots.len() && roles.iter().all(|role| slots.contains(&role.legacy))
        };
        TABLE.iter().find(|row| same(row.3)).map(|row| row.0)
    }

    /// Whether some newer Keras optimizer calls a list of state so.
    pub(super) fn is_list(label: &str) -> bool {
        TABLE.iter().flat_map(|row| row.3).any(|role| role.lists.contains(&label))
    }

    /// Whether state of this kind has a meaning in an optimizer of another.
    pub fn suits(self, other: Self) -> bool {
        let family = |kind| match kind {
            Self::GradientDescent => Self::Momentum,
            Self::RmsPropCentered => Self::RmsProp,
            kind => kind,
        };
        family(self) == family(other)
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            Self::GradientDescent => "gradient descent",
            Self::Momentum => "Momentum",
            Self::Adam => "Adam",
            Self::RmsProp => "RMSProp",
            Self::RmsPropCentered => "centered RMSProp",
            Self::Adadelta => "Adadelta",
            Self::Adagrad => "Adagrad",
            Self::Ftrl => "Ftrl",
            Self::Adamax => "Adamax",
            Self::Nadam => "Nadam",
        }
    }

    /// The kind of a newer Keras optimizer by its lists.
    pub fn from_lists(lists: &[&str]) -> Option<Self> {
        let has = |role: &Role| role.lists.iter().any(|list| lists.contains(list));
        let same = |roles: &[Role]| roles.len() == lists.len() && roles.iter().all(has);
        TABLE.iter().find(|row| same(row.3)).map(|row| row.0)
    }

    /// Every name TF1 gives slots by itself.
    pub(super) fn slot_names() -> impl Iterator<Item = &'static str> {
        let refused = REFUSED.iter().map(|(name, _)| *name);
        TABLE.iter().flat_map(|row| row.2.iter().copied()).chain(refused)
    }

    /// Why slots of this name cannot be converted, if they cannot.
    pub fn refusal(name: &str) -> Option<&'static str> {
        REFUSED.iter().find(|(known, _)| *known == name).map(|(_, reason)| *reason)
    }

    /// What the same training still depends on in the program, as no checkpoint holds it.
    pub fn advice(self) -> &'static [&'static str] {
        match self {
            Self::GradientDescent => &[],
            Self::Momentum => &["`momentum` and `nesterov` as in TF1"],
            Self::Adam => &["`beta_1`, `beta_2` as in TF1", "`epsilon`: TF1 has 1e-8, Keras 1e-7"],
            Self::RmsProp | Self::RmsPropCentered => &[
                "`rho` and `momentum` as in TF1 (TF1: 0.9 and 0.0)",
                "`epsilon`: TF1 has 1e-10, Keras 1e-7; older Keras optimizers without momentum add it outside the root",
            ],
            Self::Adadelta => &["`rho` as in TF1", "`epsilon`: TF1 has 1e-8, Keras 1e-7"],
            Self::Adagrad => &["`epsilon`: TF1 has none, Keras 1e-7"],
            Self::Ftrl => &["`learning_rate_power` and the regularization strengths as in TF1"],
            Self::Adamax => &["`epsilon`: TF1 has 1e-8, Keras 1e-7"],
            Self::Nadam => &[
                "Keras's Nadam has a momentum schedule that TF1's has not: training goes on near TF1's, not on it",
                "`epsilon`: TF1 has 1e-8, Keras 1e-7",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_slots() {
        assert_eq!(Kind::from_slots("RMSProp", 2), Some(Kind::RmsProp));
        assert_eq!(Kind::from_slots("RMSProp", 3), Some(Kind::RmsPropCentered));
        assert_eq!(Kind::from_slots("Adam", 4), None);
        assert_eq!(Kind::from_legacy(&["momentum", "rms"]), Some(Kind::RmsProp));
        assert_eq!(Kind::from_lists(&["_momentums", "_velocities"]), Some(Kind::Adam));
        for (word, kind) in Kind::words() {
            assert_eq!(kind.word(), word);
        }
    }
}
