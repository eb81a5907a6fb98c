//! Reading all of a V1 checkpoint to find all that is wrong with it.

use std::collections::BTreeSet;

use super::content::Content;
use super::encoding::Encoding;
use super::several;
use super::shards::{Shards, damaged};
use crate::files::{Location, store};
use crate::source::error::RecordError;
use crate::source::error::{SliceError, TensorError};
use crate::source::{Finding, SourceError};

/// Reports all damage: files that are missing, blocks, lists, and every record that is not there or
/// has other values than belong there. Records that nobody lists are not missed by anybody.
pub(super) fn check(name: &Location, report: &mut dyn FnMut(Finding)) -> Result<(), SourceError> {
    let files = match several(name)? {
        None => vec![name.clone()],
        Some(sharded) => sharded.files().collect(),
    };
    let mut shards = Shards::new();
    let mut complete = true;
    for file in files {
        let added = match store(&file).status(&file)? {
            None => Err(SourceError::missing(&file, name)),
            Some(_) => shards.add(file),
        };
        if let Err(error) = added {
            complete = false;
            report(Finding { variable: None, error });
        }
    }
    let content = Content::read(&shards, &mut |error| {
        let variable = match &error {
            SourceError::Index { key, .. } => Some(String::from_utf8_lossy(key).into_owned()),
            // Of blocks it is told below.
            SourceError::Table { .. } => return Ok(()),
            _ => None,
        };
        report(Finding { variable, error });
        Ok(())
    })?;
    let mut told = BTreeSet::new();
    for (variable, parted) in content.unite().variables {
        let mut found = |error| {
            report(Finding { variable: Some(variable.as_str().to_owned()), error });
        };
        let dtype = parted.spec.dtype();
        if Encoding::of(dtype).is_none() {
            found(SourceError::whole(name, &variable, RecordError::DType(dtype).into()));
            continue;
        }
        match parted.layout() {
            // What is not there cannot be all of it; that was said.
            Err(error) if matches!(*error, SliceError::Gap { .. }) && !complete => {}
            Err(flaw) => found(SourceError::slices(name, &variable, flaw)),
            Ok(_) => {}
        }
        for piece in &parted.parts {
            let Err(error) = shards.record(&variable, &parted.spec, piece) else { continue };
            if let SourceError::Tensor { path, source, .. } = &error
                && let TensorError::Block(block) = source.as_ref()
            {
                told.insert((path.clone(), block.offset));
            }
            found(error);
        }
    }
    // Blocks that hurt no variable: that of the list may be one.
    for (path, table) in shards.all() {
        table.check(&mut |error| {
            if !told.contains(&(path.clone(), error.offset)) {
                report(Finding { variable: None, error: damaged(path)(error) });
            }
        });
    }
    Ok(())
}
