//! A fresh directory with `testdata` in it, and the program to run there.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A place for one test.
pub(crate) struct Place {
    dir: TempDir,
}

/// What a command said.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
        std::os::unix::fs::symlink(testdata, dir.path().join("testdata")).unwrap();
        Self { dir }
    }

    /// A file of this place.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Copies the files of a fixture's checkpoint to `to/`, so that they can be damaged.
    pub(crate) fn copy(&self, fixture: &str, to: &str) {
        let from = self.path("testdata").join(fixture);
        fs::create_dir_all(self.path(to)).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), self.path(to).join(entry.file_name())).unwrap();
        }
    }

    /// Changes the bytes of a file.
    pub(crate) fn edit(&self, name: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(name)).unwrap();
        edit(&mut bytes);
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Everything below a directory with its content, so that tests can show nothing changed.
    pub(crate) fn files(&self, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut open = vec![self.path(below)];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_symlink() {
                    continue;
                }
                if path.is_dir() {
                    open.push(path);
                } else {
                    let content = fs::read(&path).unwrap();
                    files.push((path.strip_prefix(self.dir.path()).unwrap().to_owned(), content));
                }
            }
        }
        files.sort();
        files
    }

    /// The names of everything below a directory.
    pub(crate) fn names(&self, below: &str) -> Vec<String> {
        let files = self.files(below).into_iter();
        files.map(|(path, _)| path.to_string_lossy().into_owned()).collect()
    }

    /// The program, ready to run here.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ckptmap"));
        command.args(args.split_whitespace()).current_dir(self.dir.path()).stdin(Stdio::null());
        // How wide the tests' own terminal is shall not matter.
        command.env_remove("COLUMNS");
        command
    }

    /// Runs the program; arguments are split at blanks.
    pub(crate) fn run(&self, args: &str) -> Said {
        self.say(&mut self.command(args))
    }

    /// Runs a command and gives what it said.
    pub(crate) fn say(&self, command: &mut Command) -> Said {
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            // Absolute paths differ from run to run.
            String::from_utf8(bytes).unwrap().replace(&*self.dir.path().to_string_lossy(), "[dir]")
        };
        Said {
            code: output.status.code().unwrap_or(-1),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Runs the program, which must succeed, and gives what it answered.
    pub(crate) fn ok(&self, args: &str) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "{said}");
        said.out
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit status {}\n--- answer\n{}--- messages\n{}", self.code, self.out, self.err)
    }
}
