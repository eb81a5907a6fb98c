//! From what people type to what a checkpoint is called.
//!
//! A checkpoint is a prefix and never a file, but people complete names with the tab key, pass
//! directories, or copy one out of three files. All of that is understood, and where it is not,
//! the answer is what to type instead.

use super::error::SourceError;
use super::{sniff, v1};
use crate::files::{FileError, Location, read_all, store};
use crate::names::nearest;
use crate::proto::CheckpointState;

/// A state file larger than this is none.
const MAX_STATE: u64 = 1 << 28;

/// A list in a message is cut off here.
const MAX_LISTED: usize = 8;

/// The prefix that `at` stands for: it may be a prefix, any file of a checkpoint, a directory with
/// a state file, with a single checkpoint or with a SavedModel. A V1 checkpoint stands for itself:
/// in one file by that, in several by a name in which `?????` stands for their numbers.
pub fn resolve(at: &Location) -> Result<Location, SourceError> {
    if !at.is_directory_like() && has_index(at)? {
        return Ok(at.clone());
    }
    if let Some(set) = files_of(at)? {
        return Ok(set);
    }
    match store(at).status(at) {
        Ok(Some(status)) if status.is_dir => directory(at),
        Ok(Some(_)) if !at.is_directory_like() => file(at),
        Ok(_) => absent(at),
        // `file/` is an error to the operating system, and a slash too many to us.
        Err(_) if at.is_directory_like() => absent(at),
        Err(error) => Err(error.into()),
    }
}

fn has_index(prefix: &Location) -> Result<bool, FileError> {
    is_file(&prefix.with_suffix(".index"))
}

/// The V1 checkpoint in several files that `at` stands for: as the name of all of them, of one of
/// them, or as what stands before the number. A file or a directory called `at` comes first, unless
/// it is one of those files.
fn files_of(at: &Location) -> Result<Option<Location>, SourceError> {
    let there = store(at).status(at).ok().flatten();
    if let Some(sharded) = v1::Sharded::of(at) {
        let sets = v1::sets(&sharded.prefix)?;
        let known = sets.contains(&sharded.name());
        let wanted = match there {
            None => true,
            Some(status) => !sharded.all && !status.is_dir && v1::is_table(at)?,
        };
        if known && wanted {
            return Ok(Some(sharded.name()));
        }
    }
    if there.is_some() {
        return Ok(None);
    }
    match &v1::sets(at)?[..] {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        several => {
            let what = format!("is the name of {} checkpoints", several.len());
            Err(unrecognized(at, &what, format!("say which one: {}", listed(several))))
        }
    }
}

/// The checkpoint called `prefix`, in whatever format.
fn called(prefix: &Location) -> Result<Option<Location>, SourceError> {
    if has_index(prefix)? || v1::is_table(prefix)? {
        return Ok(Some(prefix.clone()));
    }
    files_of(prefix)
}

fn is_file(at: &Location) -> Result<bool, FileError> {
    Ok(store(at).status(at)?.is_some_and(|status| !status.is_dir))
}

fn unrecognized(at: &Location, what: &str, help: String) -> SourceError {
    SourceError::Unrecognized { at: at.clone(), what: what.to_owned(), help }
}

/// The prefix of a name that is one of a bundle's files.
fn prefix_of(at: &Location) -> Option<Location> {
    let name = at.name();
    let data = name.rfind(".data-").and_then(|dot| name.get(dot..)).filter(|suffix| {
        suffix.strip_prefix(".data-").and_then(|rest| rest.split_once("-of-")).is_some_and(
            |(shard, of)| [shard, of].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit())),
        )
    });
    [Some(".index"), Some(".meta"), data]
        .into_iter()
        .flatten()
        .find_map(|suffix| at.strip_suffix(suffix).filter(|prefix| !prefix.is_directory_like()))
}

/// An existing file.
fn file(at: &Location) -> Result<Location, SourceError> {
    if let Some(prefix) = prefix_of(at) {
        return called(&prefix)?.ok_or_else(|| without_index(at, &prefix));
    }
    if at.name() == "checkpoint" {
        return directory(&at.parent());
    }
    match sniff::sniff(at)? {
        sniff::Found::Table => Ok(at.clone()),
        sniff::Found::Other { what, help } => Err(unrecognized(at, what, help.to_owned())),
    }
}

fn without_index(at: &Location, prefix: &Location) -> SourceError {
    let index = prefix.with_suffix(".index").name();
    let help = "copy it here as well: it says which tensor lies where".to_owned();
    unrecognized(at, &format!("is part of a checkpoint, but its `{index}` is missing"), help)
}

/// An existing directory.
fn directory(at: &Location) -> Result<Location, SourceError> {
    let found = checkpoints(at)?;
    let state = at.join("checkpoint");
    let mut broken = "";
    if is_file(&state)? {
        let text = String::from_utf8(read_all(&state, MAX_STATE)?).unwrap_or("?".into());
        match CheckpointState::parse(&text) {
            Ok(state) if !state.model_checkpoint_path.is_empty() => {
                return latest(at, &state.model_checkpoint_path, &found);
            }
            // TensorFlow goes on as if there were none, and so do we; but not in silence.
            _ => broken = ", and its `checkpoint` file cannot be read",
        }
    }
    let saved_model = at.join("variables").join("variables");
    if has_index(&saved_model)? {
        return Ok(saved_model);
    }
    match &found[..] {
        [only] => Ok(only.clone()),
        [] => Err(empty(at)?),
        several => {
            let what = format!("holds {} checkpoints{broken}", several.len());
            Err(unrecognized(at, &what, format!("say which one: {}", listed(several))))
        }
    }
}

/// The checkpoint that a state file names.
fn latest(at: &Location, name: &str, others: &[Location]) -> Result<Location, SourceError> {
    let latest = at.join(name);
    if is_file(&latest)? {
        return Ok(latest);
    }
    if let Some(found) = called(&latest)? {
        return Ok(found);
    }
    let what =
        format!("names `{}` as its latest checkpoint, which is missing", name.escape_debug());
    let help = match others {
        [] => "copy it here as well: no other one is beside it".to_owned(),
        others => format!("say which one to read: {}", listed(others)),
    };
    Err(unrecognized(&at.join("checkpoint"), &what, help))
}

/// A directory that holds no checkpoint.
fn empty(at: &Location) -> Result<SourceError, SourceError> {
    let content = store(at).list(&at.join(""))?;
    let parts = content.iter().find_map(|file| prefix_of(file).map(|prefix| (file, prefix)));
    if let Some((file, prefix)) = parts {
        return Ok(without_index(file, &prefix));
    }
    if content.iter().any(|file| file.name() == "saved_model.pb") {
        let help = "copy its directory `variables` as well: the values are there".to_owned();
        return Ok(unrecognized(at, "is a SavedModel without variables", help));
    }
    let help = match &content[..] {
        [] => "it is empty".to_owned(),
        content => {
            format!("it holds {}; a checkpoint `x` has a file `x.index`", listed_names(content))
        }
    };
    Ok(unrecognized(at, "holds no checkpoint", help))
}

/// A name under which there is no file.
fn absent(at: &Location) -> Result<Location, SourceError> {
    if at.is_directory_like() {
        let plain = at.plain();
        if !plain.is_directory_like() && plain.path().as_os_str() != at.path().as_os_str() {
            return resolve(&plain);
        }
    }
    if let Some(prefix) = prefix_of(at).filter(|_| !at.is_directory_like())
        && let Some(found) = called(&prefix)?
    {
        return Ok(found);
    }
    if !at.is_directory_like()
        && let Some(part) = store(at).list(&at.with_suffix(".data-"))?.first()
    {
        return Err(without_index(part, at));
    }
    let graph = at.with_suffix(".meta");
    if !at.is_directory_like() && is_file(&graph)? {
        return Err(without_index(&graph, at));
    }
    let parent = at.parent();
    if store(&parent).status(&parent)?.is_none_or(|status| !status.is_dir) {
        let help = format!("there is no directory `{parent}`");
        return Err(unrecognized(at, "does not exist", help));
    }
    let found = checkpoints(&parent)?;
    let names: Vec<String> = found.iter().map(Location::name).collect();
    let wanted = prefix_of(at).unwrap_or(at.clone()).name();
    let help = match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{}`?", sibling(at, near)),
        None if found.is_empty() => format!("there is no checkpoint in `{parent}`"),
        None => format!("there are {}", listed(&found)),
    };
    Err(unrecognized(at, "does not exist", help))
}

/// `name` beside `at`, without a `./` that nobody typed.
fn sibling(at: &Location, name: &str) -> Location {
    match at.path().parent() {
        Some(parent) if parent.as_os_str().is_empty() => Location::Local(name.into()),
        _ => at.parent().join(name),
    }
}

/// Every bundle in the directory `at`; where there is none, every V1 checkpoint.
pub(crate) fn checkpoints(at: &Location) -> Result<Vec<Location>, FileError> {
    let content = store(at).list(&at.join(""))?;
    let prefixes = content.iter().filter_map(|file| file.strip_suffix(".index"));
    let bundles: Vec<_> = prefixes.filter(|prefix| !prefix.is_directory_like()).collect();
    if bundles.is_empty() { v1::checkpoints(at) } else { Ok(bundles) }
}

fn listed(locations: &[Location]) -> String {
    list(locations, ToString::to_string)
}

fn listed_names(locations: &[Location]) -> String {
    list(locations, Location::name)
}

fn list(locations: &[Location], text: impl Fn(&Location) -> String) -> String {
    let quoted = |location| format!("`{}`", text(location).escape_debug());
    let first: Vec<String> = locations.iter().take(MAX_LISTED).map(quoted).collect();
    match locations.len().saturating_sub(MAX_LISTED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that holds `files`, all of them empty unless something else is said.
    fn holding(files: &[&str]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in files {
            let (name, content) = file.split_once('=').unwrap_or((file, ""));
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let table = || crate::table::TableBuilder::new(Vec::new()).finish().unwrap();
            let content = if content == "TABLE" { table() } else { content.into() };
            std::fs::write(path, content).unwrap();
        }
        dir
    }

    /// What `typed` in that directory stands for, or the message, with the directory as `DIR`.
    fn answer(files: &[&str], typed: &str) -> String {
        let dir = holding(files);
        let root = dir.path().to_str().unwrap();
        let answer = match resolve(&format!("{root}/{typed}").parse().unwrap()) {
            Ok(found) => found.to_string(),
            Err(error) => error.to_string(),
        };
        answer.replace(root, "DIR")
    }

    #[test]
    fn every_way_to_type_a_checkpoint() {
        let bundle = ["m.index", "m.data-00000-of-00001", "m.meta"];
        for typed in
            ["m", "m/", "m.index", "m.data-00000-of-00001", "m.data-00001-of-00002", "m.meta"]
        {
            assert_eq!(answer(&bundle, typed), "DIR/m", "{typed}");
        }
        assert_eq!(answer(&bundle, ""), "DIR/m");
        assert_eq!(answer(&["run/m.index"], "run"), "DIR/run/m");
        assert_eq!(answer(&["m.index", "m/other"], "m"), "DIR/m");
        assert_eq!(answer(&["s/variables/variables.index"], "s"), "DIR/s/variables/variables");
        assert_eq!(
            answer(&["s/variables/variables.index"], "s/variables/"),
            "DIR/s/variables/variables"
        );
    }

    #[test]
    fn every_way_to_type_a_v1_checkpoint() {
        let set = ["m-00000-of-00002=TABLE", "m-00001-of-00002=TABLE", "m.meta"];
        for typed in ["m", "m-00001-of-00002", "m-?????-of-00002", "m.meta", ""] {
            assert_eq!(answer(&set, typed), "DIR/m-?????-of-00002", "{typed}");
        }
        // A file that is missing is known by the others.
        assert_eq!(answer(&set[..1], "m-00001-of-00002"), "DIR/m-?????-of-00002");
        let single = ["m=TABLE", "m.meta", "notes.txt=text"];
        for typed in ["m", "m.meta", ""] {
            assert_eq!(answer(&single, typed), "DIR/m", "{typed}");
        }
        // What has an index is a bundle, unless the other is named.
        assert_eq!(answer(&["m=TABLE", "m.index"], ""), "DIR/m");
        assert_eq!(answer(&[set[0], set[1], "m.index"], "m"), "DIR/m");
        let named = answer(&[set[0], set[1], "m.index"], "m-00000-of-00002");
        assert_eq!(named, "DIR/m-?????-of-00002");
    }

    #[test]
    fn v1_checkpoints_that_cannot_be_told_apart() {
        let files = ["m-00000-of-00001=TABLE", "m-00000-of-00002=TABLE", "n=TABLE"];
        let several = "`DIR/m` is the name of 2 checkpoints; say which one: \
            `DIR/m-?????-of-00001`, `DIR/m-?????-of-00002`";
        assert_eq!(answer(&files, "m"), several);
        assert_eq!(answer(&files, "m-?????-of-00001"), "DIR/m-?????-of-00001");
        let holds = "holds 3 checkpoints; say which one: `DIR/m-?????-of-00001`, \
            `DIR/m-?????-of-00002`, `DIR/n`";
        assert!(answer(&files, "").contains(holds), "{}", answer(&files, ""));
        let state = "checkpoint=model_checkpoint_path: 'm-?????-of-00002'";
        assert_eq!(answer(&[state, files[0], files[1]], ""), "DIR/m-?????-of-00002");
        let near = "did you mean `DIR/m-?????-of-00001`?";
        assert!(answer(&files[..1], "m-?????-of-00003").ends_with(near));
        let text = answer(&["m-00000-of-00001=text"], "m-00000-of-00001");
        assert!(text.contains("is a text file"), "{text}");
    }

    #[test]
    fn a_state_file_names_the_latest() {
        let state = "run/checkpoint=model_checkpoint_path: 'm-2'";
        let files = [state, "run/m-1.index", "run/m-2.index"];
        assert_eq!(answer(&files, "run"), "DIR/run/m-2");
        assert_eq!(answer(&files, "run/checkpoint"), "DIR/run/m-2");
        let gone = "`DIR/run/checkpoint` names `m-2` as its latest checkpoint, which is missing; \
            say which one to read: `DIR/run/m-1`";
        assert_eq!(answer(&files[..2], "run"), gone);
        let broken = "`DIR/run` holds 2 checkpoints, and its `checkpoint` file cannot be read; \
            say which one: `DIR/run/a`, `DIR/run/b`";
        assert_eq!(answer(&["run/checkpoint=?", "run/a.index", "run/b.index"], "run"), broken);
    }

    #[test]
    fn wrong_names_are_answered_with_right_ones() {
        let near = "`DIR/modle.ckpt` does not exist; did you mean `DIR/model.ckpt`?";
        assert_eq!(answer(&["model.ckpt.index"], "modle.ckpt"), near);
        let far = "`DIR/x` does not exist; there are `DIR/model.ckpt`";
        assert_eq!(answer(&["model.ckpt.index"], "x"), far);
        let no_directory = "`DIR/a/x` does not exist; there is no directory `DIR/a`";
        assert_eq!(answer(&[], "a/x"), no_directory);
        let nothing = "`DIR/run` holds no checkpoint; it holds `a.txt`; a checkpoint `x` has a \
            file `x.index`";
        assert_eq!(answer(&["run/a.txt"], "run"), nothing);
        let part = "`DIR/m.data-00000-of-00001` is part of a checkpoint, but its `m.index` is \
            missing; copy it here as well: it says which tensor lies where";
        for typed in ["m", "m.data-00000-of-00001"] {
            assert_eq!(answer(&["m.data-00000-of-00001"], typed), part);
        }
        let model = "`DIR/s` is a SavedModel without variables; copy its directory `variables` as \
            well: the values are there";
        assert_eq!(answer(&["s/saved_model.pb"], "s"), model);
    }
}
