//! One page to look through: everything a plan says, and what came of it, in a file that needs
//! nothing else. Its content is data; a script that the page carries draws it, and only ever as
//! text, so that no name from a file can be anything more.

mod batch;
mod data;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

pub(super) use batch::page as overview;

use super::escape;
use super::plan::summary;
use crate::catalog::Catalog;
use crate::convert::Conversion;
use crate::mapping::{Mapping, Problems};
use crate::plan::Plan;
use crate::verify::Verification;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// How every page begins: whoever replaces a file can tell one from everything else.
pub const BEGINNING: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                             <meta name=\"generator\" content=\"ckptmap\">\n";

/// What a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Page<'r> {
    /// The plan, or what could be made of it.
    pub plan: &'r Plan,
    /// The rules it follows.
    pub mapping: &'r Mapping,
    /// What is converted.
    pub source: &'r Catalog,
    /// What gives the result its objects.
    pub template: Option<&'r Catalog>,
    /// Everything that is wrong with the plan.
    pub problems: Option<&'r Problems>,
    /// What was written.
    pub conversion: Option<&'r Conversion>,
    /// What came of proving it.
    pub verification: Option<&'r Verification>,
}

/// Writes the page.
pub(super) fn page(page: &Page<'_>, out: &mut dyn Write) -> io::Result<()> {
    let title = format!("{} — ckptmap", escape(&page.plan.origin));
    fill(PAGE, out, &mut |word, out| match word {
        "title" => out.write_all(markup(&title).as_bytes()),
        "summary" => out.write_all(markup(&summary(page.plan)).as_bytes()),
        "css" => out.write_all(STYLE.trim_end().as_bytes()),
        "js" => out.write_all(SCRIPT.trim_end().as_bytes()),
        _ => data::write(page, out),
    })
}

/// Writes a page; `part` writes what a word in double braces stands for.
fn fill(
    page: &str,
    out: &mut dyn Write,
    part: &mut dyn FnMut(&str, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("{{") {
        out.write_all(before.as_bytes())?;
        let (word, after) = after.split_once("}}").unwrap_or((after, ""));
        part(word, out)?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// Text as a page spells it.
fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
