#!/usr/bin/env python3
"""BERT-base from TF1 to TF2 in each of the ways that `src/guide/comparison.md` compares.

Runs under the Python of the environment 2.15; README.md in this folder says how it measures.
"""

import argparse
import inspect
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

REPOSITORY = Path(__file__).resolve().parents[2]
TESTS = REPOSITORY / "tests/tensorflow"
VOCABULARY, HIDDEN, LAYERS, HEADS, INNER, POSITIONS = 30522, 768, 12, 12, 3072, 512
RULES = """\
version: 1
root: model
include: [builtin:bert-hf]
"""


# What runs in processes of their own, with TensorFlow.


def transformers_model():
    import transformers

    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=INNER,
        max_position_embeddings=POSITIONS,
        hidden_act="gelu_new",
    )
    model = transformers.TFBertModel(config)
    model(model.dummy_inputs)
    return model


def make_source(folder: Path) -> None:
    """A BERT as google-research's program leaves it, with the pooler and without heads."""
    sys.path[:0] = [str(TESTS)]
    import bert_graphs
    from families import save

    sizes = {"VOCABULARY": VOCABULARY, "POSITIONS": POSITIONS, "HIDDEN": HIDDEN}
    sizes |= {"HEADS": HEADS, "INNER": INNER, "LAYERS": LAYERS}
    with mock.patch.multiple(bert_graphs, **sizes):
        save(lambda: list(bert_graphs.plain_bert()[0].values()), folder, "ways")


def template(source: str, output: str) -> None:
    """Once for a model, whatever is converted with it."""
    import tensorflow as tf

    tf.train.Checkpoint(model=transformers_model()).write(output)


def old_name(variable) -> str:
    """What google-research calls a variable of transformers."""
    name = variable.name.removesuffix(":0").partition("/")[2]
    name = name.replace("layer_._", "layer_")
    if name.endswith("/weight"):
        return name.removesuffix("/weight")
    return name.removesuffix("/embeddings")


def loop(source: str, output: str) -> None:
    import tensorflow as tf

    model = transformers_model()
    reader = tf.train.load_checkpoint(source)
    for variable in model.variables:
        variable.assign(reader.get_tensor(old_name(variable)))
    tf.train.Checkpoint(model=model).save(output)


def saver(source: str, output: str) -> None:
    import tensorflow as tf

    model = transformers_model()
    variables = {old_name(variable): variable for variable in model.variables}
    tf.compat.v1.train.Saver(variables).restore(None, source)
    tf.train.Checkpoint(model=model).save(output)


def guide(source: str, output: str) -> None:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(source)
    names = reader.get_variable_to_dtype_map()
    variables = {name: tf.Variable(reader.get_tensor(name)) for name in names}
    tf.train.Checkpoint(vars=variables).save(output)


def garden(source: str, output: str) -> None:
    from official.legacy.bert import configs
    from official.nlp.tools import tf2_bert_encoder_checkpoint_converter as script

    config = configs.BertConfig(
        VOCABULARY, HIDDEN, LAYERS, HEADS, INNER, max_position_embeddings=POSITIONS
    )
    config.type_vocab_size = 2
    script.convert_checkpoint(config, output, source, "encoder")


def as_it_is(source: str, output: str) -> None:
    """What people try first. Nothing is assigned, so there is nothing to save."""
    import tensorflow as tf

    tf.train.Checkpoint(model=transformers_model()).restore(source).expect_partial()


OURS, TEMPLATE = "`ckptmap`", "its template, once"
PROGRAMS: dict[str, Callable[[str, str], None]] = {
    TEMPLATE: template,
    "a loop over names": loop,
    "`Saver` with a dictionary": saver,
    "the migration guide's converter": guide,
    "the Model Garden's script for BERT": garden,
    "`restore` of the old file": as_it_is,
}
# What a user writes: other functions than the way's own.
ALSO: dict[str, tuple[Callable, ...]] = {
    "a loop over names": (old_name,),
    "`Saver` with a dictionary": (old_name,),
}


def prove(source: str, output: str) -> None:
    """What the way wrote, a new model computes with: the same as in TF1."""
    import numpy as np
    import tensorflow as tf

    model = transformers_model()
    tf.train.Checkpoint(model=model).restore(output).assert_existing_objects_matched()
    reader = tf.train.load_checkpoint(source)
    for variable in model.variables:
        assert np.array_equal(variable.numpy(), reader.get_tensor(old_name(variable)))


PROVED = ("a loop over names", "`Saver` with a dictionary")


# What measures them, without TensorFlow.


@dataclass
class Way:
    name: str
    lines: int
    wall: list[float] = field(default_factory=list)
    # Of it, what the way takes when TensorFlow has been imported.
    without_import: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)


def lines_of(*functions: Callable) -> int:
    """That a user writes: without blank lines, comments and documentation."""
    count = 0
    for function in functions:
        text = inspect.getsource(function)
        for line in text.splitlines():
            line = line.strip()
            count += bool(line) and not line.startswith(("#", '"""'))
    return count


def run(command: list[str]) -> tuple[float, int]:
    """Seconds, and bytes at the most."""
    begun = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    spent = time.perf_counter() - begun
    if status:
        sys.exit(f"{' '.join(command)}: exit status {os.waitstatus_to_exitcode(status)}")
    return spent, usage.ru_maxrss * 1024


def measure(ckptmap: str, place: Path, rounds: int) -> list[Way]:
    source, output = place / "old/model.ckpt", place / "new/ckpt"
    own = [sys.executable, str(Path(__file__).resolve())]
    run([*own, "make", str(source.parent)])
    run([*own, "run", TEMPLATE, str(source), str(place / "fresh/ckpt"), str(place / "times.json")])
    (place / "rules.yaml").write_text(RULES)
    command = [ckptmap, "convert", str(source), "--map", str(place / "rules.yaml")]
    command += ["--like", str(place / "fresh/ckpt"), "-o", str(output), "--no-sync", "-q"]
    ways = [Way(OURS, len(RULES.splitlines()))]
    for name, program in PROGRAMS.items():
        ways.append(Way(name, lines_of(program, *ALSO.get(name, ()))))
    for number in range(rounds):
        for way in ways:
            print(f"round {number + 1} of {rounds}: {way.name}", file=sys.stderr)
            shutil.rmtree(output.parent, ignore_errors=True)
            output.parent.mkdir()
            os.sync()
            times = place / "times.json"
            times.unlink(missing_ok=True)
            ours = way.name == OURS
            program = [*own, "run", way.name, str(source), str(output), str(times)]
            spent, peak = run(command if ours else program)
            way.wall.append(spent)
            way.peak.append(peak)
            inner = spent if ours else json.loads(times.read_text())
            way.without_import.append(inner)
            if number == 0 and (ours or way.name in PROVED):
                written = output if ours else Path(f"{output}-1")
                run([*own, "prove", str(source), str(written)])
    return ways


def table(ways: list[Way]) -> str:
    rows = ["| way | lines | seconds | × `ckptmap` | without import | × | peak memory |"]
    rows.append("|---|---|---|---|---|---|---|")
    least = min(ways[0].wall)
    for way in ways:
        wall, inner, peak = min(way.wall), min(way.without_import), max(way.peak)
        rows.append(
            f"| {way.name} | {way.lines} | {wall:.2f} | {wall / least:.0f} | {inner:.2f} "
            f"| {inner / least:.0f} | {peak / 2**20:.0f} MiB |"
        )
    return "\n".join(rows)


def child(arguments: list[str]) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    match arguments:
        case ["make", folder]:
            Path(folder).mkdir()
            make_source(Path(folder))
        case ["prove", source, output]:
            prove(source, output)
        case ["run", way, source, output, times]:
            import tensorflow as tf  # noqa: F401

            if way.startswith("the Model Garden"):
                from official.nlp.tools import tf2_bert_encoder_checkpoint_converter  # noqa: F401
            elif PROGRAMS[way] is not guide:
                import transformers

                transformers.TFBertModel  # noqa: B018, loads what it needs
            begun = time.perf_counter()
            PROGRAMS[way](source, output)
            Path(times).write_text(json.dumps(time.perf_counter() - begun))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--place", type=Path, required=True, help="folder for sources and results")
    parser.add_argument("--ckptmap", required=True, help="the optimised program")
    parser.add_argument("--runs", type=int, default=5, help="rounds in which each way is run once")
    args = parser.parse_args()
    args.place.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="ways-", dir=args.place)).resolve()
    try:
        ways = measure(str(Path(args.ckptmap).resolve()), place, args.runs)
        size = sum(file.stat().st_size for file in place.glob("old/*.data-*"))
    finally:
        shutil.rmtree(place)
    print(f"{size / 1e6:.0f} MB; minima of {args.runs} interleaved rounds, maxima of memory\n")
    print(table(ways))


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ("make", "prove", "run"):
        child(sys.argv[1:])
    else:
        main()
