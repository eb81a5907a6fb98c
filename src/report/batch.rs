//! What came of a batch.

use std::io::{self, Write};

use super::escape;
use super::numbers::human;
use super::page::{Ink, Page};
use crate::batch::{Ending, Outcome, Summary};

/// Conversions that need somebody's attention, and how many there are of each sort.
pub(super) fn text(summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    let told =
        |outcome: &&Outcome| !matches!(outcome.outcome, Ending::Converted | Ending::Unchanged);
    let row = |outcome: &Outcome| {
        let why = outcome.failure().or_else(|| outcome.reason.clone()).unwrap_or_default();
        [
            outcome.outcome.word().to_owned(),
            escape(&outcome.input).into_owned(),
            "->".to_owned(),
            escape(&outcome.output).into_owned(),
            escape(&why).into_owned(),
        ]
    };
    let rows = summary.jobs.iter().filter(told).map(row);
    page.table(&[Ink::Alarming, Ink::Strong, Ink::Faint, Ink::Plain, Ink::Plain], rows)?;
    for error in &summary.errors {
        writeln!(page, "{}", escape(error))?;
    }
    writeln!(page, "{}", headline(summary))
}

/// All of it in one line.
pub(super) fn headline(summary: &Summary) -> String {
    let counts = summary.counts;
    let all = [
        (counts.converted, Ending::Converted),
        (counts.unchanged, Ending::Unchanged),
        (counts.planned, Ending::Planned),
        (counts.failed, Ending::Failed),
        (counts.not_done, Ending::NotDone),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> =
        some.map(|(count, ending)| format!("{count} {}", ending.word())).collect();
    let share = match summary.shard {
        Some(shard) => format!(" of {} (share {shard})", summary.total),
        None => String::new(),
    };
    let jobs = match summary.jobs.len() {
        1 => "1 checkpoint".to_owned(),
        jobs => format!("{jobs} checkpoints"),
    };
    let what = if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
    let bytes = summary.jobs.iter().fold(0_u64, |sum, job| sum.saturating_add(job.bytes));
    let bytes = if bytes > 0 { format!("; {}", human(bytes)) } else { String::new() };
    format!("{jobs}{share}{what}{bytes}")
}
