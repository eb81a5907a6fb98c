//! NumPy's files.
//!
//! ```text
//! \x93NUMPY | 1 0 | u16 length of what follows | {'descr': '<f4', …}, blanks, \n | elements
//! ```
//! The elements begin at a multiple of 64. Shapes are short enough for version 1.0 whatever they
//! are: [`MAX_RANK`](crate::tensor::MAX_RANK) numbers of 20 digits stay below 65,536 bytes.

use super::error::ShowError;
use super::find::Found;
use super::hash;
use super::selection::Selection;
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::{Entry, Location, Staged, entries, store};
use crate::progress::Progress;
use crate::source::CheckpointReader;
use crate::tensor::{DType, Region, Shape};

/// Bytes that are read and written at once.
const BLOCK: u64 = 4 << 20;

/// What the elements of a `.npy` file are said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NpyForm {
    /// As NumPy spells it.
    pub descr: &'static str,
    /// Whether NumPy has no such type, so that the file holds the bits of its elements as whole
    /// numbers.
    pub raw: bool,
}

impl NpyForm {
    /// That of elements of `dtype`; `None` where there is none.
    pub fn of(dtype: DType) -> Option<Self> {
        let form = |descr, raw| Some(Self { descr, raw });
        match dtype {
            DType::Float => form("<f4", false),
            DType::Double => form("<f8", false),
            DType::Half => form("<f2", false),
            DType::Complex64 => form("<c8", false),
            DType::Complex128 => form("<c16", false),
            DType::Bool => form("|b1", false),
            DType::Int8 | DType::QInt8 => form("|i1", false),
            DType::Int16 | DType::QInt16 => form("<i2", false),
            DType::Int32 | DType::QInt32 => form("<i4", false),
            DType::Int64 => form("<i8", false),
            DType::UInt8 | DType::QUInt8 => form("|u1", false),
            DType::UInt16 | DType::QUInt16 => form("<u2", false),
            DType::UInt32 => form("<u4", false),
            DType::UInt64 => form("<u8", false),
            DType::BFloat16 => form("<u2", true),
            DType::Float8E5M2
            | DType::Float8E4M3Fn
            | DType::Float8E4M3FnUz
            | DType::Float8E4M3B11FnUz
            | DType::Float8E5M2FnUz
            | DType::Float4E2M1Fn
            | DType::Int4
            | DType::UInt4
            | DType::Int2
            | DType::UInt2 => form("|u1", true),
            DType::String | DType::Variant | DType::Unknown(_) => None,
        }
    }

    /// What stands before the elements of an array of this shape.
    pub(super) fn header(self, shape: &Shape) -> Vec<u8> {
        const ALIGN: usize = 64;
        let dims = shape.dims().iter().map(|size| format!("{size},")).collect::<Vec<_>>().join(" ");
        // Python writes a comma behind a single one, and only there.
        let dims = if shape.rank() > 1 { dims.trim_end_matches(',') } else { &dims };
        let descr = self.descr;
        let mut text =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({dims}), }}");
        let before = b"\x93NUMPY\x01\x00".len() + size_of::<u16>();
        let blanks = (ALIGN - (before + text.len() + 1) % ALIGN) % ALIGN;
        text.extend(std::iter::repeat_n(' ', blanks));
        text.push('\n');
        let len = u16::try_from(text.len()).unwrap_or(u16::MAX);
        [b"\x93NUMPY\x01\x00", &len.to_le_bytes()[..], text.as_bytes()].concat()
    }
}

/// A file that was written.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The variable.
    pub name: VariableName,
    /// Its element type.
    pub dtype: DType,
    /// The shape of what was written.
    pub shape: Shape,
    /// The file.
    pub at: Location,
    /// Its length.
    pub bytes: u64,
    /// What its elements are said to be.
    pub form: NpyForm,
}

/// Writes what was [found](super::find) into a `.npy` file, block by block. The file gets its name
/// when it is complete and every checksum of the whole tensor has been checked.
pub fn save(
    reader: &dyn CheckpointReader,
    found: &Found<'_>,
    at: &Location,
    overwrite: bool,
    progress: &dyn Progress,
) -> Result<Saved, ShowError> {
    let Found { name, variable, selection, .. } = found;
    let dtype = variable.spec.dtype();
    let (form, width) = NpyForm::of(dtype).zip(dtype.size()).ok_or(ShowError::NoNpy(dtype))?;
    free(reader, at, overwrite)?;
    let (store, shape) = (store(at), selection.shape());
    // Of a tensor that is written whole, the very bytes that are written are summed.
    let whole = *selection == Selection::all(variable.spec.shape());
    let stored = if whole { reader.extent(name)?.map(|(_, stored)| stored) } else { None };
    match stored {
        None => hash::verify(reader, found, progress)?,
        Some(_) => progress.begin(variable.bytes()),
    }
    let header = form.header(&shape);
    let staged = store.stage(at)?;
    staged.write_at(0, &header)?;
    let mut output = Output { file: staged.as_ref(), at: header.len() as u64, sum: Crc::default() };
    let full = selection.full_shape();
    let mut block = Vec::new();
    for part in Region::blocks(&full, BLOCK / width) {
        if progress.cancelled() {
            return Err(ShowError::Interrupted);
        }
        // At most `BLOCK`.
        block.resize(usize::try_from(part.elements() * width).unwrap_or_default(), 0);
        let room = part.shape().unwrap_or_default();
        let mut read = |region: &Region, out: &mut [u8]| reader.read_region(name, region, out);
        selection.read(&part, &Region::whole(&room), (&room, width), &mut block, &mut read)?;
        output.write(&block)?;
        if stored.is_some() {
            progress.advance(block.len() as u64);
        }
    }
    let Output { at: bytes, sum, .. } = output;
    if stored.is_some_and(|stored| !stored.agrees(sum)) {
        // It is damaged, and this says how; or it was.
        reader.verify(name, &|_| ())?;
        return Err(ShowError::Changed(name.to_string()));
    }
    staged.sync()?;
    // Somebody may have been faster.
    free(reader, at, overwrite)?;
    staged.publish(at)?;
    store.settle(at)?;
    Ok(Saved { name: (*name).clone(), dtype, shape, at: at.clone(), bytes, form })
}

/// The elements on their way into the file.
struct Output<'f> {
    file: &'f dyn Staged,
    at: u64,
    sum: Crc,
}

impl Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ShowError> {
        self.sum = self.sum.extend(bytes);
        self.file.write_at(self.at, bytes)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

/// Refuses a destination that is taken, or a file of the source by whatever name.
fn free(reader: &dyn CheckpointReader, at: &Location, overwrite: bool) -> Result<(), ShowError> {
    let exists = |what, help| Err(ShowError::Exists { at: at.clone(), what, help });
    let status = store(at).status(at)?;
    if at.is_directory_like() || status.is_some_and(|status| status.is_dir) {
        return exists("a directory", "add a name for the file in it");
    }
    let own = entries(&reader.files())?;
    if Entry::of(at)?.is_some_and(|entry| own.iter().any(|file| entry.is_same_file(file))) {
        return Err(ShowError::OwnSource(at.clone()));
    }
    // A link that leads nowhere is taken too, though nothing stands there.
    let taken =
        || Ok::<_, ShowError>(store(at).list(at)?.iter().any(|one| one.name() == at.name()));
    if !overwrite && taken()? {
        return exists("there", "give `--npy` another name, or replace it with `--force`");
    }
    Ok(())
}
