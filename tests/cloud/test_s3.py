"""The real program against a real server that speaks S3. Run by `tests/cloud/run`."""

import itertools
import json
import os
import pathlib
import signal
import subprocess
import time

import boto3
import bundle
import pytest
import servers

ROOT = pathlib.Path(__file__).parents[2]
CKPTMAP = os.environ["CKPTMAP"]
CONV3 = ROOT / "testdata/conv3"
RULES = CONV3 / "rules-keras2.yaml"
MIB = 1 << 20

LAYERS = r"""
version: 1
rules:
  - {from: 'layer_(\d+)/kernel', to: 'layers/$1/kernel'}
"""
TRANSPOSED = r"""
version: 1
rules:
  - {from: 'layer_(\d+)/kernel', to: 'layers/$1/kernel', apply: [{transpose: [1, 0]}]}
"""


@pytest.fixture(scope="session")
def moto():
    with servers.Moto() as moto:
        yield moto


@pytest.fixture(scope="session")
def proxy(moto):
    proxy = servers.Proxy(moto.port)
    yield proxy
    proxy.close()


class World:
    """A bucket, a folder, and the program."""

    def __init__(self, moto, proxy, folder, name):
        key = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}
        url = f"http://{servers.HOST}:{moto.port}"
        self.s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", **key)
        self.bucket, self.folder, self.proxy = name, folder, proxy
        self.s3.create_bucket(Bucket=name)
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        kept = ("PATH", "HOME", "LD_LIBRARY_PATH")
        self.environment = {name: os.environ[name] for name in kept if name in os.environ}
        self.environment |= {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": proxy.url,
            "AWS_ALLOW_HTTP": "true",
            "TMPDIR": str(self.temporary),
        }
        proxy.reset()

    def start(self, *arguments, **environment):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [CKPTMAP, *map(str, arguments)]
        return subprocess.Popen(command, env=self.environment | environment, **pipes)

    def run(self, *arguments, code=0, **environment):
        process = self.start(*arguments, **environment)
        out, err = process.communicate(timeout=240)
        assert process.returncode == code, (process.returncode, out, err)
        assert not list(self.temporary.iterdir()), "something is left in TMPDIR"
        return out, err

    def refused(self, *arguments, **environment):
        """What it says."""
        return self.run(*arguments, code=2, **environment)[1]

    def upload(self, files, under):
        for file in files:
            self.s3.upload_file(str(file), self.bucket, f"{under}/{file.name}")
        return f"s3://{self.bucket}/{under}"

    def names(self, prefix=""):
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", [])]

    def unfinished(self):
        return self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])

    def content(self, key):
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


numbers = itertools.count()


@pytest.fixture
def world(moto, proxy, tmp_path):
    return World(moto, proxy, tmp_path, f"bucket-{next(numbers)}")


@pytest.fixture
def old(world):
    """A small checkpoint in the bucket."""
    return world.upload(CONV3.glob("model.ckpt*"), "old") + "/model.ckpt"


@pytest.fixture(scope="session")
def tall(tmp_path_factory):
    """A large one on this machine, with rules that rename all of it, and its size."""
    folder = tmp_path_factory.mktemp("tall")
    (folder / "rules.yaml").write_text(LAYERS)
    (folder / "transposed.yaml").write_text(TRANSPOSED)
    return folder, bundle.write(folder / "m", 16)


def same(world, key, file):
    """Whether objects are what the files of a local checkpoint are."""
    suffixes = [path.name[len(file.name) :] for path in file.parent.glob(f"{file.name}.*")]
    assert sorted(world.names(key + ".")) == sorted(key + suffix for suffix in suffixes)
    for suffix in suffixes:
        assert world.content(key + suffix) == pathlib.Path(f"{file}{suffix}").read_bytes(), suffix


def test_everything_reads_from_a_bucket(world, old):
    bucket = f"s3://{world.bucket}"
    rules = world.upload([RULES], "rules") + f"/{RULES.name}"
    local = CONV3 / "model.ckpt"
    for typed in (old, f"{bucket}/old", f"{bucket}/old/", old + ".index", old + ".meta"):
        assert world.run("list", typed)[0] == world.run("list", local)[0]
    out = world.run("check", old)[0]
    assert "6 variables" in out and "every checksum is right" in out
    show = ("show", "model/conv2d/bias")
    assert world.run("show", old, show[1])[0] == world.run("show", local, show[1])[0]
    world.run("show", old, show[1], "--npy", f"{bucket}/bias.npy")
    world.run("show", local, show[1], "--npy", world.folder / "bias.npy")
    assert world.content("bias.npy") == (world.folder / "bias.npy").read_bytes()
    plan = world.run("plan", old, "--map", rules, "--html", f"{bucket}/plan.html")[0]
    assert plan == world.run("plan", local, "--map", RULES)[0]
    world.run("plan", old, "--map", rules, "--html", f"{bucket}/plan.html")
    assert world.content("plan.html").startswith(b"<!doctype html>")
    world.run("convert", old, "--map", rules, "-o", f"{bucket}/new/ckpt", "--update-state")
    assert "save_counter" in world.run("graph", f"{bucket}/new")[0]
    world.run("verify", f"{bucket}/new", "--against", old, "--map", rules)
    assert "all equal" in world.run("diff", old, local)[0]
    world.run("suggest", old, "--like", f"{bucket}/new")
    assert world.run("scopes", old)[0]


def test_v1_comes_here_to_be_mapped(world):
    files = list((ROOT / "testdata/v1").rglob("*-0000?-of-0000?"))
    assert files
    folder = files[0].parent
    files = [file for file in files if file.parent == folder]
    prefix = files[0].name.rsplit("-", 3)[0]
    there = world.upload(files, "v1")
    assert "every checksum is right" in world.run("check", f"{there}/{prefix}")[0]
    assert "all equal" in world.run("diff", f"{there}/{prefix}", folder / prefix)[0]


def test_into_out_of_and_between_buckets(world, old):
    local, out = world.folder / "new", world.folder / "out"
    convert = ("--map", RULES, "-o")
    world.run("convert", CONV3 / "model.ckpt", *convert, local)
    world.run("convert", CONV3 / "model.ckpt", *convert, f"s3://{world.bucket}/into/new")
    same(world, "into/new", local)
    world.run("convert", old, *convert, out)
    for file in world.folder.glob("new.*"):
        assert file.read_bytes() == (world.folder / file.name.replace("new", "out")).read_bytes()
    world.s3.create_bucket(Bucket=world.bucket + "-other")
    world.run("convert", old, *convert, f"s3://{world.bucket}-other/new")
    world.bucket += "-other"
    same(world, "new", local)


def test_the_default_destination_is_in_the_bucket(world, old):
    world.run("convert", old, "--map", RULES)
    assert "old-tf2/model.ckpt.index" in world.names()


def renamed(world, folder, size):
    """Renames it inside the bucket, and says what it is called then."""
    old = world.upload(folder.glob("m.*"), "old") + "/m"
    world.proxy.reset()
    begun = time.monotonic()
    new = f"s3://{world.bucket}/new/ckpt"
    out, err = world.run("convert", old, "--map", folder / "rules.yaml", "-o", new, "--json")
    seconds, moved, requests = time.monotonic() - begun, world.proxy.moved, world.proxy.requests
    files = json.loads(out)["written"]["files"]
    print(f"{size} bytes renamed: {moved} moved, {len(requests)} requests, {seconds:.2f} s")
    assert [file["shared"] for file in files] == ["server", None, None]
    assert "copied inside the bucket without being read" in err
    own = sum(file["bytes"] for file in files[1:])
    index = (folder / "m.index").stat().st_size
    assert moved < 4 * (own + index) + 64 * 1024, (moved, own, requests)
    return new


def test_a_gigabyte_moves_next_to_nothing(world, tmp_path):
    (tmp_path / "rules.yaml").write_text(LAYERS)
    renamed(world, tmp_path, bundle.write(tmp_path / "m", 256))


def test_a_rename_inside_a_bucket_moves_next_to_nothing(world, tall):
    folder, size = tall
    new = renamed(world, folder, size)
    assert "every checksum is right" in world.run("check", new)[0]
    world.proxy.reset()
    old = f"s3://{world.bucket}/old/m"
    world.run("convert", old, "--map", folder / "rules.yaml", "-o", world.folder / "new")
    assert size < world.proxy.moved < size * 1.02 + 64 * 1024
    assert "all equal" in world.run("diff", new, world.folder / "new")[0]


def test_data_comes_in_few_requests(world, tall):
    folder, size = tall
    old = world.upload(folder.glob("m.*"), "old") + "/m"
    world.proxy.reset()
    begun = time.monotonic()
    world.run("check", old)
    seconds, moved, requests = time.monotonic() - begun, world.proxy.moved, world.proxy.requests
    print(f"{size} bytes checked: {moved} moved, {len(requests)} requests, {seconds:.2f} s")
    assert size < moved < size * 1.02 + 64 * 1024
    assert len(requests) <= size / (4 * MIB) + 30


def test_large_results_go_in_parts(world, tall):
    folder, size = tall
    new = f"s3://{world.bucket}/new/ckpt"
    rules = folder / "transposed.yaml"
    world.proxy.reset()
    world.run("convert", folder / "m", "--map", rules, "-o", new)
    parts = [one for one in world.proxy.requests if "partNumber=" in one]
    assert len(parts) == size // (8 * MIB) + 1
    assert size < world.proxy.moved < size * 1.02 + 64 * 1024
    assert not world.unfinished()
    world.run("convert", folder / "m", "--map", rules, "-o", world.folder / "ckpt")
    same(world, "new/ckpt", world.folder / "ckpt")


def test_server_copies_can_be_required(world, old):
    convert = ("convert", old, "--map", RULES, "--require-server-copy", "-o")
    out, err = world.run(*convert, f"s3://{world.bucket}/new")
    assert "was copied by the server" in out and "without being read" in err
    assert "no server makes copies on this machine" in world.refused(*convert, world.folder / "new")
    world.s3.create_bucket(Bucket=world.bucket + "-other")
    other = f"s3://{world.bucket}-other/new"
    assert "is not in the same bucket" in world.refused(*convert, other)
    required = ("--link=require", "-o", f"s3://{world.bucket}/again")
    assert "was copied by the server" in world.run("convert", old, "--map", RULES, *required)[0]
    assert not list(world.folder.glob("new*"))


def test_a_result_is_replaced_only_if_wanted(world, old):
    new = f"s3://{world.bucket}/new/ckpt"
    convert = ("convert", CONV3 / "model.ckpt", "--map", RULES, "-o", new)
    world.run(*convert)
    before = world.names("new/")
    assert "--force" in world.refused(*convert)
    world.run(*convert, "--force")
    after = world.names("new/")
    assert len(before) == 2 and before[0] not in after, (before, after)
    assert "every checksum is right" in world.run("check", new)[0]
    own = world.refused("convert", old, "--map", RULES, "--force", "-o", old)
    assert "is a file of the source" in own


def test_what_is_not_there(world, old):
    absent = world.refused("list", old.replace("model", "modle"))
    assert "does not exist; did you mean" in absent
    assert "there is no bucket `nobody-s`" in world.refused("list", "s3://nobody-s/m")
    assert "there is no bucket `nobody-s`" in world.refused(
        "convert", old, "--map", RULES, "-o", "s3://nobody-s/m")
    assert "holds no checkpoint" in world.refused("list", f"s3://{world.bucket}")


def test_who_may_not(world, old):
    wrong = servers.answer(403, "InvalidAccessKeyId", "The key does not exist.")
    world.proxy.reset(lambda method, *_: wrong)
    err = world.refused("list", old)
    assert "access is denied" in err and "`AWS_ACCESS_KEY_ID`" in err and old in err
    world.proxy.reset(lambda method, *_: wrong if method == "PUT" else None)
    err = world.refused("convert", old, "--map", RULES, "-o", f"s3://{world.bucket}/new")
    assert "access is denied (InvalidAccessKeyId: The key does not exist.)" in err
    assert not world.names("new")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del world.environment[name]
    err = world.refused("list", old)
    assert "there are no credentials: set `AWS_ACCESS_KEY_ID`" in err


def test_nobody_answers(world, old):
    err = world.refused("list", old, AWS_ENDPOINT_URL=f"http://{servers.HOST}:9")
    assert "the server cannot be reached" in err and "`AWS_ENDPOINT_URL`" in err
    err = world.refused("list", old, AWS_ALLOW_HTTP="false")
    assert "AWS_ALLOW_HTTP" in err


def test_a_busy_server_is_asked_again(world, old):
    busy = servers.answer(503, "SlowDown", "Please reduce your request rate.")
    left = {}

    def twice(*request):
        name = request[:2]
        left[name] = left.get(name, 2) - 1
        return busy if left[name] >= 0 else None

    world.proxy.reset(twice)
    world.run("convert", old, "--map", RULES, "-o", f"s3://{world.bucket}/new")
    assert len(left) > 5
    world.proxy.reset(lambda *_: busy)
    begun = time.monotonic()
    err = world.refused("list", old)
    print(f"given up after {time.monotonic() - begun:.1f} s, {len(world.proxy.requests)} requests")
    assert "the server has too much to do" in err
    assert time.monotonic() - begun < 100


def test_a_read_that_breaks_off_goes_on(world, tall):
    folder, size = tall
    old = world.upload(folder.glob("m.*"), "old") + "/m"
    broken = set()

    def once(method, path, headers):
        end = headers.get("Range", "").rsplit("-")[-1]
        if method != "GET" or "data-" not in path or end in broken:
            return None
        broken.add(end)
        return "half"

    world.proxy.reset(once)
    world.run("convert", old, "--map", folder / "rules.yaml", "-o", world.folder / "new")
    assert len(broken) >= size / (4 * MIB)
    assert world.proxy.moved < size * 1.02 + 64 * 1024
    assert "every checksum is right" in world.run("check", world.folder / "new")[0]


def test_an_interrupted_run_leaves_nothing(world, tall):
    folder, _ = tall
    new = f"s3://{world.bucket}/new/ckpt"
    world.proxy.reset(lambda _, path, __: time.sleep(1) if "partNumber=" in path else None)
    process = world.start("convert", folder / "m", "--map", folder / "rules.yaml", "-o", new)
    while not any("partNumber=" in one for one in world.proxy.requests):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT and "interrupted" in err, err
    assert not world.names() and not world.unfinished()


def test_a_lost_connection_leaves_nothing(world, tall):
    folder, _ = tall
    new = f"s3://{world.bucket}/new/ckpt"
    convert = ("convert", folder / "m", "--map", folder / "rules.yaml", "-o", new)
    world.proxy.reset(lambda _, path, __: "cut" if "partNumber=3" in path else None)
    err = world.refused(*convert)
    assert "the connection was lost" in err or "cannot be reached" in err, err
    assert not world.names() and not world.unfinished()
    cut = iter(["cut", "cut"])
    world.proxy.reset(lambda _, path, __: next(cut, None) if "partNumber=" in path else None)
    world.run(*convert)
    assert "every checksum is right" in world.run("check", new)[0]


def test_a_killed_run_is_not_seen(world, tall):
    folder, _ = tall
    new = f"s3://{world.bucket}/new/ckpt"
    convert = ("convert", folder / "m", "--map", folder / "rules.yaml", "-o", new)
    world.proxy.reset(lambda _, path, __: time.sleep(30) if "partNumber=4" in path else None)
    process = world.start(*convert)
    while not any("partNumber=4" in one for one in world.proxy.requests):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not world.names()
    assert world.unfinished(), "what the rule in the guide removes"
    world.proxy.reset()
    world.run(*convert, "--force")
    assert "every checksum is right" in world.run("check", new)[0]


def test_killed_before_the_index_the_old_one_stands(world, tall):
    folder, _ = tall
    new = f"s3://{world.bucket}/new/ckpt"
    world.run("convert", CONV3 / "model.ckpt", "--map", RULES, "-o", new)
    before = world.run("list", new)[0]
    convert = ("convert", folder / "m", "--map", folder / "rules.yaml", "-o", new, "--force")
    is_index = lambda method, path: method == "PUT" and path.endswith(".index")
    world.proxy.reset(lambda method, path, _: time.sleep(30) if is_index(method, path) else None)
    process = world.start(*convert)
    while not any(one.startswith("PUT") and one.endswith(".index") for one in world.proxy.requests):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    world.proxy.reset()
    assert world.run("list", new)[0] == before
    assert "every checksum is right" in world.run("check", new)[0]
    world.run(*convert)
    assert "layers/000/kernel" in world.run("list", new)[0]
    # The killed run's data files went, and those of the old one.
    assert len({name.split("-of-")[-1] for name in world.names("new/") if "-of-" in name}) == 1


def test_a_damaged_value_is_found(world, tall):
    folder, _ = tall
    old = world.upload(folder.glob("m.*"), "old") + "/m"
    key = "old/m.data-00000-of-00001"
    damaged = bytearray(world.content(key))
    damaged[5 * MIB] ^= 1
    world.s3.put_object(Bucket=world.bucket, Key=key, Body=bytes(damaged))
    out, _ = world.run("check", old, code=1)
    assert "layer_001/kernel" in out
    err = world.refused("convert", old, "--map", folder / "rules.yaml", "-o", world.folder / "new")
    assert "layer_001/kernel" in err


JOBS = """\
version: 1
defaults: {map: rules.yaml}
jobs:
  - {input: 'runs/{run}/model.ckpt-{step}', output: 'new/{run}/ckpt-{step}'}
"""


def archive(world, folder):
    """Series in the bucket, and a job file beside them."""
    (folder / "rules.yaml").write_bytes(RULES.read_bytes())
    (folder / "jobs.yaml").write_text(JOBS)
    bucket = world.upload([folder / "rules.yaml", folder / "jobs.yaml"], "archive")
    for run, step in itertools.product("ab", (1000, 200, 30)):
        for file in CONV3.glob("model.ckpt.*"):
            name = file.name.replace("ckpt", f"ckpt-{step}")
            world.s3.upload_file(str(file), world.bucket, f"archive/runs/{run}/{name}")
    return bucket


def test_a_batch_in_a_bucket(world, tmp_path):
    bucket = archive(world, tmp_path)

    def batch(*arguments, code=0):
        jobs, report = f"{bucket}/jobs.yaml", tmp_path / "report.json"
        world.run("batch", jobs, "-j", 4, "--report", report, *arguments, code=code)
        return {key: n for key, n in json.loads(report.read_text())["counts"].items() if n}

    damaged = "archive/runs/a/model.ckpt-30.data-00000-of-00001"
    whole = world.content(damaged)
    world.s3.put_object(Bucket=world.bucket, Key=damaged, Body=whole[:-1])
    assert batch(code=1) == {"converted": 5, "failed": 1}
    world.s3.put_object(Bucket=world.bucket, Key=damaged, Body=whole)
    assert batch() == {"converted": 1, "unchanged": 5}
    assert batch() == {"unchanged": 6}
    state = world.content("archive/new/a/checkpoint").decode()
    lines = [line for line in state.splitlines() if line.startswith("all_model_checkpoint_paths")]
    listed = [line.split('"')[1] for line in lines]
    assert listed == ["ckpt-30", "ckpt-200", "ckpt-1000"]
    world.run("check", f"{bucket}/new/a/ckpt-30", f"{bucket}/new/b/ckpt-1000")

    # An object that is written again counts as changed; what somebody else wrote stays.
    world.s3.put_object(Bucket=world.bucket, Key=damaged, Body=whole[::-1])
    assert batch(code=1) == {"failed": 1, "unchanged": 5}
    assert world.content("archive/new/a/ckpt-30.index")
    world.s3.put_object(Bucket=world.bucket, Key=damaged, Body=whole)
    assert batch() == {"unchanged": 6}
    for name in world.names("archive/new/b/ckpt-200."):
        if name.endswith(".ckptmap.json"):
            world.s3.delete_object(Bucket=world.bucket, Key=name)
    assert batch(code=1) == {"failed": 1, "unchanged": 5}


def test_a_batch_that_was_killed(world, tmp_path):
    bucket = archive(world, tmp_path)
    jobs = f"{bucket}/jobs.yaml"
    for _ in range(4):
        process = world.start("batch", jobs, "-j", 2)
        before = len(world.names("archive/new/"))
        while process.poll() is None and len(world.names("archive/new/")) < before + 4:
            time.sleep(0.005)
        process.kill()
        process.communicate()
        # Whoever finds an index finds a whole checkpoint.
        for name in world.names("archive/new/"):
            if name.endswith(".index"):
                world.run("check", f"s3://{world.bucket}/{name}")
    world.run("batch", jobs)
    # Index, record, the data that the server copied, and what is new; and two lists.
    assert len(world.names("archive/new/")) == 6 * 4 + 2
    out, _ = world.run("batch", jobs, "--json")
    assert json.loads(out)["counts"]["unchanged"] == 6
