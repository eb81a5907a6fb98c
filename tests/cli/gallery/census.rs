//! Every error that the library knows, and whether the gallery shows it.

use std::fs;
use std::path::Path;

use regex::Regex;

/// Errors that no scene shows, behind the reason for it.
const UNSEEN: &[(&str, &[&str])] = &[
    (
        "all of it is filled in, and scenes show what",
        &["{0}", "`{at}` {what}; {help}", "`{at}` is {what}; {help}", "cannot be read ({})"],
    ),
    (
        "another process must be at it at that moment",
        &[
            "`{0}` changes while it is read; run again when nobody writes to it",
            "`{variable}` changed while it was read; run again when nobody writes to it",
            "`{}` changed while it was read; run again when nobody writes to it",
            "it was replaced meanwhile; run again when nobody writes to it",
            "what stands at `{to}` changed while the new checkpoint was written; run again",
            "`{directory}` has been locked by another process for a minute (`flock` on the directory itself?); nothing was changed",
            "`{to}` is complete, but the `checkpoint` file beside it does not list it",
        ],
    ),
    (
        "a signal must come at that moment",
        &[
            "interrupted",
            "interrupted; nothing was written",
            "interrupted; not everything was compared",
        ],
    ),
    (
        "the system must refuse at that moment",
        &[
            "a data file of the source cannot be shared",
            "cannot write `{target}`",
            "cannot put the result in place",
            "the server's copy of it has {got} bytes instead of {wanted}",
            "the block becomes {0} bytes, for which there is not enough memory",
        ],
    ),
    (
        "the command line says it earlier, or cannot say it",
        &[
            "a tolerance is a number from 0 on",
            "no report was given; give those of all shares",
            "`reverse` with rules needs the TF1 checkpoint: `like: old/model.ckpt`",
        ],
    ),
    (
        "a build with TensorFlow, and one that is broken",
        &[
            "TensorFlow {version} says: {said}",
            "`{0}` has no `{FRAMEWORK}` and `{ALL}` in it, as the folder of a TensorFlow wheel has",
            "TensorFlow's library `{at}` cannot be loaded: {reason}",
            "TensorFlow cannot restore anything: {0}",
        ],
    ),
    (
        "whoever writes with the library made a mistake",
        &[
            "a tensor must have a name",
            "`{0}` is written twice",
            "`{0}` was begun and never finished",
            "`{name}` cannot share the bytes of `{of}`, which is not written",
            "what came for `{target}` is not its value",
            "the bytes for `{target}` end at {end}, but their file has only {len}",
            "the bytes that were written are not those for which there is room",
            "cannot build the index",
            "cannot write the table",
            "key `{}` does not come after `{}`",
            "an entry of {0} bytes is too large for a table",
            "the part that was asked for does not fit",
            "the input of a transform cannot be read",
            "cannot work out what `{target}` should be",
            "{got} bytes stand where {spec} needs {needed}",
            "label {0} of the path has a zero character in it",
        ],
    ),
    (
        "damage and malice of rare kinds, which `tests/damage.rs` and `tests/hostile.rs` try",
        &[
            "node {node} refers to node {to}, but there are only {nodes}",
            "`{path}` lists {what} of `{}`, but does not hold it",
            "it lists a variable without a name",
            "it is {now} here and {before} elsewhere",
            "it is a slice that no variable lists",
            "it has {len} bytes, more than the {limit} that can be believed",
            "it ends beyond what can be counted",
            "the names add up to more than {limit} bytes",
            "it was written on a big-endian machine, and how {0} is stored there is not known",
            "slice `{slice}` holds {got} where {needed} belongs",
            "slices overlap",
            "{missing} of {elements} elements are in no slice",
            "its {0} slices are cut too irregularly to prove that they do not overlap",
            "the checkpoint has more than {slices} slices, or more than {keys} bytes of names for them",
            "slices share bytes of a data file",
            "elements of type {0} cannot be put together",
            "its message is damaged at byte {0}",
            "its values lie in more than {limit} pieces",
            "its values are raw bytes (`tensor_content`), which no TensorFlow reads there",
            "there are no {0} in V1 checkpoints",
            "it has {got} values where {needed} belong",
            "value {place} is {value}, which is no {dtype}",
            "has more than {limit} {what}",
            "{variables} variables are too many: rules are proposed for {most} at most",
            "too many variables have the same shapes: more than {pairs} pairs would have to be weighed",
            "{what} needs {needed} bytes where only {left} are left",
            "a block begins inside the one before it, which ends at byte {previous_end}",
            "the block has the unknown type {0}",
            "the block does not decompress: {0}",
            "{stored} compressed bytes cannot become {claimed}",
            "an entry continues {shared} bytes of a key that has only {len}",
            "the keys of the block add up to more than {limit} bytes",
            "restart point {0} does not lead to an entry with a whole key",
            "key `{}` stands after `{}`",
            "key `{}` stands there twice",
            "rank {0} is above the {MAX_RANK} dimensions TensorFlow accepts",
            "the shape has more elements than can be counted",
            "`{transform}` yields no tensor",
        ],
    ),
];

/// An error as its attribute has it.
struct Known {
    file: String,
    text: String,
}

/// What an error looks like whatever is filled in; nothing where that is all.
fn pattern(text: &str) -> Option<Regex> {
    let holes = Regex::new(r"\{[^{}]*\}").unwrap();
    let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    let parts: Vec<_> = holes
        .split(&text)
        .map(|part| regex::escape(&part.replace('\u{1}', "{").replace('\u{2}', "}")))
        .collect();
    let letters = parts.iter().flat_map(|part| part.chars()).filter(|c| c.is_alphabetic());
    (letters.count() >= 4).then(|| Regex::new(&parts.join(".*")).unwrap())
}

/// All `#[error("…")]` below a directory.
fn known(directory: &Path, all: &mut Vec<Known>) {
    let literal = Regex::new(r#"#\[error\(\s*"((?:[^"\\]|\\[\s\S])*)""#).unwrap();
    let continued = Regex::new(r"\\\n\s*").unwrap();
    let mut entries: Vec<_> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            known(&path, all);
            continue;
        }
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let content = fs::read_to_string(&path).unwrap();
        let attributes = content.matches("#[error(").count();
        let transparent = content.matches("#[error(transparent)]").count();
        let before = all.len();
        for found in literal.captures_iter(&content) {
            let text = continued.replace_all(&found[1], "").replace("\\\"", "\"");
            let file = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap();
            all.push(Known { file: file.display().to_string(), text: text.replace("\\\\", "\\") });
        }
        assert_eq!(all.len() - before, attributes - transparent, "{}", path.display());
    }
}

#[test]
fn every_error_is_shown_or_it_is_said_why_not() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let gallery = fs::read_to_string(root.join("tests/cli/snapshots/gallery.snap")).unwrap();
    let mut all = Vec::new();
    known(&root.join("src"), &mut all);
    assert!(all.len() > 100, "{}", all.len());
    let unseen: Vec<&str> = UNSEEN.iter().flat_map(|(_, texts)| *texts).copied().collect();
    let mut faults = Vec::new();
    for Known { file, text } in &all {
        let is_shown = pattern(text).is_some_and(|pattern| pattern.is_match(&gallery));
        let unseen = unseen.contains(&text.as_str());
        match (is_shown, unseen) {
            (false, false) => faults.push(format!("{file}: no scene shows `{text}`")),
            (true, true) => faults.push(format!("{file}: a scene shows `{text}` after all")),
            _ => {}
        }
    }
    for text in &unseen {
        if !all.iter().any(|known| known.text == *text) {
            faults.push(format!("there is no error `{text}` any more"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
