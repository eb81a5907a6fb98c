//! Names of files.

use std::convert::Infallible;
use std::fmt;
use std::path::{self, Component, Path, PathBuf};
use std::str::FromStr;

use super::Url;

/// A name as it was typed; nothing has been looked up yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Location {
    /// A file of this machine.
    Local(PathBuf),
    /// An object in a bucket.
    Bucket(Url),
}

impl Location {
    /// The path on this machine. For a name in a bucket it is that name, by which no file of this
    /// machine is found.
    pub fn path(&self) -> &Path {
        match self {
            Self::Local(path) => path,
            Self::Bucket(url) => Path::new(url.as_str()),
        }
    }

    /// Its name in a bucket, if it is in one.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Local(_) => None,
            Self::Bucket(url) => Some(url),
        }
    }

    /// Whether both are in one bucket.
    pub fn shares_bucket(&self, other: &Self) -> bool {
        let roots = self.url().map(Url::root).zip(other.url().map(Url::root));
        roots.is_some_and(|(one, other)| one == other)
    }

    /// The last component; empty for `/` and `..`.
    pub fn name(&self) -> String {
        match self {
            Self::Local(path) => {
                path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
            }
            Self::Bucket(url) => url.name().to_owned(),
        }
    }

    /// The directory it stands in; the current one is `.`.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self {
            Self::Local(path) => match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => Self::from(parent),
                _ => Self::from(Path::new(".")),
            },
            Self::Bucket(url) => Self::Bucket(url.parent()),
        }
    }

    /// Whether it can only be a directory: nothing, `.` or `..` stands behind the last separator.
    pub fn is_directory_like(&self) -> bool {
        match self {
            Self::Local(path) => {
                let bytes = path.as_os_str().as_encoded_bytes();
                let last = bytes.rsplit(|&byte| path::is_separator(byte.into())).next();
                matches!(last, None | Some(b"" | b"." | b".."))
            }
            Self::Bucket(url) => url.is_directory_like(),
        }
    }

    /// The same file named from the root on; links are not looked at. Unchanged where the current
    /// directory is unknown.
    #[must_use]
    pub fn absolute(&self) -> Self {
        match self {
            Self::Local(path) => path::absolute(path).map_or_else(|_| self.clone(), Self::Local),
            Self::Bucket(_) => self.clone(),
        }
    }

    /// The same name without separators and dots that change nothing.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.components().collect()),
            Self::Bucket(url) => Self::Bucket(url.plain()),
        }
    }

    /// The same file named from the root on, without `.` and `..`; links are not looked at, so that
    /// behind one it may be another file.
    #[must_use]
    pub fn normal(&self) -> Self {
        if let Self::Bucket(url) = self {
            return Self::Bucket(url.plain());
        }
        let mut path = PathBuf::new();
        for component in self.absolute().path().components() {
            match component {
                Component::ParentDir => drop(path.pop()),
                other => path.push(other),
            }
        }
        Self::Local(path)
    }

    /// `name` in this directory; one that begins at a root or with a bucket is that.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match (self, Url::parse(name)) {
            (_, Some(url)) => Self::Bucket(url),
            (Self::Bucket(url), None) if !Path::new(name).is_absolute() => {
                Self::Bucket(url.join(name))
            }
            (Self::Bucket(_), None) => Self::from(Path::new(name)),
            (Self::Local(path), None) => Self::Local(path.join(name)),
        }
    }

    /// The same name with `suffix` appended to it, as a bundle's files are called.
    #[must_use]
    pub fn with_suffix(&self, suffix: &str) -> Self {
        match self {
            Self::Local(path) => {
                let mut name = path.as_os_str().to_owned();
                name.push(suffix);
                Self::Local(name.into())
            }
            Self::Bucket(url) => Self::Bucket(url.with_suffix(suffix)),
        }
    }

    /// The name without `suffix`, if it ends with it.
    pub fn strip_suffix(&self, suffix: &str) -> Option<Self> {
        match self {
            Self::Local(path) => {
                path.to_str()?.strip_suffix(suffix).map(|rest| Self::Local(rest.into()))
            }
            Self::Bucket(url) => url.strip_suffix(suffix).map(Self::Bucket),
        }
    }

    /// The same name in another directory beside its own, which is called as that with `suffix`.
    #[must_use]
    pub fn beside(&self, suffix: &str) -> Self {
        if let Self::Bucket(url) = self {
            return Self::Bucket(url.beside(suffix));
        }
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
        Ok(Url::parse(text).map_or_else(|| Self::Local(text.into()), Self::Bucket))
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
        assert_eq!(at("s3://b/runs/m").beside("-tf2"), at("s3://b/runs-tf2/m"));
        assert_eq!(at("s3://b/m").beside("-tf2"), at("s3://b/tf2/m"));
    }

    #[test]
    fn names_in_buckets_are_taken_apart() {
        assert_eq!(at("s3://b/runs/m").name(), "m");
        assert_eq!(at("s3://b/runs/").name(), "runs");
        assert_eq!(at("s3://b/runs/m").parent(), at("s3://b/runs"));
        assert_eq!(at("s3://b/runs/").parent(), at("s3://b"));
        assert_eq!(at("s3://b/m").parent(), at("s3://b/"));
        assert_eq!(at("s3://b").parent(), at("s3://b"));
        assert_eq!(
            (at("s3://b").name(), at("gs://b").to_string()),
            (String::new(), "gs://b/".into())
        );
        assert_eq!(at("az://b/a/m").with_suffix(".index"), at("az://b/a/m.index"));
        assert_eq!(at("s3://b").with_suffix("-x"), at("s3://b/-x"));
        assert_eq!(at("s3://b/m.index").strip_suffix(".index"), Some(at("s3://b/m")));
        assert_eq!(at("s3://b.index").strip_suffix(".index"), None);
        assert_eq!(at("s3://b/a/./m//").plain(), at("s3://b/a/m"));
        assert_eq!(at("s3://b/m").absolute(), at("s3://b/m"));
        assert_eq!(at("s3:/b/m"), Location::Local("s3:/b/m".into()));
        assert!(at("s3://b/x").shares_bucket(&at("s3://b")));
        for other in ["gs://b/x", "s3://c/x", "s3://bb", "x"] {
            assert!(!at("s3://b/x").shares_bucket(&at(other)), "{other}");
        }
    }

    #[test]
    fn names_in_directories() {
        for (directory, name, joined) in [
            ("s3://b", "m", "s3://b/m"),
            ("s3://b/a", "m", "s3://b/a/m"),
            ("s3://b/a/", "m", "s3://b/a/m"),
            ("s3://b/a", "", "s3://b/a/"),
            ("s3://b/a", "/tmp/m", "/tmp/m"),
            ("s3://b/a", "s3://c/m", "s3://c/m"),
            ("a", "s3://c/m", "s3://c/m"),
            ("a", "/tmp/m", "/tmp/m"),
        ] {
            assert_eq!(at(directory).join(name), at(joined), "{directory} {name}");
        }
    }

    #[test]
    fn some_names_are_directories_whatever_stands_there() {
        for text in ["", ".", "..", "a/", "a/.", "a/..", "/", "s3://b", "s3://b/a/", "s3://b/.."] {
            assert!(at(text).is_directory_like(), "{text}");
        }
        for text in ["a", "a/b", ".a", "a/...", "/a", "s3://b/a", "gs://b/a/b"] {
            assert!(!at(text).is_directory_like(), "{text}");
        }
    }
}
