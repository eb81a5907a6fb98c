//! The `checkpoint` file: which checkpoints stand in a directory and which is the latest.
//! TensorFlow reads it for `latest_checkpoint` and in `CheckpointManager`.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::files::{Location, read_all, store};
use crate::proto::CheckpointState;

use super::commit::turn;
use super::draft::Draft;
use super::{Proceed, TargetError};

/// Far more than any number of checkpoints that were kept.
const LIMIT: u64 = 256 << 20;

/// What the file beside `to` says; nothing where there is none.
pub(super) fn read(to: &Location) -> Result<CheckpointState, TargetError> {
    let at = beside(to);
    if store(&at).status(&at)?.is_none() {
        return Ok(CheckpointState::default());
    }
    let bytes = read_all(&at, LIMIT)?;
    let text = str::from_utf8(&bytes).map_err(TargetError::state(&at))?;
    CheckpointState::parse(text).map_err(TargetError::state(&at))
}

/// Names `to` as the latest checkpoint of its directory, whose turn it must be: the file is read
/// before it is written.
pub(super) fn make_latest(to: &Location, sync: bool) -> Result<(), TargetError> {
    let mut state = read(to)?;
    append(&mut state, to, now());
    write(&beside(to), &state, sync)
}

/// What becomes of a checkpoint in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It is listed.
    Add,
    /// It is listed if it was.
    Keep,
    /// It is not.
    Remove,
}

/// Lists checkpoints of one directory, given from oldest to latest, in the `checkpoint` file there.
/// `listing` is asked what becomes of each, by its number, in this run's turn at the directory, for which it waits
/// as long as `proceed` lets it. Others that are listed stay, before or behind them as they were,
/// and what was made after them stays the latest. What says the same already is not written again.
pub fn list_series(
    series: &[Location],
    listing: &dyn Fn(usize, &Location) -> Listing,
    sync: bool,
    proceed: Proceed<'_>,
) -> Result<(), TargetError> {
    let Some(any) = series.first() else { return Ok(()) };
    let _turn = turn(any, proceed)?;
    let state = read(any)?;
    let listings: Vec<Listing> =
        series.iter().enumerate().map(|(number, at)| listing(number, at)).collect();
    let mut new = state.clone();
    insert(&mut new, series, &listings, now());
    if new == state { Ok(()) } else { write(&beside(any), &new, sync) }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn write(at: &Location, state: &CheckpointState, sync: bool) -> Result<(), TargetError> {
    let mut draft = Draft::new(at)?;
    draft.append(state.to_string().as_bytes())?;
    if sync {
        draft.sync()?;
    }
    draft.publish(at.clone())?;
    if sync {
        store(at).settle(at)?;
    }
    Ok(())
}

fn beside(to: &Location) -> Location {
    to.parent().join("checkpoint")
}

/// Puts `to` at the end of the list, which goes from oldest to latest.
fn append(state: &mut CheckpointState, to: &Location, now: f64) {
    let (directory, absolute) = (to.parent(), to.absolute());
    let is_other = |path: &String| directory.join(path).absolute() != absolute;
    let keep: Vec<bool> = state.all_model_checkpoint_paths.iter().map(is_other).collect();

    // `CheckpointManager` has a time for each path, and passes over what has none; others have none.
    let times = &mut state.all_model_checkpoint_timestamps;
    if times.len() == keep.len() {
        retain(times, &keep);
        times.push(now);
    } else {
        times.clear();
    }
    retain(&mut state.all_model_checkpoint_paths, &keep);
    state.all_model_checkpoint_paths.push(to.name());
    state.model_checkpoint_path = to.name();
}

/// Puts `series` into the list, in its order. Strangers stay before all of it, or behind, as they
/// were; where none of it was listed, they are what came after.
fn insert(state: &mut CheckpointState, series: &[Location], listings: &[Listing], now: f64) {
    let Some(directory) = series.first().map(Location::parent) else { return };
    let numbers: BTreeMap<Location, usize> =
        series.iter().enumerate().map(|(number, at)| (at.absolute(), number)).collect();
    let mut listed: Vec<Option<Option<f64>>> = vec![None; series.len()];
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    for (at, path) in state.all_model_checkpoint_paths.iter().enumerate() {
        let time = state.all_model_checkpoint_timestamps.get(at).copied();
        let number = numbers.get(&directory.join(path).absolute());
        match number.and_then(|number| listed.get_mut(*number)) {
            Some(place) => {
                before.append(&mut behind);
                *place = Some(time);
            }
            None => behind.push((path.clone(), time)),
        }
    }
    let own = series.iter().zip(listings).zip(listed).filter(|((_, listing), was)| match listing {
        Listing::Add => true,
        Listing::Keep => was.is_some(),
        Listing::Remove => false,
    });
    let own: Vec<_> = own.map(|((at, _), was)| (at.name(), was.flatten())).collect();
    let is_behind = |(path, _): &(String, _)| *path == state.model_checkpoint_path;
    if !behind.iter().any(is_behind) {
        let last = [&own, &behind, &before].into_iter().find_map(|some| some.last());
        state.model_checkpoint_path = last.map(|(path, _)| path.clone()).unwrap_or_default();
    }
    let all: Vec<_> = before.into_iter().chain(own).chain(behind).collect();
    // `CheckpointManager` passes over what has no time.
    let time = |(_, time): &(_, Option<f64>)| time.unwrap_or(now);
    state.all_model_checkpoint_timestamps = all.iter().map(time).collect();
    state.all_model_checkpoint_paths = all.into_iter().map(|(path, _)| path).collect();
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| keep.next().copied().unwrap_or(true));
}
