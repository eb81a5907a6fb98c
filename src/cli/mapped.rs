//! What every command with a rule file shares: its arguments, and the way to a plan.

use std::collections::BTreeMap;
use std::mem::ManuallyDrop;

use anyhow::{Context, bail};
use clap::ValueEnum;

use super::ui::Ui;
use super::values::{Setting, whole};
use super::{Answer, explain, page};
use ckptmap::catalog::VariableName;
use ckptmap::convert::Inputs;
use ckptmap::files::Location;
use ckptmap::mapping::{Mapping, NoFiles, Problems};
use ckptmap::plan::{Draft, Options, Plan, Purpose, draft};
use ckptmap::report::{Page, Report};
use ckptmap::reverse::{by_full_name, plan_back};
use ckptmap::rules::Rules;
use ckptmap::source::{CheckpointReader, open};

/// `--for`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum For {
    /// `tf.train.Checkpoint.restore`: with a `save_counter`
    Restore,
    /// `tf.train.Checkpoint.read`, `load_weights`: without
    Read,
}

#[derive(Debug, clap::Args)]
pub(super) struct MappedArgs {
    /// The checkpoint to convert
    #[arg(value_name = "OLD")]
    old: Location,
    /// Go back from TF2 objects to TF1 names: OLD is the TF2 checkpoint, `--like` the TF1 one (its
    /// index suffices), the rules are those that led from TF1 to TF2
    #[arg(long, conflicts_with_all = ["keep_names", "save_counter"])]
    reverse: bool,
    #[command(flatten)]
    rules: RuleArgs,
}

/// Everything but the checkpoint itself.
#[derive(Debug, clap::Args)]
pub(super) struct RuleArgs {
    /// The rule file, or `builtin:NAME` for one that comes with the program (see `mappings`)
    #[arg(long, value_name = "RULES")]
    map: Option<Rules>,
    /// Give a parameter of the rule file another value
    #[arg(long = "set", value_name = "NAME=VALUE")]
    settings: Vec<Setting>,
    /// A template: a fresh checkpoint or SavedModel of the new model, whose objects the result
    /// takes over
    #[arg(long, value_name = "FRESH")]
    like: Option<Location>,
    /// Keep the template's own value wherever the rules give none
    #[arg(long, requires = "like")]
    keep_missing: bool,
    /// How the result will be restored
    #[arg(long = "for", value_name = "HOW", default_value = "restore")]
    purpose: For,
    /// List untouched tensors under their TF1 names too, at no cost: TF1's Saver,
    /// `init_from_checkpoint` and `tf.train.Checkpoint` then read the same file
    #[arg(long)]
    keep_names: bool,
    /// The value of `save_counter`
    #[arg(long, value_name = "N", value_parser = whole)]
    save_counter: Option<u32>,
    /// Write a page to look through as well: everything side by side, searchable, in one file
    #[arg(long, value_name = "FILE")]
    html: Option<Location>,
    /// Answer in JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// A source, rules, and what they make of each other.
pub(super) struct Planned {
    pub(super) reader: Box<dyn CheckpointReader>,
    pub(super) template: Option<Box<dyn CheckpointReader>>,
    pub(super) mapping: Mapping,
    pub(super) plan: Plan,
}

/// A plan, or the answer where there is none. A plan lives as long as the program: to give back its
/// memory, a piece at a time, takes longer than some parts of planning.
pub(super) type Answered = Result<ManuallyDrop<Planned>, Answer>;

impl Planned {
    /// What a page shows of it.
    pub(super) fn page(&self) -> Page<'_> {
        Page {
            plan: &self.plan,
            mapping: &self.mapping,
            source: self.reader.catalog(),
            template: self.template.as_ref().map(|template| template.catalog()),
            problems: None,
            conversion: None,
            verification: None,
        }
    }

    /// What the plan reads from.
    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs { source: self.reader.as_ref(), template: self.template.as_deref() }
    }
}

impl MappedArgs {
    /// Works out the plan; problems are shown, and the answer is no.
    pub(super) fn plan(&self, ui: &Ui) -> anyhow::Result<Answered> {
        if self.reverse {
            self.rules.plan_back(&self.old, ui)
        } else {
            self.rules.plan(&self.old, ui)
        }
    }

    pub(super) fn is_reverse(&self) -> bool {
        self.reverse
    }

    pub(super) fn rules(&self) -> &RuleArgs {
        &self.rules
    }

    pub(super) fn json(&self) -> bool {
        self.rules.json
    }
}

impl RuleArgs {
    /// Whether there are rules.
    pub(super) fn has_map(&self) -> bool {
        self.map.is_some()
    }

    /// Whether something is said that means nothing without rules.
    pub(super) fn needs_map(&self) -> bool {
        self.like.is_some()
            || !self.settings.is_empty()
            || self.keep_names
            || self.save_counter.is_some()
            || self.purpose != For::Restore
            || self.html.is_some()
    }

    /// Writes the page, if one is wanted.
    pub(super) fn write_page(&self, page: &Page<'_>, ui: &Ui) -> anyhow::Result<()> {
        let Some(at) = &self.html else { return Ok(()) };
        page::write(at, &Report::Page(page))?;
        ui.note(format!("wrote {at}"));
        Ok(())
    }

    /// Works out the plan for a source; problems are shown, and the answer is no.
    pub(super) fn plan(&self, old: &Location, ui: &Ui) -> anyhow::Result<Answered> {
        if let Some(at) = &self.html {
            page::may_write(at)?;
        }
        let reader = open(old)?;
        let template = self.like.as_ref().map(open).transpose()?;
        for note in &reader.catalog().facts.notes {
            ui.note(note);
        }
        let options = self.options()?;
        let like = template.as_ref().map(|template| template.catalog());
        let drafted = self.mapping()?.and_then(|mapping| {
            draft(reader.catalog(), &mapping, like, &options).map(|draft| (mapping, draft))
        });
        let planned = match drafted {
            Ok((mapping, Draft { plan, problems: Some(problems) })) => {
                let planned = ManuallyDrop::new(Planned { reader, template, mapping, plan });
                self.write_page(&Page { problems: Some(&problems), ..planned.page() }, ui)?;
                return Ok(Err(self.refuse(&problems, ui)?));
            }
            drafted => drafted.map(|(mapping, draft)| (mapping, draft.plan)),
        };
        self.answer(reader, template, planned, ui)
    }

    /// Works out the way back from the TF2 checkpoint at `new`.
    fn plan_back(&self, new: &Location, ui: &Ui) -> anyhow::Result<Answered> {
        if let Some(at) = &self.html {
            page::may_write(at)?;
        }
        let reader = open(new)?;
        let old = self.like.as_ref().map(open).transpose()?;
        for note in old.iter().flat_map(|old| &old.catalog().facts.notes) {
            ui.note(note);
        }
        let options = self.options()?;
        let planned = match (&old, &self.map) {
            (Some(old), Some(_)) => self.mapping()?.and_then(|mapping| {
                let has_data = |name: &VariableName| old.extent(name).is_ok();
                plan_back(old.catalog(), reader.catalog(), &mapping, &options, &has_data)
                    .map(|plan| (mapping, plan))
            }),
            (None, None) => by_full_name(reader.catalog()).and_then(|plan| {
                let none = Mapping::parse("", "version: 1", &BTreeMap::new(), &NoFiles)?;
                Ok((none, plan))
            }),
            (Some(_), None) => bail!("`--reverse --like OLD` needs the rules: `--map RULES`"),
            (None, Some(_)) => bail!(
                "`--reverse --map RULES` needs the TF1 checkpoint, of which the index suffices: \
                 `--like OLD`"
            ),
        };
        self.answer(reader, old, planned, ui)
    }

    fn answer(
        &self,
        reader: Box<dyn CheckpointReader>,
        template: Option<Box<dyn CheckpointReader>>,
        planned: Result<(Mapping, Plan), Problems>,
        ui: &Ui,
    ) -> anyhow::Result<Answered> {
        match planned {
            Ok((mapping, plan)) => {
                for warning in &plan.warnings {
                    ui.warn(warning);
                }
                Ok(Ok(ManuallyDrop::new(Planned { reader, template, mapping, plan })))
            }
            Err(problems) => Ok(Err(self.refuse(&problems, ui)?)),
        }
    }

    fn options(&self) -> anyhow::Result<Options> {
        if self.purpose == For::Read && self.save_counter.is_some() {
            bail!("`--for read` leaves `save_counter` out; leave out `--save-counter` as well");
        }
        Ok(Options {
            purpose: match self.purpose {
                For::Restore => Purpose::Restore,
                For::Read => Purpose::Read,
            },
            keep_names: self.keep_names,
            save_counter: self.save_counter,
            keep_missing: self.keep_missing,
            backwards: false,
        })
    }

    fn refuse(&self, problems: &Problems, ui: &Ui) -> anyhow::Result<Answer> {
        explain::refuse(problems, self.json, ui)?;
        Ok(Answer::No)
    }

    /// The rule file, read; the outer error is that there is none.
    fn mapping(&self) -> anyhow::Result<Result<Mapping, Problems>> {
        let rules = self
            .map
            .as_ref()
            .context("no rule file was given: `--map RULES`; `ckptmap suggest` proposes one")?;
        let set = self.settings.iter().map(|set| (set.name.clone(), set.value.clone())).collect();
        Ok(rules.read(&set)?.mapping)
    }
}
