//! Shares of a batch: the same for everybody who works them out, and about equally large.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which share, of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Counted from 0.
    pub index: usize,
    /// All of them.
    pub count: usize,
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// Who says which share it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardSource {
    /// The command line.
    Said(Shard),
    /// A Slurm job array.
    Slurm,
    /// A Kubernetes Job with indexed completions.
    Kubernetes,
}

/// A share that cannot be told, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShardError(String);

impl FromStr for ShardSource {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        match text {
            "slurm" => return Ok(Self::Slurm),
            "kubernetes" => return Ok(Self::Kubernetes),
            _ => {}
        }
        let shard = text.split_once('/').and_then(|(index, count)| {
            Some(Shard { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        let Some(shard) = shard else {
            let how = "write it as `I/N`, the first of four being `0/4`, as `slurm`, or as \
                       `kubernetes`";
            return Err(ShardError(how.to_owned()));
        };
        shard.checked().map(Self::Said)
    }
}

impl Shard {
    fn checked(self) -> Result<Self, ShardError> {
        let Self { index, count } = self;
        match count.checked_sub(1) {
            None => {
                Err(ShardError("there are no shares of which to do one; `0/1` is all".to_owned()))
            }
            Some(last) if index > last => Err(ShardError(format!(
                "there is no share {index} of {count}: they count from 0, and the last is \
                 `{last}/{count}`"
            ))),
            Some(_) => Ok(self),
        }
    }
}

impl ShardSource {
    /// The share; `variable` looks into the environment, and nothing is concluded from what is not
    /// there.
    pub fn shard(self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Shard, ShardError> {
        let number = |name: &str, means: &str| {
            let Some(text) = variable(name) else {
                return Err(ShardError(format!("`{name}` is not set: {means}")));
            };
            text.trim().parse::<usize>().map_err(|_| {
                ShardError(format!("`{name}` is `{}`, and should be a number", text.escape_debug()))
            })
        };
        match self {
            Self::Said(shard) => Ok(shard),
            Self::Slurm => {
                let array = "`--shard slurm` is for the tasks of an array, `sbatch --array=0-3`";
                let [id, min, max, step, count] = [
                    number("SLURM_ARRAY_TASK_ID", array)?,
                    number("SLURM_ARRAY_TASK_MIN", array)?,
                    number("SLURM_ARRAY_TASK_MAX", array)?,
                    number("SLURM_ARRAY_TASK_STEP", array)?,
                    number("SLURM_ARRAY_TASK_COUNT", array)?,
                ];
                slurm(id, (min, max), step, count)
            }
            Self::Kubernetes => {
                let index = "`--shard kubernetes` is for Jobs with `completionMode: Indexed`";
                let count =
                    "set it to the Job's `completions`, which Kubernetes tells no container";
                Shard {
                    index: number("JOB_COMPLETION_INDEX", index)?,
                    count: number("JOB_COMPLETIONS", count)?,
                }
                .checked()
            }
        }
    }
}

fn slurm(
    id: usize,
    (min, max): (usize, usize),
    step: usize,
    count: usize,
) -> Result<Shard, ShardError> {
    // A single task is most often one of an array that is submitted once more, and what is left of
    // the array does not tell which share that was.
    if count < 2 {
        return Err(ShardError(format!(
            "this Slurm array has a single task, {id}: whether that is all or one share of several \
             cannot be told; say `--shard I/N`, or `--shard 0/1` for all"
        )));
    }
    let step = step.max(1);
    let irregular = || {
        ShardError(format!(
            "the ids of this Slurm array are not regular ({count} from {min} to {max}, {step} \
             apart, this one {id}): which share a task has cannot be told; say `--shard I/N`"
        ))
    };
    let from_min = |id: usize| id.checked_sub(min).ok_or_else(irregular);
    if from_min(max)? / step + 1 != count || from_min(id)? % step != 0 {
        return Err(irregular());
    }
    Shard { index: from_min(id)? / step, count }.checked().map_err(|_| irregular())
}

/// Who gets which item: the largest first, each to whoever has least, so that shares are about
/// equally large. `size` is of each item; what is returned is the share of each.
pub(super) fn divide(sizes: &[u64], count: usize) -> Vec<usize> {
    let mut items: Vec<usize> = (0..sizes.len()).collect();
    let size = |item: &usize| sizes.get(*item).copied().unwrap_or_default();
    items.sort_by_key(|item| (std::cmp::Reverse(size(item)), *item));
    // By what they have, then by number; every item is some work, however small.
    let all = 0..count.min(sizes.len()).max(1);
    let mut loads: BTreeSet<(u64, usize, usize)> = all.map(|share| (0, 0, share)).collect();
    let mut shares = vec![0; sizes.len()];
    for item in items {
        let Some((load, items, share)) = loads.pop_first() else { break };
        if let Some(place) = shares.get_mut(item) {
            *place = share;
        }
        loads.insert((load.saturating_add(size(&item)), items + 1, share));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(sharing: ShardSource, variables: &[(&str, &str)]) -> Result<Shard, String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        sharing.shard(&variable).map_err(|error| error.to_string())
    }

    fn array(id: &str, min: &str, max: &str, step: &str, count: &str) -> Result<Shard, String> {
        from(
            ShardSource::Slurm,
            &[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
                ("SLURM_ARRAY_TASK_STEP", step),
                ("SLURM_ARRAY_TASK_COUNT", count),
            ],
        )
    }

    #[test]
    fn shares_are_said() {
        assert_eq!("3/4".parse(), Ok(ShardSource::Said(Shard { index: 3, count: 4 })));
        assert_eq!("slurm".parse(), Ok(ShardSource::Slurm));
        for wrong in ["4/4", "0/0", "1", "a/b", "-1/2", ""] {
            assert!(wrong.parse::<ShardSource>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn slurm_counts_from_anywhere() {
        assert_eq!(array("2", "0", "3", "1", "4"), Ok(Shard { index: 2, count: 4 }));
        assert_eq!(array("16", "10", "16", "2", "4"), Ok(Shard { index: 3, count: 4 }));
    }

    #[test]
    fn what_slurm_does_not_tell_is_asked_for() {
        let error = array("2", "2", "2", "1", "1").unwrap_err();
        assert!(error.contains("a single task, 2"), "{error}");
        let error = array("7", "1", "7", "1", "3").unwrap_err();
        assert!(error.contains("not regular"), "{error}");
        assert!(array("11", "10", "16", "2", "4").is_err());
        assert!(array("1", "2", "5", "1", "4").is_err());
        let error = from(ShardSource::Slurm, &[]).unwrap_err();
        assert!(error.contains("`SLURM_ARRAY_TASK_ID` is not set"), "{error}");
    }

    #[test]
    fn kubernetes_says_both_or_nothing() {
        let index = ("JOB_COMPLETION_INDEX", "1");
        let both = from(ShardSource::Kubernetes, &[index, ("JOB_COMPLETIONS", "4")]);
        assert_eq!(both, Ok(Shard { index: 1, count: 4 }));
        let error = from(ShardSource::Kubernetes, &[index]).unwrap_err();
        assert!(error.contains("`JOB_COMPLETIONS` is not set"), "{error}");
        assert!(from(ShardSource::Kubernetes, &[index, ("JOB_COMPLETIONS", "1")]).is_err());
        assert!(from(ShardSource::Kubernetes, &[index, ("JOB_COMPLETIONS", "four")]).is_err());
    }

    #[test]
    fn shares_are_balanced_and_everything_is_in_one() {
        let sizes: Vec<u64> = (0..200).map(|i| 1 + i * i % 97).collect();
        for count in [1, 2, 3, 7, 500] {
            let shares = divide(&sizes, count);
            let mut loads = vec![0; count];
            for (size, share) in sizes.iter().zip(&shares) {
                loads[*share] += size;
            }
            assert_eq!(loads.iter().sum::<u64>(), sizes.iter().sum::<u64>());
            if count < 10 {
                let (most, least) = (loads.iter().max().unwrap(), loads.iter().min().unwrap());
                assert!(most - least <= 97, "{loads:?}");
            }
        }
        assert_eq!(divide(&[], 3), [0; 0]);
        // Without sizes, everybody gets about as many.
        let shares = divide(&[0; 10], 3);
        let of = |share| shares.iter().filter(|other| **other == share).count();
        assert_eq!([of(0), of(1), of(2)], [4, 3, 3]);
    }
}
