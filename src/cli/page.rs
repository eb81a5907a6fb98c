//! `--html`: a page to look through.

use anyhow::bail;

use ckptmap::files::{Location, store, write_all};
use ckptmap::report::{BEGINNING, Report, Style, renderer};

/// Whether a page may be put there: nothing but an earlier page is replaced.
pub(super) fn may_write(at: &Location) -> anyhow::Result<()> {
    let Some(status) = store(at).status(at)? else { return Ok(()) };
    let mut beginning = [0; BEGINNING.len()];
    let long = !status.is_dir && status.len >= BEGINNING.len() as u64;
    if long {
        store(at).open(at)?.read_at(0, &mut beginning)?;
    }
    if !long || beginning != *BEGINNING.as_bytes() {
        bail!("`{at}` is there, and is no page of ckptmap's; give `--html` another name");
    }
    Ok(())
}

/// Writes a page; whoever opens it finds the old one or the new one, whole.
pub(super) fn write(at: &Location, page: &Report<'_>) -> anyhow::Result<()> {
    may_write(at)?;
    let mut bytes = Vec::new();
    if let Some(form) = renderer("text") {
        form.render(page, Style::default(), &mut bytes)?;
    }
    Ok(write_all(at, &bytes)?)
}
