//! Which variable was meant, and which part of it.

use super::error::ShowError;
use super::selection::Selection;
use super::slice::Slice;
use crate::catalog::{Catalog, Variable, VariableName};
use crate::names::nearest;
use crate::object::VARIABLE_VALUE;

/// A variable of a checkpoint, or a part of it.
#[derive(Debug, Clone)]
pub struct Found<'c> {
    /// Its name.
    pub name: &'c VariableName,
    /// What it is.
    pub variable: &'c Variable,
    /// The part as it was typed, with its brackets; `None` for all of it.
    pub slice: Option<String>,
    /// The elements in it.
    pub selection: Selection,
}

/// Finds what `NAME` or `NAME[SLICE]` names. A name may end in brackets itself, and then is taken
/// for one. `shown` says how a name was shown to who types it.
pub fn find<'c>(
    catalog: &'c Catalog,
    typed: &str,
    shown: impl Fn(&str) -> String,
) -> Result<Found<'c>, ShowError> {
    if let Some((name, variable)) = named(catalog, typed, &shown) {
        let selection = Selection::all(variable.spec.shape());
        return Ok(Found { name, variable, slice: None, selection });
    }
    let bracket = typed.strip_suffix(']').and_then(|typed| typed.rsplit_once('['));
    let Some((name, inside)) = bracket else { return Err(unknown(catalog, typed, &shown)) };
    let (name, variable) =
        named(catalog, name, &shown).ok_or_else(|| unknown(catalog, name, &shown))?;
    let (slice, shape) = (format!("[{inside}]"), variable.spec.shape());
    let selection = inside.parse::<Slice>().and_then(|slice| slice.of(shape));
    let selection = selection.map_err(|source| ShowError::Slice {
        name: shown(name.as_str()),
        shape: shape.clone(),
        slice: slice.clone(),
        source,
    })?;
    Ok(Found { name, variable, slice: Some(slice), selection })
}

fn named<'c>(
    catalog: &'c Catalog,
    typed: &str,
    shown: impl Fn(&str) -> String,
) -> Option<(&'c VariableName, &'c Variable)> {
    let path = format!("{typed}/.ATTRIBUTES/{VARIABLE_VALUE}");
    let exact = [typed, &path].into_iter().find_map(|key| catalog.variables.get_key_value(key));
    // What had to be escaped to be shown may be typed as it was shown.
    exact.or_else(|| catalog.variables.iter().find(|(name, _)| shown(name.as_str()) == typed))
}

fn unknown(catalog: &Catalog, name: &str, shown: impl Fn(&str) -> String) -> ShowError {
    let names: Vec<String> = catalog.variables.keys().map(|name| shown(name.as_str())).collect();
    let help = match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`ckptmap list` names all".to_owned(),
    };
    ShowError::NoVariable { origin: catalog.origin.clone(), name: name.to_owned(), help }
}
