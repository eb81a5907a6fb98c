//! The rule file as text.

use std::fmt::Write;

use super::judge::Confidence;
use super::rules::{Action, Rule, Zip};
use super::scopes::Recorded;
use crate::mapping::{dollars, scalar};
use crate::names::counted;

/// Longer lines are broken.
const WIDTH: usize = 98;

/// A line of the file with what stands in its comment.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The key and its value.
    pub(super) text: String,
    /// How sure it is.
    pub(super) confidence: Confidence,
    /// Why.
    pub(super) reason: String,
}

/// Leaves that get a value without a source.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// What matches them.
    pub(super) pattern: String,
    /// Whether that is a full name.
    pub(super) by_name: bool,
    /// `ones`, `zeros` or `template`.
    pub(super) with: &'static str,
    /// Why.
    pub(super) reason: String,
}

/// A place that stays open.
#[derive(Debug, Clone)]
pub(super) struct Question {
    /// What it is called, and whether that is a full name.
    pub(super) place: (String, bool),
    /// What would be done.
    pub(super) action: Action,
    /// What it is.
    pub(super) spec: String,
    /// What it might be, the likeliest first.
    pub(super) candidates: Vec<String>,
}

/// Everything that stands in a file.
#[derive(Debug, Default)]
pub(super) struct File {
    /// Comments at its top.
    pub(super) title: Vec<String>,
    /// `include:`, if a built-in mapping fits.
    pub(super) include: Option<String>,
    /// Parameters with their values.
    pub(super) params: Vec<String>,
    /// The root of all targets.
    pub(super) root: Option<String>,
    /// `ema`, `optimizer`.
    pub(super) policies: Vec<Line>,
    /// Last components of old names, and what they are called in the new model.
    pub(super) leaves: Vec<(String, String)>,
    /// Recordings.
    pub(super) scopes: Vec<Recorded>,
    /// Rules, in order.
    pub(super) rules: Vec<Rule>,
    /// Pairs of series.
    pub(super) zips: Vec<Zip>,
    /// What goes nowhere: patterns, and how many variables each takes.
    pub(super) drops: Vec<(String, usize)>,
    /// What is filled.
    pub(super) fills: Vec<Filled>,
    /// What is open.
    pub(super) questions: Vec<Question>,
}

impl File {
    /// As people write it.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for line in &self.title {
            let _ = writeln!(out, "# {line}");
        }
        out.push_str("version: 1\n");
        if let Some(include) = &self.include {
            let _ = writeln!(out, "include: [{include}]");
        }
        if !self.params.is_empty() {
            let _ = writeln!(out, "params: {{{}}}", self.params.join(", "));
        }
        if let Some(root) = &self.root {
            let _ = writeln!(out, "root: {}", scalar(root));
        }
        for line in &self.policies {
            comment(&mut out, "", &said(line.confidence, None, &line.reason));
            let open = if line.confidence == Confidence::Open { "# " } else { "" };
            let _ = writeln!(out, "{open}{}", line.text);
        }
        if self.drops.len() > MOST_DROPS {
            let count = counted(all(&self.drops), "variable");
            comment(
                &mut out,
                "",
                &format!("left behind, {count}: the new model has no place for it"),
            );
            out.push_str("unmatched: drop\n");
        }
        if !self.leaves.is_empty() {
            let leaves: Vec<String> = self
                .leaves
                .iter()
                .map(|(old, new)| format!("{}: {}", scalar(old), scalar(new)))
                .collect();
            let _ = writeln!(out, "leaves: {{{}}}", leaves.join(", "));
        }
        self.recordings(&mut out);
        self.all_rules(&mut out);
        if !self.fills.is_empty() {
            out.push_str("fill:\n");
        }
        for fill in &self.fills {
            comment(&mut out, "  ", &said(Confidence::Likely, None, &fill.reason));
            let named = target(&fill.pattern, fill.by_name);
            let _ = writeln!(out, "  - {{match: {named}, with: {}}}", fill.with);
        }
        out
    }

    /// What is open beside places.
    pub(super) fn open_policies(&self) -> Vec<String> {
        let open = self.policies.iter().filter(|line| line.confidence == Confidence::Open);
        open.map(|line| line.reason.clone()).collect()
    }

    fn recordings(&self, out: &mut String) {
        if !self.scopes.is_empty() {
            out.push_str("scopes:\n");
        }
        for scope in &self.scopes {
            let mut begin = "  - ";
            if !scope.within.is_empty() {
                let _ = writeln!(out, "{begin}within: {}", scalar(&dollars(&scope.within)));
                begin = "    ";
            }
            if scope.by_name {
                let _ = writeln!(out, "{begin}target: names");
                begin = "    ";
            }
            let _ = writeln!(out, "{begin}layers:");
            for layer in &scope.layers {
                let to = scalar(&dollars(&layer.to));
                comment(out, "      ", &said(layer.confidence, None, &layer.reason));
                let _ = writeln!(out, "      - {}: {to}", scalar(&dollars(&layer.base)));
            }
        }
    }

    fn all_rules(&self, out: &mut String) {
        let drops = !self.drops.is_empty() && self.drops.len() <= MOST_DROPS;
        let none = self.rules.is_empty() && self.zips.is_empty() && !drops;
        if none && self.questions.is_empty() {
            return;
        }
        // A list of comments alone would be none.
        out.push_str(if none { "rules: []\n" } else { "rules:\n" });
        for rule in &self.rules {
            comment(out, "  ", &said(rule.confidence(), Some(rule.values()), rule.reason()));
            mapped(out, rule);
        }
        if drops {
            left_behind(out, &self.drops);
        }
        for zip in &self.zips {
            let first = zip.moves.iter().max_by_key(|one| one.confidence);
            let reason = first.map_or("", |one| one.reason.as_str());
            comment(out, "  ", &said(Confidence::Likely, Some(zip.moves.len()), reason));
            let by_name = first.is_some_and(|one| one.by_name);
            let _ = writeln!(out, "  - zip:");
            let _ = writeln!(out, "      from: {}", quoted(&zip.from));
            let _ = writeln!(out, "      onto: {}", target(&zip.onto, by_name));
            let _ = writeln!(out, "      order: {}", zip.order);
            if let Some(Action::Map(steps @ [_, ..])) = first.map(|one| one.action) {
                let _ = writeln!(out, "    apply: [{}]", steps.join(", "));
            }
        }
        self.questions.iter().for_each(|question| asked(out, question));
    }
}

/// More patterns than that say less than one word for all of them.
pub(super) const MOST_DROPS: usize = 200;

/// The rule for what goes nowhere.
fn left_behind(out: &mut String, drops: &[(String, usize)]) {
    let said = format!(
        "left behind, {}: the new model has no place for it",
        counted(all(drops), "variable")
    );
    match drops {
        [] => {}
        [(pattern, _)] => {
            comment(out, "  ", &said);
            let _ = writeln!(out, "  - {{drop: {}}}", quoted(pattern));
        }
        several => {
            comment(out, "  ", &said);
            out.push_str("  - drop:\n");
            for (pattern, count) in several {
                let _ = writeln!(out, "      - {}  # {count}", quoted(pattern));
            }
        }
    }
}

/// How many variables patterns take.
fn all(drops: &[(String, usize)]) -> usize {
    drops.iter().map(|(_, count)| count).sum()
}

/// A question, with the rule that the likeliest answer would be.
fn asked(out: &mut String, question: &Question) {
    let Question { place: (place, by_name), action, spec, candidates } = question;
    let to = target(&dollars(place), *by_name);
    let key = match action {
        Action::Cell(kind) => format!("cell: {kind}, from"),
        Action::Map(_) => "from".to_owned(),
    };
    let spec = if spec.is_empty() { String::new() } else { format!(", {spec}") };
    let Some((first, others)) = candidates.split_first() else {
        comment(out, "  ", &format!("open{spec}: nothing fits"));
        let _ = writeln!(out, "  # - {{{key}: …, to: {to}}}");
        return;
    };
    let others = match others {
        [] => "nothing speaks for its only candidate".to_owned(),
        others => format!("or {}", others.join(", ")),
    };
    comment(out, "  ", &format!("open{spec}: {others}"));
    let from = quoted(&super::rules::escaped(first));
    let _ = writeln!(out, "  # - {{{key}: {from}, to: {to}}}");
}

fn mapped(out: &mut String, rule: &Rule) {
    let by_name = rule.by_name();
    let targets: Vec<String> = rule.targets().iter().map(|to| target(to, by_name)).collect();
    let to = match targets.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    };
    let from = quoted(&rule.pattern());
    let (key, apply) = match rule.action() {
        Action::Cell(kind) => (format!("cell: {kind}, from"), String::new()),
        Action::Map([]) => ("from".to_owned(), String::new()),
        Action::Map(steps) => ("from".to_owned(), format!(", apply: [{}]", steps.join(", "))),
    };
    let line = format!("  - {{{key}: {from}, to: {to}{apply}}}");
    if line.chars().count() <= WIDTH {
        let _ = writeln!(out, "{line}");
        return;
    }
    match rule.action() {
        Action::Cell(kind) => {
            let _ = writeln!(out, "  - cell: {kind}\n    from: {from}");
        }
        Action::Map(_) => {
            let _ = writeln!(out, "  - from: {from}");
        }
    }
    match targets.as_slice() {
        [one] => {
            let _ = writeln!(out, "    to: {one}");
        }
        several => {
            out.push_str("    to:\n");
            for one in several {
                let _ = writeln!(out, "      - {one}");
            }
        }
    }
    if !apply.is_empty() {
        let _ = writeln!(out, "    {}", apply.trim_start_matches(", "));
    }
}

/// `likely, 12 variables: …`.
fn said(confidence: Confidence, count: Option<usize>, reason: &str) -> String {
    match count {
        Some(count) => format!("{}, {}: {reason}", confidence.word(), counted(count, "variable")),
        None => format!("{}: {reason}", confidence.word()),
    }
}

/// A comment, in as many lines as it takes.
fn comment(out: &mut String, indent: &str, text: &str) {
    let mut line = String::new();
    // What comes from a file stays in its line.
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    for word in text.split(' ') {
        let len = line.chars().count() + word.chars().count();
        if !line.is_empty() && indent.len() + len + 3 > WIDTH {
            let _ = writeln!(out, "{indent}# {line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}# {line}");
}

fn target(text: &str, by_name: bool) -> String {
    if by_name { format!("{{name: {}}}", quoted(text)) } else { quoted(text) }
}

/// Text in quotes.
fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return scalar(text);
    }
    format!("'{}'", text.replace('\'', "''"))
}
