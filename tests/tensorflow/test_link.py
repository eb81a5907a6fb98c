"""Data files that two checkpoints share: TensorFlow reads both, and neither harms the other."""

import fcntl
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from harness import binary
from sharing import (
    KEPT,
    PREFIX,
    Done,
    Old,
    Values,
    assert_copied,
    assert_linked,
    assert_nothing_left,
    assert_restores,
    assert_same,
    blames,
    blocks,
    can_share_blocks,
    ckptmap,
    converted,
    damaged,
    data_files,
    disk,
    fact,
    facts,
    inode,
    program,
    read,
    save,
    tf1,
)

ROOT = os.geteuid() == 0
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if ROOT else {}
MEMORY = Path("/dev/shm")
# Disks that can share blocks, for real; making them takes root.
SHARING_DISKS = [kind for kind in ("xfs", "btrfs") if ROOT and can_share_blocks(kind)]
# Whatever may say no to a link or to shared blocks, with the system's words for it.
NO_LINK = {
    "EXDEV": "Invalid cross-device link",
    "EPERM": "Operation not permitted",
    "EMLINK": "Too many links",
    "ENOSYS": "Function not implemented",
    "EOPNOTSUPP": "Operation not supported",
}
NO_REFLINK = {
    "EOPNOTSUPP": "Operation not supported",
    "ENOTTY": "Inappropriate ioctl for device",
    "EXDEV": "Invalid cross-device link",
    "EINVAL": "Invalid argument",
}
# Where the values of a linked copy are the source's bytes.
PLACES = {
    "model/dec/kernel": "dec/kernel",
    "model/enc/again": "enc/half",
    "model/enc/half": "enc/half",
    "model/enc/kernel": "enc/kernel",
    "model/enc/step": "enc/step",
    "model/enc/words": "enc/words",
}
MODES = {
    "copied": (),
    "linked": ("--link",),
    "copied, not verified": ("--no-verify",),
    "linked, not verified": ("--link", "--no-verify"),
}
ROUNDS = 6
each_way = pytest.mark.parametrize("how", ["link", "reflink"])


def flags_of(*sets: str):
    return pytest.mark.parametrize("flags", [flags.split() for flags in sets], ids=sets)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return Old.make(tmp_path_factory.mktemp("saved") / "old", 0)


@pytest.fixture(scope="module")
def others(tmp_path_factory):
    """The same names and shapes with other values."""
    return Old.make(tmp_path_factory.mktemp("others") / "old", 1)


@pytest.fixture
def old(saved, tmp_path):
    """What a link has in common with its file is nothing that a new file would have."""
    copy = saved.copied(tmp_path / "old")
    for file in data_files(copy.prefix):
        file.chmod(0o640)
        os.utime(file, ns=(1, 987_654_321_012_345_678))
        if ROOT:
            os.chown(file, 1234, 4321)
    return copy


@pytest.fixture
def new(tmp_path):
    return tmp_path / "new" / PREFIX


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that others can enter, which those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def linked(old: Old, new: Path, *flags: str | Path, **options) -> None:
    done = old.convert(new, "--link", *flags, **options)
    assert (done.status, done.notes) == (0, []), done
    assert_linked(old.data(), new)


def assert_refused(done: Done, *words: str) -> None:
    assert done.status == 2 and len(done.errors) == 1, done
    assert all(word in done.errors[0] for word in words), done
    assert done.out == "" and done.notes == []


def assert_sound(prefix: Path) -> None:
    done = ckptmap("check", prefix)
    assert done.status == 0, done


def assert_as_fresh(old: Old, new: Path) -> None:
    """No file but those of the checkpoint, which is whole."""
    assert_sound(new)
    assert_restores(new, old.wanted)
    assert set(new.parent.iterdir()) == {*data_files(new), Path(f"{new}.index")}


# What is written.


@flags_of(
    "--link",
    "--link=try",
    "--link=require",
    "--link --no-verify --no-sync",
    "--link --memory 64KiB",
    "--link --shard-size 1KiB",
)
def test_a_linked_checkpoint_restores(flags, old, new):
    before = facts(old.folder)
    done = old.convert(new, *flags)
    assert (done.status, done.notes) == (0, []), done
    assert_linked(old.data(), new)
    assert_as_fresh(old, new)
    assert facts(old.folder) == before
    verified = ckptmap("verify", new, "--against", old.prefix, "--map", old.rules())
    assert verified.status == 0 and "all equal" in verified.out, verified


@flags_of("--link", "--link --no-verify")
def test_with_a_template(flags, old, new, tmp_path):
    wanted, fresh = old.wanted | KEPT, tmp_path / "fresh" / "ckpt"
    template, variables = program(wanted)
    variables["model/head/kernel"].assign(KEPT["model/head/kernel"])
    template.write(str(fresh))
    like = ("--like", fresh, "--keep-missing")
    before, of_template = facts(old.folder), facts(fresh.parent)
    done = old.convert(new, *flags, *like, rules=old.rules(template=True))
    assert (done.status, done.notes) == (0, []), done
    assert_linked(old.data(), new)
    assert_restores(new, wanted)
    assert facts(old.folder) == before and facts(fresh.parent) == of_template
    against = ("--against", old.prefix, "--map", old.rules(template=True), *like)
    assert ckptmap("verify", new, *against).status == 0


def test_old_names_are_in_the_same_files(old, new):
    linked(old, new, "--keep-names")
    assert_restores(new, old.wanted)
    names = [name for name in old.values if not name.startswith(("gone/", "dec/t"))]
    found = read(new)
    assert_same({name: found[name] for name in names}, {name: old.values[name] for name in names})


def test_tensorflow_merges_what_is_linked(old, new, tmp_path):
    linked(old, new)
    assert_same(merged(new, tmp_path / "merged"), read(new))


def test_over_another_one_tensorflow_merges_it_as_well(old, new, tmp_path):
    """However many data files there were, and would be the right number now."""
    reverse = ("--map", old.rules(), "--reverse", "--like", old.prefix, "--link", "--force")
    for number in range(4):
        assert old.convert(new, "--link", "--force").status == 0
        back = tmp_path / "back" / "old.ckpt"
        assert ckptmap("convert", new, *reverse, "-o", back).status == 0
        for prefix in (new, back):
            assert_same(merged(prefix, tmp_path / f"{number}-{prefix.name}"), read(prefix))


def test_over_another_one_that_is_nothing_but_links(tmp_path):
    """There is no value of its own that could fill another data file."""
    like = {"model/a": np.ones((3, 2), np.float32), "model/b": np.zeros(3, np.float32)}
    source, back = tmp_path / "tf2", tmp_path / "back" / "old.ckpt"
    checkpoint, variables = program(like)
    for path, value in like.items():
        variables[path].assign(value)
    checkpoint.write(str(source))
    names = {path.removeprefix("model/"): value for path, value in like.items()}
    write(tmp_path / "old", names)
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nroot: model\nrules: [{from: '(.+)', to: '$1'}]\n")
    command = ("convert", source, "--map", rules, "--reverse", "--like", tmp_path / "old")
    for number in range(4):
        done = ckptmap(*command, "-o", back, "--link=require", "--force")
        assert (done.status, done.notes) == (0, []), done
        assert inode(data_files(back)[0]) == inode(*data_files(source))
        assert_same(read(back), names)
        assert_same(merged(back, tmp_path / f"{number}"), names)


def write(prefix: Path, values: Values) -> None:
    """In one data file."""
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(values),
        shape_and_slices=[""] * len(values),
        tensors=[tf.constant(value) for value in values.values()],
    )


def merged(prefix: Path, folder: Path) -> dict[str, np.ndarray]:
    """TensorFlow renames every data file that an entry refers to, and counts all there are."""
    copy, to = folder / prefix.name, folder / "merged"
    shutil.copytree(prefix.parent, folder)
    tf.raw_ops.MergeV2Checkpoints(
        checkpoint_prefixes=[str(copy)], destination_prefix=str(to), delete_old_dirs=False
    )
    return read(to)


def test_the_source_is_found_through_symbolic_links(old, new, tmp_path):
    """As in a content store: it is the file that is linked, not the link that leads there."""
    farm = tmp_path / "farm"
    farm.mkdir()
    for file in [*data_files(old.prefix), Path(f"{old.prefix}.index")]:
        (farm / file.name).symlink_to(Path("..", "old", file.name))
    through = Old(farm, old.values)
    assert through.convert(new, "--link=require", rules=old.rules()).status == 0
    assert_linked(old.data(), new)
    shutil.rmtree(farm)
    assert_as_fresh(old, new)


def test_a_file_of_dropped_variables_is_not_linked(old, new):
    gone = data_files(old.prefix)[2]
    linked(old, new)
    assert inode(gone) not in {inode(file) for file in data_files(new)}
    assert gone.lstat().st_nlink == 1


def test_nothing_to_link(tmp_path, new):
    """Version 1 keeps its values in a table."""
    values = {"enc/kernel": np.arange(6, dtype=np.float32).reshape(2, 3)}
    with tf.Graph().as_default(), tf1.Session() as session:
        variables = [tf1.Variable(value, name=name) for name, value in values.items()]
        session.run(tf1.global_variables_initializer())
        saver = tf1.train.Saver(variables, write_version=tf1.train.SaverDef.V1)
        saver.save(session, str(tmp_path / "v1"), write_meta_graph=False, write_state=False)
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nrules: [{from: '(.+)', to: 'model/$1'}]\n")
    command = ("convert", tmp_path / "v1", "--map", rules, "-o", new)
    assert_refused(ckptmap(*command, "--link=require"), "no value stands in one")
    assert not new.parent.exists()
    done = ckptmap(*command, "--link")
    assert done.status == 0 and len(done.notes) == 1, done
    assert_copied(new)
    assert_restores(new, {f"model/{name}": value for name, value in values.items()})


# What becomes of the source afterwards.


def test_tensorflow_saves_over_the_source(old, new, others):
    linked(old, new)
    save(old.prefix, 1)
    assert_same(read(old.prefix), others.values)
    assert_copied(new)
    assert_as_fresh(old, new)


def test_the_source_is_deleted(old, new):
    linked(old, new)
    shutil.rmtree(old.folder)
    assert_copied(new)
    assert_as_fresh(old, new)


def test_a_tf2_source_is_written_again(old, tmp_path):
    """The way back: what TF2 wrote, under its TF1 names."""
    source, back = tmp_path / "tf2" / "ckpt", tmp_path / "back" / "old.ckpt"
    checkpoint, variables = program(old.wanted)
    for path, value in old.wanted.items():
        variables[path].assign(value)
    checkpoint.write(str(source))
    flags = ("--map", old.rules(), "--reverse", "--like", old.prefix, "--link=require")
    assert ckptmap("convert", source, *flags, "-o", back).status == 0
    assert_linked(data_files(source), back)
    assert_same(read(back), old.values)
    for variable in variables.values():
        variable.assign(tf.zeros(variable.shape, variable.dtype))
    checkpoint.write(str(source))
    assert read(source)["model/enc/kernel/.ATTRIBUTES/VARIABLE_VALUE"].max() == 0
    assert_copied(back)
    assert_same(read(back), old.values)
    shutil.rmtree(source.parent)
    assert_same(read(back), old.values)
    assert_sound(back)


def test_writing_into_the_source_is_found_out(old, new, announce):
    """Exactly what is damaged is named, by the new names; what was transformed is not."""
    linked(old, new)
    seen = 0
    for name, value in old.values.items():
        if value.size == 0:
            continue
        table = name == "dec/table"
        # Of the table one slice, as it lies there.
        with damaged(data_files(old.prefix), value[:3] if table else value):
            assert blames(ckptmap("check", old.prefix).out) == {name}
            done = ckptmap("check", new)
        harmed = {path for path, of in PLACES.items() if of == name}
        assert done.status == (1 if harmed else 0), done
        assert blames(done.out) == harmed
        seen += len(harmed)
    assert_as_fresh(old, new)
    announce(f"variables of a linked copy that were damaged and named: {seen}")
    assert seen == len(PLACES)


def test_writing_into_the_source_harms_no_copy(old, new):
    assert old.convert(new).status == 0
    for name in ("enc/kernel", "enc/words"):
        with damaged(data_files(old.prefix), old.values[name]):
            assert_as_fresh(old, new)


def test_a_source_that_is_cut_off_in_place(old, new):
    linked(old, new)
    os.truncate(old.data()[1], old.data()[1].stat().st_size // 2)
    done = ckptmap("check", new)
    assert done.status == 1 and blames(done.out) == {"model/dec/kernel"}, done


# Once more to the same place.


def test_again_and_again(old, new):
    before = facts(old.folder)
    linked(old, new)
    for flags in [(), ("--no-verify",), ()]:
        assert_refused(old.convert(new, "--link", *flags), "--force")
        linked(old, new, "--force", *flags)
        assert_as_fresh(old, new)
        assert facts(old.folder) == before
    # And away from the links.
    assert old.convert(new, "--force").status == 0
    assert_copied(new)
    assert_as_fresh(old, new)
    assert facts(old.folder) == before


def test_there_and_back_in_links(old, new, tmp_path):
    linked(old, new)
    before = facts(old.folder), facts(new.parent)
    back = tmp_path / "back" / "old.ckpt"
    flags = ("--map", old.rules(), "--reverse", "--like", old.prefix, "--link=require")
    for force in [(), ("--force",), ("--force",)]:
        done = ckptmap("convert", new, *flags, "-o", back, *force)
        assert (done.status, done.notes) == (0, []), done
        assert [inode(file) for file in data_files(back)[:2]] == [*map(inode, old.data())]
        assert {file.lstat().st_nlink for file in old.data()} == {3}
        assert_same(read(back), old.values)
        assert_sound(back)
    assert (facts(old.folder), facts(new.parent)) == before


def test_back_over_the_files_that_are_linked(old, new, tmp_path):
    """The old checkpoint gives way, and the new one, which has its files, keeps them."""
    linked(old, new)
    full = old.copied(tmp_path / "full")
    before = facts(new.parent)
    flags = ("--map", old.rules(), "--reverse", "--like", full.prefix, "--link", "--force")
    done = ckptmap("convert", new, *flags, "-o", old.prefix)
    assert (done.status, done.notes) == (0, []), done
    assert_same(read(old.prefix), old.values)
    assert_sound(old.prefix)
    assert facts(new.parent) == before
    assert {file.lstat().st_nlink for file in data_files(new)[:2]} == {2}
    assert_as_fresh(old, new)


@flags_of("", "--link", "--link --no-verify", "--reflink")
@pytest.mark.parametrize("before", ["alone", "linked"])
def test_never_onto_the_source(before, flags, old, new, tmp_path):
    if before == "linked":
        linked(old, new)
    (tmp_path / "alias").symlink_to(old.folder)
    (tmp_path / "farm").mkdir()
    for file in [*data_files(old.prefix), Path(f"{old.prefix}.index")]:
        (tmp_path / "farm" / file.name).symlink_to(file)
    source = facts(old.folder)
    for folder in (old.folder, old.folder / ".." / "old", tmp_path / "alias", tmp_path / "farm"):
        done = old.convert(folder / "old.ckpt", "--force", *flags)
        assert_refused(done, "old.ckpt.")
    # And the other way round: it is read through links.
    through = Old(tmp_path / "farm", old.values)
    assert_refused(through.convert(old.prefix, "--force", *flags, rules=old.rules()), "old.ckpt.")
    assert facts(old.folder) == source


@flags_of("--link", "--link --force")
@pytest.mark.parametrize("places", [("a/new.ckpt", "b/new.ckpt"), ("a/new.ckpt", "a/other.ckpt")])
def test_two_at_once_from_one_source(places, flags, old, tmp_path):
    before = facts(old.folder)
    for number in range(ROUNDS):
        to = [tmp_path / f"round-{number}" / place for place in places]
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda new: old.convert(new, *flags), to))
        assert [(done.status, done.notes) for done in results] == [(0, [])] * 2, results
        for new in to:
            assert [fact(file) for file in data_files(new)[:2]] == [*map(fact, old.data())]
            assert_same(read(new), read(to[0]))
        assert {file.lstat().st_nlink for file in old.data()} == {3}, "a link was left behind"
        assert_restores(to[0], old.wanted)
        shutil.rmtree(tmp_path / f"round-{number}")
    assert facts(old.folder) == before


def test_two_at_once_to_one_place(old, new, announce):
    """Whoever comes second replaces the first, or gives way."""
    before, seen = facts(old.folder), Counter()
    for _ in range(ROUNDS):
        with ThreadPoolExecutor() as pool:
            results = list(pool.map(lambda _: old.convert(new, "--link", "--force"), range(2)))
        winners = [done for done in results if done.status == 0]
        assert winners, results
        gave_way = [done for done in results if done.status != 0]
        assert all("run again" in done.err for done in gave_way), results
        assert_linked(old.data(), new)
        assert_as_fresh(old, new)
        seen[len(winners)] += 1
    assert facts(old.folder) == before
    announce(f"rounds in which so many of two succeeded: {dict(seen)}")


# Where it cannot be done.


def injected(log: Path, **errors: str) -> tuple:
    calls = {"link": "link,linkat", "ioctl": "ioctl"}
    refuse = [f"inject={calls[call]}:error={error}" for call, error in errors.items()]
    return ("strace", "-f", "-o", log, *(part for one in refuse for part in ("-e", one)))


def assert_fell_back(done: Done, old: Old, new: Path, words: str) -> None:
    """One notice for all files, and a checkpoint of its own."""
    assert done.status == 0 and len(done.notes) == 1, done
    assert words in done.notes[0] and "copied instead" in done.notes[0]
    assert_copied(new)
    assert_as_fresh(old, new)


@pytest.mark.parametrize("error", NO_LINK)
def test_links_are_refused(error, old, new, tmp_path):
    before, through = facts(old.folder), injected(tmp_path / "log", link=error, ioctl="EOPNOTSUPP")
    done = old.convert(new, "--link=require", through=through)
    assert_refused(done, NO_LINK[error], "old.ckpt.data-00000-of-00003")
    assert_nothing_left(new.parent)
    assert not new.parent.exists()
    assert_fell_back(old.convert(new, "--link", through=through), old, new, NO_LINK[error])
    assert facts(old.folder) == before


@pytest.mark.parametrize("error", NO_REFLINK)
def test_shared_blocks_are_refused(error, old, new, tmp_path):
    before, through = facts(old.folder), injected(tmp_path / "log", ioctl=error)
    done = old.convert(new, "--reflink=require", through=through)
    assert_refused(done, NO_REFLINK[error], "old.ckpt.data-00000-of-00003")
    assert not new.parent.exists()
    assert_fell_back(old.convert(new, "--reflink", through=through), old, new, NO_REFLINK[error])
    assert facts(old.folder) == before


@each_way
def test_over_a_checkpoint_when_it_is_required(how, old, new, tmp_path):
    """What stood there still does."""
    assert old.convert(new).status == 0
    before = facts(new.parent)
    through = injected(tmp_path / "log", link="EXDEV", ioctl="EXDEV")
    assert_refused(old.convert(new, "--force", f"--{how}=require", through=through))
    assert facts(new.parent) == before


@each_way
def test_onto_another_file_system(how, old):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        new = Path(folder) / "new" / PREFIX
        assert os.stat(folder).st_dev != os.stat(old.folder).st_dev
        assert_refused(old.convert(new, f"--{how}=require"), NO_LINK["EXDEV"])
        assert_nothing_left(Path(folder))
        assert_fell_back(old.convert(new, f"--{how}"), old, new, NO_LINK["EXDEV"])


def test_on_a_file_system_without_shared_blocks(saved):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        old, new = saved.copied(Path(folder) / "old"), Path(folder) / "new" / PREFIX
        assert_refused(old.convert(new, "--reflink=require"), NO_REFLINK["EOPNOTSUPP"])
        assert not new.parent.exists()
        assert_fell_back(old.convert(new, "--reflink"), old, new, NO_REFLINK["EOPNOTSUPP"])
        # Links need none.
        linked(old, new, "--force")


def test_a_file_that_others_own(saved, public, announce):
    """`fs.protected_hardlinks`: nobody may link what he may not write into."""
    if not ROOT or Path("/proc/sys/fs/protected_hardlinks").read_text() != "1\n":
        announce("files of others: not root, or links to them not protected: only EPERM injected")
        return
    old, new = saved.copied(public / "old"), public / "new" / PREFIX
    new.parent.mkdir()
    os.chown(new.parent, 65534, 65534)
    program = shutil.copy(binary(), public / "ckptmap")
    before = facts(old.folder)
    through = {"program": program, **NOBODY}
    assert_refused(old.convert(new, "--link=require", **through), NO_LINK["EPERM"])
    assert_nothing_left(new.parent)
    assert_fell_back(old.convert(new, "--link", **through), old, new, NO_LINK["EPERM"])
    assert facts(old.folder) == before


def test_a_file_of_others_in_a_sticky_folder(saved, public, announce):
    """As in `/tmp`: whoever links what is not theirs could neither rename nor remove the link."""
    if not ROOT:
        announce("sticky folders: not root, so there are no files of others: not tested")
        return
    old, new = saved.copied(public / "old"), public / "new" / PREFIX
    for path in data_files(old.prefix):
        path.chmod(0o666)
    new.parent.mkdir()
    new.parent.chmod(0o1777)
    through = {"program": shutil.copy(binary(), public / "ckptmap"), **NOBODY}
    before = facts(old.folder)
    required = old.convert(new, "--link=require", **through)
    assert required.status == 2, required
    assert_nothing_left(new.parent)
    assert_fell_back(old.convert(new, "--link", **through), old, new, "`")
    assert facts(old.folder) == before


def test_a_source_that_somebody_has_locked(old, new):
    """Locks are no reason to fail, whoever has them."""
    with open(old.data()[0]) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = old.convert(new, "--link")
    assert done.status == 0 and len(done.notes) <= 1, done
    assert_as_fresh(old, new)


# Shared blocks for real, or a test whose name says that there were none.
if SHARING_DISKS:

    @pytest.mark.parametrize("kind", SHARING_DISKS)
    @flags_of("--reflink", "--reflink=require", "--reflink --no-verify")
    def test_shared_blocks_on(kind, flags, saved, tmp_path):
        with disk(kind, tmp_path) as at:
            old, new = saved.copied(at / "old"), at / "new" / PREFIX
            before = contents(old.folder)
            done = old.convert(new, *flags)
            assert (done.status, done.notes) == (0, []), done
            assert_copied(new)
            assert_blocks_shared(old, new)
            assert_as_fresh(old, new)
            # Neither hears of what is written into the other.
            for name in ("enc/kernel", "enc/words", "dec/kernel"):
                with damaged(data_files(old.prefix), old.values[name]):
                    assert ckptmap("check", old.prefix).status == 1
                    assert_as_fresh(old, new)
                with damaged(data_files(new), old.values[name]):
                    assert ckptmap("check", new).status == 1
                    assert_sound(old.prefix)
            assert contents(old.folder) == before

    @pytest.mark.parametrize("kind", SHARING_DISKS)
    def test_blocks_are_shared_where_links_are_refused_on(kind, saved, tmp_path):
        with disk(kind, tmp_path) as at:
            old, new = saved.copied(at / "old"), at / "new" / PREFIX
            through = injected(tmp_path / "log", link="EMLINK")
            done = old.convert(new, "--link", through=through)
            assert done.status == 0 and len(done.notes) == 1, done
            assert NO_LINK["EMLINK"] in done.notes[0] and "blocks are shared" in done.notes[0]
            assert_copied(new)
            assert_blocks_shared(old, new)
            assert_as_fresh(old, new)
            assert_refused(old.convert(at / "b" / PREFIX, "--link=require", through=through))
            assert not (at / "b").exists()

else:

    def test_no_disk_here_can_share_blocks_so_only_the_refusal_is_tested(old, new, announce):
        announce("shared blocks: no XFS or Btrfs could be made and mounted; not tested for real")
        done = old.convert(new, "--reflink")
        assert done.status == 0 and len(done.notes) == 1, done


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_blocks_shared(old: Old, new: Path) -> None:
    for one, other in zip(old.data(), data_files(new)):
        assert blocks(one) == blocks(other) != []
        assert all(shared for *_, shared in blocks(other)), blocks(other)


# Damage that was there before.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["enc/kernel", "dec/kernel", "enc/half", "enc/step"])
def test_a_damaged_value(name, mode, old, new):
    harmed = {path for path, of in PLACES.items() if of == name}
    with damaged(old.data(), old.values[name]):
        done = old.convert(new, *MODES[mode])
        if "--no-verify" not in MODES[mode]:
            assert_refused(done, f"`{name}`", "checksum")
            assert blames(done.err) == {name}
            assert not new.parent.exists()
            return
        assert done.status == 0, done
        checked = ckptmap("check", new)
        assert checked.status == 1 and blames(checked.out) == harmed, checked


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["enc/words", "dec/turned", "dec/table"])
def test_damage_never_gets_another_name_unseen(name, mode, old, new):
    """Whoever verifies hears of it; whoever does not may, or `check` names it afterwards."""
    value = old.values[name]
    with damaged(old.data(), value[:3] if name == "dec/table" else value):
        done = old.convert(new, *MODES[mode])
        if done.status == 0:
            assert "--no-verify" in MODES[mode]
            blamed = blames(ckptmap("check", new).out)
            # What was worked out of damaged values has a sum of its own, which is right.
            assert blamed == (set() if name == "dec/turned" else {f"model/{name}"})
        else:
            assert_refused(done, f"`{name}`")
            assert blames(done.err) == {name}
            assert not new.parent.exists()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shard", [0, 1])
def test_a_data_file_that_ends_too_early(shard, mode, old, new):
    file = old.data()[shard]
    for size in (file.stat().st_size - 1, 1000, 0):
        os.truncate(file, size)
        before = facts(old.folder)
        done = old.convert(new, *MODES[mode])
        assert_refused(done, file.name)
        assert not new.parent.exists()
        assert facts(old.folder) == before
    file.unlink()
    assert_refused(old.convert(new, *MODES[mode]), file.name)
    assert not new.parent.exists()


# Killed.


def test_killed_over_a_source_that_may_only_be_read(saved, others, public, announce):
    """A link that was left behind is the source's file, which cannot be opened for writing."""
    old, new = saved.copied(public / "old"), public / "work" / PREFIX
    program, log = shutil.copy(binary(), public / "ckptmap"), public / "work" / "log"
    new.parent.mkdir()
    for path in [*old.folder.iterdir(), old.folder, new.parent]:
        path.chmod(0o444 if path.is_file() else 0o755)
        if ROOT:
            os.chown(path, 65534, 65534)
    before, wanted, seen = facts(old.folder), converted(others.values), Counter()
    as_nobody = {"program": program, **NOBODY}

    def begin() -> None:
        shutil.rmtree(new.parent)
        new.parent.mkdir()
        assert others.convert(new).status == 0
        for path in [*new.parent.iterdir(), new.parent]:
            if ROOT:
                os.chown(path, 65534, 65534)

    for call in ("linkat", "flock", "fsync", "rename", "unlink"):
        for number in count(1):
            begin()
            kill = f"inject={call}:signal=KILL:when={number}"
            through = ("strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", kill)
            done = old.convert(new, "--link", "--force", through=through, **as_nobody)
            if done.status == 0:
                break
            assert done.status < 0
            assert facts(old.folder) == before
            found = read(new)["model/enc/kernel/.ATTRIBUTES/VARIABLE_VALUE"]
            is_old = np.array_equal(found, wanted["model/enc/kernel"])
            assert_restores(new, wanted if is_old else old.wanted)
            hidden = new.parent.glob(".ckptmap-*.scratch")
            left = {inode(path) for path in hidden} & {inode(path) for path in old.data()}
            seen["with a link left behind" if left else "without"] += 1
            linked(old, new, "--force", **as_nobody)
            assert_as_fresh(old, new)
            assert facts(old.folder) == before
    announce(f"kills of a conversion that links files it may only read: {dict(seen)}")
    assert seen["with a link left behind"] and seen["without"]
