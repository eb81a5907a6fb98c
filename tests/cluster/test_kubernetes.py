"""The guide's manifest: valid, consistent, and what its containers run converts everything."""

import os
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from runs import program

MANIFEST = Path(__file__).with_name("job.yaml")
# `backoffLimitPerIndex` is on by default since 1.29.
VERSIONS = ["1.29", kubernetes_validate.latest_version()]
INDEX = "JOB_COMPLETION_INDEX"


@pytest.fixture
def job() -> dict:
    return yaml.safe_load(MANIFEST.read_text())


def container(job: dict) -> dict:
    (only,) = job["spec"]["template"]["spec"]["containers"]
    return only


def variables(job: dict) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container(job)["env"]}


@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_valid(job, version):
    kubernetes_validate.validate(job, version, strict=True)


def spoilt(job: dict, *path: str, value: object) -> dict:
    *way, last = path
    part = job
    for step in way:
        part = part[step]
    part[last] = value
    return job


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "completions"), "4"),
        (("spec", "backoffLimitPerIndexes"), 3),
        (("spec", "template", "spec", "containers"), None),
    ],
)
def test_mistakes_are_noticed(job, path, value):
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(spoilt(job, *path, value=value), VERSIONS[0], strict=True)


def test_what_no_schema_knows(job):
    spec = job["spec"]
    # Without it no pod has a number.
    assert spec["completionMode"] == "Indexed"
    assert variables(job)["JOB_COMPLETIONS"] == str(spec["completions"])
    # Set by Kubernetes; one that is named here would replace it.
    assert INDEX not in variables(job)
    # A pod that is tried again in place would not count for its index.
    assert "backoffLimitPerIndex" in spec
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    volumes = [volume["name"] for volume in spec["template"]["spec"]["volumes"]]
    assert [mount["name"] for mount in container(job)["volumeMounts"]] == volumes


def expanded(text: str, known: dict[str, str]) -> str:
    """As the kubelet does: `$(NAME)` of what is known, and `$$` for a dollar."""

    def value(found: re.Match) -> str:
        return "$" if found[0] == "$$" else known.get(found[1], found[0])

    return re.sub(r"\$\$|\$\((\w+)\)", value, text)


def test_its_containers_convert_everything(job, runs):
    """Each as Kubernetes would start it, but for where the volume is mounted."""
    (mount,) = container(job)["volumeMounts"]
    shares = []
    for index in range(job["spec"]["completions"]):
        known = variables(job) | {INDEX: str(index)}
        words = [*container(job)["command"], *container(job)["args"]]
        words = [expanded(word, known) for word in words]
        assert words[0] == "ckptmap" and not any("$" in word for word in words)
        words[1:] = [
            re.sub(rf"^{re.escape(mount['mountPath'])}(?=/|$)", str(runs.folder), word)
            for word in words[1:]
        ]
        done = subprocess.run(
            [program(), *words[1:]], env={"PATH": os.environ["PATH"]} | known, cwd="/",
            capture_output=True, text=True, timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        shares.append(runs.report(index))
    assert sorted(s for share in shares for s in share) == sorted(runs.outputs)
    everything = {source: "converted" for source in runs.outputs}
    assert runs.merged(range(len(shares))) == everything
    runs.assert_converted()


def test_the_guide_shows_this_manifest(shown):
    assert shown(MANIFEST)
