//! The shared libraries of an installed TensorFlow.
//!
//! A wheel has them as `libtensorflow_framework.so.2` and `libtensorflow_cc.so.2`. The second needs
//! the first, which no path leads to, so that is opened before; and what calls it looks for a file
//! called `libtensorflow.so`, which a link in a folder of its own provides for a moment.

use std::ffi::OsString;
use std::path::Path;

use crate::files::{FileError, Hush, Location, linked};

/// The parts of a wheel that are needed.
const FRAMEWORK: &str = "libtensorflow_framework.so.2";
const ALL: &str = "libtensorflow_cc.so.2";

/// What is called first.
const SYMBOLS: &[&str] = &["TF_Version", "TF_NewGraph", "TF_NewSession", "TF_SessionRun"];

/// Why TensorFlow cannot be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// Nothing to load.
    #[error(
        "`{0}` has no `{FRAMEWORK}` and `{ALL}` in it, as the folder of a TensorFlow wheel has"
    )]
    NoLibrary(Location),
    /// What was found cannot be loaded.
    #[error("TensorFlow's library `{at}` cannot be loaded: {reason}")]
    Load {
        /// The library.
        at: Location,
        /// Why.
        reason: String,
    },
    /// The link could not be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is loaded, and does not work.
    #[error("TensorFlow cannot restore anything: {0}")]
    Session(String),
}

/// Loads the TensorFlow in the folder `at`; it says nothing of its own on standard error unless it
/// may be `loud`. Call it before there are threads, once in a process: what is loaded stays.
pub fn load(at: &Location, loud: bool) -> Result<(), LibraryError> {
    let (framework, all) = (at.join(FRAMEWORK), at.join(ALL));
    if !framework.path().exists() || !all.path().exists() {
        return Err(LibraryError::NoLibrary(at.clone()));
    }
    // What is said before its log is set up heeds no level.
    let _hush = (!loud).then(Hush::new);
    if !loud {
        set("TF_CPP_MIN_LOG_LEVEL", "3".into());
    }
    let failed = |at: &Location, reason: String| LibraryError::Load { at: at.clone(), reason };
    let framework_library = open(framework.path()).map_err(|reason| failed(&framework, reason))?;
    let library = open(all.path()).map_err(|reason| failed(&all, reason))?;
    for symbol in SYMBOLS {
        if !has(&library, symbol) {
            return Err(failed(&all, format!("it has no `{symbol}`")));
        }
    }
    // They are never closed: threads of theirs run until the process ends.
    std::mem::forget((framework_library, library));
    let link = linked("libtensorflow.so", &all)?;
    set("TENSORFLOW_DIR", link.folder().as_os_str().to_owned());
    tensorflow::library::load().map_err(|reason| failed(&all, reason))
}

/// The version that is loaded.
pub(super) fn version() -> Result<String, LibraryError> {
    tensorflow::version().map_err(|error| LibraryError::Session(error.to_string()))
}

#[expect(unsafe_code, reason = "it is how libraries are found")]
fn set(name: &str, value: OsString) {
    // SAFETY: the caller of `load` has no other threads that could read the environment.
    unsafe { std::env::set_var(name, value) }
}

#[expect(unsafe_code, reason = "code of a library the user named")]
fn open(at: &Path) -> Result<libloading::os::unix::Library, String> {
    use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};
    // SAFETY: loading runs the library's initializers. The user asked for this TensorFlow by name,
    // and Python runs the same ones on `import tensorflow`.
    let opened = unsafe { Library::open(Some(at), RTLD_NOW | RTLD_GLOBAL) };
    opened.map_err(|error| error.to_string())
}

#[expect(unsafe_code, reason = "only whether the symbol is there is looked at")]
fn has(library: &libloading::os::unix::Library, symbol: &str) -> bool {
    // SAFETY: the symbol is not called and not read.
    unsafe { library.get::<unsafe extern "C" fn()>(symbol.as_bytes()) }.is_ok()
}
