//! `verify --tensorflow`: an installed TensorFlow reads the result too.

use std::str::FromStr;

use ckptmap::convert::Inputs;
use ckptmap::files::Location;
use ckptmap::plan::Plan;
use ckptmap::progress::Progress;
use ckptmap::report::Judge;
use ckptmap::source::CheckpointReader;

/// A TensorFlow that is asked.
#[derive(Debug, Clone)]
#[cfg_attr(
    not(all(unix, feature = "tensorflow")),
    expect(dead_code, reason = "nobody can be asked")
)]
pub(super) enum Wanted {
    /// The one of the active Python.
    Active,
    /// The one that is there.
    At(Location),
}

impl FromStr for Wanted {
    type Err = <Location as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(if text.is_empty() { Self::Active } else { Self::At(text.parse()?) })
    }
}

#[cfg(all(unix, feature = "tensorflow"))]
mod judge {
    use std::env;
    use std::ffi::OsString;
    use std::path::PathBuf;
    use std::process::Command;

    use anyhow::{Context, bail};

    use super::{CheckpointReader, Inputs, Judge, Location, Plan, Progress, Wanted};
    use ckptmap::files::store;
    use ckptmap::source::tensorflow::{TensorflowReader, load};
    use ckptmap::verify::verify;

    /// Where a Python's TensorFlow is, without loading it.
    const ASK: &str = "import importlib.util as u; s = u.find_spec('tensorflow'); \
                       print(s.submodule_search_locations[0] if s else '')";

    /// Loads it. There must be no other threads yet.
    pub(in crate::cli) fn begin(wanted: &Wanted, loud: bool) -> anyhow::Result<()> {
        let at = match wanted {
            Wanted::Active => of_python(&python())?,
            Wanted::At(at) => find(at)?,
        };
        Ok(load(&at, loud)?)
    }

    /// Lets it read `new`.
    pub(in crate::cli) fn judge(
        new: &dyn CheckpointReader,
        plan: &Plan,
        inputs: &Inputs<'_>,
        progress: &dyn Progress,
    ) -> anyhow::Result<Judge> {
        let reader = TensorflowReader::new(new)?;
        let verification = verify(&reader, plan, inputs, progress)?;
        let (version, not_judged) = (reader.version().to_owned(), reader.not_judged().to_vec());
        Ok(Judge { version, verification, not_judged })
    }

    /// What a folder or a Python stands for: a wheel's folder, what it was unpacked into, or the
    /// TensorFlow of an environment.
    fn find(at: &Location) -> anyhow::Result<Location> {
        let exists =
            |at: &Location| -> anyhow::Result<bool> { Ok(store(at).status(at)?.is_some()) };
        if store(at).status(at)?.is_some_and(|status| !status.is_dir) {
            return of_python(at.path().as_os_str());
        }
        let inside = at.join("tensorflow");
        if exists(&inside.join("libtensorflow_framework.so.2"))? {
            return Ok(inside);
        }
        let python = at.join("bin").join("python");
        if exists(&python)? {
            return of_python(python.path().as_os_str());
        }
        // It says what is missing there.
        Ok(at.clone())
    }

    /// The Python that `python` would start.
    fn python() -> OsString {
        match env::var_os("VIRTUAL_ENV").filter(|venv| !venv.is_empty()) {
            Some(venv) => PathBuf::from(venv).join("bin").join("python").into_os_string(),
            None => "python3".into(),
        }
    }

    fn of_python(python: &std::ffi::OsStr) -> anyhow::Result<Location> {
        let shown = python.to_string_lossy();
        let asked = Command::new(python).args(["-c", ASK]).output();
        let asked = asked.with_context(|| {
            format!(
                "cannot run `{shown}` to ask it for its TensorFlow; name the TensorFlow's folder, a \
                 Python, or an environment: `--tensorflow=DIR`"
            )
        })?;
        let said = String::from_utf8_lossy(&asked.stdout);
        match said.trim() {
            "" => bail!(
                "`{shown}` has no TensorFlow; install it there, or name one that is installed: \
                 `--tensorflow=DIR`"
            ),
            at => Ok(at.parse()?),
        }
    }
}

#[cfg(not(all(unix, feature = "tensorflow")))]
mod judge {
    use super::{CheckpointReader, Inputs, Judge, Plan, Progress, Wanted};

    const WITHOUT: &str = "this `ckptmap` was built without the part that asks a TensorFlow: build one that has it \
         with `cargo install --path . --features tensorflow`";

    pub(in crate::cli) fn begin(_: &Wanted, _: bool) -> anyhow::Result<()> {
        anyhow::bail!(WITHOUT)
    }

    pub(in crate::cli) fn judge(
        _: &dyn CheckpointReader,
        _: &Plan,
        _: &Inputs<'_>,
        _: &dyn Progress,
    ) -> anyhow::Result<Judge> {
        anyhow::bail!(WITHOUT)
    }
}

pub(super) use judge::{begin, judge};
