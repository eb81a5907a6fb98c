//! One mistake: what lies around, and what is typed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::harness::{Place, Said};

/// The user that owns nothing.
const NOBODY: u32 = 65534;

type Step = Box<dyn Fn(&Place) + Send + Sync>;

/// A scene of the gallery.
pub(super) struct Scene {
    title: &'static str,
    command: String,
    steps: Vec<Step>,
    environment: Vec<(&'static str, &'static str)>,
    /// Whether it is played by somebody who may not do everything.
    by_nobody: bool,
    /// Whether the answer on standard output is shown.
    answers: bool,
    /// Why there is nothing to do, or nothing to say about it.
    pub(super) helpless: Option<&'static str>,
    /// Whether help is shown, which is no message.
    pub(super) is_help: bool,
    /// The exit status that scripts rely on.
    pub(super) code: i32,
}

/// A scene that ends with exit status 2: it could not be done.
pub(super) fn scene(title: &'static str, command: impl Into<String>) -> Scene {
    Scene {
        title,
        command: command.into(),
        steps: Vec::new(),
        environment: Vec::new(),
        by_nobody: false,
        answers: false,
        helpless: None,
        is_help: false,
        code: 2,
    }
}

/// A rule file for the checkpoint with three convolutions: exit status 1, there are problems.
pub(super) fn rules(title: &'static str, rules: &str) -> Scene {
    let rules = format!("version: 1\n{rules}\n");
    scene(title, "plan testdata/conv3 --map rules.yaml").file("rules.yaml", rules).no()
}

impl Scene {
    fn step(mut self, step: impl Fn(&Place) + Send + Sync + 'static) -> Self {
        self.steps.push(Box::new(step));
        self
    }

    /// A file lies there.
    pub(super) fn file(self, name: &'static str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref().to_vec();
        self.step(move |place| place.write(name, &content))
    }

    /// The checkpoint of a fixture lies there, in a directory of its own.
    pub(super) fn copy(self, fixture: &'static str, to: &'static str) -> Self {
        self.step(move |place| place.copy(fixture, to))
    }

    /// A file's bytes are others.
    pub(super) fn edit(
        self,
        name: &'static str,
        edit: impl Fn(&mut Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        self.step(move |place| place.edit(name, &edit))
    }

    /// A file is gone.
    pub(super) fn gone(self, name: &'static str) -> Self {
        self.step(move |place| fs::remove_file(place.path(name)).unwrap())
    }

    /// A link lies there.
    pub(super) fn link(self, to: &'static str, name: &'static str) -> Self {
        self.step(move |place| symlink(to, place.path(name)).unwrap())
    }

    /// Something that needs the library.
    pub(super) fn made(self, make: impl Fn(&Place) + Send + Sync + 'static) -> Self {
        self.step(make)
    }

    /// Nobody may do anything with it.
    pub(super) fn forbidden(mut self, name: &'static str) -> Self {
        self.by_nobody = true;
        self.step(move |place| permit(place, name, 0o000))
    }

    /// A command went before, and succeeded.
    pub(super) fn after(self, command: &'static str) -> Self {
        self.step(move |place| drop(place.ok(command)))
    }

    /// Another command.
    pub(super) fn command(mut self, command: impl Into<String>) -> Self {
        self.command = command.into();
        self
    }

    /// A variable of the environment.
    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.environment.push((name, value));
        self
    }

    /// The answer on standard output belongs to it.
    pub(super) fn answers(mut self) -> Self {
        self.answers = true;
        self
    }

    /// Exit status 1: the answer is no.
    pub(super) fn no(mut self) -> Self {
        self.code = 1;
        self
    }

    /// Exit status 0: only something to know.
    pub(super) fn yes(mut self) -> Self {
        self.code = 0;
        self
    }

    /// Nothing can be done, or what to do goes without saying, and why.
    pub(super) fn helpless(mut self, why: &'static str) -> Self {
        self.helpless = Some(why);
        self
    }

    /// Help is shown.
    pub(super) fn help(mut self) -> Self {
        self.is_help = true;
        self
    }

    /// What it is called in complaints.
    pub(super) fn title(&self) -> &str {
        self.title
    }

    /// Whether what is answered is looked at.
    pub(super) fn has_answer(&self) -> bool {
        self.answers
    }

    pub(super) fn play(&self) -> Said {
        let place = Place::new();
        for step in &self.steps {
            step(&place);
        }
        let mut command = place.command(&self.command);
        let program = command.get_program().to_owned();
        // Root may do everything, and in some places tests are run by root.
        if self.by_nobody && rustix::process::geteuid().is_root() {
            // By a process of its own: what is open for writing here while another thread starts a
            // program cannot be started.
            let own = place.path("ckptmap");
            assert!(Command::new("cp").arg(&program).arg(&own).status().unwrap().success());
            permit(&place, "", 0o755);
            let mut lesser = Command::new(own);
            lesser.args(command.get_args()).current_dir(place.path("")).uid(NOBODY).gid(NOBODY);
            command = lesser;
        }
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().copied());
        place.say(&mut command)
    }

    /// The scene as it is shown.
    pub(super) fn shown(&self, said: &Said) -> String {
        let set = self.environment.iter().map(|(name, value)| format!("{name}={value} "));
        let set: String = set.collect();
        let Self { title, command, .. } = self;
        let mut shown = format!("\n## {title}\n$ {}\n", format!("{set}ckptmap {command}").trim());
        if self.answers {
            shown += &said.out;
        }
        // Help is long, and no message.
        shown += if self.is_help { "(help)\n" } else { &said.err };
        shown + &format!("[{}]\n", said.code)
    }
}

/// What else would say something different from place to place.
const VARIABLES: &[&str] = &[
    "AWS_ACCESS_KEY_ID",
    "JOB_COMPLETIONS",
    "JOB_COMPLETION_INDEX",
    "NO_COLOR",
    "SLURM_ARRAY_TASK_COUNT",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_ARRAY_TASK_MAX",
    "SLURM_ARRAY_TASK_MIN",
    "SLURM_ARRAY_TASK_STEP",
    "VIRTUAL_ENV",
];

fn permit(place: &Place, name: &str, mode: u32) {
    fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
}
