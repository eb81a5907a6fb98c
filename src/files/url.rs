//! Names in buckets.

use std::fmt;

/// Stores that have buckets, as their names begin.
const SCHEMES: &[&str] = &["s3", "gs", "az"];

/// A name in a bucket: `s3://bucket/key`. Keys are no paths, but are read as such: `/` parts them,
/// and what stands before one is a directory. Whatever is made of a name stays in its bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Url {
    text: String,
    /// Where the key begins.
    key: usize,
}

impl Url {
    /// Reads a text; `None` where it names no bucket.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        if !SCHEMES.contains(&scheme) {
            return None;
        }
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let root = format!("{scheme}://{bucket}/");
        Some(Self { key: root.len(), text: root + key })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What kind of store it is in: `s3`.
    pub fn scheme(&self) -> &str {
        self.text.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    /// The bucket's name.
    pub fn bucket(&self) -> &str {
        self.root().split_once("://").map_or("", |(_, bucket)| bucket.trim_end_matches('/'))
    }

    /// The bucket's own name: `s3://bucket/`.
    pub fn root(&self) -> &str {
        self.text.get(..self.key).unwrap_or_default()
    }

    /// The name in the bucket; empty for the bucket itself.
    pub fn key(&self) -> &str {
        self.text.get(self.key..).unwrap_or_default()
    }

    /// Another name in the same bucket.
    pub(super) fn with_key(&self, key: &str) -> Self {
        Self { text: format!("{}{key}", self.root()), key: self.key }
    }

    /// The last component.
    pub(super) fn name(&self) -> &str {
        match split(self.key().trim_end_matches('/')).1 {
            "." | ".." => "",
            name => name,
        }
    }

    /// The directory it stands in; the bucket's is itself.
    pub(super) fn parent(&self) -> Self {
        self.with_key(split(self.key().trim_end_matches('/')).0.trim_end_matches('/'))
    }

    /// Whether it can only be a directory.
    pub(super) fn is_directory_like(&self) -> bool {
        matches!(split(self.key()).1, "" | "." | "..")
    }

    /// `name` in this directory.
    pub(super) fn join(&self, name: &str) -> Self {
        match self.key() {
            "" => self.with_key(name),
            key => self.with_key(&format!("{}/{name}", key.trim_end_matches('/'))),
        }
    }

    /// The name with `suffix` appended to it.
    pub(super) fn with_suffix(&self, suffix: &str) -> Self {
        self.with_key(&format!("{}{suffix}", self.key()))
    }

    /// The name without `suffix`.
    pub(super) fn strip_suffix(&self, suffix: &str) -> Option<Self> {
        self.key().strip_suffix(suffix).map(|key| self.with_key(key))
    }

    /// The same name in the directory that is called as its own with `suffix`. A bucket has no name
    /// of that kind: there the suffix is all of it.
    pub(super) fn beside(&self, suffix: &str) -> Self {
        let directory = self.parent();
        let directory = match directory.key() {
            "" => directory.with_key(suffix.trim_start_matches('-')),
            _ => directory.with_suffix(suffix),
        };
        directory.join(self.name())
    }

    /// The name without separators and dots that change nothing.
    pub(super) fn plain(&self) -> Self {
        let parts: Vec<&str> =
            self.key().split('/').filter(|part| !matches!(*part, "" | ".")).collect();
        self.with_key(&parts.join("/"))
    }

    /// The start of all names in the directory that this one stands in, and what follows it.
    #[cfg(feature = "cloud")]
    pub(super) fn directory_and_start(&self) -> (&str, &str) {
        split(self.key())
    }
}

/// What stands before the last component, its separator included, and that.
fn split(key: &str) -> (&str, &str) {
    key.split_at(key.rfind('/').map_or(0, |at| at + 1))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
