//! What many conversions need, read once: rules and templates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::record::{FileIdentity, identity};
use super::task::{TaskError, open_same};
use crate::digest::sha256;
use crate::files::Location;
use crate::mapping::{Mapping, Problems};
use crate::recent::Recent;
use crate::rules::Rules;
use crate::source::{CheckpointReader, open};

/// So many of either stay for those who come later.
const KEPT: usize = 16;

/// Rules that were read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) mapping: Arc<Result<Mapping, Problems>>,
    /// Of all their text and their parameters.
    pub(super) sha256: String,
}

/// A template that is open.
#[derive(Debug)]
pub(super) struct Template {
    pub(super) reader: Box<dyn CheckpointReader>,
    pub(super) identity: Vec<FileIdentity>,
}

type Parameters = BTreeMap<String, String>;

/// Both, for everybody.
#[derive(Debug)]
pub(super) struct Shared {
    rules: Mutex<Recent<(Rules, Parameters), Read>>,
    templates: Mutex<Recent<Location, Arc<Template>>>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            rules: Mutex::new(Recent::new(KEPT, usize::MAX)),
            templates: Mutex::new(Recent::new(KEPT, usize::MAX)),
        }
    }

    /// Reads rules, unless they have been.
    pub(super) fn rules(&self, rules: &Rules, set: &Parameters) -> Result<Read, TaskError> {
        let key = (rules.clone(), set.clone());
        let mut kept = lock(&self.rules);
        if let Some(read) = kept.get(&key) {
            return Ok(read);
        }
        let read = rules.read(set)?;
        // Names of files are no part of what they say.
        let texts = read.texts.iter().map(|(_, text)| text);
        let all = serde_json::json!([texts.collect::<Vec<_>>(), set]);
        let sha256 = sha256(all.to_string().as_bytes());
        let read = Read { mapping: Arc::new(read.mapping), sha256 };
        kept.keep(&key, read.clone(), 0);
        Ok(read)
    }

    /// Opens a template, unless it is open.
    pub(super) fn template(&self, at: &Location) -> Result<Arc<Template>, TaskError> {
        let mut kept = lock(&self.templates);
        if let Some(template) = kept.get(at) {
            return Ok(template);
        }
        let identity = identity(open(at)?.as_ref())?;
        let reader = open_same(at, &identity)?;
        let template = Arc::new(Template { reader, identity });
        kept.keep(at, Arc::clone(&template), 0);
        Ok(template)
    }
}

/// What nobody else has for as long; a thread that failed with it left it as it should be.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
