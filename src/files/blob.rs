//! A file of this machine that is open for reading. Reads are positional, so one open file serves
//! any number of threads.

use std::fs::{self, File};
use std::io::{self, ErrorKind};

use super::local::identity;
use super::{Action, Blob, FileError, Identity, Location};

/// An open file.
#[derive(Debug)]
pub(super) struct LocalBlob {
    at: Location,
    file: File,
    len: u64,
    identity: Option<Identity>,
}

impl LocalBlob {
    /// Opens a regular file.
    pub(super) fn open(at: &Location) -> Result<Self, FileError> {
        let open = || {
            let file = regular(at)?;
            let found = file.metadata()?;
            Ok(Self { at: at.clone(), file, len: found.len(), identity: identity(&found) })
        };
        open().map_err(FileError::new(Action::Open, at))
    }
}

/// Opens a file that is neither a directory nor a device.
pub(super) fn regular(at: &Location) -> io::Result<File> {
    // Asked first because opening a pipe would wait for somebody to write into it.
    let found = fs::metadata(at.path())?;
    if !found.is_file() {
        return Err(if found.is_dir() {
            io::Error::new(ErrorKind::IsADirectory, "it is a directory")
        } else {
            io::Error::new(ErrorKind::InvalidInput, "it is no regular file")
        });
    }
    File::open(at.path())
}

impl Blob for LocalBlob {
    fn at(&self) -> &Location {
        &self.at
    }

    fn identity(&self) -> Option<Identity> {
        self.identity
    }

    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), FileError> {
        let wanted = out.len();
        let explained = |error: io::Error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::new(
                ErrorKind::UnexpectedEof,
                format!("it ends before the {wanted} bytes from {offset} on do"),
            ),
            _ => error,
        };
        read_exact_at(&self.file, offset, out)
            .map_err(explained)
            .map_err(FileError::new(Action::Read, &self.at))
    }
}

#[cfg(unix)]
pub(super) fn read_exact_at(file: &File, offset: u64, out: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(unix)]
pub(super) fn write_all_at(file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn write_all_at(file: &File, mut offset: u64, mut bytes: &[u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !bytes.is_empty() {
        match file.seek_write(bytes, offset) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                bytes = bytes.get(written..).unwrap_or_default();
                offset += written as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(windows)]
pub(super) fn read_exact_at(file: &File, mut offset: u64, mut out: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt;
    while !out.is_empty() {
        match file.seek_read(out, offset) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                out = out.split_at_mut(read).1;
                offset += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
