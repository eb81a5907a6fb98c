//! Pairs of variables compared while both are summed: every byte is read once.

use std::ops::Range;

use super::content::Side;
use super::tally::{Numbers, Tally, Unequal};
use super::{CompareError, Tolerance, values};
use crate::catalog::VariableName;
use crate::crc::Crc;
use crate::files::Extent;
use crate::pieces;
use crate::progress::Progress;
use crate::source::{CheckpointReader, Finding, SourceError};
use crate::tensor::TensorSpec;

/// Bytes of each side that are read at a time; no element lies in two.
const BLOCK: u64 = 256 << 10;

/// A variable of each of two checkpoints, both of one spec.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'p> {
    pub(super) spec: &'p TensorSpec,
    pub(super) left: &'p VariableName,
    pub(super) right: &'p VariableName,
}

/// What came of a pair.
#[derive(Debug)]
pub(super) enum Outcome {
    Equal,
    Unequal(Unequal),
    Unreadable(Vec<Finding>),
}

/// Two checkpoints that are being compared.
#[derive(Clone, Copy)]
pub(super) struct Together<'t> {
    pub(super) left: &'t dyn CheckpointReader,
    pub(super) right: &'t dyn CheckpointReader,
    pub(super) tolerance: Tolerance,
    pub(super) progress: &'t dyn Progress,
}

/// Where the bytes of a pair lie as they are, and what they add up to.
type Stored = [(Extent, Crc); 2];

/// What is known of a pair so far.
#[derive(Default)]
struct Known {
    tally: Tally,
    sums: [Crc; 2],
    /// Of what is not read in pieces.
    whole: Option<Unequal>,
    errors: Vec<(VariableName, SourceError)>,
}

/// What came of one piece.
enum Part {
    Piece { tally: Tally, sums: [Crc; 2], bytes: u64 },
    Whole(Option<Unequal>),
    Unreadable(VariableName, SourceError),
}

/// What a thread reads into.
#[derive(Default)]
struct Buffers {
    left: Vec<u8>,
    right: Vec<u8>,
    numbers: Numbers,
}

impl<'t> Together<'t> {
    pub(super) fn reader(&self, side: Side) -> &'t dyn CheckpointReader {
        match side {
            Side::Left => self.left,
            Side::Right => self.right,
        }
    }

    /// What came of each pair.
    pub(super) fn compare(&self, pairs: &[Pair<'_>]) -> Result<Vec<Outcome>, CompareError> {
        let stored: Vec<Option<Stored>> = pairs.iter().map(|pair| self.stored(pair)).collect();
        let len =
            |stored: &Option<Stored>| stored.as_ref().map_or(0, |[(extent, _), _]| extent.len);
        let lens: Vec<u64> = stored.iter().map(len).collect();
        let mut known: Vec<Known> = pairs.iter().map(|_| Known::default()).collect();
        pieces::each(
            &lens,
            Buffers::default,
            |buffers, at, piece| match (pairs.get(at), stored.get(at)) {
                (Some(pair), Some(Some(stored))) => self.piece(pair, stored, piece, buffers),
                (Some(pair), _) => self.whole(pair),
                (None, _) => Ok(Part::Whole(None)),
            },
            |at, part| {
                if let Some(known) = known.get_mut(at) {
                    known.add(part);
                }
            },
        )?;
        let all = pairs.iter().zip(&stored).zip(known);
        Ok(all.map(|((pair, stored), known)| self.judge(pair, stored.as_ref(), known)).collect())
    }

    /// `None` for what lies in pieces, is turned around, or has no fixed size.
    fn stored(&self, pair: &Pair<'_>) -> Option<Stored> {
        let bytes = pair.spec.bytes()?;
        // What cannot be reached is told when it is read.
        let of = |reader: &dyn CheckpointReader, name| reader.extent(name).ok().flatten();
        let stored = [of(self.left, pair.left)?, of(self.right, pair.right)?];
        stored.iter().all(|(extent, _)| extent.len == bytes).then_some(stored)
    }

    fn piece(
        &self,
        pair: &Pair<'_>,
        [(left, _), (right, _)]: &Stored,
        piece: Range<u64>,
        buffers: &mut Buffers,
    ) -> Result<Part, CompareError> {
        let dtype = pair.spec.dtype();
        let width = dtype.size().and_then(|size| usize::try_from(size).ok()).unwrap_or(1);
        let bytes = piece.end - piece.start;
        let mut tally = Tally::default();
        let mut sums = [Crc::default(); 2];
        let mut at = piece.start;
        while at < piece.end {
            if self.progress.cancelled() {
                return Err(CompareError::Interrupted);
            }
            let len = BLOCK.min(piece.end - at);
            let Buffers { left: one, right: other, numbers } = buffers;
            for ((extent, buffer), sum) in
                [(left, &mut *one), (right, &mut *other)].into_iter().zip(&mut sums)
            {
                buffer.resize(usize::try_from(len).unwrap_or_default(), 0);
                let read = extent.blob.read_at(extent.offset.saturating_add(at), buffer);
                read.map_err(SourceError::from)?;
                *sum = sum.extend(buffer);
            }
            let mut block = Tally::default();
            block.elements((dtype, width), one, other, self.tolerance, numbers);
            tally.join(&block);
            self.progress.advance(2 * len);
            at += len;
        }
        Ok(Part::Piece { tally, sums, bytes })
    }

    fn whole(&self, pair: &Pair<'_>) -> Result<Part, CompareError> {
        for (reader, name) in [(self.left, pair.left), (self.right, pair.right)] {
            match reader.verify(name, &|bytes| self.progress.advance(bytes)) {
                Ok(()) => {}
                Err(error) if error.is_about_one_variable() => {
                    return Ok(Part::Unreadable(name.clone(), error));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let (left, right) = ((self.left, pair.left), (self.right, pair.right));
        let found = values::compare(pair.spec, left, right, self.tolerance, self.progress)?;
        Ok(Part::Whole(found))
    }

    fn judge(&self, pair: &Pair<'_>, stored: Option<&Stored>, known: Known) -> Outcome {
        let mut errors = known.errors;
        if let Some([(_, left), (_, right)]) = stored {
            let [found_left, found_right] = known.sums;
            let sides = [
                (self.left, pair.left, left, found_left),
                (self.right, pair.right, right, found_right),
            ];
            for (reader, name, stored, found) in sides {
                if !stored.agrees(found) {
                    // Read once more, so that the error is the one that everybody gives.
                    let error = reader.verify(name, &|_| {}).err();
                    errors.extend(error.map(|error| (name.clone(), error)));
                }
            }
        }
        if !errors.is_empty() {
            let finding = |(name, error): (VariableName, SourceError)| Finding {
                variable: Some(name.as_str().to_owned()),
                error,
            };
            return Outcome::Unreadable(errors.into_iter().map(finding).collect());
        }
        match known.whole.or_else(|| known.tally.result(pair.spec)) {
            Some(unequal) => Outcome::Unequal(unequal),
            None => Outcome::Equal,
        }
    }
}

impl Known {
    fn add(&mut self, part: Part) {
        match part {
            Part::Piece { tally, sums, bytes } => {
                self.tally.join(&tally);
                for (sum, next) in self.sums.iter_mut().zip(sums) {
                    *sum = sum.join(next, bytes);
                }
            }
            Part::Whole(unequal) => self.whole = unequal,
            Part::Unreadable(name, error) => self.errors.push((name, error)),
        }
    }
}
