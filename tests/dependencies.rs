//! The policy in `deny.toml` holds for everything in `Cargo.lock`, without network.
//!
//! `cargo deny` reads the same file and asks the advisory database of the day. This test asks
//! `tests/advisories.toml`, what that database said of our crates on the day the file names, and
//! `tests/licences.toml`, what the crates' manifests say and which of them are never built.
//! `UPDATE=1` writes the latter again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::{env, fs};

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};
use spdx::{Expression, Licensee, ParseMode};

const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";
const STATED: &str = "tests/licences.toml";

#[derive(Deserialize)]
struct Policy {
    advisories: Advisories,
    licenses: Licences,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Advisories {
    ignore: Vec<Ignored>,
}

#[derive(Deserialize)]
struct Ignored {
    id: String,
    reason: String,
}

#[derive(Deserialize)]
struct Licences {
    allow: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Bans {
    wildcards: String,
    multiple_versions: String,
    deny: Vec<Named>,
    skip: Vec<Named>,
}

/// `name` or `name@requirement`.
#[derive(Deserialize)]
struct Named {
    #[serde(rename = "crate")]
    what: String,
    reason: String,
    /// Crates that may have it all the same.
    #[serde(default)]
    wrappers: Vec<String>,
}

impl Named {
    fn is(&self, package: &Package) -> bool {
        let (name, versions) = self.what.split_once('@').unwrap_or((&self.what, "*"));
        name == package.name && VersionReq::parse(versions).unwrap().matches(&package.version)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    unknown_registry: String,
    unknown_git: String,
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: Version,
    source: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
}

impl Package {
    /// Whether a line of another's `dependencies` means this one: the version is there only if it
    /// takes one to tell.
    fn is_named(&self, line: &str) -> bool {
        let mut words = line.split(' ');
        words.next() == Some(&self.name)
            && words.next().is_none_or(|version| version == self.version.to_string())
    }

    fn shown(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

/// What the database said. Ids and ranges are written as it writes them.
#[derive(Deserialize)]
struct Snapshot {
    date: String,
    newest: String,
    /// Looked up, and nothing there.
    without: BTreeSet<String>,
    advisory: Vec<Advisory>,
}

#[derive(Deserialize)]
struct Advisory {
    id: String,
    package: String,
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

impl Advisory {
    fn affects(&self, package: &Package) -> bool {
        let mut safe = self.patched.iter().chain(&self.unaffected);
        self.package == package.name && !safe.any(|versions| versions.matches(&package.version))
    }
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> T {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
    toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn policy() -> Policy {
    read("deny.toml")
}

fn locked() -> Vec<Package> {
    read::<Lock>("Cargo.lock").package
}

fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

#[test]
fn no_locked_version_has_an_advisory_that_is_not_accounted_for() {
    let (policy, snapshot): (Policy, Snapshot) = (policy(), read("tests/advisories.toml"));
    let locked = locked();
    let ignored: BTreeSet<&str> =
        policy.advisories.ignore.iter().map(|ignored| ignored.id.as_str()).collect();
    let mut affected = BTreeSet::new();
    let mut found = Vec::new();
    for advisory in &snapshot.advisory {
        for package in locked.iter().filter(|package| advisory.affects(package)) {
            affected.insert(advisory.id.as_str());
            if !ignored.contains(advisory.id.as_str()) {
                let patched: Vec<String> =
                    advisory.patched.iter().map(ToString::to_string).collect();
                found.push(format!(
                    "{}: {}, put right in {}",
                    package.shown(),
                    advisory.id,
                    patched.join(" or ")
                ));
            }
        }
    }
    none("update these (`cargo update -p NAME`), or give a reason in `deny.toml`", &found);
    let over: Vec<String> = ignored.difference(&affected).map(|&id| id.to_owned()).collect();
    none("`deny.toml` ignores what affects nothing any more; take it out", &over);
    let silent = policy.advisories.ignore.iter().filter(|ignored| ignored.reason.is_empty());
    none("ignored for no reason", &silent.map(|ignored| ignored.id.clone()).collect::<Vec<_>>());
}

#[test]
fn every_locked_crate_was_looked_up() {
    let snapshot: Snapshot = read("tests/advisories.toml");
    let with: BTreeSet<&str> =
        snapshot.advisory.iter().map(|advisory| advisory.package.as_str()).collect();
    let unknown: Vec<String> = locked()
        .into_iter()
        .filter(|package| package.source.is_some())
        .filter(|package| !with.contains(package.name.as_str()))
        .filter(|package| !snapshot.without.contains(&package.name))
        .map(|package| package.name)
        .collect();
    let Snapshot { date, newest, .. } = &snapshot;
    none(
        &format!("not in `tests/advisories.toml` of {date} (newest {newest}); see CONTRIBUTING.md"),
        &unknown,
    );
}

#[test]
fn crates_come_from_crates_io() {
    let sources = policy().sources;
    assert_eq!((&*sources.unknown_registry, &*sources.unknown_git), ("deny", "deny"));
    assert_eq!(sources.allow_registry, [CRATES_IO]);
    let registry = format!("registry+{CRATES_IO}");
    let elsewhere: Vec<String> = locked()
        .iter()
        .filter(|package| package.name != env!("CARGO_PKG_NAME"))
        .filter(|package| package.source.as_deref() != Some(&registry))
        .map(|package| format!("{} from {:?}", package.shown(), package.source))
        .collect();
    none("not from crates.io", &elsewhere);
}

#[test]
fn nothing_banned_is_locked() {
    let (bans, locked) = (policy().bans, locked());
    let mut found = Vec::new();
    for ban in &bans.deny {
        assert!(!ban.reason.is_empty(), "`{}` is banned for no reason", ban.what);
        for package in locked.iter().filter(|package| ban.is(package)) {
            let users = locked.iter().filter(|user| {
                let mut lines = user.dependencies.iter();
                !ban.wrappers.contains(&user.name) && lines.any(|line| package.is_named(line))
            });
            found
                .extend(users.map(|user| {
                    format!("{} by {}: {}", package.shown(), user.shown(), ban.reason)
                }));
        }
    }
    none("banned", &found);
}

#[test]
fn one_version_of_each_crate_but_for_those_with_a_reason() {
    let (bans, mut locked) = (policy().bans, locked());
    assert_eq!(bans.multiple_versions, "deny");
    let never_built = Stated::recorded().never_built;
    locked.retain(|package| !never_built.contains(&package.shown()));
    let mut unused = Vec::new();
    for skip in &bans.skip {
        assert!(!skip.reason.is_empty(), "`{}` is skipped for no reason", skip.what);
        let skipped = locked.iter().find(|package| skip.is(package));
        let twice = skipped.is_some_and(|skipped| {
            locked
                .iter()
                .any(|other| other.name == skipped.name && other.version != skipped.version)
        });
        if !twice {
            unused.push(skip.what.clone());
        }
    }
    none("`deny.toml` skips what is there once, or not at all; take it out", &unused);
    let mut counted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for package in locked.iter().filter(|package| !bans.skip.iter().any(|skip| skip.is(package))) {
        counted.entry(&package.name).or_default().push(package.shown());
    }
    let twice = counted.into_values().filter(|versions| versions.len() > 1);
    none("several versions", &twice.map(|versions| versions.join(", ")).collect::<Vec<_>>());
}

#[test]
fn no_version_is_a_wildcard_and_tensorflow_is_asked_for() {
    assert_eq!(policy().bans.wildcards, "deny");
    let manifest: toml::Table = read("Cargo.toml");
    let mut tables = vec![&manifest];
    tables
        .extend(manifest["target"].as_table().unwrap().values().map(|one| one.as_table().unwrap()));
    let mut wild = Vec::new();
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, asked) in
                table.get(kind).and_then(toml::Value::as_table).into_iter().flatten()
            {
                let version = asked.as_str().or_else(|| asked.get("version")?.as_str());
                if version.is_none_or(|version| version.contains('*')) {
                    wild.push(format!("{name}: {version:?}"));
                }
                if name == "tensorflow" {
                    assert_eq!(asked.get("optional"), Some(&toml::Value::Boolean(true)));
                }
            }
        }
    }
    none("wildcard versions in `Cargo.toml`", &wild);
    let features = manifest["features"].as_table().unwrap();
    let on: Vec<String> = features
        .iter()
        .filter(|(feature, _)| *feature != "tensorflow")
        .filter(|(_, brings)| brings.to_string().contains("tensorflow"))
        .map(|(feature, _)| feature.clone())
        .collect();
    none("features that bring `tensorflow`, and with it protobuf 2", &on);
}

/// What `cargo tree` says of the crates in `Cargo.lock`.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Stated {
    /// In `Cargo.lock` because some crate could ask for them; in no build of ours, whatever the
    /// platform and the features.
    never_built: BTreeSet<String>,
    /// The others, by what their manifests say.
    licences: BTreeMap<String, BTreeSet<String>>,
}

impl Stated {
    /// From the manifests of all platforms and features if they are at hand (`true`), or else of
    /// those that this test was built with.
    fn now() -> (Self, bool) {
        // Not `cargo metadata`, which does not say what is built.
        let tree = |more: &[&str]| {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["tree", "--locked", "--offline", "--prefix=none", "--format={p}|{l}"]);
            cargo.args(["--edges=normal,build,dev"]).args(more).output().unwrap()
        };
        let (mut output, mut whole) = (tree(&["--all-features", "--target=all"]), true);
        if !output.status.success() {
            (output, whole) = (tree(&[]), false);
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut stated = Self::default();
        // `name v1.2.3 (proc-macro)|MIT OR Apache-2.0 (*)`
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let (package, licence) = line.split_once('|').unwrap();
            let mut words = package.split(' ');
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let licence = licence.trim_end_matches(" (*)").to_owned();
            let crates = stated.licences.entry(licence).or_default();
            crates.insert(format!("{name} {}", version.trim_start_matches('v')));
        }
        let locked = locked();
        let built: BTreeSet<&String> = stated.licences.values().flatten().collect();
        let never = locked.iter().map(Package::shown).filter(|one| !built.contains(one));
        stated.never_built = if whole { never.collect() } else { BTreeSet::new() };
        (stated, whole)
    }

    fn recorded() -> Self {
        read(STATED)
    }

    /// One line for each crate.
    fn lines(&self) -> BTreeSet<String> {
        let never = self.never_built.iter().map(|one| format!("{one}: never built"));
        let of = |(licence, crates): (&String, &BTreeSet<String>)| {
            let licence = licence.clone();
            crates.iter().map(move |one| format!("{one}: {licence:?}")).collect::<Vec<_>>()
        };
        self.licences.iter().flat_map(of).chain(never).collect()
    }
}

#[test]
fn every_locked_crate_is_recorded_as_it_is() {
    let (now, whole) = Stated::now();
    if env::var_os("UPDATE").is_some() {
        assert!(whole, "not every crate is at hand; `cargo fetch --locked` first");
        let head =
            "# What the manifests say; `UPDATE=1 cargo test --test dependencies` writes it.\n";
        fs::write(STATED, head.to_owned() + &toml::to_string_pretty(&now).unwrap()).unwrap();
    }
    let recorded = Stated::recorded().lines();
    let other: Vec<String> = now.lines().difference(&recorded).cloned().collect();
    none(&format!("not so in `{STATED}`; look, and then `UPDATE=1`"), &other);
    let known: BTreeSet<&str> =
        recorded.iter().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    let shown: BTreeSet<String> = locked().iter().map(Package::shown).collect();
    let shown: BTreeSet<&str> = shown.iter().map(String::as_str).collect();
    let differ: Vec<String> =
        shown.symmetric_difference(&known).map(|&one| one.to_owned()).collect();
    none(
        &format!("only in one of `Cargo.lock` and `{STATED}`; look, and then `UPDATE=1`"),
        &differ,
    );
}

#[test]
fn every_licence_is_one_that_is_allowed() {
    let allow = policy().licenses.allow;
    let allowed: Vec<Licensee> = allow.iter().map(|one| Licensee::parse(one).unwrap()).collect();
    let mut used = BTreeSet::new();
    let mut refused = Vec::new();
    for (licence, crates) in Stated::recorded().licences {
        // Old manifests write `MIT/Apache-2.0`.
        let good = Expression::parse_mode(&licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|asked| {
                let one = allowed.iter().position(|one| one.satisfies(asked));
                used.extend(one);
                one.is_some()
            })
        });
        if !good {
            refused.push(format!("{licence:?}: {crates:?}"));
        }
    }
    none("licences that `deny.toml` does not allow", &refused);
    let over = (0..allow.len()).filter(|one| !used.contains(one)).map(|one| allow[one].clone());
    none("`deny.toml` allows what nothing asks for; take it out", &over.collect::<Vec<_>>());
}
