//! What goes nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::rules;

/// Patterns for what goes nowhere, as wide as they can be.
pub(super) fn drops(
    names: &BTreeSet<String>,
    unused: &BTreeSet<&String>,
    wanted: &BTreeSet<String>,
) -> Vec<(String, String)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    let goes = |name: &String| unused.contains(name) && !wanted.contains(name);
    for name in unused.iter().filter(|name| goes(name)) {
        if name.as_str() == "global_step" {
            continue;
        }
        // What Mesh TensorFlow's optimizer keeps lies beside the variables.
        if let Some((_, kind)) =
            name.rsplit_once("_slot_").filter(|(owner, _)| names.contains(*owner))
        {
            let _ = kind;
            *groups.entry(r".+_slot_\w+".to_owned()).or_default() += 1;
            continue;
        }
        let scopes = name.match_indices('/').filter_map(|(at, _)| name.get(..=at));
        let whole = scopes.into_iter().find(|scope| {
            let scope = (*scope).to_owned();
            names.range(scope.clone()..).take_while(|name| name.starts_with(&scope)).all(&goes)
        });
        let pattern = match whole {
            Some(scope) => format!("{}.+", rules::escaped(scope)),
            None => rules::escaped(name),
        };
        *groups.entry(pattern).or_default() += 1;
    }
    let reason = |count: usize| {
        format!("{}: the new model has no place left", crate::names::counted(count, "variable"))
    };
    groups.into_iter().map(|(pattern, count)| (pattern, reason(count))).collect()
}
