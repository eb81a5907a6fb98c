//! Checkpoints that match a pattern.

use std::collections::BTreeSet;

use super::pattern::{Component, Parts, Pattern};
use crate::files::{FileError, Location, store};
use crate::names::natural;
use crate::source::{SourceError, checkpoints, resolve};

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

/// All that match, in natural order. A path that is no pattern matches whether it exists or not.
pub(super) fn find(pattern: &Pattern, folder: &Location) -> Result<Vec<Found>, SourceError> {
    if let Some(path) = pattern.literal() {
        return Ok(vec![Found { path, parts: Parts::new() }]);
    }
    let mut found = Vec::new();
    let mut walk = Walk { folder, seen: BTreeSet::new(), found: &mut found };
    walk.go(&pattern.start, &pattern.components, &Parts::new(), 0)?;
    found.sort_by(|a, b| natural(&a.path, &b.path));
    Ok(found)
}

struct Walk<'w> {
    folder: &'w Location,
    /// What `**` leads to in several ways is one all the same.
    seen: BTreeSet<String>,
    found: &'w mut Vec<Found>,
}

impl Walk<'_> {
    /// Goes on in the directory `start`, which ends with a slash or is empty.
    fn go(
        &mut self,
        start: &str,
        components: &[Component],
        parts: &Parts,
        depth: usize,
    ) -> Result<(), SourceError> {
        let Some((component, rest)) = components.split_first() else { return Ok(()) };
        match component {
            Component::Any => {
                // None of them: what comes next stands here.
                self.go(start, rest, parts, depth)?;
                if depth < DEPTH {
                    for (name, parts) in self.directories(start, component, parts)? {
                        self.go(&format!("{start}{name}/"), components, &parts, depth + 1)?;
                    }
                }
                Ok(())
            }
            Component::Literal(name) if !rest.is_empty() => {
                self.go(&format!("{start}{name}/"), rest, parts, depth)
            }
            Component::Literal(name) => {
                if resolve(&below(self.folder, &format!("{start}{name}"))).is_ok() {
                    self.keep(start, name, parts.clone());
                }
                Ok(())
            }
            Component::Names { .. } if !rest.is_empty() => {
                for (name, parts) in self.directories(start, component, parts)? {
                    self.go(&format!("{start}{name}/"), rest, &parts, depth)?;
                }
                Ok(())
            }
            Component::Names { .. } => {
                for at in checkpoints(&self.directory(start))? {
                    let name = at.name();
                    if let Some(parts) = component.fit(&name, parts) {
                        self.keep(start, &name, parts);
                    }
                }
                // A directory stands for its latest checkpoint, or for the SavedModel that it is.
                for (name, parts) in self.directories(start, component, parts)? {
                    if resolve(&below(self.folder, &format!("{start}{name}"))).is_ok() {
                        self.keep(start, &name, parts);
                    }
                }
                Ok(())
            }
        }
    }

    fn keep(&mut self, start: &str, name: &str, parts: Parts) {
        let path = format!("{start}{name}");
        if self.seen.insert(path.clone()) {
            self.found.push(Found { path, parts });
        }
    }

    fn directory(&self, start: &str) -> Location {
        below(self.folder, if start.is_empty() { "." } else { start })
    }

    /// Directories in `start` whose names fit.
    fn directories(
        &self,
        start: &str,
        component: &Component,
        parts: &Parts,
    ) -> Result<Vec<(String, Parts)>, FileError> {
        let directory = self.directory(start);
        let mut directories = Vec::new();
        for at in store(&directory).list(&directory.join(""))? {
            let name = at.name();
            let Some(parts) = component.fit(&name, parts) else { continue };
            if store(&at).status(&at)?.is_some_and(|status| status.is_dir) {
                directories.push((name, parts));
            }
        }
        Ok(directories)
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
            let found = find(&Pattern::parse(text).unwrap(), &folder).unwrap();
            found.into_iter().map(|found| found.path).collect::<Vec<_>>()
        };
        assert_eq!(paths("runs/{run}/m-{step}"), ["runs/a/m-2", "runs/a/m-10"]);
        assert_eq!(paths("**/m-*"), ["m-3", "runs/a/m-2", "runs/a/m-10", "runs/b/deep/m-7"]);
        assert_eq!(paths("runs/*/other"), ["runs/a/other"]);
        assert_eq!(paths("export/{version}"), ["export/1"]);
        assert_eq!(paths("m-?"), ["m-3"]);
        assert_eq!(paths("nowhere/{x}/y"), [""; 0]);
        assert_eq!(paths("nowhere/y"), ["nowhere/y"]);
        let found = find(&Pattern::parse("runs/{run}/m-{step}").unwrap(), &folder).unwrap();
        assert_eq!(found[1].parts["step"], "10");
        assert_eq!(found[1].parts["run"], "a");
    }
}
