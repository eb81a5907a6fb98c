//! Paths of attribute names, and how TensorFlow spells them in a key.

use std::fmt;

use super::VARIABLE_VALUE;

/// Why labels are no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// No label at all: that is the root object, which holds no value.
    #[error("the path is empty")]
    Empty,
    /// A label without characters.
    #[error("label {0} of the path is empty; is there a `/` too many?")]
    EmptyLabel(usize),
    /// A zero character: keys that begin with one are pieces of partitioned variables.
    #[error("label {0} of the path has a zero character in it")]
    Nul(usize),
}

/// The labels of the edges that lead from the root object to another object.
///
/// Invariant: at least one label, none of them empty. A label may hold any character, `/` and `.`
/// included: the `track_tf1_style_variables` store keeps whole TF1 names as single labels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectPath(Vec<String>);

impl ObjectPath {
    /// Proves the invariant.
    pub fn new(labels: impl Into<Vec<String>>) -> Result<Self, PathError> {
        let labels = labels.into();
        if labels.is_empty() {
            return Err(PathError::Empty);
        }
        if let Some(at) = labels.iter().position(|label| label.contains('\0')) {
            return Err(PathError::Nul(at + 1));
        }
        match labels.iter().position(String::is_empty) {
            Some(at) => Err(PathError::EmptyLabel(at + 1)),
            None => Ok(Self(labels)),
        }
    }

    /// Reads labels joined by `/`, each escaped as TensorFlow does.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        Self::new(text.split('/').map(unescape).collect::<Vec<_>>())
    }

    /// The labels, from the root on.
    pub fn labels(&self) -> &[String] {
        &self.0
    }

    /// The last label: the variable's own name.
    pub fn leaf(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// The key TensorFlow looks a variable with this path up by.
    ///
    /// The tail is always `/.ATTRIBUTES/VARIABLE_VALUE`: TensorFlow replaces any other tail by it
    /// when the variable already exists.
    pub fn key(&self) -> String {
        format!("{self}/.ATTRIBUTES/{VARIABLE_VALUE}")
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Most labels need no escape, and there are very many of them.
        let plain = !self.0.iter().any(|label| label.contains(['.', '/']));
        if plain {
            return f.pad(&self.0.join("/"));
        }
        let labels: Vec<String> = self.0.iter().map(|label| escape(label)).collect();
        f.pad(&labels.join("/"))
    }
}

/// A label as it stands in a key: `.` doubled first, then `/` as `.S`.
pub fn escape(label: &str) -> String {
    label.replace('.', "..").replace('/', ".S")
}

/// Undoes [`escape`] in one pass. A lone `.` that no escape begins with stands for itself, so that
/// labels typed by people need not be escaped where nothing is ambiguous.
pub fn unescape(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('.') {
        label.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        (label, rest) = match tail.chars().next() {
            Some('.') => (label + ".", &tail[1..]),
            Some('S') => (label + "/", &tail[1..]),
            _ => (label + ".", tail),
        };
    }
    label + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_as_tensorflow_writes_them() {
        let path = ObjectPath::new(["d".to_owned(), "a/b".to_owned()]).unwrap();
        assert_eq!(path.key(), "d/a.Sb/.ATTRIBUTES/VARIABLE_VALUE");
        assert_eq!(escape("c.d"), "c..d");
        assert_eq!(escape("a.Sx/b.c"), "a..Sx.Sb..c");
    }

    #[test]
    fn empty_labels_are_refused() {
        assert_eq!(ObjectPath::parse("a//b"), Err(PathError::EmptyLabel(2)));
        assert_eq!(ObjectPath::parse(""), Err(PathError::EmptyLabel(1)));
        assert_eq!(ObjectPath::new([]), Err(PathError::Empty));
    }

    proptest! {
        #[test]
        fn escaping_leads_back(label in "[a-zS./]{0,12}") {
            prop_assert_eq!(unescape(&escape(&label)), label);
        }
    }
}
