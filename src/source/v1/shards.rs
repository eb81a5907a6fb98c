//! The files of a V1 checkpoint, and the records in them.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::content::Piece;
use super::values::Values;
use crate::catalog::VariableName;
use crate::files::{Location, Mapped, store};
use crate::recent::Recent;
use crate::source::error::RecordError;
use crate::source::error::{SourceError, TensorError};
use crate::table::{Found, Lookup, TableError};
use crate::tensor::{Region, Shape, TensorSpec};

/// Records of which it is kept where their values are.
const MAX_RECORDS: usize = 4096;

/// Bytes that this takes.
const MAX_WEIGHT: usize = 1 << 26;

/// Where values are, by file and key of their record.
type Parsed = Recent<(usize, Vec<u8>), Arc<Values>>;

/// Open files.
#[derive(Debug)]
pub(super) struct Shards {
    open: Vec<(Location, Lookup<Mapped>)>,
    parsed: Mutex<Parsed>,
}

/// The values of one slice.
#[derive(Debug)]
pub(super) struct Record<'s> {
    path: &'s Location,
    found: Found<'s, Mapped>,
    values: Arc<Values>,
    shape: Shape,
}

impl Shards {
    /// No file is open yet.
    pub(super) fn new() -> Self {
        Self { open: Vec::new(), parsed: Mutex::new(Recent::new(MAX_RECORDS, MAX_WEIGHT)) }
    }

    /// Opens a file; it gets the next number.
    pub(super) fn add(&mut self, path: Location) -> Result<(), SourceError> {
        let map = store(&path).map(&path)?;
        let table = Lookup::open(map, Mapped::release).map_err(damaged(&path))?;
        self.open.push((path, table));
        Ok(())
    }

    /// Every file with its table.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Location, &Lookup<Mapped>)> {
        self.open.iter().map(|(path, table)| (path, table))
    }

    /// The record of one slice of a variable of `spec`: there, summed, and with as many values as
    /// belong into it.
    pub(super) fn record(
        &self,
        name: &VariableName,
        spec: &TensorSpec,
        piece: &Piece,
    ) -> Result<Record<'_>, SourceError> {
        let Some((path, table)) = self.open.get(piece.file) else {
            // Pieces are listed by the files that are open.
            let path = Location::from(Path::new(""));
            return Err(SourceError::NoVariable { path, name: name.clone() });
        };
        let key = (piece.file, piece.slice.key(piece.name.as_bytes()));
        let missing = || SourceError::NoRecord {
            path: path.clone(),
            name: name.clone(),
            what: match piece.slice.to_string() {
                all if all.is_empty() => "the value".to_owned(),
                slice => format!("slice `{slice}`"),
            },
        };
        let damaged = |error: TableError| unusable(path, error.offset, name, error);
        let found = table.find(&key.1).map_err(damaged)?.ok_or_else(missing)?;
        let shape = piece.slice.region(spec).ok().and_then(|region| region.shape().ok());
        let shape = shape.ok_or_else(missing)?;
        let lock = || self.parsed.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = lock().get(&key);
        let values = match kept {
            Some(values) => values,
            None => {
                let release = |part| found.release(part);
                let parsed = Values::parse(found.bytes(), spec.dtype(), shape.elements(), release);
                let error = |error: RecordError| unusable(path, found.offset(), name, error);
                let values = Arc::new(parsed.map_err(error)?);
                lock().keep(&key, Arc::clone(&values), values.weight() + key.1.len());
                values
            }
        };
        Ok(Record { path, found, values, shape })
    }
}

impl Record<'_> {
    /// How many values it has.
    pub(super) fn elements(&self) -> u64 {
        self.shape.elements()
    }

    /// A part of the slice, whose type is of a fixed size.
    pub(super) fn read(
        &self,
        name: &VariableName,
        region: &Region,
        out: &mut [u8],
    ) -> Result<(), SourceError> {
        let bytes = self.found.bytes();
        let read = self.values.read(bytes, &self.shape, region, out);
        self.found.release(0..bytes.len());
        read.map_err(|error| self.unusable(name, error))
    }

    /// Its strings.
    pub(super) fn strings(&self, name: &VariableName) -> Result<Vec<&[u8]>, SourceError> {
        let strings = self.values.strings(self.found.bytes());
        strings.map_err(|error| self.unusable(name, error))
    }

    fn unusable(&self, name: &VariableName, error: RecordError) -> SourceError {
        unusable(self.path, self.found.offset(), name, error)
    }
}

/// An error about the table in `path`.
pub(super) fn damaged(path: &Location) -> impl Fn(TableError) -> SourceError {
    move |error| SourceError::Table { path: path.clone(), source: Box::new(error) }
}

fn unusable(
    path: &Location,
    offset: u64,
    name: &VariableName,
    error: impl Into<TensorError>,
) -> SourceError {
    let source = Box::new(error.into());
    SourceError::Tensor { path: path.clone(), offset, name: name.clone(), source }
}
