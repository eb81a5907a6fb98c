#!/usr/bin/env python3
"""TAB in real shells in a real terminal: names of variables, files, built-in mappings."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# How each shell starts without anybody's own configuration, and how it learns to complete.
SHELLS = {
    "bash": ("bash --norc --noprofile", "source <(ckptmap completions bash)"),
    "zsh": ("zsh -f", "autoload -U compinit && compinit -u && source <(ckptmap completions zsh)"),
    "fish": ("fish --no-config", "ckptmap completions fish | source"),
}
CASES = [
    # What is typed, and what stands there after one TAB.
    ("ckptmap show testdata/conv_bn_dense/model.ckpt model/conv2d_1/k",
     "ckptmap show testdata/conv_bn_dense/model.ckpt model/conv2d_1/kernel"),
    ("ckptmap plan old --map builtin:vg", "ckptmap plan old --map builtin:vgg-keras"),
    ("ckptmap plan old --map=testdata/conv3/rules-keras2", "ckptmap plan old --map=testdata/conv3/rules-keras2.yaml"),
    ("ckptmap list testdata/conv_b", "ckptmap list testdata/conv_bn_dense/"),
    ("ckptmap list testdata/conv3/mo", "ckptmap list testdata/conv3/model.ckpt"),
    ("ckptmap convert old --keep-m", "ckptmap convert old --keep-missing"),
    ("ckptmap suggest testdata/optimizers/adam --like testdata/templates/keras3_adam --explain model/dense_2/b",
     "ckptmap suggest testdata/optimizers/adam --like testdata/templates/keras3_adam --explain model/dense_2/bias"),
]
# What bash alone makes of words: `~`, quotes, and names that have to be quoted.
IN_BASH = [
    ("ckptmap list ~/ol", "ckptmap list ~/old/"),
    ("ckptmap list ~/old/mo", "ckptmap list ~/old/model.ckpt"),
    ("ckptmap show ~/old/model.ckpt model/conv2d_1/k", "ckptmap show ~/old/model.ckpt model/conv2d_1/kernel"),
    ("ckptmap list my", "ckptmap list my\\ run/"),
    ("ckptmap show ~/my\\ run/model.ckpt model/conv2d_1/k", "ckptmap show ~/my\\ run/model.ckpt model/conv2d_1/kernel"),
]


def program() -> Path:
    named = os.environ.get("CKPTMAP")
    if not named:
        raise RuntimeError("the environment variable CKPTMAP must name the ckptmap binary")
    return Path(named).resolve()


class Terminal:
    """A shell in a terminal of its own, which a server of its own draws."""

    def __init__(self, shell: str, folder: Path) -> None:
        self.socket = str(folder / shell)
        start, learn = SHELLS[shell]
        # Nobody's own program of that name shall answer.
        (folder / "bin").mkdir(exist_ok=True)
        shutil.copy(program(), folder / "bin" / "ckptmap")
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(folder), "PS1": "$ ", "TERM": "xterm", "LANG": "C.UTF-8"}
        assign = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "140", "-y", "40", "-c", ROOT,
                  f"env -i {assign} {start}")
        self.type(learn, "Enter")
        self.type("echo rea''dy", "Enter")
        self.wait(lambda screen: "\nready" in screen)
        self.type("", "C-l")

    def tmux(self, *arguments: str | Path) -> str:
        command = ["tmux", "-S", self.socket, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=20).stdout

    def type(self, text: str, *keys: str) -> None:
        if text:
            self.tmux("send-keys", "-l", text)
        for key in keys:
            self.tmux("send-keys", key)

    def screen(self) -> str:
        # Lines that were too long for the terminal are one again.
        lines = self.tmux("capture-pane", "-p", "-J").splitlines()
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def wait(self, reached) -> str:
        """The screen, once it is as it should be."""
        deadline = time.monotonic() + 20
        while not reached(screen := self.screen()):
            if time.monotonic() > deadline:
                raise AssertionError(f"this is on the screen:\n{screen}")
            time.sleep(0.05)
        return screen

    def clear(self) -> None:
        self.type("", "C-u", "C-l")
        self.wait(lambda screen: "ckptmap" not in screen)

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True)


class CompletionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.terminals = {shell: Terminal(shell, Path(cls.folder.name)) for shell in SHELLS}

    @classmethod
    def tearDownClass(cls) -> None:
        for terminal in cls.terminals.values():
            terminal.close()
        cls.folder.cleanup()

    def test_one_tab(self) -> None:
        for shell, terminal in self.terminals.items():
            for typed, wanted in CASES:
                with self.subTest(shell=shell, typed=typed):
                    terminal.clear()
                    terminal.type(typed, "Tab")
                    # What fish guesses on the right of the cursor is no part of it.
                    line = re.escape(wanted) + r"(?![\w-])"
                    terminal.wait(lambda screen: re.search(line, screen))

    def test_one_tab_in_bash(self) -> None:
        home = Path(self.folder.name)
        for name in ("old", "my run"):
            shutil.copytree(ROOT / "testdata" / "conv3", home / name)
        terminal = self.terminals["bash"]
        # Names of files are looked for where the shell is.
        terminal.clear()
        terminal.type("cd", "Enter")
        for typed, wanted in IN_BASH:
            with self.subTest(typed=typed):
                terminal.clear()
                terminal.type(typed, "Tab")
                terminal.wait(lambda screen: re.search(re.escape(wanted) + r"(?![\w-])", screen))
        terminal.clear()
        terminal.type(f"cd {ROOT}", "Enter")
        terminal.clear()

    def test_what_there_is(self) -> None:
        """A list of names, as it looks."""
        typed = "ckptmap show testdata/conv_bn_dense/model.ckpt model/dense"
        for shell, terminal in self.terminals.items():
            with self.subTest(shell=shell):
                terminal.clear()
                terminal.type(typed, "Tab", "Tab")
                shown = terminal.wait(lambda screen: re.search(r"dense_1(/|\s)", f"{screen} "))
                print(f"\n{shell}:\n{shown}")


if __name__ == "__main__":
    unittest.main()
