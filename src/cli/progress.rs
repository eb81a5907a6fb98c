//! A bar on a terminal, for work that takes longer than half a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::interrupt::Interrupt;
use super::ui::Ui;
use ckptmap::progress::Progress;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Draws progress and passes signals on.
#[derive(Debug)]
pub(super) struct Bar {
    live: bool,
    interrupt: Interrupt,
    begun: Instant,
    total: AtomicU64,
    done: AtomicU64,
    drawn: OnceLock<ProgressBar>,
}

impl Bar {
    pub(super) fn new(ui: &Ui, interrupt: Interrupt) -> Self {
        Self {
            live: ui.is_live(),
            interrupt,
            begun: Instant::now(),
            total: AtomicU64::new(0),
            done: AtomicU64::new(0),
            drawn: OnceLock::new(),
        }
    }
}

impl Progress for Bar {
    fn begin(&self, bytes: u64) {
        self.total.store(bytes, Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if !self.live || (self.drawn.get().is_none() && self.begun.elapsed() < PATIENCE) {
            return;
        }
        let bar = self.drawn.get_or_init(|| {
            let bar = ProgressBar::new(self.total.load(Ordering::Relaxed));
            let form = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(form) {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(done);
    }

    fn cancelled(&self) -> bool {
        self.interrupt.signal().is_some()
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.drawn.get() {
            bar.finish_and_clear();
        }
    }
}
