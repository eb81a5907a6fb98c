//! What can be said of a message without understanding it.

use regex::Regex;

use super::scene::Scene;
use crate::harness::Said;

/// Words with which a sentence may begin though they are written large.
const NAMES: &[&str] = &["BERT", "Keras", "Momentum", "NumPy", "TF1", "TensorFlow"];

/// What tells a place in a file what should stand there.
const ASKS: &str = r"\b(should stand here|should be|is missing here|must stand|belongs beside|can be|needs?|has one of|has between)\b";

/// Signs that something was printed for whoever wrote the program.
const DEBRIS: &[&str] = &[
    "panicked",
    "RUST_BACKTRACE",
    "Some(",
    "None)",
    "Ok(",
    "Err(",
    "Error {",
    "Os {",
    "\\\"",
    "Location(",
    "PathBuf",
    "unwrap",
    "<anonymous>",
];

/// What a scene's messages lack.
pub(super) fn faults(scene: &Scene, said: &Said) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{}: {what}\n{said}", scene.title()));
    if said.code != scene.code {
        fault(&format!("exit status {}, and {} belongs there", said.code, scene.code));
    }
    if !said.out.is_empty() && said.code == 2 && !scene.has_answer() {
        fault("an answer though it could not be done");
    }
    let all = format!("{}{}", said.out, said.err);
    for debris in DEBRIS.iter().filter(|debris| all.contains(**debris)) {
        fault(&format!("`{debris}` is for programmers"));
    }
    if all.chars().any(commands_terminals) {
        fault("characters that terminals obey");
    }
    let messages = messages(&said.err);
    if !scene.is_help && scene.code != 0 && messages.is_empty() && !scene.has_answer() {
        fault("nothing says what is wrong");
    }
    let has_error = messages.iter().any(|one| one.kind == "error");
    if scene.code == 2 && !scene.is_help && !scene.has_answer() && !has_error {
        fault("no error");
    }
    if !scene.is_help && !said.err.is_empty() && messages.is_empty() {
        fault("what is on standard error is no message");
    }
    let errors: Vec<_> = messages.iter().filter(|message| message.kind == "error").collect();
    let lacks = errors.iter().filter(|message| !message.says_what_to_do()).count();
    // One remedy may be for several problems.
    let shared = said.err.contains("help: ") && said.err.contains("problems; nothing was written");
    match scene.helpless {
        None if lacks > 0 && !shared => fault("nothing says what to do"),
        Some(_) if lacks == 0 && !errors.is_empty() => fault("it says what to do after all"),
        _ => {}
    }
    for message in &messages {
        for what in message.style() {
            fault(what);
        }
    }
    faults
}

/// Escapes, bells, and what turns the direction of a line.
fn commands_terminals(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

struct Message<'t> {
    kind: &'t str,
    /// Behind the kind, on the same line.
    title: &'t str,
    /// Lines below it.
    rest: Vec<&'t str>,
}

/// The messages of standard error.
fn messages(text: &str) -> Vec<Message<'_>> {
    let mut messages: Vec<Message<'_>> = Vec::new();
    for line in text.lines() {
        let kind = ["error", "warning", "note"]
            .into_iter()
            .find(|kind| line.strip_prefix(kind).is_some_and(|rest| rest.starts_with(": ")));
        match (kind, messages.last_mut()) {
            (Some(kind), _) => {
                let title = line.get(kind.len() + 2..).unwrap_or_default();
                messages.push(Message { kind, title, rest: Vec::new() });
            }
            (None, Some(message)) => message.rest.push(line),
            (None, None) => {}
        }
    }
    messages
}

impl Message<'_> {
    /// Whether it is from what reads the command line, which has a style of its own.
    fn is_about_usage(&self) -> bool {
        self.rest.iter().any(|line| line.starts_with("For more information, try '--help'"))
    }

    fn says_what_to_do(&self) -> bool {
        let helps = |line: &&str| line.trim_start_matches([' ', '|', '=']).starts_with("help: ");
        if self.is_about_usage() || self.rest.iter().any(helps) {
            return true;
        }
        // A word under the caret, or a line that follows.
        let named = self.title.rsplit_once(": ").is_some_and(|(_, last)| last.contains('`'));
        // "…: `--map RULES`"; but not the name of the file that the system refused.
        let named = named && !self.title.contains("(os error");
        let asks = Regex::new(ASKS).unwrap();
        named || self.title.contains("; ") || self.title.contains('?') || asks.is_match(self.title)
    }

    fn style(&self) -> Vec<&'static str> {
        let mut faults = Vec::new();
        let mut check = |is_wrong: bool, what| {
            if is_wrong {
                faults.push(what);
            }
        };
        let title = self.title;
        let first = title.chars().next().unwrap_or('.');
        let is_name = NAMES.iter().any(|name| title.starts_with(name));
        check(first.is_uppercase() && !is_name, "it begins with a capital letter");
        let lists =
            title.ends_with(':') && self.rest.first().is_some_and(|line| line.starts_with("  "));
        check(!lists && title.ends_with(['.', '!', ' ', ':', ';']), "it ends with a full stop");
        check(title.contains("  "), "two blanks");
        // With a reason it is somebody else's message.
        let bare_failure =
            title.contains("failed to") && !title.contains("failed to decode Protobuf");
        check(bare_failure, "`failed to` says less than what could not be done");
        if self.is_about_usage() {
            return faults;
        }
        check(title.matches('`').count() % 2 == 1, "a backtick too many");
        check(quotes(title), "quotes, not backticks");
        check(bare(title), "an option, a file or a variable without backticks");
        faults
    }
}

/// Whether a word stands in single quotes outside of backticks; the parser of YAML does it so.
fn quotes(title: &str) -> bool {
    !title.starts_with("not YAML: ")
        && Regex::new(r"(^|\s)'[^']+'").unwrap().is_match(&outside(title))
}

/// Whether something that was typed, or that stands in a file, has no backticks around it.
fn bare(title: &str) -> bool {
    let words = r"(^|\s)--?[a-z]|\b[\w./-]+\.(yaml|json|html|index|npy|txt|meta)\b|\b(testdata|model|old|new|runs)/";
    // Warnings of plans, and what batches say of them, have the place of the rule.
    let title = Regex::new(r"\S+:\d+:\d+: ").unwrap().replace(title, "");
    Regex::new(words).unwrap().is_match(&outside(&title))
}

/// A line without what stands in backticks.
fn outside(title: &str) -> String {
    title.split('`').step_by(2).collect::<Vec<_>>().join("…")
}
