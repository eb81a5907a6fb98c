//! `--json-file`: the answer in JSON, beside the one for people.

use anyhow::{Context, bail};
use serde_json::Value;

use ckptmap::files::{Location, read_all, store, write_all};
use ckptmap::report::{Report, Style, renderer};

/// A larger file is no answer of this program's.
const LIMIT: u64 = 256 << 20;

/// Whether an answer may be put there: nothing but an earlier one is replaced.
pub(super) fn may_write(at: &Location) -> anyhow::Result<()> {
    if store(at).status(at)?.is_some() && !is_answer(at) {
        bail!("`{at}` is there, and is no answer of ckptmap's; give `--json-file` another name");
    }
    Ok(())
}

fn is_answer(at: &Location) -> bool {
    let document = read_all(at, LIMIT).ok().and_then(|text| serde_json::from_slice(&text).ok());
    document.is_some_and(|document: Value| document.get("schema").is_some())
}

/// Writes an answer; what a command has just written under that name stays as well.
pub(super) fn write(at: &Location, report: &Report<'_>) -> anyhow::Result<()> {
    let Some(form) = renderer("json") else { return Ok(()) };
    let mut document = Vec::new();
    form.render(report, Style::default(), &mut document)
        .map_err(anyhow::Error::from)
        .and_then(|()| may_write(at))
        .and_then(|()| Ok(write_all(at, &document)?))
        .context("cannot write the answer for `--json-file`")
}
