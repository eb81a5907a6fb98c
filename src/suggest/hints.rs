//! Pairs that the user knows.

use std::collections::BTreeMap;

use super::SuggestError;
use super::fit::Fit;
use super::new::{New, Place};
use super::old::Old;
use crate::names::nearest;

/// Pairs that are said, by place.
pub(super) fn hints(
    said: &[(String, String)],
    old: &[Old],
    new: &New,
) -> Result<BTreeMap<usize, usize>, SuggestError> {
    let mut hints = BTreeMap::new();
    for (from, to) in said {
        let named = |item: &Old| item.named.views.first() == Some(from);
        let old_at = old.iter().position(named).ok_or_else(|| {
            let names = old.iter().filter_map(|item| item.named.views.first());
            SuggestError::Unknown {
                side: "the old checkpoint",
                name: from.clone(),
                near: nearest(from, names.map(String::as_str)).map(str::to_owned),
            }
        })?;
        let place_at =
            new.places.iter().position(|place| place.is_called(to)).ok_or_else(|| {
                let names = new.places.iter().flat_map(Place::names);
                SuggestError::Unknown {
                    side: "the new model",
                    name: to.clone(),
                    near: nearest(to, names).map(str::to_owned),
                }
            })?;
        if let (Some(item), Some(place)) = (old.get(old_at), new.places.get(place_at)) {
            let (a, b) = (&item.named.spec, &place.named.spec);
            if Fit::of(a, b).is_none() {
                return Err(SuggestError::Unfit {
                    old: from.clone(),
                    new: to.clone(),
                    reason: format!("no transform makes {b} of {a}"),
                });
            }
        }
        hints.insert(place_at, old_at);
    }
    Ok(hints)
}
