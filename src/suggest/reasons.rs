//! What speaks for a pair, in words.

use super::alike::{Alike, BESIDE};
use super::judge::Why;
use super::solve::{Evidence, Solution, Solver};

/// Names of series without the number of their view.
fn series(called: &str) -> String {
    if let Some(beside) = called.strip_prefix(BESIDE) {
        return format!("{BESIDE}{}", series(beside));
    }
    let named = called.strip_prefix(['0', '1']).map(|rest| rest.trim_start_matches([' ', '=']));
    match named {
        Some(name) => format!("`{name}`"),
        None => called.to_owned(),
    }
}

/// Why a pair is certain, or what makes it likely.
pub(super) fn reasons(
    solver: &Solver<'_>,
    solution: &Solution,
    why: Option<Why>,
    (old, new): (usize, usize),
) -> Vec<String> {
    match why {
        Some(Why::Said) => return vec!["you said so".to_owned()],
        Some(Why::Alone) => return vec!["nothing else has its shape on either side".to_owned()],
        Some(Why::Named) => return vec!["both have the same name".to_owned()],
        Some(Why::Layer) => return vec!["the rest of its layer is certain".to_owned()],
        None => {}
    }
    let evidence = solver.evidence(solution, old, new);
    let mut found = Vec::new();
    found.extend(longest(solver, old, new).map(|alike| runs(&alike)));
    let words = telling(solver.common_words(old, new));
    if evidence.words >= 0.3 && !words.is_empty() {
        found.push(format!("both say {}", words.join(", ")));
    }
    if found.is_empty() && evidence.beside > 0.0 {
        found.push("TF1 created it next to what its neighbour became".to_owned());
    }
    if found.is_empty() && evidence.neighbours >= 0.3 {
        found.push("its neighbours go to the same place".to_owned());
    }
    if found.is_empty() && evidence.rule > 0.0 {
        found.push("others whose names differ in numbers only do the same".to_owned());
    }
    if found.is_empty() {
        let candidates = solution.candidates.get(new).map_or(0, Vec::len);
        found.push(match candidates {
            1 => "nothing else fits".to_owned(),
            _ => "what else fits has a better place".to_owned(),
        });
    }
    found
}

/// Words without those that only say what a variable is to its layer.
fn telling(words: Vec<&str>) -> Vec<&str> {
    const ROLES: &[&str] = &["beta", "bias", "gamma", "kernel", "layer", "mean", "variance"];
    words.into_iter().filter(|word| !ROLES.contains(word)).collect()
}

/// The longest pair of series that has both in the same member.
fn longest(solver: &Solver<'_>, old: usize, new: usize) -> Option<Alike> {
    let mut best: Option<Alike> = None;
    for alikes in &solver.alikes {
        alikes.each(old, new, |alike, is_same| {
            // Of two as long, the one that says it in fewer letters.
            let letters = |alike: &Alike| alike.old.len() + alike.new.len();
            let rank = |alike: &Alike| (alike.length, std::cmp::Reverse(letters(alike)));
            let better = best.as_ref().is_none_or(|best| rank(alike) > rank(best));
            if is_same && better {
                best = Some(alike.clone());
            }
        });
    }
    best
}

fn runs(alike: &Alike) -> String {
    format!("{} runs like {} ({})", series(&alike.old), series(&alike.new), alike.length)
}

/// All that is known of a pair, one thing in a line, what speaks against it too.
pub(super) fn weighed(
    solver: &Solver<'_>,
    evidence: &Evidence,
    (old, new): (usize, usize),
) -> Vec<String> {
    let mut said = Vec::new();
    let mut say = |text: String| said.push(text);
    if evidence.words > 0.0 {
        let words = solver.common_words(old, new).join(", ");
        say(format!("for it: words in common, {words} ({:.2})", evidence.words));
    }
    if evidence.numbers > 0.0 {
        say(format!("for it: numbers in common ({:.2})", evidence.numbers));
    }
    said.extend(series_that_speak(solver, (old, new)));
    let mut say = |text: String| said.push(text);
    if evidence.neighbours > 0.0 {
        say(format!("for it: neighbours that are decided ({:.2})", evidence.neighbours));
    }
    if evidence.kin > 0.0 {
        say(format!("for it: words of what its neighbours became ({:.2})", evidence.kin));
    }
    if evidence.rule > 0.0 {
        say(format!("for it: decided pairs of the same rule ({:.2})", evidence.rule));
    }
    if evidence.beside > 0.0 {
        say("for it: TF1 created it next to what its neighbour became".to_owned());
    }
    if evidence.beside < 0.0 {
        say("against it: TF1 created something else next to what its neighbour became".to_owned());
    }
    if evidence.layout > 0.0 {
        say(format!("against it: it has to be laid out anew ({:.2})", evidence.layout));
    }
    said
}

/// A few of the series that have both, those with the shortest names.
fn series_that_speak(solver: &Solver<'_>, (old, new): (usize, usize)) -> Vec<String> {
    let mut alike: [Vec<Alike>; 2] = [Vec::new(), Vec::new()];
    for alikes in &solver.alikes {
        alikes.each(old, new, |pair, is_same| {
            let [same, other] = &mut alike;
            if is_same { same.push(pair.clone()) } else { other.push(pair.clone()) }
        });
    }
    let [same, other] = alike.map(|mut pairs| {
        pairs.sort_by_key(|alike| (alike.old.len() + alike.new.len(), alike.old.clone()));
        let mut texts: Vec<String> = pairs.iter().map(runs).collect();
        texts.dedup();
        texts.truncate(MOST_SERIES);
        texts
    });
    let against = |text| format!("against it: {text}, and the two are not in the same place");
    let same = same.into_iter().map(|text| format!("for it: {text}"));
    same.chain(other.into_iter().map(against)).collect()
}

/// Series that are told, for and against.
const MOST_SERIES: usize = 1;
