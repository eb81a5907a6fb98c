//! Checkpoints that match a pattern.

use std::collections::BTreeSet;

use super::pattern::{Component, Parts, Pattern};
use crate::causes::in_one_line;
use crate::files::{FileError, Identity, Location, store};
use crate::names::natural;
use crate::source::{checkpoints, resolve};

/// `**` goes no deeper: links may lead around in circles.
const DEPTH: usize = 32;

/// A checkpoint that matches.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path, as the pattern would have it.
    pub(super) path: String,
    pub(super) parts: Parts,
}

/// `path` as it stands in a file in `folder`, which is `.` where nobody typed one.
pub(super) fn below(folder: &Location, path: &str) -> Location {
    if folder.to_string() == "." {
        let Ok(at) = path.parse();
        return at;
    }
    folder.join(path)
}

/// What came of looking.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// All that match, in natural order.
    pub(super) found: Vec<Found>,
    /// Directories that could not be looked through, with the reason.
    pub(super) closed: Vec<String>,
}

/// Looks. A path that is no pattern matches whether it exists or not.
pub(super) fn find(pattern: &Pattern, folder: &Location) -> Findings {
    let mut findings = Findings::default();
    if let Some(path) = pattern.literal() {
        findings.found.push(Found { path, parts: Parts::new() });
        return findings;
    }
    let mut walk = Walk { folder, seen: BTreeSet::new(), way: Vec::new(), findings };
    walk.go(&pattern.start, &pattern.components, &Parts::new());
    let mut findings = walk.findings;
    findings.found.sort_by(|a, b| natural(&a.path, &b.path));
    findings
}

struct Walk<'w> {
    folder: &'w Location,
    /// What `**` leads to in several ways is one all the same.
    seen: BTreeSet<String>,
    /// Directories that `**` has led through: links may lead back to one of them.
    way: Vec<Option<Identity>>,
    findings: Findings,
}

impl Walk<'_> {
    /// Goes on in the directory `start`, which ends with a slash or is empty.
    fn go(&mut self, start: &str, components: &[Component], parts: &Parts) {
        let Some((component, rest)) = components.split_first() else { return };
        match component {
            Component::Any => {
                // None of them: what comes next stands here.
                self.go(start, rest, parts);
                for (name, parts, identity) in self.directories(start, component, parts) {
                    let is_back = identity.is_some() && self.way.contains(&identity);
                    if self.way.len() < DEPTH && !is_back {
                        self.way.push(identity);
                        self.go(&format!("{start}{name}/"), components, &parts);
                        self.way.pop();
                    }
                }
            }
            Component::Literal(name) if !rest.is_empty() => {
                self.go(&format!("{start}{name}/"), rest, parts);
            }
            Component::Literal(name) => self.keep(start, name, parts.clone()),
            Component::Names { .. } if !rest.is_empty() => {
                for (name, parts, _) in self.directories(start, component, parts) {
                    self.go(&format!("{start}{name}/"), rest, &parts);
                }
            }
            Component::Names { .. } => {
                let directory = self.directory(start);
                match checkpoints(&directory) {
                    Ok(all) => {
                        for at in all {
                            if at.path().to_str().is_none() {
                                self.unnamed(&at);
                                continue;
                            }
                            let name = at.name();
                            if let Some(parts) = component.fit(&name, parts) {
                                self.add(start, &name, parts);
                            }
                        }
                    }
                    Err(error) => self.closed(&error),
                }
                // A directory stands for its latest checkpoint, or for the SavedModel that it is.
                for (name, parts, _) in self.directories(start, component, parts) {
                    self.keep(start, &name, parts);
                }
            }
        }
    }

    /// Keeps a name that may be a checkpoint's. One that is, but cannot be told which, is told of
    /// when its turn comes.
    fn keep(&mut self, start: &str, name: &str, parts: Parts) {
        let at = below(self.folder, &format!("{start}{name}"));
        let is_one = || resolve(&at).is_ok() || checkpoints(&at).is_ok_and(|all| !all.is_empty());
        if is_one() {
            self.add(start, name, parts);
        }
    }

    fn add(&mut self, start: &str, name: &str, parts: Parts) {
        let path = format!("{start}{name}");
        if self.seen.insert(path.clone()) {
            self.findings.found.push(Found { path, parts });
        }
    }

    /// A name that no text can give.
    fn unnamed(&mut self, at: &Location) {
        self.trouble(format!("`{at}` is left out: its name is not UTF-8"));
    }

    fn closed(&mut self, error: &FileError) {
        self.trouble(in_one_line(error));
    }

    fn trouble(&mut self, error: String) {
        if !self.findings.closed.contains(&error) {
            self.findings.closed.push(error);
        }
    }

    fn directory(&self, start: &str) -> Location {
        below(self.folder, if start.is_empty() { "." } else { start })
    }

    /// Directories in `start` whose names fit.
    fn directories(
        &mut self,
        start: &str,
        component: &Component,
        parts: &Parts,
    ) -> Vec<(String, Parts, Option<Identity>)> {
        let directory = self.directory(start);
        let listed = store(&directory).list(&directory.join(""));
        let listed = listed.unwrap_or_else(|error| {
            self.closed(&error);
            Vec::new()
        });
        let mut directories = Vec::new();
        for at in listed {
            let name = at.name();
            let Some(parts) = component.fit(&name, parts) else { continue };
            if at.path().to_str().is_none() {
                self.unnamed(&at);
                continue;
            }
            // A link that leads to itself is no directory.
            if let Ok(Some(status)) = store(&at).status(&at)
                && status.is_dir
            {
                directories.push((name, parts, status.identity));
            }
        }
        directories
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn checkpoints_that_match_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Location::from(dir.path());
        for file in [
            "runs/a/m-2.index",
            "runs/a/m-10.index",
            "runs/a/m-10.data-00000-of-00001",
            "runs/a/other.index",
            "runs/b/deep/m-7.index",
            "runs/.c/m-1.index",
            "export/1/variables/variables.index",
            "export/2/saved_model.pb",
            "m-3.index",
        ] {
            let at = dir.path().join(file);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            fs::write(at, b"").unwrap();
        }
        let paths = |text: &str| {
            let found = find(&Pattern::parse(text).unwrap(), &folder).found;
            found.into_iter().map(|found| found.path).collect::<Vec<_>>()
        };
        assert_eq!(paths("runs/{run}/m-{step}"), ["runs/a/m-2", "runs/a/m-10"]);
        assert_eq!(paths("**/m-*"), ["m-3", "runs/a/m-2", "runs/a/m-10", "runs/b/deep/m-7"]);
        assert_eq!(paths("runs/*/other"), ["runs/a/other"]);
        assert_eq!(paths("export/{version}"), ["export/1"]);
        assert_eq!(paths("m-?"), ["m-3"]);
        assert_eq!(paths("nowhere/{x}/y"), [""; 0]);
        assert_eq!(paths("nowhere/y"), ["nowhere/y"]);
        // Links that lead back are not followed for ever.
        for link in ["k", "l"] {
            std::os::unix::fs::symlink(".", dir.path().join("runs").join(link)).unwrap();
        }
        std::os::unix::fs::symlink("self", dir.path().join("runs/self")).unwrap();
        assert!(paths("runs/**/m-7").len() < 10);
        let found = find(&Pattern::parse("runs/{run}/m-{step}").unwrap(), &folder).found;
        assert_eq!(found[1].parts["step"], "10");
        assert_eq!(found[1].parts["run"], "a");
    }
}
