//! Where rules come from: a file, with those that it includes, or one that comes with the program.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::causes::in_one_line;
use crate::files::{FileError, Location, lies_below, read_all};
use crate::mapping::{BUILTIN_PREFIX, Files, Mapping, NoFiles, Problems, find_builtin};

/// Text that people write; a larger file is something else.
const LIMIT: u64 = 64 << 20;

/// Rules by the name that people type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rules {
    /// A file.
    File(Location),
    /// `builtin:NAME`.
    Builtin(String),
}

/// Why there is no text to read rules from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is something else.
    #[error("`{at}` is no text in UTF-8, at byte {byte}; is it another file than was meant?")]
    NotText {
        /// The file.
        at: Location,
        /// Where it is none, counted from 0.
        byte: usize,
    },
}

/// Rules that were read.
#[derive(Debug)]
pub struct Read {
    /// What they say, or what is wrong with them.
    pub mapping: Result<Mapping, Problems>,
    /// Every file that was read for them, by name.
    pub texts: Vec<(String, String)>,
}

impl Rules {
    /// Reads them; `set` gives parameters other values than the file does.
    pub fn read(&self, set: &BTreeMap<String, String>) -> Result<Read, RulesError> {
        match self {
            Self::File(at) => {
                let (name, content) = (at.to_string(), text(at)?);
                let beside = Beside { folder: at.parent(), texts: RefCell::default() };
                let mapping = Mapping::parse(&name, &content, set, &beside);
                let mut texts = beside.texts.into_inner();
                texts.insert(0, (name, content));
                Ok(Read { mapping, texts })
            }
            Self::Builtin(name) => match find_builtin(name) {
                Ok(found) => {
                    let name = self.to_string();
                    let mapping = Mapping::parse(&name, found.text, set, &NoFiles);
                    Ok(Read { mapping, texts: vec![(name, found.text.to_owned())] })
                }
                Err(problem) => {
                    Ok(Read { mapping: Err(Problems::one(*problem)), texts: Vec::new() })
                }
            },
        }
    }
}

impl FromStr for Rules {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix(BUILTIN_PREFIX) {
            Some(name) => Self::Builtin(name.to_owned()),
            None => Self::File(text.parse()?),
        })
    }
}

impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(at) => at.fmt(f),
            Self::Builtin(name) => write!(f, "{BUILTIN_PREFIX}{name}"),
        }
    }
}

/// Files in the rule file's folder.
#[derive(Debug)]
struct Beside {
    folder: Location,
    texts: RefCell<Vec<(String, String)>>,
}

impl Files for Beside {
    fn read(&self, path: &str) -> Result<String, String> {
        let at = self.folder.join(path);
        match lies_below(&at, &self.folder) {
            Ok(true) => {
                let content = text(&at).map_err(|error| match error {
                    // Which file is known to whoever reads this.
                    RulesError::File(error) => error.source.to_string(),
                    error => in_one_line(&error),
                })?;
                self.texts.borrow_mut().push((path.to_owned(), content.clone()));
                Ok(content)
            }
            Ok(false) => Err("it is a link that leads out of the rule file's folder".to_owned()),
            Err(error) => Err(error.source.to_string()),
        }
    }
}

/// The text of a file that people write.
pub(crate) fn text(at: &Location) -> Result<String, RulesError> {
    let text = String::from_utf8(read_all(at, LIMIT)?);
    text.map_err(|error| {
        let byte = error.utf8_error().valid_up_to();
        RulesError::NotText { at: at.clone(), byte }
    })
}
