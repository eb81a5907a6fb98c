//! Where every value will lie, settled before any is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{ConvertError, Inputs, Options};
use crate::catalog::{Variable, VariableName};
use crate::causes::in_one_line;
use crate::crc::Crc;
use crate::files::{Action, Blob, Extent, FileError, Location, Share};
use crate::object::Target;
use crate::plan::{Assignment, Plan, Value};
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::target::{CheckpointWriter, Place, SharedFile, Sharing, TargetError};

/// A value of no more bytes is copied rather than found in a shared file, where another data file
/// is needed that would be empty otherwise.
const SMALL: u64 = 1 << 20;

/// What is to be done for values whose places are settled.
#[derive(Debug, Default)]
pub(super) struct Layout<'p> {
    pub(super) copies: Vec<Copy<'p>>,
    pub(super) fills: Vec<Fill<'p>>,
    /// What could not be shared, in sentences.
    pub(super) notes: Vec<String>,
}

/// A value whose bytes stand in a file as they are to be.
#[derive(Debug)]
pub(super) struct Copy<'p> {
    pub(super) target: &'p Target,
    pub(super) reader: &'p dyn CheckpointReader,
    pub(super) name: &'p VariableName,
    pub(super) from: Extent,
    /// Their sum, as their index has it.
    pub(super) crc: Crc,
    /// `None` where the file is shared: they are only summed.
    pub(super) to: Option<Place>,
}

/// A value that is worked out.
#[derive(Debug)]
pub(super) struct Fill<'p> {
    pub(super) assignment: &'p Assignment,
    pub(super) to: Place,
}

/// What is known of a data file that is shared.
#[derive(Debug, Clone, Copy)]
struct Known {
    file: SharedFile,
    /// Values that could be found in it.
    values: usize,
}

/// A data file of the source that could become one of the result.
#[derive(Debug)]
struct Usable {
    blob: Arc<dyn Blob>,
    /// Values that stand in it as they are to be.
    values: usize,
    /// Where.
    stretches: BTreeSet<(u64, u64)>,
}

impl Usable {
    /// Bytes of it that are wanted.
    fn used(&self) -> u64 {
        self.stretches.iter().fold(0, |sum, (_, len)| sum.saturating_add(*len))
    }
}

/// Gives every value of a plan its place. Values that can neither be copied nor worked out in
/// parts, as their elements have lengths of their own, are written at once.
pub(super) fn lay_out<'p>(
    plan: &'p Plan,
    inputs: &Inputs<'p>,
    writer: &mut dyn CheckpointWriter,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Layout<'p>, ConvertError> {
    let (layout, files) = (Layout::default(), BTreeMap::new());
    let mut work = Work { inputs, writer, options, progress, layout, files };
    let assignments = in_source_order(plan, inputs);
    match options.share {
        Some(sharing) => work.share(&assignments, sharing)?,
        None if inputs.source.prefix().url().is_some() => work.share_beside(&assignments)?,
        None => {}
    }
    for assignment in assignments {
        if progress.cancelled() {
            return Err(ConvertError::Interrupted);
        }
        work.place(assignment)?;
    }
    Ok(work.layout)
}

/// Assignments in the order in which their values lie in the source, so that what is taken over is
/// read from front to back; constants first, the template's values last.
fn in_source_order<'p>(plan: &'p Plan, inputs: &Inputs<'_>) -> Vec<&'p Assignment> {
    let place = |assignment: &'p Assignment| {
        let position = inputs.variable(&assignment.value).map(Variable::position);
        // V1 tables are sorted by name.
        let source = assignment.value.sources().first().copied();
        (matches!(assignment.value, Value::Template(_)), position, source)
    };
    let mut placed: Vec<_> =
        plan.assignments.iter().map(|assignment| (place(assignment), assignment)).collect();
    placed.sort_by_key(|(place, _)| *place);
    placed.into_iter().map(|(_, assignment)| assignment).collect()
}

struct Work<'w, 'p> {
    inputs: &'w Inputs<'p>,
    writer: &'w mut dyn CheckpointWriter,
    options: &'w Options,
    progress: &'w dyn Progress,
    layout: Layout<'p>,
    /// Data files of the source that could be shared.
    files: BTreeMap<Location, Known>,
}

impl<'p> Work<'_, 'p> {
    fn place(&mut self, assignment: &'p Assignment) -> Result<(), ConvertError> {
        let Assignment { target, spec, value, .. } = assignment;
        if let Some((reader, name)) = self.inputs.taken_over(value) {
            if let Some((from, crc)) =
                reader.extent(name).map_err(ConvertError::read(target, name))?
            {
                let is_source = self.inputs.is_source(reader);
                let shared = if is_source { self.shared(&from) } else { None };
                if shared.is_some() || spec.bytes().is_some() {
                    return self.take_over(assignment, (reader, name), from, crc, shared);
                }
            }
            if spec.bytes().is_none() {
                let tensor = reader.read(name).map_err(ConvertError::read(target, name))?;
                self.progress.advance(tensor.data().len() as u64);
                return self.writer.put(target, &tensor).map_err(ConvertError::write(target));
            }
        }
        let to = self.writer.reserve(target, spec, spec.bytes().unwrap_or_default());
        let to = to.map_err(ConvertError::write(target))?;
        self.layout.fills.push(Fill { assignment, to });
        Ok(())
    }

    fn take_over(
        &mut self,
        assignment: &'p Assignment,
        (reader, name): (&'p dyn CheckpointReader, &'p VariableName),
        from: Extent,
        crc: Crc,
        shared: Option<SharedFile>,
    ) -> Result<(), ConvertError> {
        let Assignment { target, spec, .. } = assignment;
        let placed = match shared {
            Some(file) => {
                let at = (file, from.offset, from.len);
                self.writer.refer(target, spec, at, crc).map(|()| None)
            }
            None => self.writer.reserve(target, spec, from.len).map(Some),
        };
        let to = match placed {
            Ok(to) => to,
            Err(error @ TargetError::Data { .. }) => {
                // The writer knows that the bytes are wrong; the reader knows whose they are.
                reader.verify(name, &|_| ()).map_err(ConvertError::read(target, name))?;
                return Err(ConvertError::write(target)(error));
            }
            Err(error) => return Err(ConvertError::write(target)(error)),
        };
        // What a server copied for this machine need not come to it.
        let is_apart = to.is_none() && from.blob.at().url().is_some();
        if is_apart || (to.is_none() && !self.options.verify) {
            self.progress.advance(from.len);
        } else if spec.bytes().is_none() {
            // Not summed byte by byte.
            let advance = |bytes| self.progress.advance(bytes);
            reader.verify(name, &advance).map_err(ConvertError::read(target, name))?;
        } else {
            let copy = Copy { target, reader, name, from, crc, to };
            // What is only summed is summed once, however many values it is.
            let known =
                |last: &Copy<'_>| last.to.is_none() && copy.to.is_none() && last.name == name;
            if self.layout.copies.last().is_some_and(known) {
                self.progress.advance(copy.from.len);
            } else {
                self.layout.copies.push(copy);
            }
        }
        Ok(())
    }

    /// The shared file that a value is to be found in.
    fn shared(&mut self, from: &Extent) -> Option<SharedFile> {
        let known = self.files.get_mut(from.blob.at())?;
        // The file keeps one at the least.
        if from.len <= SMALL && known.values > 1 && self.writer.wants_another_file() {
            known.values -= 1;
            return None;
        }
        Some(known.file)
    }

    /// Shares every data file of the source in which a value stands as it is to be.
    fn share(
        &mut self,
        assignments: &[&'p Assignment],
        sharing: super::Sharing,
    ) -> Result<(), ConvertError> {
        let usable = self.usable(assignments)?;
        if usable.is_empty() && sharing.required {
            return Err(ConvertError::NothingToShare);
        } else if usable.is_empty() {
            self.layout.notes.push(ConvertError::NothingToShare.to_string());
        }
        self.share_all(&usable, sharing)
    }

    /// Lets the server copy data files that are in the bucket already, where most of their bytes are
    /// wanted.
    fn share_beside(&mut self, assignments: &[&'p Assignment]) -> Result<(), ConvertError> {
        let mut usable = self.usable(assignments)?;
        usable.retain(|file| {
            self.writer.is_beside(file.blob.as_ref()) && file.used() > file.blob.len() / 2
        });
        self.share_all(&usable, super::Sharing { how: Share::Server, required: false })
    }

    /// Data files of the source in which values stand as they are to be, in the order of those.
    fn usable(&self, assignments: &[&'p Assignment]) -> Result<Vec<Usable>, ConvertError> {
        let mut usable: Vec<Usable> = Vec::new();
        let mut numbers = BTreeMap::new();
        for Assignment { target, value, .. } in assignments.iter().copied() {
            let stored = self.inputs.taken_over(value);
            let Some((reader, name)) = stored.filter(|(reader, _)| self.inputs.is_source(*reader))
            else {
                continue;
            };
            let extent = reader.extent(name).map_err(ConvertError::read(target, name))?;
            let Some((Extent { blob, offset, len }, _)) = extent else { continue };
            let number = *numbers.entry(blob.at().clone()).or_insert(usable.len());
            if number == usable.len() {
                usable.push(Usable { blob, values: 0, stretches: BTreeSet::new() });
            }
            if let Some(file) = usable.get_mut(number) {
                file.values += 1;
                file.stretches.insert((offset, len));
            }
        }
        Ok(usable)
    }

    fn share_all(
        &mut self,
        usable: &[Usable],
        sharing: super::Sharing,
    ) -> Result<(), ConvertError> {
        let mut refused = Vec::new();
        for file in usable {
            self.share_file(file, sharing, &mut refused)?;
        }
        self.layout.notes.extend(note(&refused));
        let unread = self.files.keys().filter(|at| at.url().is_some()).count();
        if unread > 0 {
            self.layout.notes.push(format!(
                "{} copied inside the bucket without being read: `ckptmap check` of the result \
                 reads every byte",
                if unread == 1 {
                    "1 data file was".into()
                } else {
                    format!("{unread} data files were")
                }
            ));
        }
        Ok(())
    }

    fn share_file(
        &mut self,
        usable: &Usable,
        sharing: super::Sharing,
        refused: &mut Vec<Refused>,
    ) -> Result<(), ConvertError> {
        let Usable { blob, values, .. } = usable;
        // Sharing blocks is the next best thing to a link.
        let next = (sharing.how == Share::Link).then_some(Share::Reflink);
        let mut first = None;
        for how in [Some(sharing.how), next].into_iter().flatten() {
            match self.writer.share(blob.as_ref(), how).map_err(ConvertError::Share)? {
                Sharing::Done(file) => {
                    self.files.insert(blob.at().clone(), Known { file, values: *values });
                    refused.extend(first.map(|error| Refused { error, is_shared: true }));
                    return Ok(());
                }
                Sharing::Refused(error) if sharing.required => {
                    return Err(ConvertError::Share(error));
                }
                Sharing::Refused(error) => drop(first.get_or_insert(error)),
            }
        }
        refused.extend(first.map(|error| Refused { error, is_shared: false }));
        Ok(())
    }
}

/// A data file that could not be shared as it should have been.
struct Refused {
    error: FileError,
    /// Whether its blocks could be.
    is_shared: bool,
}

/// One sentence for all of them.
fn note(refused: &[Refused]) -> Option<String> {
    let (Refused { error, is_shared }, others) = refused.split_first()?;
    let instead = match error.action {
        Action::Copy => "its bytes go through this machine",
        _ if *is_shared => "its blocks are shared",
        _ => "it is copied",
    };
    let more = match others.len() {
        0 => String::new(),
        more => format!(", and so with {more} more"),
    };
    Some(format!("{}: {instead} instead{more}", in_one_line(error)))
}
