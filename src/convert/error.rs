//! Why a plan could not be carried out.

use super::inputs::Stored;
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::FileError;
use crate::object::Target;
use crate::source::SourceError;
use crate::target::TargetError;
use crate::transform::TransformError;

/// Why a plan could not be carried out; nothing has been changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// A value does not fit the memory that there may be.
    #[error(
        "`{target}` cannot be made in less than {} of memory, and {} are allowed; `--memory {}` \
         allows it",
        size(*needed), size(*budget), size(*pass)
    )]
    Memory {
        /// The first such value.
        target: Target,
        /// Bytes that it needs.
        needed: u64,
        /// Bytes that there may be.
        budget: u64,
        /// The budget that suffices for every value of the plan.
        pass: u64,
    },
    /// The source could not be read.
    #[error("cannot make `{target}` of `{variable}`")]
    Source {
        /// What was being made.
        target: Target,
        /// What it is made of.
        variable: VariableName,
        /// Why not.
        source: Box<SourceError>,
    },
    /// The bytes of a variable were wrong, and right a moment later.
    #[error("`{variable}` changed while it was read; run again when nobody writes to it")]
    Unstable {
        /// The variable.
        variable: VariableName,
    },
    /// A data file of the source cannot become one of the result, and must.
    #[error("a data file of the source cannot be shared")]
    Share(#[source] FileError),
    /// No data file of the source can become one of the result, and one must.
    #[error(
        "no data file of the source can be shared: no value stands in one just as it is to be read"
    )]
    NothingToShare,
    /// A transform failed on the way.
    #[error("cannot make `{target}`")]
    Transform {
        /// What was being made.
        target: Target,
        /// Why not.
        source: TransformError,
    },
    /// A value could not be written.
    #[error("cannot write `{target}`")]
    Write {
        /// What was being written.
        target: Target,
        /// Why not.
        source: TargetError,
    },
    /// The result could not be put in place.
    #[error("cannot put the result in place")]
    Commit(#[source] TargetError),
    /// The caller asked to stop.
    #[error("interrupted; nothing was written")]
    Interrupted,
}

impl ConvertError {
    /// What the destination answered; for `map_err`.
    pub(super) fn write(target: &Target) -> impl FnOnce(TargetError) -> Self {
        move |source| match source {
            TargetError::Interrupted => Self::Interrupted,
            source => Self::Write { target: target.clone(), source },
        }
    }

    /// What the source answered; for `map_err`.
    pub(super) fn read<E: Into<SourceError>>(
        target: &Target,
        variable: &VariableName,
    ) -> impl FnOnce(E) -> Self {
        let (target, variable) = (target.clone(), variable.clone());
        move |source| Self::Source { target, variable, source: Box::new(source.into()) }
    }

    /// What a transform answered; for `map_err`.
    pub(super) fn transform(target: &Target) -> impl FnOnce(TransformError) -> Self {
        let target = target.clone();
        move |source| Self::Transform { target, source }
    }
}

/// Whether the bytes of a variable, of which `target` is made, add up to what they should.
pub(super) fn agree(
    target: &Target,
    (reader, name): Stored<'_, '_>,
    stored: Crc,
    computed: Crc,
) -> Result<(), ConvertError> {
    if computed == stored {
        return Ok(());
    }
    // The reader knows how to say where the damage is.
    reader.verify(name, &|_| ()).map_err(ConvertError::read(target, name))?;
    Err(ConvertError::Unstable { variable: name.clone() })
}

/// A number of bytes as it can be typed, rounded up.
fn size(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(1 << 20))
}
