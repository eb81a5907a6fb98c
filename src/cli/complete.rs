//! What shells offer when TAB is pressed: checkpoints, rule files, names of variables.
//!
//! Names come from files of strangers and end up on a command line, so that only those are offered
//! which mean nothing to any shell.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsStr;

use clap::{Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use ckptmap::catalog::Catalog;
use ckptmap::files::{Location, store};
use ckptmap::mapping::{BUILTIN_PREFIX, BUILTINS};
use ckptmap::report::display_name;
use ckptmap::source::{CheckpointReader, open};

use super::values::Setting;

type Offer = fn(&OsStr) -> Vec<CompletionCandidate>;

/// What is offered for a value, by what the value is called.
const OFFERS: &[(&str, Offer)] = &[
    ("A", checkpoints),
    ("B", checkpoints),
    ("CKPT", checkpoints),
    ("FRESH", checkpoints),
    ("OLD", checkpoints),
    ("NEW", checkpoints),
    ("RULES", rules),
    ("MAPPING", builtins),
    ("JOBS", yaml_files),
    ("NAME[SLICE]", variables),
    ("PATTERN", variables),
    ("NAME", variables),
    ("OLD=NEW", pairs),
];

/// A command whose values are offered.
pub(super) fn with_offers(command: Command) -> Command {
    command.mut_args(|arg| {
        let is = |name: &str| {
            arg.get_value_names().is_some_and(|names| names.first().is_some_and(|one| one == name))
        };
        // Whether a flag takes a value is not known before the command is built.
        if let Some((_, offer)) = OFFERS.iter().find(|(name, _)| is(name)) {
            return arg.add(ArgValueCompleter::new(*offer));
        }
        if is("FILE") || is("REPORT") { arg.value_hint(ValueHint::AnyPath) } else { arg }
    })
}

/// What stands beside checkpoints.
const OTHER: &[&str] = &[
    "csv", "html", "ipynb", "json", "log", "md", "meta", "npy", "npz", "pb", "pbtxt", "py", "sh",
    "txt", "yaml", "yml",
];

/// Checkpoints by their prefixes, and what else may be one.
fn checkpoints(typed: &OsStr) -> Vec<CompletionCandidate> {
    paths(typed, |name| match name.strip_suffix(".index") {
        Some(prefix) => Some(prefix),
        None if name.contains(".data-") => None,
        None => match name.rsplit_once('.') {
            Some((_, extension)) if OTHER.contains(&extension) => None,
            _ => Some(name),
        },
    })
}

/// Rule files, and mappings that come with the program.
fn rules(typed: &OsStr) -> Vec<CompletionCandidate> {
    let files = yaml_files(typed);
    builtin(typed, BUILTIN_PREFIX).chain(files).collect()
}

fn builtins(typed: &OsStr) -> Vec<CompletionCandidate> {
    builtin(typed, "").collect()
}

fn builtin(typed: &OsStr, prefix: &'static str) -> impl Iterator<Item = CompletionCandidate> {
    let typed = typed.to_string_lossy().into_owned();
    let named = BUILTINS.iter().map(move |one| (format!("{prefix}{}", one.name), one.title()));
    named
        .filter(move |(name, _)| name.starts_with(&typed))
        .map(|(name, title)| CompletionCandidate::new(name).help(Some(title.into())))
}

fn yaml_files(typed: &OsStr) -> Vec<CompletionCandidate> {
    paths(typed, |name| {
        let (_, extension) = name.rsplit_once('.')?;
        matches!(extension, "yaml" | "yml").then_some(name)
    })
}

/// Folders, and what `called` makes of names of files.
fn paths(typed: &OsStr, called: impl Fn(&str) -> Option<&str>) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let Ok(prefix) = typed.parse::<Location>();
    // To ask a bucket takes longer than anybody waits for.
    if prefix.url().is_some() {
        return Vec::new();
    }
    let folder = typed.rfind('/').and_then(|at| typed.get(..=at)).unwrap_or_default();
    let store = store(&prefix);
    let mut found = BTreeSet::new();
    for at in store.list(&prefix).unwrap_or_default() {
        let name = at.name();
        // Hidden ones are offered to those who ask for them.
        if name.starts_with('.') && typed.len() == folder.len() {
            continue;
        }
        let is_folder = store.status(&at).is_ok_and(|status| status.is_some_and(|at| at.is_dir));
        let shown =
            if is_folder { Some(format!("{name}/")) } else { called(&name).map(str::to_owned) };
        if let Some(shown) = shown.filter(|shown| is_plain(shown)) {
            found.insert(format!("{folder}{shown}"));
        }
    }
    found.into_iter().map(CompletionCandidate::new).collect()
}

/// Names of variables in the checkpoint that was typed before.
fn variables(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let found = ["at", "old"].into_iter().find_map(opened).map(|old| names(old.catalog(), typed));
    candidates(found.unwrap_or_default(), "")
}

/// `OLD=NEW`: a variable of either checkpoint.
fn pairs(typed: &OsStr) -> Vec<CompletionCandidate> {
    match typed.to_str().map(str::parse::<Setting>) {
        Some(Ok(pair)) => {
            let found = opened("like").map(|new| names(new.catalog(), &pair.value));
            candidates(found.unwrap_or_default(), &format!("{}=", pair.name))
        }
        _ => variables(typed),
    }
}

/// The checkpoint that was typed for this argument.
fn opened(id: &str) -> Option<Box<dyn CheckpointReader>> {
    let words = env::args_os().skip_while(|word| word != "--").skip(1);
    let matches = super::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let (_, typed) = matches.subcommand()?;
    let at = typed.try_get_one::<Location>(id).ok()??;
    if at.url().is_some() {
        return None;
    }
    open(at).ok()
}

/// Names that begin as typed, and of what dtype and shape they are; as long as several go on in the
/// same way only up to the next slash.
fn names(catalog: &Catalog, typed: &str) -> BTreeMap<String, Option<String>> {
    let all: Vec<(String, String)> = catalog
        .variables
        .iter()
        .map(|(name, variable)| {
            (display_name(name.as_str()).into_owned(), variable.spec.to_string())
        })
        .filter(|(name, _)| name.starts_with(typed) && is_plain(name))
        .collect();
    let mut from = typed.len();
    loop {
        let mut found = BTreeMap::new();
        for (name, spec) in &all {
            let rest = name.get(from..).unwrap_or_default();
            match rest.find('/').and_then(|at| name.get(..=from + at)) {
                Some(group) => found.insert(group.to_owned(), None),
                None => found.insert(name.clone(), Some(spec.clone())),
            };
        }
        match found.first_key_value() {
            Some((only, None)) if found.len() == 1 => from = only.len(),
            _ => return found,
        }
    }
}

fn candidates(found: BTreeMap<String, Option<String>>, before: &str) -> Vec<CompletionCandidate> {
    let found = found.into_iter();
    found
        .map(|(name, spec)| {
            CompletionCandidate::new(format!("{before}{name}")).help(spec.map(Into::into))
        })
        .collect()
}

/// Whether it means nothing but itself to any shell, and to this program is no option.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:+=@,%".contains(c);
    // Zsh takes `=name` for the place of a command.
    !text.is_empty() && !text.starts_with(['-', '=']) && text.chars().all(plain)
}
