//! Names of files.

use std::convert::Infallible;
use std::fmt;
use std::path::{self, Component, Path, PathBuf};
use std::str::FromStr;

/// A name as it was typed; nothing has been looked up yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Location {
    /// A file of this machine.
    Local(PathBuf),
}

impl Location {
    /// The path on this machine.
    pub fn path(&self) -> &Path {
        match self {
            Self::Local(path) => path,
        }
    }

    /// The last component; empty for `/` and `..`.
    pub fn name(&self) -> String {
        self.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// The directory it stands in; the current one is `.`.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self.path().parent() {
            Some(parent) if !parent.as_os_str().is_empty() => Self::from(parent),
            _ => Self::from(Path::new(".")),
        }
    }

    /// Whether it can only be a directory: nothing, `.` or `..` stands behind the last separator.
    pub fn is_directory_like(&self) -> bool {
        let bytes = self.path().as_os_str().as_encoded_bytes();
        let last = bytes.rsplit(|&byte| path::is_separator(byte.into())).next();
        matches!(last, None | Some(b"" | b"." | b".."))
    }

    /// The same file named from the root on; links are not looked at. Unchanged where the current
    /// directory is unknown.
    #[must_use]
    pub fn absolute(&self) -> Self {
        path::absolute(self.path()).map_or_else(|_| self.clone(), Self::Local)
    }

    /// `name` in this directory.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        Self::Local(self.path().join(name))
    }

    /// The same name with `suffix` appended to it, as a bundle's files are called.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        let mut name = self.path().as_os_str().to_owned();
        name.push(suffix);
        Self::Local(name.into())
    }

    /// The name without `suffix`, if it ends with it.
    pub fn strip_suffix(&self, suffix: &str) -> Option<Self> {
        let text = self.path().to_str()?;
        text.strip_suffix(suffix).map(|rest| Self::Local(rest.into()))
    }

    /// The same name in another directory beside its own, which is called as that with `suffix`.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Self {
        let mut directory = PathBuf::new();
        for component in self.absolute().parent().path().components() {
            match component {
                // A suffix on `..` would name something else altogether.
                Component::ParentDir => drop(directory.pop()),
                other => directory.push(other),
            }
        }
        Self::Local(directory).with_suffix(suffix).join(&self.name())
    }
}

impl From<&Path> for Location {
    fn from(path: &Path) -> Self {
        Self::Local(path.to_owned())
    }
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::Local(text.into()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path().display().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Location {
        let Ok(location) = text.parse();
        location
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(at("runs/model.ckpt-7").name(), "model.ckpt-7");
        assert_eq!(at("runs/model.ckpt-7").parent(), at("runs"));
        assert_eq!(at("model.ckpt").parent(), at("."));
        assert_eq!(at("a/m").with_suffix(".index"), at("a/m.index"));
        assert_eq!(at("a/m.index").strip_suffix(".index"), Some(at("a/m")));
        assert_eq!(at("a/m").strip_suffix(".index"), None);
    }

    #[test]
    fn a_directory_beside() {
        assert_eq!(at("/a/runs/m").beside("-tf2"), at("/a/runs-tf2/m"));
        assert_eq!(at("/a/b/../m").beside("-tf2"), at("/a-tf2/m"));
    }

    #[test]
    fn some_names_are_directories_whatever_stands_there() {
        for text in ["", ".", "..", "a/", "a/.", "a/..", "/"] {
            assert!(at(text).is_directory_like(), "{text}");
        }
        for text in ["a", "a/b", ".a", "a/...", "/a"] {
            assert!(!at(text).is_directory_like(), "{text}");
        }
    }
}
