"""A Slurm of its own: one node, private keys, ports and folders, gone with all it started."""

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
PATIENCE = 60
# States that a job does not leave by itself.
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
# A requeued task waits until its old credential has expired; 120 seconds unless said.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
# Without pauses for what busier clusters would do meanwhile.
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
# The node has the processors it is said to have, whatever the machine has.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Slurm:
    def __init__(self, cpus: int = 4) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            raise RuntimeError(f"Slurm is not all there: {', '.join(missing)}")
        self.cpus = cpus
        self.daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Slurm":
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.configuration = self.folder / "slurm.conf"
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        # The node first: who starts jobs is to be gone before who restarts nodes.
        for daemon in reversed(self.daemons.values()):
            _end(daemon)
        # Jobs and who watches over them outlive the node.
        for pid in _with_environment(f"SLURM_CONF={self.configuration}".encode()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self) -> None:
        # munged insists on a socket that everybody can reach.
        self.folder.chmod(0o711)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(os.urandom(128))
        (self.folder / "munge.key").chmod(0o400)
        controller_port, node_port = _free_ports(2)
        self.configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0], user=getpass.getuser(),
                folder=self.folder, cpus=self.cpus,
                controller_port=controller_port, node_port=node_port,
            )
        )
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "seed-file": "seed"}
        options = [f"--{option}={self.folder}/munge.{suffix}" for option, suffix in files.items()]
        self._daemon("munged", "--foreground", *options)
        self.until("munged", (self.folder / "munge.socket").exists)
        self._daemon("slurmctld", "-D", "-f", self.configuration)
        self._daemon("slurmd", "-D", "-f", self.configuration)
        self.until("the node", lambda: "State=IDLE" in self.scontrol("show", "node", check=False))

    def _daemon(self, name: str, *arguments: str | Path) -> None:
        """In a session of its own, to be ended with all that it has started; and it ends with this
        process, however that does.
        """
        with (self.folder / f"{name}.out").open("w") as said:
            self.daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", name, *arguments], env=self.environment(),
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
            )

    def environment(self) -> dict[str, str]:
        """Without what a Slurm around this one may have set."""
        own = {n: v for n, v in os.environ.items() if not n.startswith(("SLURM_", "SBATCH_"))}
        return own | {"SLURM_CONF": str(self.configuration)}

    def until(self, what: str, reached: Callable[[], bool], patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not reached():
            gone = [name for name, daemon in self.daemons.items() if daemon.poll() is not None]
            if gone or time.monotonic() > end:
                why = f"{', '.join(gone)} ended" if gone else f"{patience} s were not enough"
                raise RuntimeError(f"{what}: {why}\n{self.logs()}")
            time.sleep(0.1)

    def logs(self) -> str:
        """The ends of all that the daemons said."""
        files = sorted([*self.folder.glob("*.out"), *self.folder.glob("*.log")])
        tails = [(file.name, file.read_text(errors="replace")[-2000:]) for file in files]
        return "\n".join(f"== {name}\n{tail}" for name, tail in tails)

    def scontrol(self, *arguments: str, check: bool = True) -> str:
        return self.run("scontrol", *arguments, check=check)

    def run(self, *command: str | Path, check: bool = True, env=None, **options) -> str:
        done = subprocess.run(
            [str(word) for word in command], env=self.environment() | (env or {}),
            capture_output=True, text=True, timeout=PATIENCE, **options,
        )
        if check and done.returncode:
            raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def submit(self, script: Path, *options: str, **where) -> str:
        """Hands in a job; its number."""
        return self.run("sbatch", "--parsable", *options, script, **where).strip()

    def tasks(self, job: str) -> dict[int, dict[str, str]]:
        """What Slurm knows of each task of an array."""
        lines = self.scontrol("show", "job", "--oneliner", job).splitlines()
        tasks = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]
        # Those that have not begun share a line until they do.
        return {int(task["ArrayTaskId"]): task for task in tasks if task["ArrayTaskId"].isdigit()}

    def wait(self, job: str, tasks: Sequence[int]) -> dict[int, dict[str, str]]:
        """Waits until these tasks, which must be all there are, have ended."""
        self.until(f"job {job}", lambda: self._ended(job) == set(tasks))
        return self.tasks(job)

    def _ended(self, job: str) -> set[int]:
        return {at for at, task in self.tasks(job).items() if task["JobState"] in ENDED}


def _end(daemon: subprocess.Popen) -> None:
    daemon.terminate()
    with suppress(subprocess.TimeoutExpired):
        daemon.wait(timeout=10)
    # What is left of its session, the daemon itself included.
    with suppress(ProcessLookupError):
        os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _with_environment(entry: bytes) -> list[int]:
    """Processes that were started with it."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if entry in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:
            # Gone meanwhile, or not ours.
            continue
    return found
