# SPDX-License-Identifier: Apache-2.0
"""A one-node Slurm on this machine, for as long as a regression lasts.

Own munge key, configuration, ports and state, all in one temporary folder, everything as the calling
user. A supervisor process owns the daemons. It ends them, their jobs and the folder when its standard
input closes: when its owner closes it, ends, or is killed, whatever by.
"""
import ctypes
import os
import pathlib
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from .errors import BAD_ENVIRONMENT, Refused
from .guard import script

DAEMONS = ("munged", "slurmctld", "slurmd")
READY_S = 60
PR_SET_CHILD_SUBREAPER = 36
# No cgroups and no accounting: both need what a container has not.
CONFIGURATION = """ClusterName=dodeca
SlurmctldHost={host}(127.0.0.1)
SlurmUser={uid}
SlurmdUser={uid}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


class PrivateCluster:
    """The owner's side: `configuration` is what SLURM_CONF has to be."""

    def __init__(self, cpus):
        self.supervisor = subprocess.Popen(
            script("regress.slurm_cluster", str(cpus)), stdin=subprocess.PIPE, text=True, stdout=subprocess.PIPE,
            start_new_session=True)

    def wait_until_ready(self):
        """Path of the configuration."""
        word, _, rest = self.supervisor.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise Refused(f"--launcher slurm: the private Slurm did not start: {rest or 'its supervisor died'}",
                          BAD_ENVIRONMENT)
        return rest

    def stop(self):
        """Returns when nothing of it is left."""
        self.supervisor.stdin.close()
        self.supervisor.wait()
        self.supervisor.stdout.close()


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def start(folder, cpus):
    """Writes the configuration, starts the daemons, waits for the node. Returns what is wrong, or None."""
    environment = os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
                                "SLURM_CONF": str(folder / "slurm.conf")}
    for name in DAEMONS:
        if not shutil.which(name, path=environment["PATH"]):
            return f"{name} is not installed (apt-get install slurm-wlm)"
    for name in ("state", "spool"):
        (folder / name).mkdir()
    (folder / "munge.key").write_bytes(secrets.token_bytes(128))
    (folder / "munge.key").chmod(0o400)
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # asks for no systemd
    (folder / "slurm.conf").write_text(CONFIGURATION.format(
        host=socket.gethostname().split(".")[0], uid=os.getuid(), folder=folder, ports=free_ports(2), cpus=cpus))
    # --force: the folder is closed to others, which munged takes for a mistake.
    commands = (["munged", "--foreground", "--force", *(f"--{name}={folder}/munge.{ending}" for name, ending in (
                    ("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"), ("seed-file", "seed"),
                    ("log-file", "log")))],
                ["slurmctld", "-D", "-c"], ["slurmd", "-D", "-c"])
    daemons = []
    deadline = time.monotonic() + READY_S
    for name, command in zip(DAEMONS, commands):
        with open(folder / f"{name}.txt", "wb") as log:
            daemons.append(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        while name == "munged" and not (folder / "munge.socket").exists() and daemons[0].poll() is None \
                and time.monotonic() < deadline:
            time.sleep(0.02)
    while time.monotonic() < deadline:
        for name, daemon in zip(DAEMONS, daemons):
            if daemon.poll() is not None:
                return f"{name} ended: {last_words(folder / f'{name}.txt')}"
        state = subprocess.run(["sinfo", "--noheader", "--format=%T"], env=environment, capture_output=True, text=True)
        if state.stdout.split() == ["idle"]:
            return None
        time.sleep(0.1)
    return f"its node is not ready after {READY_S} s: {last_words(folder / 'slurmd.txt')}"


def last_words(path):
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    telling = [line for line in lines if "fatal" in line.lower() or "error" in line.lower()]
    return (telling or lines or ["no reason given"])[-1].strip()


def reap():
    """Jobs that are done: their daemon left them to us."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def end_children():
    """Ends all descendants: those that lose their parent become ours (subreaper)."""
    while True:
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                if int(path.read_text().rpartition(")")[2].split()[1]) == os.getpid():
                    os.kill(int(path.parent.name), signal.SIGKILL)
            except (OSError, IndexError, ValueError):
                continue  # ended meanwhile
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # its owner's end is the one thing that ends it
    # Not TMPDIR: the path of a socket has room for 107 characters.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="dodeca-slurm.", dir="/tmp"))
    try:
        problem = start(folder, int(sys.argv[1]))
        print(f"problem {problem}" if problem else f"ready {folder / 'slurm.conf'}", flush=True)
        while not select.select([sys.stdin], [], [], 1.0)[0]:  # nothing is ever written: readable is closed
            reap()
    finally:
        end_children()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
