//! Laying out a block, which `block` draws; never compressed.

use crate::crc::Crc;
use crate::varint;

/// Lays out a block.
#[derive(Debug)]
pub(super) struct BlockBuilder {
    interval: usize,
    buffer: Vec<u8>,
    restarts: Vec<u32>,
    since_restart: usize,
    key: Vec<u8>,
}

impl BlockBuilder {
    /// A block in which every `interval`th key is stored whole.
    pub(super) fn new(interval: usize) -> Self {
        let (buffer, key) = (Vec::new(), Vec::new());
        Self { interval, buffer, restarts: vec![0], since_restart: 0, key }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// The size it has when it is finished now.
    pub(super) fn len(&self) -> usize {
        self.buffer.len() + 4 * self.restarts.len() + 4
    }

    /// Appends an entry; the caller keeps the order, and the buffer below 4 GiB.
    pub(super) fn insert(&mut self, key: &[u8], value: &[u8]) {
        let mut shared = 0;
        if self.since_restart < self.interval {
            shared = self.key.iter().zip(key).take_while(|(old, new)| old == new).count();
        } else {
            self.restarts.push(u32::try_from(self.buffer.len()).unwrap_or(u32::MAX));
            self.since_restart = 0;
        }
        let unshared = key.get(shared..).unwrap_or_default();
        for len in [shared, unshared.len(), value.len()] {
            varint::write(len as u64, &mut self.buffer);
        }
        self.buffer.extend(unshared);
        self.buffer.extend(value);
        self.key.clear();
        self.key.extend(key);
        self.since_restart += 1;
    }

    /// The block with its trailer, and its size without; the builder begins the next block.
    pub(super) fn finish(&mut self) -> (Vec<u8>, u64) {
        let mut block = std::mem::replace(self, Self::new(self.interval));
        let count = u32::try_from(block.restarts.len()).unwrap_or(u32::MAX);
        block.buffer.extend(block.restarts.iter().flat_map(|restart| restart.to_le_bytes()));
        block.buffer.extend(count.to_le_bytes());
        let size = block.buffer.len() as u64;
        block.buffer.push(0);
        block.buffer.extend(Crc::of(&block.buffer).masked().to_le_bytes());
        (block.buffer, size)
    }
}
