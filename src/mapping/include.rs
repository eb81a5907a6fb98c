//! Files that a rule file names: other rule files, lists of rows.

use std::fmt;

/// Where such files are found.
pub trait Files: fmt::Debug {
    /// The text of a file, by its path from the folder of the first rule file; the error says why
    /// there is none.
    fn read(&self, path: &str) -> Result<String, String>;
}

/// No files at all: rules that stand by themselves.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("these rules are in no folder".to_owned())
    }
}

/// The path of `name`, which stands in a file in `folder`. A rule file that somebody sent must not
/// read what lies elsewhere.
pub(super) fn below(folder: &str, name: &str) -> Result<String, String> {
    let outside = name.starts_with('/')
        || name.contains(['\\', ':', '\0'])
        || name.split('/').any(|part| matches!(part, "" | "." | ".."));
    if outside {
        return Err("that leads out of the rule file's folder".to_owned());
    }
    Ok(format!("{folder}{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_the_folder() {
        assert_eq!(below("a/", "b/c.yaml").unwrap(), "a/b/c.yaml");
        for name in ["/etc/passwd", "../x", "a/../../x", "./x", "", "C:x", "a\\b"] {
            assert!(below("", name).is_err(), "{name}");
        }
    }
}
