//! Progress of a batch: a bar for all of it and one for each conversion at work; without a terminal
//! a line for each that has ended.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::anyhow;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::interrupt::Interrupt;
use super::progress::Bar;
use super::ui::Ui;
use ckptmap::batch::{Job, Outcome, Watch};
use ckptmap::progress::Progress;
use ckptmap::report::escape;

/// Watches a batch.
#[derive(Debug)]
pub(super) struct Bars<'u> {
    ui: &'u Ui,
    interrupt: Interrupt,
    all: MultiProgress,
    overall: OnceLock<ProgressBar>,
    ahead: AtomicUsize,
    ended: AtomicUsize,
}

impl<'u> Bars<'u> {
    pub(super) fn new(ui: &'u Ui, interrupt: Interrupt) -> Self {
        Self {
            ui,
            interrupt,
            all: MultiProgress::new(),
            overall: OnceLock::new(),
            ahead: AtomicUsize::new(0),
            ended: AtomicUsize::new(0),
        }
    }

    /// Says something without tearing the bars.
    fn say(&self, say: impl FnOnce()) {
        if self.ui.is_live() { self.all.suspend(say) } else { say() }
    }
}

impl Watch for Bars<'_> {
    fn ahead(&self, jobs: usize) {
        self.ahead.store(jobs, Ordering::Relaxed);
        if !self.ui.is_live() {
            return;
        }
        let bar = self.overall.get_or_init(|| self.all.add(ProgressBar::new(jobs as u64)));
        let form = "{bar:40} {pos} of {len} checkpoints, {elapsed}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
    }

    fn begin(&self, job: &Job) -> Box<dyn Progress + '_> {
        let name = escape(&job.input.to_string()).into_owned();
        Box::new(Bar::new(self.ui, self.interrupt.clone()).among(&self.all, name))
    }

    fn end(&self, outcome: &Outcome) {
        let number = self.ended.fetch_add(1, Ordering::Relaxed) + 1;
        let Outcome { input, output, seconds, .. } = outcome;
        if let Some(why) = outcome.failure() {
            self.say(|| self.ui.error(&anyhow!("`{input}`: {why}")));
        } else if !self.ui.is_live() && !self.ui.is_quiet() {
            let (input, output) = (escape(input), escape(output));
            let all = self.ahead.load(Ordering::Relaxed);
            let word = outcome.outcome.word();
            self.ui.raw(&format!("[{number}/{all}] {word} {input} -> {output} ({seconds:.2} s)\n"));
        }
        if let Some(bar) = self.overall.get() {
            bar.set_position(number as u64);
        }
    }

    fn note(&self, note: String) {
        self.say(|| self.ui.note(note));
    }

    fn cancelled(&self) -> bool {
        self.interrupt.signal().is_some()
    }
}

impl Drop for Bars<'_> {
    fn drop(&mut self) {
        if let Some(bar) = self.overall.get() {
            bar.finish_and_clear();
        }
    }
}
