//! What goes nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::old::{FACTORED, factored_owner};
use super::rules;

/// Patterns for what goes nowhere, as wide as they can be, each with how many variables it takes.
/// What is `wanted` may still go somewhere.
pub(super) fn drops(
    names: &BTreeSet<String>,
    unused: &BTreeSet<&String>,
    wanted: &BTreeSet<String>,
) -> Vec<(String, usize)> {
    let goes = |name: &String| unused.contains(name) && !wanted.contains(name);
    let mut scopes: HashMap<&str, bool> = HashMap::new();
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    // A step counter alone needs no rule.
    let leaving = unused.iter().filter(|name| goes(name) && name.as_str() != "global_step");
    for name in leaving {
        if factored_owner(name).is_some_and(|owner| names.contains(owner)) {
            *groups.entry(format!(r".+{FACTORED}\w+")).or_default() += 1;
            continue;
        }
        let whole = name.match_indices('/').filter_map(|(at, _)| name.get(..=at)).find(|scope| {
            *scopes.entry(scope).or_insert_with(|| {
                let from = names.range((*scope).to_owned()..);
                from.take_while(|name| name.starts_with(*scope)).all(goes)
            })
        });
        let pattern = match whole {
            Some(scope) => format!("{}.+", rules::escaped(scope)),
            None => rules::escaped(name),
        };
        *groups.entry(pattern).or_default() += 1;
    }
    groups.into_iter().collect()
}
