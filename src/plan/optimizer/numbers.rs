//! Steps, powers, and hyper-parameters.

use super::origin::Origin;
use crate::catalog::VariableName;
use crate::mapping::{Iterations, OptimizerBlock, Problem, ProblemKind};
use crate::object::NodeId;
use crate::optimizer::{Found, Kind, momentum_product, steps_taken};
use crate::plan::claim::{Planner, misfit};
use crate::plan::spot::Spot;
use crate::plan::{Power, Value};
use crate::tensor::Constant;

impl Planner<'_> {
    fn spot_of(&self, node: Option<NodeId>) -> Option<Spot> {
        let template = self.template.as_ref()?;
        self.leaf(template.of_node(node?)?)
    }

    fn problem(&mut self, block: &OptimizerBlock, message: String, help: &str) {
        let problem = Problem::new(ProblemKind::Optimizer, message).help(help);
        self.report(block.id, problem);
    }

    /// A number for a leaf of the template.
    fn number(&mut self, block: &OptimizerBlock, spot: Spot, number: f64) {
        let Some(spec) = spot.wants.clone() else { return };
        match Constant::new(spec.clone(), number) {
            Some(constant) => self.assign(spot, spec, Value::Constant(constant), Some(block.id)),
            None => {
                let message = format!("`{}` is {spec}, which cannot hold {number}", spot.shown);
                self.report(block.id, Problem::new(ProblemKind::Value, message));
            }
        }
    }

    /// The step counter, and what depends on it.
    pub(super) fn step(
        &mut self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        kind: Kind,
    ) {
        let Some(spot) = self.spot_of(target.iterations) else { return };
        let iterations = spot.target.clone();
        if let Some(step) = origin.step.clone().filter(|_| block.iterations.is_some()) {
            self.consume(&step, block);
            self.counters.insert(step, iterations.clone());
        }
        let known = match &block.iterations {
            Some(Iterations::Number(steps)) => {
                self.number(block, spot, f64::from(*steps));
                Some(*steps)
            }
            Some(Iterations::Source(name)) => self.step_from(block, name, spot, target, origin),
            None => match &origin.step {
                Some(step) => {
                    let name = step.to_string();
                    self.step_from(block, &name, spot, target, origin)
                }
                None => self.step_from_powers(block, spot, target, origin, kind),
            },
        };
        for power in &origin.powers {
            self.consume(power, block);
            let beta = self.beta(block, target, origin, power);
            self.powers.insert(power.clone(), Power { beta, iterations: iterations.clone() });
        }
        if let Some(steps) = known {
            self.check_powers(block, origin, target, steps);
        }
        if kind == Kind::Nadam {
            self.product(block, target, origin, known);
        }
    }

    fn step_from(
        &mut self,
        block: &OptimizerBlock,
        name: &str,
        spot: Spot,
        target: &Found,
        origin: &Origin,
    ) -> Option<u32> {
        // By its plain name a power is this optimizer's own, whatever TF1 numbered it.
        let own = origin.powers.iter().find(|power| {
            let leaf = power.as_str().rsplit('/').next().unwrap_or_default();
            leaf.starts_with(name) && name.ends_with("_power")
        });
        let name = own.map_or(name, VariableName::as_str);
        let Some((key, variable)) = self.catalog.variables.get_key_value(name) else {
            let message =
                format!("the checkpoint has no `{name}` to take the number of steps from");
            self.problem(block, message, "name a variable of the source, or give the number");
            return None;
        };
        let leaf = name.rsplit('/').next().unwrap_or_default();
        let is_power = leaf.starts_with("beta1_power") || leaf.starts_with("beta2_power");
        if origin.powers.contains(key) || is_power {
            let Some(steps) = self.steps_of(block, target, origin, key) else {
                if self.options.backwards {
                    self.number(block, spot, 0.0);
                } else {
                    self.no_steps(block, key);
                }
                return None;
            };
            self.number(block, spot, f64::from(steps));
            return Some(steps);
        }
        let (key, spec) = (key.clone(), variable.spec.clone());
        let steps = self.catalog.scalar(key.as_str());
        self.consume(&key, block);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a step count")]
        let known = steps.map(|steps| steps as u32);
        // A counter of another integer type counts all the same: its number is taken.
        let wants = spot.wants.as_ref();
        if wants.is_some_and(|wants| *wants != spec) && spec.shape().rank() == 0 {
            let number = steps.or(self.options.backwards.then_some(0.0));
            if let Some(number) = number {
                self.counters.insert(key, spot.target.clone());
                self.number(block, spot, number);
                return known;
            }
        }
        if let Some(problem) = misfit(key.as_str(), &spec, &spot) {
            let help = "give the number itself: `iterations: 1000`";
            self.report(block.id, problem.help(help));
        }
        self.assign(spot, spec, Value::Variable(key), Some(block.id));
        known
    }

    fn step_from_powers(
        &mut self,
        block: &OptimizerBlock,
        spot: Spot,
        target: &Found,
        origin: &Origin,
        kind: Kind,
    ) -> Option<u32> {
        // Beta 2 is nearer to 1, so its power lasts longer.
        let steps = origin
            .powers
            .iter()
            .rev()
            .find_map(|power| self.steps_of(block, target, origin, power));
        if let Some(steps) = steps {
            self.number(block, spot, f64::from(steps));
            return Some(steps);
        }
        if self.options.backwards {
            // The way back works the powers out from what the target counts.
            self.number(block, spot, 0.0);
            return None;
        }
        let counts = matches!(kind, Kind::Adam | Kind::Adamax | Kind::Nadam);
        match origin.powers.last() {
            Some(power) => self.no_steps(block, &power.clone()),
            None => {
                let message = "the checkpoint does not say how many steps were taken".to_owned();
                let help = if counts {
                    "give the number, on which Adam's next steps depend: `iterations: 1000`"
                } else {
                    "give the number: `iterations: 1000`, or 0 if nothing depends on it"
                };
                self.problem(block, message, help);
            }
        }
        None
    }

    fn no_steps(&mut self, block: &OptimizerBlock, power: &VariableName) {
        let value = self.catalog.scalar(power.as_str());
        let message = match value {
            Some(value) => format!(
                "the number of steps cannot be worked out from `{power}`, which is {value:e}"
            ),
            None => format!(
                "the number of steps cannot be worked out from `{power}`, whose value cannot be read"
            ),
        };
        let help = "it has underflowed, or its beta is not known: give `beta_1`, `beta_2`, or \
                    the number itself: `iterations: 1000`";
        self.problem(block, message, help);
    }

    /// Steps by one power, if its beta is known and it has not underflowed.
    fn steps_of(
        &self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        power: &VariableName,
    ) -> Option<u32> {
        let beta = self.beta(block, target, origin, power)?;
        steps_taken(self.catalog.scalar(power.as_str())?, beta)
    }

    /// The beta that a power is of.
    fn beta(
        &self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        power: &VariableName,
    ) -> Option<f64> {
        let leaf = power.as_str().rsplit('/').next()?;
        let name = if leaf.starts_with("beta1") { "beta_1" } else { "beta_2" };
        self.hyperparameter(block, target, origin, name)
    }

    /// A hyper-parameter that the rule file, the source's graph or the template knows.
    fn hyperparameter(
        &self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        name: &str,
    ) -> Option<f64> {
        let said = block.hyperparameters.get(name).or_else(|| origin.hyperparameters.get(name));
        said.copied().or_else(|| self.templates(target, name))
    }

    /// The template's value.
    fn templates(&self, target: &Found, name: &str) -> Option<f64> {
        let spot = self.spot_of(target.hyperparameters.get(name).copied())?;
        self.template.as_ref()?.catalog.scalar(spot.target.key())
    }

    fn check_powers(
        &mut self,
        block: &OptimizerBlock,
        origin: &Origin,
        target: &Found,
        steps: u32,
    ) {
        for power in &origin.powers {
            if let Some(other) = self.steps_of(block, target, origin, power)
                && other != steps
            {
                let message = format!("`{power}` tells of {other} steps, {steps} are taken over");
                let problem = Problem::new(ProblemKind::Optimizer, message)
                    .help("`iterations: beta2_power` takes the power's word");
                return self.warn(block.id, problem);
            }
        }
    }

    fn product(
        &mut self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        steps: Option<u32>,
    ) {
        let found = self.template.as_ref().and_then(|template| target.product(template.graph));
        if self.options.backwards {
            return;
        }
        let Some((node, decay)) = found else { return };
        let Some(spot) = self.spot_of(Some(node)) else { return };
        let beta = self.hyperparameter(block, target, origin, "beta_1");
        match (beta, steps) {
            (Some(beta), Some(steps)) => {
                self.number(block, spot, momentum_product(beta, steps, decay));
            }
            (None, _) => {
                let message =
                    format!("`{}` depends on beta 1, which no checkpoint holds", spot.shown);
                self.problem(block, message, "give it: `beta_1: 0.9`");
            }
            (_, None) => {
                let message = format!("`{}` depends on the number of steps", spot.shown);
                self.problem(block, message, "give it: `iterations: 1000`");
            }
        }
    }

    /// The learning rate that momentum is scaled by.
    pub(super) fn learning_rate(
        &mut self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
    ) -> Option<f64> {
        const NAME: &str = "learning_rate";
        let source = origin.hyperparameters.get(NAME).copied();
        let said = block.hyperparameters.get(NAME).copied();
        // Where TF1 computed it, the template's is that of another step, or of another schedule.
        let schedule = origin.computed.get(NAME);
        let template = self.templates(target, NAME).filter(|_| schedule.is_none());
        let (rate, whose) = match (said, source.filter(|_| block.from_source), template) {
            (Some(rate), ..) => (rate, "the rule file's"),
            (None, Some(rate), _) => (rate, "the source's"),
            (None, None, Some(rate)) => (rate, "the template's"),
            (None, None, None) => {
                let message = match schedule {
                    Some(op) => format!(
                        "Momentum is scaled by the learning rate, which `{op}` computed in TF1"
                    ),
                    None => {
                        "Momentum is scaled by the learning rate, which is not known".to_owned()
                    }
                };
                self.problem(block, message, "give that of the next step: `learning_rate: 0.01`");
                return None;
            }
        };
        if rate == 0.0 || !rate.is_finite() {
            let message = format!("momentum cannot be scaled by a learning rate of {rate}");
            self.problem(block, message, "give that of the next step: `learning_rate: 0.01`");
            return None;
        }
        self.advice.push(format!(
            "`{}`: Momentum was scaled by {whose} learning rate, {rate}",
            target.shown
        ));
        Some(rate)
    }

    /// Hyper-parameters: the rule file's, the source's if asked for, else the template's.
    pub(super) fn hyperparameters(
        &mut self,
        block: &OptimizerBlock,
        target: &Found,
        origin: &Origin,
        kind: Kind,
    ) {
        for (name, node) in &target.hyperparameters {
            let Some(spot) = self.spot_of(Some(*node)) else { continue };
            if self.values.contains_key(&spot.target) {
                continue;
            }
            let source = origin.hyperparameters.get(name).copied();
            let template = self.templates(target, name);
            let said = block.hyperparameters.get(name).copied();
            match said.or(source.filter(|_| block.from_source)) {
                Some(number) => self.number(block, spot, number),
                None => {
                    if let (Some(source), Some(template)) = (source, template)
                        && differs(source, template)
                    {
                        let message =
                            format!("`{}` stays {template}, the source has {source}", spot.shown);
                        let help = format!(
                            "`hyperparameters: source` takes the source's, `{name}: …` another"
                        );
                        let problem = Problem::new(ProblemKind::Optimizer, message).help(help);
                        self.warn(block.id, problem);
                    }
                    self.keep(spot);
                }
            }
        }
        for name in block.hyperparameters.keys() {
            let used = target.hyperparameters.contains_key(name)
                || (name.starts_with("beta_")
                    && matches!(kind, Kind::Adam | Kind::Adamax | Kind::Nadam))
                || (name == "learning_rate" && kind == Kind::Momentum);
            if !used {
                let message = format!("`{}` keeps no `{name}` in checkpoints", target.shown);
                self.problem(block, message, "set it in the program, and take it out here");
            }
        }
    }
}

/// Whether two numbers differ by more than `float32` loses.
fn differs(a: f64, b: f64) -> bool {
    (a - b).abs() > 1e-6 * a.abs().max(b.abs())
}
