//! The `checkpoint` file: which checkpoints stand in a directory and which is the latest.
//! TensorFlow reads it for `latest_checkpoint` and in `CheckpointManager`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::files::{Location, read_all, store};
use crate::proto::CheckpointState;

use super::TargetError;
use super::draft::Draft;

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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    append(&mut state, to, now);
    let at = beside(to);
    let mut draft = Draft::new(&at)?;
    draft.append(state.to_string().as_bytes())?;
    if sync {
        draft.sync()?;
    }
    draft.publish(at.clone())?;
    if sync {
        store(&at).settle(&at)?;
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

    // `CheckpointManager` has a time for each path, everybody else none.
    let times = &mut state.all_model_checkpoint_timestamps;
    if times.len() == keep.len() && !times.is_empty() {
        retain(times, &keep);
        times.push(now);
    } else {
        times.clear();
    }
    retain(&mut state.all_model_checkpoint_paths, &keep);
    state.all_model_checkpoint_paths.push(to.name());
    state.model_checkpoint_path = to.name();
}

fn retain<T>(items: &mut Vec<T>, keep: &[bool]) {
    let mut keep = keep.iter();
    items.retain(|_| keep.next().copied().unwrap_or(true));
}
