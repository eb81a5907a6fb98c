//! Values that can be typed.

use std::fmt;
use std::str::FromStr;

use regex::Regex;

/// `NAME=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: String,
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Self { name: name.to_owned(), value: value.to_owned() })
            }
            _ => Err("write it as `name=value`".to_owned()),
        }
    }
}

/// Names to pick: a glob over whole names (`*` stands for anything, `?` for one character), or a
/// regular expression between slashes that may match anywhere.
#[derive(Debug, Clone)]
pub(super) struct NamePattern {
    text: String,
    regex: Regex,
}

impl NamePattern {
    pub(super) fn matches(&self, name: &str) -> bool {
        self.regex.is_match(name)
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for NamePattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let regex = match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regex) => regex.to_owned(),
            None => {
                let glob = regex::escape(text).replace(r"\*", ".*").replace(r"\?", ".");
                format!("(?s)^{glob}$")
            }
        };
        let regex = Regex::new(&regex).map_err(|error| error.to_string())?;
        Ok(Self { text: text.to_owned(), regex })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_and_regexes() {
        let matches = |pattern: &str, name| pattern.parse::<NamePattern>().unwrap().matches(name);
        assert!(matches("model/*", "model/dense/kernel"));
        assert!(!matches("dense/*", "model/dense/kernel"));
        assert!(matches("/dense.k/", "model/dense/kernel"));
        assert!(matches("a.b?", "a.bc"));
        assert!(!matches("a.b", "axb"));
        assert!("/(/".parse::<NamePattern>().is_err());
    }

    #[test]
    fn settings() {
        assert_eq!("a=b=c".parse::<Setting>().unwrap().value, "b=c");
        assert!("=x".parse::<Setting>().is_err());
    }
}
