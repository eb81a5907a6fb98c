//! The `checkpoint` file: which checkpoints stand in a directory and which is the latest.
//! TensorFlow reads it for `latest_checkpoint` and in `CheckpointManager`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::files::{Location, read_all, store};
use crate::proto::CheckpointState;

use super::commit::turn;
use super::draft::Draft;
use super::{TargetError, always};

/// Far more than any number of checkpoints that were kept.
const LIMIT: u64 = 16 << 20;

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

/// Lists checkpoints of one directory, given from oldest to latest, in the `checkpoint` file there:
/// those that `is_done` says are complete, which is asked in this run's turn at the directory.
/// Others that are listed stay, before or behind them as they were, and a later one stays the
/// latest. What says the same already is not written again.
pub fn list_series(
    series: &[Location],
    is_done: &dyn Fn(&Location) -> bool,
    sync: bool,
) -> Result<(), TargetError> {
    let Some(any) = series.first() else { return Ok(()) };
    let _turn = turn(any, &always)?;
    let state = read(any)?;
    let done: Vec<bool> = series.iter().map(is_done).collect();
    let mut new = state.clone();
    insert(&mut new, series, &done, now());
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

/// Puts those of `series` that are done into the list, in its order, and takes the others out.
/// Strangers stay before all of them, or behind, as they were.
fn insert(state: &mut CheckpointState, series: &[Location], done: &[bool], now: f64) {
    let Some(any) = series.first() else { return };
    let directory = any.parent();
    let is_same = |path: &str, at: &Location| directory.join(path).absolute() == at.absolute();
    let number = |path: &str| series.iter().position(|at| is_same(path, at));
    let (mut before, mut behind) = (Vec::new(), Vec::new());
    let mut times = vec![None; series.len()];
    let mut any = false;
    for (at, path) in state.all_model_checkpoint_paths.iter().enumerate() {
        let time = state.all_model_checkpoint_timestamps.get(at).copied();
        match number(path).and_then(|number| times.get_mut(number)) {
            Some(place) => {
                any = true;
                *place = time;
            }
            None if any => behind.push((path.clone(), time)),
            None => before.push((path.clone(), time)),
        }
    }
    let own = series.iter().zip(times).zip(done).filter(|(_, done)| **done);
    let own: Vec<_> = own.map(|((at, time), _)| (at.name(), time)).collect();
    let latest = own.last().map(|(name, _)| name.clone());
    let latest_is_behind = behind.iter().any(|(path, _)| *path == state.model_checkpoint_path);
    let all: Vec<_> = before.into_iter().chain(own).chain(behind).collect();
    if !latest_is_behind {
        let last = || all.last().map(|(path, _)| path.clone()).unwrap_or_default();
        state.model_checkpoint_path = latest.unwrap_or_else(last);
    }
    // `CheckpointManager` passes over what has no time.
    let time = |(_, time): &(_, Option<f64>)| time.unwrap_or(now);
    state.all_model_checkpoint_timestamps = all.iter().map(time).collect();
    state.all_model_checkpoint_paths = all.into_iter().map(|(path, _)| path).collect();
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| keep.next().copied().unwrap_or(true));
}
