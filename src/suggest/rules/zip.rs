//! Names whose numbers do not follow from one another, but whose order does.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Action, Move, escaped, generalize};
use crate::names::{natural, shared_components, text, unnumbered};

/// Fewer are written one by one.
const FEW: usize = 4;

/// As many rules say a series better than its order does.
const MOST_RULES: usize = 2;

/// An order of moves.
type Compare<'c> = dyn Fn(&Move, &Move) -> Ordering + 'c;

/// A rule that pairs two series in their orders.
#[derive(Debug, Clone)]
pub(in crate::suggest) struct Zip {
    /// What it matches of the old side.
    pub(in crate::suggest) from: String,
    /// What it matches of the new side.
    pub(in crate::suggest) onto: String,
    /// What stands behind `order:`.
    pub(in crate::suggest) order: &'static str,
    /// What it stands for.
    pub(in crate::suggest) moves: Vec<Move>,
}

/// Takes out of `moves` what is better written as such rules: where numbers would take several. `creation` is the place of a name in the
/// order in which TF1 made its variables.
pub(in crate::suggest) fn zips(
    moves: &mut Vec<Move>,
    creation: &HashMap<String, usize>,
    free: &dyn Fn(&str, &BTreeSet<&str>) -> bool,
) -> Vec<Zip> {
    let mut series: BTreeMap<(Vec<String>, String, bool, Action), Vec<Move>> = BTreeMap::new();
    for one in moves.iter() {
        let [new] = one.new.as_slice() else { continue };
        if let (Action::Map(_), Some(base)) = (one.action, counted(new)) {
            let leaf = one.old.rsplit('/').next().unwrap_or_default().to_owned();
            series.entry((base, leaf, one.by_name, one.action)).or_default().push(one.clone());
        }
    }
    let mut found: Vec<Zip> = Vec::new();
    for ((base, ..), members) in series {
        // How many it would take; whether each can be written is seen later.
        let rules = generalize(members.clone(), &|_| true).len();
        if members.len() < FEW || rules <= MOST_RULES {
            continue;
        }
        if let Some(zip) = zip(&base, &members, creation, free) {
            found.push(zip);
        }
    }
    let taken: BTreeSet<String> =
        found.iter().flat_map(|zip| &zip.moves).map(|one| one.old.clone()).collect();
    moves.retain(|one| !taken.contains(&one.old));
    found
}

/// Components of a name without the number of the one that is counted; `None` where none is.
fn counted(name: &str) -> Option<Vec<String>> {
    let components: Vec<&str> = name.split('/').collect();
    let is_counted = |component: &&str| crate::suggest::words::is_automatic(unnumbered(component));
    let at = components.iter().position(is_counted)?;
    let component = |(place, component): (usize, &&str)| {
        if place == at { format!("{}#", unnumbered(component)) } else { (*component).to_owned() }
    };
    Some(components.iter().enumerate().map(component).collect())
}

fn zip(
    base: &[String],
    members: &[Move],
    creation: &HashMap<String, usize>,
    free: &dyn Fn(&str, &BTreeSet<&str>) -> bool,
) -> Option<Zip> {
    let names: BTreeSet<&str> = members.iter().map(|one| one.old.as_str()).collect();
    let common = shared_components(names.iter().copied());
    let leaf = members.first()?.old.rsplit('/').next()?;
    let mut above: Vec<String> = common.iter().map(|component| escaped(component)).collect();
    above.extend([".+".to_owned(), escaped(leaf)]);
    let from = above.join("/");
    if !free(&from, &names) {
        return None;
    }
    let component = |component: &String| match component.strip_suffix('#') {
        Some(base) => format!(r"{}(_\d+)?", escaped(base)),
        None => escaped(component),
    };
    let onto: Vec<String> = base.iter().map(component).collect();
    let mut along = members.to_vec();
    along.sort_by(|a, b| natural(first(a), first(b)));
    let created = |a: &Move, b: &Move| match (creation.get(&a.old), creation.get(&b.old)) {
        (Some(a), Some(b)) => a.cmp(b),
        _ => Ordering::Equal,
    };
    let known = members.iter().all(|one| creation.contains_key(&one.old));
    let orders: [(&str, &Compare<'_>, bool); 3] = [
        ("natural", &|a, b| natural(&a.old, &b.old), true),
        ("{from: text, onto: natural}", &|a, b| text(&a.old, &b.old), true),
        ("{from: creation, onto: natural}", &created, known),
    ];
    let (order, ..) = orders.into_iter().find(|(_, compare, possible)| {
        let rising = |pair: &[Move]| match pair {
            [a, b] => compare(a, b).is_lt(),
            _ => true,
        };
        *possible && along.windows(2).all(rising)
    })?;
    Some(Zip { from, onto: onto.join("/"), order, moves: along })
}

fn first(one: &Move) -> &str {
    one.new.first().map_or("", String::as_str)
}
