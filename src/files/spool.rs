//! Files without a name: bytes on their way to or from a place that is not this machine's disk.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::process;

/// Opens a new file in the system's folder for temporary ones, which nobody else finds there. It is
/// gone when it is closed, however the process ends.
pub(super) fn spool() -> io::Result<File> {
    let folder = env::temp_dir();
    let random = RandomState::new().hash_one(process::id());
    let path = folder.join(format!("ckptmap-{}-{random:016x}.spool", process::id()));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    private(&mut options);
    let file = options.open(&path).map_err(|error| no_room(&error))?;
    if cfg!(unix) {
        fs::remove_file(&path)?;
    }
    Ok(file)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
}

/// Where open files cannot be removed, the system does it when they are closed.
#[cfg(windows)]
fn private(options: &mut OpenOptions) {
    const DELETE_ON_CLOSE: u32 = 0x0400_0000;
    std::os::windows::fs::OpenOptionsExt::custom_flags(options, DELETE_ON_CLOSE);
}

/// An error in that folder, with what to do about it.
pub(super) fn no_room(error: &io::Error) -> io::Error {
    let folder = env::temp_dir();
    let text = format!(
        "{error} in `{}`, where its bytes stay for a while: set `TMPDIR` to a folder with room for \
         them",
        folder.display()
    );
    io::Error::new(error.kind(), text)
}
