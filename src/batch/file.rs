//! Job files: which checkpoints are converted, to what, and how. Nothing here has looked at a
//! directory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::BatchError;
use super::pattern::{Fill, Mistake, Pattern};
use crate::convert::Sharing;
use crate::files::{Location, Share};
use crate::plan::{self, Purpose};
use crate::rules::text;
use crate::size::size;
use crate::yaml::{
    self, Anchor, Context, Fields, Node, Problem, ProblemKind, Problems, Site, SourceText, Yaml,
};

/// Keys at the top.
pub(super) const KEYS: &[&str] = &["version", "defaults", "jobs"];

/// Keys of a job; `defaults` has all but the first two.
pub(super) const JOB_KEYS: &[&str] = &[
    "input",
    "optional",
    "output",
    "map",
    "set",
    "like",
    "reverse",
    "keep_missing",
    "for",
    "keep_names",
    "save_counter",
    "state",
    "shard_size",
    "link",
    "reflink",
    "verify",
    "sync",
];

/// A job file.
#[derive(Debug)]
pub struct JobFile {
    pub(super) source: Arc<SourceText>,
    pub(super) entries: Vec<Entry>,
}

/// A pattern, and what is done with each checkpoint that matches.
#[derive(Debug)]
pub(super) struct Entry {
    /// Which item of `jobs` it is from.
    pub(super) item: usize,
    pub(super) pattern: Pattern,
    /// Where the pattern stands.
    pub(super) site: Site,
    /// Whether it may match nothing.
    pub(super) optional: bool,
    pub(super) output: Option<(Fill, Site)>,
    pub(super) map: Option<Fill>,
    pub(super) like: Option<Fill>,
    pub(super) how: How,
}

/// What is the same for every checkpoint that a pattern matches.
#[derive(Debug, Clone)]
pub struct How {
    /// Parameters of the rule file.
    pub set: BTreeMap<String, String>,
    /// Whether it goes from TF2 to TF1.
    pub reverse: bool,
    /// How it is planned.
    pub plan: plan::Options,
    /// How values travel.
    pub data: Data,
    /// Whether series are listed in a `checkpoint` file.
    pub state: bool,
}

/// How values travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Data {
    /// The size from which on another data file is begun.
    pub shard_size: Option<u64>,
    /// Whether data files are shared.
    pub share: Option<Sharing>,
    /// Whether checksums are checked.
    pub verify: bool,
    /// Whether the result must survive a loss of power.
    pub sync: bool,
}

impl JobFile {
    /// Reads the job file at `at`.
    pub fn read(at: &Location) -> Result<Self, BatchError> {
        Ok(Self::parse(&at.to_string(), &text(at)?)?)
    }

    /// Reads a job file, called `name` in messages.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let source = Arc::new(SourceText::new(name, text));
        let tree = yaml::read(&source).map_err(|problem| Problems::one(*problem))?;
        let context = Context::new(Arc::clone(&source));
        let entries = Node::root(&tree, &context).fields(KEYS).map(|fields| {
            fields.version("job");
            entries(&fields)
        });
        match Problems::new(context.into_problems()) {
            Some(problems) => Err(problems),
            None => Ok(Self { source, entries: entries.unwrap_or_default() }),
        }
    }
}

fn entries(fields: &Fields<'_>) -> Vec<Entry> {
    let own = JOB_KEYS.get(2..).unwrap_or_default();
    let defaults = fields.get("defaults").and_then(|defaults| defaults.fields(own));
    let jobs = fields.require("jobs").and_then(Node::list).unwrap_or_default();
    let mut entries = Vec::new();
    for (item, job) in jobs.iter().enumerate() {
        let Some(fields) = job.fields(JOB_KEYS) else { continue };
        let keys = Keys { own: &fields, defaults: defaults.as_ref() };
        let how = keys.how();
        let optional = fields.truth("optional").unwrap_or_default();
        let inputs = fields.require("input").map(Node::one_or_many).unwrap_or_default();
        for input in &inputs {
            let Some(text) = input.text() else { continue };
            let pattern = match Pattern::parse(text) {
                Ok(pattern) => pattern,
                Err(mistake) => {
                    mistaken(input, ProblemKind::Pattern, mistake);
                    continue;
                }
            };
            let fill = |key| {
                let node: &Node<'_> = keys.get(key)?;
                match Fill::parse(node.text()?, &pattern.parts) {
                    Ok(fill) => Some((fill, node.site(Anchor::Value))),
                    Err(mistake) => {
                        mistaken(node, ProblemKind::Template, mistake);
                        None
                    }
                }
            };
            let (output, map, like) = (fill("output"), fill("map"), fill("like"));
            let has = |key| keys.get(key).is_some();
            let lacks = match (has("map"), has("like"), how.reverse) {
                (false, false, true) | (true, true, _) => None,
                (false, _, _) => Some((
                    "this job has no rules",
                    "say which: `map: rules.yaml` or `map: builtin:NAME`, here or in `defaults`",
                )),
                (true, false, true) => Some((
                    "`reverse` with rules needs the TF1 checkpoint",
                    "say which: `like: old/model.ckpt`; its index suffices",
                )),
                (true, false, false) if how.plan.keep_missing => Some((
                    "`keep_missing` has no meaning without a template",
                    "say which: `like: fresh/ckpt`",
                )),
                (true, false, false) => None,
            };
            if let Some((what, help)) = lacks {
                job.report(Problem::new(ProblemKind::Key, what).help(help), None);
            }
            entries.push(Entry {
                item,
                site: input.site(Anchor::Value),
                optional,
                output,
                map: map.map(|(map, _)| map),
                like: like.map(|(like, _)| like),
                how: how.clone(),
                pattern,
            });
        }
    }
    entries
}

fn mistaken(node: &Node<'_>, kind: ProblemKind, mistake: Mistake) {
    node.report(Problem::new(kind, mistake.message), Some(mistake.within));
}

/// What a job says, and what all jobs say where it says nothing.
struct Keys<'k, 'y> {
    own: &'k Fields<'y>,
    defaults: Option<&'k Fields<'y>>,
}

impl<'y> Keys<'_, 'y> {
    fn get(&self, key: &str) -> Option<&Node<'y>> {
        self.own.get(key).or_else(|| self.defaults?.get(key))
    }

    fn truth(&self, key: &str, otherwise: bool) -> bool {
        self.get(key).and_then(Node::truth).unwrap_or(otherwise)
    }

    fn how(&self) -> How {
        let purposes = [("restore", Purpose::Restore), ("read", Purpose::Read)];
        let plan = plan::Options {
            purpose: self.get("for").and_then(|node| node.choice(&purposes)).unwrap_or_default(),
            keep_names: self.truth("keep_names", false),
            save_counter: self.get("save_counter").and_then(counter),
            keep_missing: self.truth("keep_missing", false),
            backwards: false,
        };
        let data = Data {
            shard_size: self.get("shard_size").and_then(bytes),
            share: self.share(),
            verify: self.truth("verify", true),
            sync: self.truth("sync", true),
        };
        let (reverse, state) = (self.truth("reverse", false), self.truth("state", true));
        let reads = plan.purpose == Purpose::Read;
        let clashes = [
            ("save_counter", reads, "`for: read` leaves `save_counter` out"),
            ("save_counter", reverse, "TF1 has no `save_counter`"),
            ("keep_names", plan.keep_names && reverse, "`reverse: true` gives TF1 names anyway"),
        ];
        for (key, clashes, why) in clashes {
            if clashes && let Some(node) = self.get(key) {
                let message = format!("`{key}` has no meaning here: {why}");
                let problem = Problem::new(ProblemKind::Key, message);
                node.report_key(problem.help("leave it out"), key);
            }
        }
        How { set: self.set(), reverse, plan, data, state }
    }

    /// Parameters, one by one.
    fn set(&self) -> BTreeMap<String, String> {
        let all = [self.defaults, Some(self.own)].into_iter().flatten();
        let maps = all.filter_map(|fields| fields.get("set")).filter_map(Node::entries).flatten();
        maps.filter_map(|(name, node)| Some((name.to_owned(), node.scalar()?))).collect()
    }

    fn share(&self) -> Option<Sharing> {
        // What a job says of one counts, whatever all jobs say of the other.
        let spoken = [Some(self.own), self.defaults].into_iter().flatten();
        let ways = [("link", Share::Link), ("reflink", Share::Reflink)];
        for fields in spoken {
            let said = ways.map(|(key, how)| fields.get(key).map(|node| (node, how)));
            if let [Some(_), Some((node, _))] = said {
                let message = "`link` and `reflink` exclude each other";
                let problem = Problem::new(ProblemKind::Key, message);
                node.report_key(problem.help("leave one of them out"), "reflink");
            }
            if let Some((node, how)) = said.into_iter().flatten().next() {
                return match node.yaml {
                    Yaml::Bool(wanted) => wanted.then_some(Sharing { how, required: false }),
                    _ => {
                        let words = [("try", false), ("require", true)];
                        node.choice(&words).map(|required| Sharing { how, required })
                    }
                };
            }
        }
        None
    }
}

fn counter(node: &Node<'_>) -> Option<u32> {
    let counter = match node.yaml {
        Yaml::Integer(number) => u32::try_from(*number).ok(),
        _ => None,
    };
    if counter.is_none() {
        let problem = Problem::new(ProblemKind::Value, "a number from 0 on should stand here");
        node.report(problem, None);
    }
    counter
}

fn bytes(node: &Node<'_>) -> Option<u64> {
    match size(&node.scalar()?) {
        Ok(bytes) => Some(bytes),
        Err(how) => {
            let problem = Problem::new(ProblemKind::Value, "a number of bytes should stand here");
            node.report(problem.help(how), None);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = JobFile::parse("jobs.yaml", text).unwrap_err();
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_schema_has_the_same_keys() {
        let schema: serde_json::Value = serde_json::from_str(crate::batch::SCHEMA).unwrap();
        let keys = |at: &str| {
            let found = schema.pointer(at).unwrap()["properties"].as_object().unwrap();
            found.keys().cloned().collect::<Vec<_>>()
        };
        let sorted = |keys: &[&str]| {
            let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            keys.sort();
            keys
        };
        assert_eq!(keys(""), sorted(KEYS));
        assert_eq!(keys("/properties/jobs/items"), sorted(JOB_KEYS));
        assert_eq!(keys("/properties/defaults"), sorted(&JOB_KEYS[2..]));
    }

    #[test]
    fn a_job_overrides_defaults() {
        let text = "version: 1\n\
            defaults: {map: r.yaml, output: 'new/{x}', set: {a: 1, b: 2}, link: true, sync: false}\n\
            jobs:\n\
            - {input: 'old/{x}'}\n\
            - {input: ['a/{x}', 'b/{x}'], set: {b: 3}, reflink: require, sync: true, map: 's.yaml'}\n";
        let file = JobFile::parse("jobs.yaml", text).unwrap();
        let items: Vec<usize> = file.entries.iter().map(|entry| entry.item).collect();
        assert_eq!(items, [0, 1, 1]);
        let [first, _, third] = &file.entries[..] else { panic!() };
        assert_eq!(first.how.data.share, Some(Sharing { how: Share::Link, required: false }));
        assert_eq!(third.how.data.share, Some(Sharing { how: Share::Reflink, required: true }));
        assert_eq!(third.how.set.values().collect::<Vec<_>>(), ["1", "3"]);
        let data = &third.how.data;
        assert!(!first.how.data.sync && data.sync && data.verify);
        assert_eq!(third.map, Fill::parse("s.yaml", &[]).ok());
    }

    #[test]
    fn mistakes_have_a_place() {
        let text = "version: 1\n\
            defaults: {map: r.yaml, input: x}\n\
            jobs:\n\
            - {input: 'old/{x', output: new}\n\
            - {input: 'old/{x}', output: 'new/{y}', lnik: true}\n\
            - {output: new}\n\
            - {input: a, shard_size: much, for: raed, save_counter: -1}\n";
        assert_eq!(
            problems(text),
            [
                "jobs.yaml:2:25: there is no key `input` here",
                "jobs.yaml:4:16: this brace is never closed; `{{` is one brace",
                "jobs.yaml:5:35: `input` has no part `{y}`; it has `{x}`",
                "jobs.yaml:5:41: there is no key `lnik` here",
                "jobs.yaml:6:3: the key `input` is missing here",
                "jobs.yaml:7:26: a number of bytes should stand here",
                "jobs.yaml:7:37: `raed` is not known here",
                "jobs.yaml:7:57: a number from 0 on should stand here",
            ]
        );
        assert_eq!(problems("jobs: []\n"), ["jobs.yaml:1:1: the key `version` is missing here"]);
        assert_eq!(
            problems("version: 1\njobs:\n- input: a\n"),
            ["jobs.yaml:3:3: this job has no rules"]
        );
        let text = "version: 1\njobs:\n- {input: a, map: r, reverse: true}\n\
                    - {input: b, map: r, keep_missing: true}\n- {input: c, reverse: true}\n";
        assert_eq!(
            problems(text),
            [
                "jobs.yaml:3:3: `reverse` with rules needs the TF1 checkpoint",
                "jobs.yaml:4:3: `keep_missing` has no meaning without a template",
            ]
        );
        let text = "version: 1\njobs: [{input: a, map: r, for: read, save_counter: 1, link: true, \
                    reflink: true}]\n";
        assert_eq!(
            problems(text),
            [
                "jobs.yaml:2:38: `save_counter` has no meaning here: `for: read` leaves \
                 `save_counter` out",
                "jobs.yaml:2:67: `link` and `reflink` exclude each other",
            ]
        );
    }
}
