//! Files as memory: for those whose bytes are too many to be read and too scattered to be streamed.

use std::fs::File;
use std::io;
use std::ops::Range;

use memmap2::Mmap;

/// The bytes of a whole file. They take memory only while the system finds them useful.
///
/// A file that is made shorter while it is mapped ends the program when what was cut off is
/// touched. Nothing here can prevent that, as nothing can prevent bytes from being changed.
#[derive(Debug)]
pub struct Mapped {
    /// `None` for an empty file, which cannot be mapped.
    map: Option<Mmap>,
}

impl Mapped {
    /// Maps a file that is open.
    pub(super) fn new(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self { map: None });
        }
        #[expect(unsafe_code, reason = "mapping is unsafe as other programs can change the file")]
        // SAFETY: the map is only ever read, as plain bytes that may have any value; each use
        // checks what it reads. Whoever changes the file meanwhile gets errors, or a signal where
        // it was made shorter: the same as with a program that reads it into memory in between.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { map: Some(map) })
    }

    /// Tells the system that these bytes are not needed for now. They stay what they are, and
    /// come back from the file when somebody looks at them.
    pub fn release(&self, range: Range<usize>) {
        let Some(map) = &self.map else { return };
        let end = range.end.min(map.len());
        if range.start < end {
            advise(map, range.start, end - range.start);
        }
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

#[cfg(unix)]
fn advise(map: &Mmap, offset: usize, len: usize) {
    #[expect(unsafe_code, reason = "the advice would lose changes, of which there are none")]
    // SAFETY: pages of a shared map that is never written to are read again from the file.
    // Advice that is refused changes nothing.
    let _ = unsafe { map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len) };
}

#[cfg(not(unix))]
fn advise(_map: &Mmap, _offset: usize, _len: usize) {}

#[cfg(test)]
mod tests {
    use crate::files::{Location, store};

    #[test]
    fn bytes_come_back_after_they_were_released() {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path().join("m").as_path());
        let bytes: Vec<u8> = (0..100_000_u32).map(|at| at.to_le_bytes()[0]).collect();
        std::fs::write(at.path(), &bytes).unwrap();
        let map = store(&at).map(&at).unwrap();
        assert_eq!(map.as_ref(), bytes);
        map.release(5000..70_000);
        map.release(99_999..usize::MAX);
        map.release(200_000..300_000);
        assert_eq!(map.as_ref(), bytes);
        std::fs::write(at.path(), b"").unwrap();
        assert_eq!(store(&at).map(&at).unwrap().as_ref(), b"");
    }

    #[test]
    fn only_files_are_mapped() {
        let dir = tempfile::tempdir().unwrap();
        let at = Location::from(dir.path());
        let error = store(&at).map(&at).unwrap_err();
        assert_eq!(error.source.to_string(), "it is a directory");
        assert!(store(&at).map(&at.join("none")).is_err());
    }
}
