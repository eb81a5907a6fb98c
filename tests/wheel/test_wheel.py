"""The Python package as it is installed: what is in it, and that it finds its program."""

import os
import platform
import re
import tarfile
import zipfile
from email.parser import HeaderParser
from pathlib import Path

from conftest import ROOT, Installed, run, tool

SOURCES = {path.name for path in (ROOT / "src/python/ckptmap").iterdir() if path.is_file()}
MANIFEST = (ROOT / "Cargo.toml").read_text()
VERSION = re.search(r'(?m)^version = "(.+)"', MANIFEST)[1]
MODULE = ROOT / "src/python/ckptmap"


def test_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        mode = archive.getinfo(f"ckptmap-{VERSION}.data/scripts/ckptmap").external_attr >> 16
    below = {name.partition("/")[2] for name in names if name.startswith("ckptmap/")}
    assert below == SOURCES and "py.typed" in below
    assert mode & 0o111 == 0o111
    info = f"ckptmap-{VERSION}.dist-info"
    others = {name for name in names if not name.startswith("ckptmap/")}
    known = ("METADATA", "RECORD", "WHEEL", "licenses/LICENSE-APACHE", "licenses/LICENSE-MIT")
    assert {f"{info}/{name}" for name in known} <= others
    # A list of what the program is made of, by maturin; nothing else.
    rest = others - {f"{info}/{name}" for name in known} - {f"ckptmap-{VERSION}.data/scripts/ckptmap"}
    assert rest <= {f"{info}/sboms/ckptmap.cyclonedx.json"}


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(f"ckptmap-{VERSION}.dist-info/METADATA").decode()
    said = HeaderParser().parsestr(text)
    assert (said["Name"], said["Version"]) == ("ckptmap", VERSION)
    assert said["Requires-Python"] == ">=3.9"
    assert said["License-Expression"] == re.search(r'(?m)^license = "(.+)"', MANIFEST)[1]
    assert sorted(said.get_all("License-File")) == ["LICENSE-APACHE", "LICENSE-MIT"]
    assert said["Summary"] == re.search(r'(?m)^description = "(.+)"', MANIFEST)[1]
    assert said["Keywords"] == ",".join(re.findall('"(.+?)"', re.search("keywords = (.+)", MANIFEST)[1]))
    assert "Typing :: Typed" in said.get_all("Classifier")
    # What it works on is the user's own.
    assert said.get_all("Requires-Dist") is None
    assert said.get_payload().startswith("# ckptmap")


def test_tag(wheel):
    """For every Python of this kind of machine: the program has nothing to do with Python."""
    assert wheel.name == f"ckptmap-{VERSION}-py3-none-linux_{platform.machine()}.whl"


def test_program(installed):
    program = installed.python.parent / "ckptmap"
    assert run(program, "--version").strip() == f"ckptmap {VERSION}"
    assert installed.run("-m", "ckptmap", "--version").strip() == f"ckptmap {VERSION}"
    listed = ("list", "testdata/conv3/model.ckpt")
    assert installed.run("-m", "ckptmap", *listed) == run(program, *listed, cwd=ROOT)
    # Buckets are in it.
    assert "`cloud`" not in run(program, "list", "s3://", status=2)


def test_module(installed):
    assert installed.says("print(ckptmap.__version__)") == VERSION
    names = installed.says(
        "print([one.name for one in ckptmap.list_variables('testdata/conv3', '*/bias')])"
    )
    assert names == str([f"model/conv2d{end}/bias" for end in ("", "_1", "_2")])
    assert installed.says("print(ckptmap.check('testdata/conv3').ok)") == "True"


def test_nothing_is_imported(installed):
    """A user without TensorFlow has most of it, and nobody waits for what is not needed."""
    loaded = installed.says("import sys; print(*sys.modules)").split()
    assert "ckptmap" in loaded
    assert not {"numpy", "tensorflow", "keras", "ml_dtypes"} & set(loaded)
    said = installed.says(
        "\ntry: ckptmap.restore(object(), 'testdata/conv3')"
        "\nexcept ckptmap.Error as error: print(error)"
    )
    assert "needs TensorFlow" in said


def test_elsewhere(install, fresh, installed, tmp_path):
    """`--target` and `--prefix`, each with a program of its own beside it."""
    target, prefix = tmp_path / "target", tmp_path / "prefix"
    install("--target", target)
    install("--ignore-installed", "--prefix", prefix)
    (site,) = prefix.glob("lib/python*/site-packages")
    for path, program in ((target, target / "bin"), (site, prefix / "bin")):
        there = Installed(fresh, path)
        assert there.says("print(ckptmap.__file__)").startswith(str(path))
        found = there.says("from ckptmap._program import find; print(find())")
        assert Path(found) == program / "ckptmap"


def test_types(installed, tmp_path):
    """The module's own, and what users see of them."""
    run(tool("mypy"), "--strict", MODULE, cwd=ROOT)
    (tmp_path / "user.py").write_text(
        "from pathlib import Path\n"
        "from typing import Optional\n"
        "import ckptmap\n"
        "shape: tuple[int, ...] = ckptmap.list_variables(Path('x'))[0].shape\n"
        "rules: Optional[str] = ckptmap.restore(object(), 'x', strict=True).rules\n"
        "equal: bool = ckptmap.diff('x', Path('y'), rtol=1e-5).equal\n"
        "def problems(error: ckptmap.PlanError) -> list[str]:\n"
        "    return [one.message for one in error.problems]\n"
    )
    options = ("--strict", "--python-executable", installed.python)
    run(tool("mypy"), *options, "user.py", cwd=tmp_path)
    (tmp_path / "user.py").write_text("import ckptmap\nshape: str = ckptmap.check('x').ok\n")
    assert 'has type "bool"' in run(tool("mypy"), *options, "user.py", cwd=tmp_path, status=1)


def compiled() -> set[str]:
    """What the build of the wheel has read, as paths in the repository."""
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    _, _, files = (target / "debug/ckptmap.d").read_text().partition(": ")
    return {str(Path(file).relative_to(ROOT)) for file in files.split()}


def test_source_distribution(wheel, sdist, tmp_path):
    """It has what it takes to build, and no test data."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        archive.extractall(tmp_path, filter="data")
    assert {f"src/python/ckptmap/{name}" for name in SOURCES} <= names
    assert {"pyproject.toml", "Cargo.toml", "Cargo.lock", "README.md", "src/main.rs"} <= names
    folders = ("testdata", "tests/tensorflow", "tests/wheel", "target")
    assert not [name for name in names if name.startswith(folders)]
    read = compiled()
    assert {"src/lib.rs", "src/guide/json.md", "mappings/bert-hf.yaml"} <= read
    assert read <= names
    # What is left out is nothing that the manifest names.
    (root,) = tmp_path.iterdir()
    run("cargo", "metadata", "--quiet", "--locked", "--format-version", "1", cwd=root)


def test_crate():
    """What goes to the other registry has nothing of Python."""
    names = run("cargo", "package", "--list", "--allow-dirty", "--quiet", cwd=ROOT).split()
    assert "src/main.rs" in names
    assert not [name for name in names if name.startswith("src/python")]
    assert "pyproject.toml" not in names
