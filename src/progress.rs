//! How far a long piece of work has come. The library reports, the caller shows.

/// Hears of progress and may ask to stop.
pub trait Progress: Sync {
    /// So many bytes lie ahead.
    fn begin(&self, bytes: u64);

    /// So many more are done.
    fn advance(&self, bytes: u64);

    /// Whether the work should stop at the next opportunity, leaving nothing behind.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Nobody listens.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _bytes: u64) {}

    fn advance(&self, _bytes: u64) {}
}
