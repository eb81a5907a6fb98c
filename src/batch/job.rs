//! From a job file to single conversions, and what can be said of them before any is begun.

use std::collections::BTreeMap;
use std::iter::successors;
use std::sync::Arc;

use super::BatchError;
use super::file::{Entry, How, JobFile};
use super::find::{Findings, Found, below, find};
use super::pattern::{Parts, Pattern, STEP};
use super::record::counter;
use crate::files::{Location, real_directory};
use crate::names::natural;
use crate::plan::Purpose;
use crate::rules::Rules;
use crate::source::resolve;
use crate::target::default_destination;
use crate::yaml::{Problem, ProblemKind, Problems, SourceText};

/// More conversions than this are not meant.
const MOST: usize = 1_000_000;

/// Directories above a result that are looked at.
const DEPTH: usize = 64;

/// One conversion.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its place in the batch, counted from 0.
    pub number: usize,
    /// What is converted.
    pub input: Location,
    /// What is written.
    pub output: Location,
    /// The rules; none for a way back by names alone.
    pub rules: Option<Rules>,
    /// The template; for a way back the TF1 checkpoint.
    pub like: Option<Location>,
    /// Everything else.
    pub how: How,
}

/// Checkpoints in one directory, in the order of their steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Numbers of jobs.
    pub jobs: Vec<usize>,
    /// Whether names survive a loss of power.
    pub sync: bool,
}

/// Everything that a job file asks for.
#[derive(Debug)]
pub struct Batch {
    /// The conversions, in the order of the file.
    pub jobs: Vec<Job>,
    /// Those that are listed in `checkpoint` files.
    pub series: Vec<Series>,
    /// Directories that could not be looked through, with the reason.
    pub troubles: Vec<String>,
}

/// A conversion, and where it comes from.
struct Draft<'f> {
    job: Job,
    entry: &'f Entry,
    step: String,
    /// What the other parts of its pattern stand for.
    others: Parts,
}

impl Batch {
    /// Looks for the checkpoints that a job file, which lies in `folder`, asks for.
    pub fn expand(file: &JobFile, folder: &Location) -> Result<Self, BatchError> {
        let (mut drafts, mut problems, mut troubles) = (Vec::new(), Vec::new(), Vec::new());
        for entry in &file.entries {
            let Findings { found, closed } = find(&entry.pattern, folder);
            if found.is_empty() && closed.is_empty() && !entry.optional {
                let message = "no checkpoint matches this pattern";
                let help = "paths are relative to the job file; `optional: true` lets it pass";
                let problem = Problem::new(ProblemKind::Source, message).help(help);
                problems.push(problem.at(None, entry.site.place(&file.source, None)));
            }
            troubles.extend(closed);
            for found in found {
                drafts.push(draft(entry, folder, drafts.len(), &found));
                if drafts.len() > MOST {
                    let message = format!("more than {MOST} checkpoints match");
                    let problem = Problem::new(ProblemKind::Source, message);
                    let place = entry.site.place(&file.source, None);
                    return Err(Problems::one(problem.at(None, place)).into());
                }
            }
        }
        problems.extend(written_twice(&drafts, &file.source));
        problems.extend(read_and_written(&drafts, file, folder));
        if let Some(problems) = Problems::new(problems) {
            return Err(problems.into());
        }
        let series = series(&mut drafts);
        troubles.dedup();
        Ok(Self { jobs: drafts.into_iter().map(|draft| draft.job).collect(), series, troubles })
    }
}

fn draft<'f>(
    entry: &'f Entry,
    folder: &Location,
    number: usize,
    Found { path, parts }: &Found,
) -> Draft<'f> {
    let how = entry.how.clone();
    let input = below(folder, path);
    let output = match &entry.output {
        Some((output, _)) => below(folder, &output.fill(parts)),
        // One that cannot be found is told of when its turn comes.
        None => default_destination(&resolve(&input).unwrap_or(input.clone()), how.reverse),
    };
    let rules = entry.map.as_ref().map(|map| {
        let text = map.fill(parts);
        let Ok(rules) = text.parse::<Rules>();
        match rules {
            Rules::File(_) => Rules::File(below(folder, &text)),
            builtin @ Rules::Builtin(_) => builtin,
        }
    });
    let like = entry.like.as_ref().map(|like| below(folder, &like.fill(parts)));
    let mut others = parts.clone();
    let step = others.remove(STEP).unwrap_or_default();
    Draft { job: Job { number, input, output, rules, like, how }, entry, step, others }
}

/// Where what is said about an output belongs.
fn place(draft: &Draft<'_>, source: &Arc<SourceText>, problem: Problem) -> Problem {
    let site = draft.entry.output.as_ref().map_or(&draft.entry.site, |(_, site)| site);
    problem.at(None, site.place(source, None))
}

/// Two conversions to one place, by whatever name.
fn written_twice(drafts: &[Draft<'_>], source: &Arc<SourceText>) -> Vec<Problem> {
    let mut real: BTreeMap<Location, Location> = BTreeMap::new();
    let mut known: BTreeMap<(Location, String), &Draft<'_>> = BTreeMap::new();
    let mut problems = Vec::new();
    for draft in drafts {
        let (directory, name) = (draft.job.output.parent(), draft.job.output.name());
        let directory = real.entry(directory).or_insert_with_key(real_directory).clone();
        if let Some(first) = known.insert((directory, name), draft) {
            let message = format!(
                "`{}` would be written twice: from `{}` and from `{}`",
                draft.job.output, first.job.input, draft.job.input
            );
            let help = "a part of `input` in `output` tells them apart";
            let problem = Problem::new(ProblemKind::Collision, message).help(help);
            problems.push(place(draft, source, problem));
        }
    }
    problems
}

/// Results that are converted themselves, or directories with them: now, or when the batch is run
/// again.
fn read_and_written(drafts: &[Draft<'_>], file: &JobFile, folder: &Location) -> Vec<Problem> {
    let (literal, patterns): (Vec<_>, Vec<_>) =
        file.entries.iter().partition(|entry| entry.pattern.literal().is_some());
    let literal: BTreeMap<Location, &Entry> = literal
        .into_iter()
        .filter_map(|entry| Some((below(folder, &entry.pattern.literal()?).normal(), entry)))
        .collect();
    let patterns: Vec<(Pattern, &Entry)> =
        patterns.into_iter().map(|entry| (entry.pattern.from(folder), entry)).collect();
    let mut problems = Vec::new();
    for draft in drafts {
        let output = draft.job.output.normal();
        let above = successors(Some(output), |at| Some(at.parent()).filter(|up| up != at));
        let reads = above.take(DEPTH).find_map(|at| {
            let path = at.to_string();
            let by_pattern = || patterns.iter().find(|(pattern, _)| pattern.fits(&path));
            literal.get(&at).copied().or_else(|| by_pattern().map(|(_, entry)| *entry))
        });
        if let Some(entry) = reads {
            let message = format!(
                "`{}` is written here, and would be converted in its turn",
                draft.job.output
            );
            let problem = Problem::new(ProblemKind::Collision, message)
                .help("write to a directory in which no pattern looks")
                .related(entry.site.place(&file.source, None), "this matches it");
            problems.push(place(draft, &file.source, problem));
        }
    }
    problems
}

/// What tells a conversion's place in its series.
struct Member {
    step: String,
    input: String,
    number: usize,
}

/// Conversions of one pattern that go to one directory and differ in their steps alone, with their
/// `save_counter`.
fn series(drafts: &mut [Draft<'_>]) -> Vec<Series> {
    let mut groups: BTreeMap<_, Vec<Member>> = BTreeMap::new();
    for Draft { job, entry, step, others } in drafts.iter() {
        if entry.pattern.is_series() {
            let series = (job.output.parent().absolute(), entry.item, others.clone());
            let (step, input) = (step.clone(), job.input.to_string());
            groups.entry(series).or_default().push(Member { step, input, number: job.number });
        }
    }
    let mut in_directory: BTreeMap<Location, usize> = BTreeMap::new();
    for (directory, _, _) in groups.keys() {
        *in_directory.entry(directory.clone()).or_default() += 1;
    }
    let mut all = Vec::new();
    for ((directory, _, _), mut jobs) in groups {
        jobs.sort_by(|a, b| natural(&a.step, &b.step).then_with(|| natural(&a.input, &b.input)));
        let jobs: Vec<usize> = jobs.into_iter().map(|job| job.number).collect();
        count(&jobs, drafts);
        // A `checkpoint` file has one latest: where there are several series, there is none.
        let alone = in_directory.get(&directory) == Some(&1);
        let first = jobs.first().and_then(|first| drafts.get(*first));
        if let Some(Draft { job, .. }) = first.filter(|draft| alone && draft.job.how.state) {
            all.push(Series { sync: job.how.data.sync, jobs });
        }
    }
    all
}

/// Gives the conversions of a series their `save_counter`: 1, 2, … in their order. Results that have
/// one keep it for as long as it is greater than the one before: that an old source was deleted
/// changes nothing for the later ones.
fn count(jobs: &[usize], drafts: &mut [Draft<'_>]) {
    let mut last = 0;
    for number in jobs {
        let Some(Draft { job, .. }) = drafts.get_mut(*number) else { continue };
        let How { reverse, plan, .. } = &mut job.how;
        if plan.purpose == Purpose::Restore && !*reverse && plan.save_counter.is_none() {
            let kept = counter(&job.output).filter(|counter| *counter > last);
            last = kept.unwrap_or(last + 1);
            plan.save_counter = Some(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn expand(jobs: &str) -> Result<Batch, String> {
        let dir = tempfile::tempdir().unwrap();
        for file in ["runs/a/m-200", "runs/a/m-1000", "runs/b/m-7", "old/best"] {
            let at = dir.path().join(format!("{file}.index"));
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, b"").unwrap();
        }
        let text = format!("version: 1\ndefaults: {{map: r.yaml}}\njobs:\n{jobs}");
        let file = JobFile::parse("jobs.yaml", &text).unwrap();
        let root = format!("{}/", dir.path().display());
        Batch::expand(&file, &Location::from(dir.path()))
            .map_err(|error| error.to_string().replace(&root, ""))
    }

    #[test]
    fn a_series_counts_in_the_order_of_steps() {
        let batch = expand(
            "- {input: 'runs/{run}/m-{step}', output: 'new/{run}/ckpt-{step}'}\n\
             - {input: old/best, output: new/best}\n",
        )
        .unwrap();
        let names: Vec<String> = batch.jobs.iter().map(|job| job.output.name()).collect();
        assert_eq!(names, ["ckpt-200", "ckpt-1000", "ckpt-7", "best"]);
        let counters: Vec<_> = batch.jobs.iter().map(|job| job.how.plan.save_counter).collect();
        assert_eq!(counters, [Some(1), Some(2), Some(1), None]);
        let series: Vec<_> = batch.series.iter().map(|series| series.jobs.clone()).collect();
        assert_eq!(series, [vec![0, 1], vec![2]]);
    }

    #[test]
    fn outputs_beside_the_inputs_are_the_default() {
        let batch = expand("- {input: 'runs/a/m-{step}'}\n").unwrap();
        let output = batch.jobs[1].output.to_string();
        assert!(output.ends_with("runs/a-tf2/m-1000"), "{output}");
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let error = |jobs: &str| expand(jobs).unwrap_err();
        assert_eq!(
            error("- {input: 'runs/{run}/m-{step}', output: 'new/{run}'}\n"),
            "jobs.yaml:4:42: `new/a` would be written twice: from `runs/a/m-200` and from \
             `runs/a/m-1000`"
        );
        assert_eq!(
            error("- {input: 'runs/{run}/{name}', output: 'runs/{run}/{name}-new'}\n")
                .lines()
                .next(),
            Some(
                "jobs.yaml:4:40: `runs/a/m-200-new` is written here, and would be converted in \
                 its turn"
            )
        );
        assert_eq!(
            error("- {input: 'nowhere/{x}', output: 'new/{x}'}\n"),
            "jobs.yaml:4:11: no checkpoint matches this pattern"
        );
        let among_inputs = error("- {input: 'runs/{run}/m-{step}'}\n");
        assert!(among_inputs.contains("`runs/a-tf2/m-200` is written here"), "{among_inputs}");
        assert!(expand("- {input: 'nowhere/{x}', output: 'n/{x}', optional: true}\n").is_ok());
    }
}
