//! What the files of a bundle are called, and which names TensorFlow could not open.

use std::path;

use crate::files::Location;

use super::{RECORD_SUFFIX, TargetError};

/// `P.data-00001-of-00003`.
pub(super) fn shard(to: &Location, shard: usize, count: usize) -> Location {
    to.with_suffix(&format!(".data-{shard:05}-of-{count:05}"))
}

/// `P.index`.
pub(super) fn index(to: &Location) -> Location {
    to.with_suffix(".index")
}

/// What says where the checkpoint comes from.
pub(super) fn record(to: &Location) -> Location {
    to.with_suffix(RECORD_SUFFIX)
}

/// Where the checkpoint called `prefix` goes to if nothing else is said: the same name in a
/// directory beside its own, and never in one inside a SavedModel, which is `variables/` with a
/// bundle called `variables` in it.
pub fn default_destination(prefix: &Location, reverse: bool) -> Location {
    let suffix = if reverse { "-tf1" } else { "-tf2" };
    let directory = prefix.parent();
    if prefix.name() == "variables" && directory.name() == "variables" {
        return directory.beside(suffix);
    }
    prefix.beside(suffix)
}

/// How many data files there are, if `suffix` is what one of them has behind its prefix.
pub(crate) fn shard_count(suffix: &str) -> Option<usize> {
    let (shard, count) = suffix.strip_prefix(".data-")?.split_once("-of-")?;
    let number = |text: &str| {
        let digits = text.len() >= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten()
    };
    number(shard).and_then(|_: usize| number(count))
}

/// Refuses names under which a checkpoint would be written and never be found.
pub(super) fn check(to: &Location) -> Result<(), TargetError> {
    let refused = |why: String| Err(TargetError::Unfindable { to: to.clone(), why });
    if to.is_directory_like() {
        return refused("it names a directory; add a name, such as `model.ckpt`".to_owned());
    }
    if to.path().file_name().is_none_or(|name| name.to_str().is_none()) {
        return refused("its last part is not UTF-8".to_owned());
    }
    let name = to.name();
    let ending = [".index", ".meta"].into_iter().find(|ending| name.ends_with(ending));
    let ending = ending.or_else(|| {
        let at = name.rfind(".data-")?;
        name.get(at..).filter(|suffix| shard_count(suffix).is_some())
    });
    if let Some(ending) = ending {
        return refused(format!("such endings are added to it; leave off `{ending}`"));
    }
    // TensorFlow looks for `P.index` as a pattern. `*` and `?` at least match themselves.
    let absolute = to.absolute();
    let special = |&byte: &u8| byte == b'[' || byte == b'\\' && !path::is_separator('\\');
    if let Some(&byte) = absolute.path().as_os_str().as_encoded_bytes().iter().find(|b| special(b))
    {
        return refused(format!(
            "TensorFlow takes the `{}` in `{absolute}` for a part of a pattern and would not find it; choose another name",
            char::from(byte)
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_files_are_told_from_others() {
        assert_eq!(shard_count(".data-00000-of-00001"), Some(1));
        assert_eq!(shard_count(".data-00004-of-123456"), Some(123_456));
        for other in [".data-0-of-1", ".data-00000-of-00001.tempstate7", ".data-", ".index", ""] {
            assert_eq!(shard_count(other), None, "{other}");
        }
        let Ok(to) = "out/model.ckpt-7".parse::<Location>();
        assert_eq!(shard(&to, 1, 3).to_string(), "out/model.ckpt-7.data-00001-of-00003");
    }

    #[test]
    fn names_tensorflow_could_not_open_are_refused() {
        for name in
            ["", "out/", ".", "out/..", "m.index", "m.meta", "m.data-00000-of-00001", "run[1]/m"]
        {
            let Ok(to) = name.parse();
            assert!(matches!(check(&to), Err(TargetError::Unfindable { .. })), "{name}");
        }
        for name in ["m", "out/model.ckpt-7", "index", "m.data", "what?/m*"] {
            let Ok(to) = name.parse();
            assert!(check(&to).is_ok(), "{name}");
        }
        let Ok(to) = r"runs\m".parse();
        assert_eq!(check(&to).is_ok(), cfg!(windows));
    }
}
