"""Which tests belong to the running environment; the rest are deselected, never skipped."""

import sys

import pytest

# Its assertions shall say what they compared.
pytest.register_assert_rewrite("crashes", "harness", "sharing", "takeovers", "training")

import differences  # noqa: E402

# First, because it sets what TensorFlow looks at when it is loaded.
from flavours import VERSION  # noqa: E402
import documents  # noqa: E402
import families  # noqa: E402
import suggested  # noqa: E402
from crashes import Material  # noqa: E402
from harness import TESTDATA, binary  # noqa: E402

# What the fixtures' generator knows of types, its tests need not repeat.
sys.path.append(str(TESTDATA))


def pytest_configure(config):
    config.addinivalue_line("markers", "only(version): runs under this TensorFlow alone")
    # That they are deprecated is why there is something to migrate.
    for module in ("layers", r"nn\.rnn_cell"):
        config.addinivalue_line("filterwarnings", rf"ignore:`tf\.{module}:UserWarning")
    try:
        binary()
    except RuntimeError as missing:
        raise pytest.UsageError(str(missing)) from None


def pytest_collection_modifyitems(config, items):
    def belongs(item):
        marker = item.get_closest_marker("only")
        return marker is None or VERSION in marker.args

    others = [item for item in items if not belongs(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if belongs(item)]


def pytest_report_collectionfinish(config, items):
    return f"TensorFlow {VERSION}: {len(items)} tests belong to this environment"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    # A skip would count as success without having shown anything.
    if call.excinfo is not None and call.excinfo.errisinstance(pytest.skip.Exception):
        call.excinfo = pytest.ExceptionInfo.from_exc_info(
            (AssertionError, AssertionError("tests are not skipped here"), call.excinfo.tb)
        )


def pytest_terminal_summary(terminalreporter):
    if differences.FOUND:
        terminalreporter.section("largest relative difference of the next ten losses to TF1's")
        for line in differences.table():
            terminalreporter.write_line(line)
    if families.ROWS:
        terminalreporter.section("built-in mappings: relative difference of the outputs to TF1's")
        for line in families.table():
            terminalreporter.write_line(line)
    if documents.RUN:
        terminalreporter.section("blocks of documents that were run")
        for line in documents.census():
            terminalreporter.write_line(line)
    if suggested.ROWS:
        terminalreporter.section("suggested rules: leaves by how sure and how right they are")
        for line in suggested.table():
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def takeover_of(tmp_path_factory):
    """What a family's old program wrote and its new one waits for, made once for all tests."""
    # Loads every family, which most tests do without.
    from takeovers import takeovers

    return takeovers(tmp_path_factory.mktemp)


@pytest.fixture
def output(tmp_path):
    """Where a conversion goes."""
    return tmp_path / "new.ckpt"


@pytest.fixture
def small(tmp_path):
    """Something to convert of which every call can be looked at."""
    return Material.make(tmp_path / "material", layers=2, width=8)


@pytest.fixture
def announce(capsys):
    """Says something even when the test passes: how much it has looked at."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    return say
