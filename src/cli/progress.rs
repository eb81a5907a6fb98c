//! A bar on a terminal, for work that takes longer than half a second.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

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
    /// Bars that it is drawn among, and what it is called there.
    among: Option<(MultiProgress, String)>,
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
            among: None,
        }
    }

    /// One of several bars.
    pub(super) fn among(mut self, bars: &MultiProgress, name: String) -> Self {
        self.among = Some((bars.clone(), name));
        self
    }

    fn draw(&self) -> ProgressBar {
        let bar = ProgressBar::new(self.total.load(Ordering::Relaxed));
        let form = "{bar:40} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        let (bar, form) = match &self.among {
            None => (bar, form.to_owned()),
            Some((bars, name)) => {
                (bars.add(bar).with_prefix(name.clone()), format!("{form}  {{prefix}}"))
            }
        };
        if let Ok(style) = ProgressStyle::with_template(&form) {
            bar.set_style(style);
        }
        bar
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
        self.drawn.get_or_init(|| self.draw()).set_position(done);
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
