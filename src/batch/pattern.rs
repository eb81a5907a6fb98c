//! Patterns of paths: `runs/{run}/model.ckpt-{step}`.
//!
//! Between slashes, `*` stands for any characters and `?` for one; `{name}` is as `*`, but at least
//! one character, and gives what it stands for a name; `{step}` is digits. `**` as a whole component stands for any
//! number of directories. Nothing of these stands for a name that begins with a dot. `{{` and `}}`
//! are braces.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use super::find::below;
use crate::files::Location;

/// The part that gives a series its order.
pub(super) const STEP: &str = "step";

/// What the parts of a pattern stand for.
pub(super) type Parts = BTreeMap<String, String>;

/// A mistake in a pattern, and where in its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    pub(super) message: String,
    pub(super) within: Range<usize>,
}

impl Mistake {
    fn new(message: impl Into<String>, within: Range<usize>) -> Self {
        Self { message: message.into(), within }
    }
}

/// A piece of a text with parts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Part(String, Range<usize>),
}

/// Text and parts, in their order.
fn pieces(text: &str) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' | '}' if chars.next_if(|(_, next)| *next == c).is_some() => literal.push(c),
            '{' => {
                let rest = text.get(at + 1..).unwrap_or_default();
                let Some(len) = rest.find('}') else {
                    return Err(Mistake::new(
                        "this brace is never closed; `{{` is one brace",
                        at..text.len(),
                    ));
                };
                let name = rest.get(..len).unwrap_or_default();
                let within = at..at + len + 2;
                let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
                if name.is_empty() || !name.chars().all(is_word) {
                    let message = "a part has a name of letters, digits and `_`";
                    return Err(Mistake::new(message, within));
                }
                if !literal.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Part(name.to_owned(), within));
                while chars.next_if(|(next, _)| *next < at + len + 2).is_some() {}
            }
            '}' => {
                return Err(Mistake::new("no brace was opened; `}}` is one brace", at..at + 1));
            }
            c => literal.push(c),
        }
    }
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    Ok(pieces)
}

/// A text into which parts of a pattern go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fill(Vec<Piece>);

impl Fill {
    /// Reads it; `known` are the parts there are.
    pub(super) fn parse(text: &str, known: &[String]) -> Result<Self, Mistake> {
        let pieces = pieces(text)?;
        for piece in &pieces {
            if let Piece::Part(name, within) = piece
                && !known.contains(name)
            {
                let message = if known.is_empty() {
                    format!(
                        "`input` has no part `{{{name}}}`; write it there, or leave it out here"
                    )
                } else {
                    let known: Vec<_> = known.iter().map(|name| format!("`{{{name}}}`")).collect();
                    format!("`input` has no part `{{{name}}}`; it has {}", known.join(", "))
                };
                return Err(Mistake::new(message, within.clone()));
            }
        }
        Ok(Self(pieces))
    }

    /// The text with its parts filled in.
    pub(super) fn fill(&self, parts: &Parts) -> String {
        self.0.iter().fold(String::new(), |mut text, piece| {
            text.push_str(match piece {
                Piece::Text(piece) => piece,
                Piece::Part(name, _) => parts.get(name).map_or("", String::as_str),
            });
            text
        })
    }
}

/// One component of a path.
#[derive(Debug, Clone)]
pub(super) enum Component {
    /// This name.
    Literal(String),
    /// Any number of directories.
    Any,
    /// Names that match.
    Names { regex: Regex, parts: Vec<String>, hidden: bool },
}

impl Component {
    /// Whether `name` fits, and what its parts are then; `parts` of other components must agree.
    pub(super) fn fit(&self, name: &str, parts: &Parts) -> Option<Parts> {
        match self {
            Self::Literal(literal) => (literal == name).then(|| parts.clone()),
            Self::Any => (!name.starts_with('.')).then(|| parts.clone()),
            Self::Names { regex, parts: names, hidden } => {
                if name.starts_with('.') && !hidden {
                    return None;
                }
                let found = regex.captures(name)?;
                let mut all = parts.clone();
                for (number, part) in names.iter().enumerate() {
                    let value = found.get(number + 1)?.as_str();
                    match all.get(part) {
                        Some(known) if known != value => return None,
                        _ => drop(all.insert(part.clone(), value.to_owned())),
                    }
                }
                Some(all)
            }
        }
    }
}

/// A pattern of paths.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    /// What stands before the first component that is a pattern, the slash included.
    pub(super) start: String,
    pub(super) components: Vec<Component>,
    /// Names of the parts, in their order.
    pub(super) parts: Vec<String>,
}

impl Pattern {
    /// Reads it.
    pub(super) fn parse(text: &str) -> Result<Self, Mistake> {
        let whole = pieces(text)?;
        let mut parts: Vec<String> = Vec::new();
        for piece in &whole {
            if let Piece::Part(name, _) = piece
                && !parts.contains(name)
            {
                parts.push(name.clone());
            }
        }
        let (mut start, mut components) = (String::new(), Vec::new());
        let mut at = 0;
        for component in text.split('/') {
            let within = at..at + component.len();
            at = within.end + 1;
            let one = self::component(component, &within)?;
            match one {
                Component::Literal(name) if components.is_empty() && at <= text.len() => {
                    start.push_str(&name);
                    start.push('/');
                }
                one => components.push(one),
            }
        }
        let end = at - 1;
        let message = match components.split_last() {
            Some((Component::Any, _)) => "`**` stands for directories; what stands in them?",
            Some((Component::Literal(name), [_, ..])) if name.is_empty() => {
                "a checkpoint has a name; leave off the slash for directories with a checkpoint"
            }
            _ => return Ok(Self { start, components, parts }),
        };
        let last = text.rsplit('/').next().map_or(0, str::len);
        Err(Mistake::new(message, end - last..end))
    }

    /// The path, where it is none but this one.
    pub(super) fn literal(&self) -> Option<String> {
        match &self.components[..] {
            [Component::Literal(name)] => Some(format!("{}{name}", self.start)),
            _ => None,
        }
    }

    /// Whether its last component stands for several names.
    pub(super) fn is_series(&self) -> bool {
        !matches!(self.components.last(), None | Some(Component::Literal(_)))
    }

    /// The same pattern, which stands in a file in `folder`, for paths from the root on.
    pub(super) fn from(&self, folder: &Location) -> Self {
        let start = below(folder, if self.start.is_empty() { "." } else { &self.start }).normal();
        let start = format!("{}/", start.to_string().trim_end_matches('/'));
        Self { start, ..self.clone() }
    }

    /// Whether `path` fits as a whole.
    pub(super) fn fits(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(&self.start) else { return false };
        let names: Vec<&str> = rest.split('/').collect();
        fits(&self.components, &names, &Parts::new())
    }
}

fn fits(components: &[Component], names: &[&str], parts: &Parts) -> bool {
    let Some((first, others)) = components.split_first() else { return names.is_empty() };
    if matches!(first, Component::Any) && fits(others, names, parts) {
        return true;
    }
    let Some((name, rest)) = names.split_first() else { return false };
    let Some(parts) = first.fit(name, parts) else { return false };
    let next = if matches!(first, Component::Any) { components } else { others };
    fits(next, rest, &parts)
}

/// A component that stands at `within` of its pattern.
fn component(text: &str, within: &Range<usize>) -> Result<Component, Mistake> {
    if text == "**" {
        return Ok(Component::Any);
    }
    if text.contains("**") {
        let message = "`**` is a component of its own: `a/**/b`";
        return Err(Mistake::new(message, within.clone()));
    }
    let pieces = pieces(text).map_err(|mistake| {
        let within = mistake.within.start + within.start..mistake.within.end + within.start;
        Mistake { within, ..mistake }
    })?;
    let is_wild = |piece: &Piece| match piece {
        Piece::Text(text) => text.contains(['*', '?']),
        Piece::Part(..) => true,
    };
    if !pieces.iter().any(is_wild) {
        return Ok(Component::Literal(Fill(pieces).fill(&Parts::new())));
    }
    let (mut regex, mut parts) = (String::from("(?s)^"), Vec::new());
    let mut after_part = false;
    let mut after_any = false;
    for piece in &pieces {
        match piece {
            Piece::Text(text) => {
                if after_part && text.starts_with('*') {
                    let message = "nothing says where this part ends and the `*` begins; put something between the two";
                    return Err(Mistake::new(message, within.clone()));
                }
                after_any = text.ends_with('*');
                regex.push_str(&regex::escape(text).replace(r"\*", ".*").replace(r"\?", "."));
                after_part = false;
            }
            Piece::Part(name, at) => {
                if after_part {
                    let message = "nothing says where the part before this one ends; put something between the two";
                    let at = at.start + within.start..at.end + within.start;
                    return Err(Mistake::new(message, at));
                }
                if after_any {
                    let message = "nothing says where the `*` ends and this part begins; put something between the two";
                    return Err(Mistake::new(message, within.clone()));
                }
                regex.push_str(if name == STEP { "([0-9]+)" } else { "(.+)" });
                parts.push(name.clone());
                after_part = true;
            }
        }
    }
    regex.push('$');
    let regex = Regex::new(&regex).map_err(|_| Mistake::new("too long", within.clone()))?;
    let hidden = matches!(pieces.first(), Some(Piece::Text(text)) if text.starts_with('.'));
    Ok(Component::Names { regex, parts, hidden })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn components_fit_names() {
        for (text, path, fits) in [
            ("runs/{run}/model.ckpt-{step}", "runs/a/model.ckpt-7", true),
            ("runs/{run}/model.ckpt-{step}", "runs/a/b/model.ckpt-7", false),
            ("runs/{run}/model.ckpt-{step}", "runs//model.ckpt-7", false),
            ("runs/{run}/model.ckpt-{step}", "runs/a/model.ckpt-", false),
            ("runs/{run}/model.ckpt-{step}", "runs/a/model.ckpt-7-tf2", false),
            ("runs/{run}/{run}-{step}", "runs/a/a-7", true),
            ("runs/{run}/{run}-{step}", "runs/a/b-7", false),
            ("runs/**/m?-*", "runs/m1-", true),
            ("runs/**/m?-*", "runs/a/b/m1-2", true),
            ("runs/**/m?-*", "runs/.git/m1-2", false),
            ("/x/*", "/x/.hidden", false),
            ("/x/.*", "/x/.hidden", true),
            ("a{{b}}/{x}", "a{b}/c", true),
            ("s3://bucket/{x}/m", "s3://bucket/a/m", true),
            ("a+/(b)", "a+/(b)", true),
        ] {
            assert_eq!(pattern(text).fits(path), fits, "{text} {path}");
        }
    }

    #[test]
    fn parts_go_into_other_texts() {
        let pattern = pattern("runs/{run}/model.ckpt-{step}");
        assert_eq!(pattern.start, "runs/");
        assert_eq!(pattern.parts, ["run", "step"]);
        let fill = Fill::parse("new/{run}/{{x}}-{step}", &pattern.parts).unwrap();
        let parts = Parts::from([("run".into(), "a".into()), ("step".into(), "7".into())]);
        assert_eq!(fill.fill(&parts), "new/a/{x}-7");
    }

    #[test]
    fn paths_without_patterns_are_what_they_are() {
        assert_eq!(pattern("a/b.ckpt").literal().as_deref(), Some("a/b.ckpt"));
        assert_eq!(pattern("a").literal().as_deref(), Some("a"));
        assert_eq!(pattern("/a/").literal().as_deref(), Some("/a/"));
        assert_eq!(pattern("a*/b").literal(), None);
        assert!(pattern("a/{x}").is_series() && !pattern("{x}/a").is_series());
    }

    #[test]
    fn mistakes_have_a_place() {
        let mistake = |text: &str| {
            let mistake = Pattern::parse(text).unwrap_err();
            (mistake.message, text[mistake.within].to_owned())
        };
        assert_eq!(mistake("runs/{run").1, "{run");
        assert_eq!(mistake("runs/{a b}/x").1, "{a b}");
        assert_eq!(mistake("runs/}x").1, "}");
        assert_eq!(mistake("runs/x-{a}{b}").1, "{b}");
        assert_eq!(mistake("a/b**/c").1, "b**");
        assert_eq!(mistake("a/{x}*").1, "{x}*");
        assert_eq!(mistake("a/m*{x}").1, "m*{x}");
        assert_eq!(mistake("a/*/").1, "");
        assert_eq!(mistake("a/**").1, "**");
        let mistake = Fill::parse("new/{rnu}", &["run".into()]).unwrap_err();
        assert_eq!(mistake.message, "`input` has no part `{rnu}`; it has `{run}`");
        assert_eq!(mistake.within, 4..9);
    }
}
