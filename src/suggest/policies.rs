//! What becomes of averages and of optimizers.

use super::file::{File, Line};
use super::found::Found;
use super::judge::Confidence;
use super::write::Material;
use crate::mapping::{Problem, ProblemKind, scalar};

impl Found<'_> {
    /// What becomes of averages and of optimizers.
    pub(super) fn policies(&self) -> File {
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
                let to = scalar(&one.shown);
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
    /// `problems` are those of the file.
    pub(super) fn ask_about_optimizers(&self, file: &mut File, problems: &[Problem]) -> bool {
        let is_optimizer = |line: &&mut Line| line.text.starts_with("optimizer: {to");
        let found = problems.iter().find(|problem| problem.kind == ProblemKind::Optimizer);
        let (Some(problem), Some(line)) = (found, file.policies.iter_mut().find(is_optimizer))
        else {
            return file.policies.iter().any(|line| line.confidence == Confidence::Open);
        };
        if !self.material.left.has_slots {
            // A count of steps alone: only the user knows whether the same training goes on.
            let reason = "the old checkpoint counts steps and has no state of an optimizer: this, \
                          with `--keep-missing`, takes over the count; `optimizer: keep` begins anew";
            reason.clone_into(&mut line.reason);
            line.confidence = Confidence::Open;
            return true;
        }
        let help = problem.help.as_ref().map_or(String::new(), |help| format!("; {help}"));
        line.reason = format!("{}{help}", problem.message);
        line.confidence = Confidence::Open;
        true
    }
}
