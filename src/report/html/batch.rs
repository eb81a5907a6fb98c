//! A page with what became of every checkpoint of a batch. It has no script: sections fold by
//! themselves.

use std::io::{self, Write};

use super::{STYLE, escape, markup};
use crate::batch::{Ending, Outcome, Summary, Trouble};
use crate::report::batch::headline;
use crate::report::numbers::human;

const PAGE: &str = include_str!("batch.html");

/// What needs somebody's attention comes first; the word is that of a colour.
const SECTIONS: &[(Ending, &str)] = &[
    (Ending::Failed, "problem"),
    (Ending::NotDone, "dropped"),
    (Ending::Planned, "kept"),
    (Ending::Converted, "mapped"),
    (Ending::Unchanged, "constant"),
];

/// Writes the page.
pub(in crate::report) fn page(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    super::fill(PAGE, out, &mut |word, out| match word {
        "title" => out.write_all(b"A batch \xe2\x80\x94 ckptmap"),
        "summary" => out.write_all(markup(&headline(summary)).as_bytes()),
        "css" => out.write_all(STYLE.trim_end().as_bytes()),
        "errors" => summary
            .errors
            .iter()
            .try_for_each(|error| writeln!(out, "<p class=\"notice\">{}</p>", text(error))),
        _ => SECTIONS.iter().try_for_each(|(ending, state)| {
            let jobs: Vec<_> = summary.jobs.iter().filter(|job| job.outcome == *ending).collect();
            section(&jobs, *ending, state, out)
        }),
    })
}

fn section(jobs: &[&Outcome], ending: Ending, state: &str, out: &mut dyn Write) -> io::Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let open = if matches!(ending, Ending::Failed | Ending::NotDone) { " open" } else { "" };
    writeln!(out, "<details{open}>\n<summary>{} {}</summary>", jobs.len(), ending.word())?;
    writeln!(
        out,
        "<table>\n<thead><tr><th scope=\"col\">Input</th><th scope=\"col\">Output</th>\
         <th scope=\"col\" class=\"why\">Why</th><th scope=\"col\" class=\"size\">Size</th>\
         <th scope=\"col\" class=\"seconds\">Seconds</th></tr></thead>\n<tbody>"
    )?;
    for job in jobs {
        let size = if job.bytes > 0 { human(job.bytes) } else { String::new() };
        writeln!(
            out,
            "<tr data-state=\"{state}\"><td>{}</td><td>{}</td><td class=\"why\">{}</td>\
             <td class=\"size\">{size}</td><td class=\"seconds\">{:.2}</td></tr>",
            text(&job.input),
            text(&job.output),
            why(job),
            job.seconds,
        )?;
    }
    writeln!(out, "</tbody>\n</table>\n</details>")
}

/// A reason, an error, or everything that is wrong with a plan.
fn why(job: &Outcome) -> String {
    if job.problems.is_empty() {
        let why = job.failure().or_else(|| job.reason.clone());
        return text(&why.unwrap_or_default());
    }
    let line = |problem: &Trouble| {
        let place = problem.place.as_ref().map_or(String::new(), |place| format!("{place}: "));
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" ({help})"));
        format!("<li>{}</li>", text(&format!("{place}{}{help}", problem.message)))
    };
    let lines: String = job.problems.iter().map(line).collect();
    format!("<ul>{lines}</ul>")
}

/// What comes from a file, as a page spells it.
fn text(text: &str) -> String {
    markup(&escape(text))
}
