//! Values that can be typed.

use std::fmt;
use std::num::NonZero;
use std::str::FromStr;

use regex::Regex;

/// A whole number from 0 on.
pub(super) fn whole(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "write a whole number from 0 on".to_owned())
}

/// How many at a time: a whole number from 1 on.
pub(super) fn at_once(text: &str) -> Result<NonZero<usize>, String> {
    text.parse().map_err(|_| "write a whole number from 1 on".to_owned())
}

/// How far apart numbers may be.
pub(super) fn tolerance(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "write a number from 0 on, such as `1e-6`".to_owned())
}

/// `OLD=NEW`.
pub(super) fn hint(text: &str) -> Result<Setting, String> {
    let wanted = "write it as `OLD=NEW`, a variable of each";
    text.parse().map_err(|_: String| wanted.to_owned())
}

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
        let regex = Regex::new(&regex).map_err(|error| {
            // The pattern in several lines, and below it what is wrong.
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            format!("not a pattern: {why}; without slashes, `*` stands for anything")
        })?;
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
