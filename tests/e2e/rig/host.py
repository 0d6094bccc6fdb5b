"""A real host: a Debian tree with systemd as PID 1, booted by systemd-nspawn over a fresh copy-on-write view."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import select
import signal
import socket
import subprocess
import time

from rig import cache, debian, sandbox
from rig.shell import CLEAN, PATIENCE, CommandFailed, die_with_parent, run, wait_for
from rig.snapshot import Snapshot

BOOT_SECONDS = 120
STOP_SECONDS = 120  # more than the 90 that systemd gives a service

NSPAWN_ENVIRONMENT = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"}
NSPAWN_OPTIONS = [
    "--quiet", "--register=no", "--keep-unit", "--boot", "--console=pipe", "--capability=all",
    "--system-call-filter=@keyring bpf @mount", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
    "--notify-ready=yes", "--hostname=berth-host",
]  # fmt: skip


class Caller:
    """Who runs commands inside the host by `run`."""

    def output(self, *argv, **options):
        return self.run(*argv, **options).stdout.strip()

    def berth(self, *argv, check=True, **options):
        return self.run("berth", *argv, check=check, **options)

    def berth_json(self, *argv):
        return json.loads(self.berth(*argv, "--json").stdout)


class Host(Caller):
    """One host. `directory` is private to it; `layers` are trees laid over the cached one, lowest first."""

    def __init__(self, directory, network, layers=(), images=None):
        self.directory = pathlib.Path(directory)
        self.network = network
        self.images = images
        self.tree = self.directory / "view"
        self._leader = None
        self._nspawn = None
        self._cgroup = sandbox.cgroup() / self.directory.name
        self._cgroup.mkdir()
        for part in ("upper", "work", "view"):
            (self.directory / part).mkdir(parents=True)
        lower = ":".join(str(layer) for layer in [*reversed(layers), debian.host_tree()])
        options = f"lowerdir={lower},upperdir={self.directory / 'upper'},workdir={self.directory / 'work'}"
        run("mount", "-t", "overlay", "-o", options, "overlay", self.tree)

    # -- life ---------------------------------------------------------------------------------------------------

    def boot(self):
        """Starts the host and returns when systemd says that it has finished starting."""
        assert self._nspawn is None, "the host runs already"
        notify_path = self.directory / "notify"
        notify_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(notify_path))
            with open(self.directory / "console", "ab") as console:
                self._nspawn = subprocess.Popen(
                    ["systemd-nspawn", f"--directory={self.tree}", f"--network-namespace-path={self.network.path}",
                     f"--machine=berth-{secrets.token_hex(6)}", *NSPAWN_OPTIONS, *([f"--bind-ro={self.images}:/srv/images"] if self.images else [])],
                    env={**CLEAN, **NSPAWN_ENVIRONMENT, "NOTIFY_SOCKET": str(notify_path)},
                    stdin=subprocess.DEVNULL, stdout=console, stderr=console, preexec_fn=self._enter_cgroup,
                )  # fmt: skip
            self._wait_ready(notify)
        return self

    def _enter_cgroup(self):
        die_with_parent()
        (self._cgroup / "cgroup.procs").write_text("0")

    def _wait_ready(self, notify):
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            if not select.select([notify], [], [], 0.2)[0]:
                if self._nspawn.poll() is not None or time.monotonic() > deadline:
                    self.kill()
                    raise AssertionError(f"the host did not boot:\n{self.console()[-4000:]}")
                continue
            for line in notify.recv(4096).decode().splitlines():
                key, _, value = line.partition("=")
                if key == "X_NSPAWN_LEADER_PID":
                    self._leader = int(value)
                elif line == "READY=1" and self._leader:
                    return

    def console(self):
        """What the host wrote to its console since it was made."""
        return (self.directory / "console").read_text(errors="replace")

    def power_off(self):
        """Shuts down in order and waits for the end."""
        self._nspawn.terminate()
        try:
            self._nspawn.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the host did not shut down:\n{self.console()[-4000:]}") from None
        self._nspawn = self._leader = None

    def kill(self):
        """Ends the host at once, as a power cut would, but with what was written kept."""
        if self._nspawn is not None:
            if self._leader is not None:
                try:
                    os.kill(self._leader, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                try:
                    self._nspawn.wait(5)
                except subprocess.TimeoutExpired:
                    pass
            self._nspawn.kill()
            self._nspawn.wait()
        self._nspawn = self._leader = None

    def reboot(self):
        self.power_off()
        return self.boot()

    def close(self):
        """Ends the host and removes its view. (Its empty cgroups go with the sandbox.)"""
        self.kill()
        run("umount", self.tree)
        cache.remove(self.directory)

    # -- commands -----------------------------------------------------------------------------------------------

    def within(self, *argv, env=None):
        """The command line that runs argv inside the booted host."""
        assert self._leader, "the host is not running"
        settings = [f"{key}={value}" for key, value in {**CLEAN, **(env or {})}.items()]
        return ["nsenter", "-t", str(self._leader), "-a", "--", "/usr/bin/env", "-i", *settings, *argv]

    def run(self, *argv, check=True, env=None, **options):
        """Runs a command inside; a single string goes through the shell."""
        words = ["/bin/sh", "-c", argv[0]] if len(argv) == 1 and " " in str(argv[0]) else argv
        return run(*self.within(*words, env=env), check=check, **options)

    def listed(self, *options):
        """The rows of `berth containers list`."""
        return self.berth_json("containers", "list", *options)["containers"]

    def stored(self, *options):
        """The rows of `berth images list`."""
        return self.berth_json("images", "list", *options)["images"]

    def start_process(self, *argv, env=None, stdin=subprocess.DEVNULL):
        """Starts a command inside and returns the Popen; `inner_pid` gives the pid of the command itself."""
        return subprocess.Popen(
            [str(word) for word in self.within(*argv, env=env)], env=CLEAN, stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
        )  # fmt: skip

    def inner_pid(self, process):
        """The pid, as we see it, of the command that nsenter started as its child."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise ProcessLookupError("the command has ended already")
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            if children and pathlib.Path(f"/proc/{children[0]}/exe").resolve().name not in ("nsenter", "env"):
                return int(children[0])
            time.sleep(0.005)
        raise AssertionError("the command did not start inside the host")

    def end_process(self, process):
        """Kills the command itself: without it nsenter would leave it behind, and the host would wait for it at its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.inner_pid(process), signal.SIGKILL)
        process.wait()

    # -- looking ------------------------------------------------------------------------------------------------

    def path(self, inside):
        """A path of the host as we can open it."""
        return self.tree / str(inside).lstrip("/")

    def mounted_path(self, inside):
        """The same, through what is mounted inside the booted host."""
        return pathlib.Path(f"/proc/{self._leader}/root") / str(inside).lstrip("/")

    def mounted_snapshot(self, *roots):
        """What the booted host sees, file systems that it mounted included."""
        return Snapshot.of(self.mounted_path("/"), *roots)

    def snapshot(self, *roots):
        """What is on the disk of the host (see Snapshot)."""
        return Snapshot.of(self.tree, *roots)

    def unit(self, name, *properties):
        """Properties of a unit as a dictionary."""
        names = properties or ("ActiveState", "SubState", "Result", "MainPID", "ControlGroup", "UnitFileState", "Type")
        text = self.output("systemctl", "show", name, "--property", ",".join(names))
        return dict(line.split("=", 1) for line in text.splitlines())

    def journal(self, unit):
        """The lines a unit wrote. Everything written so far is in them."""
        self.run("journalctl", "--sync")
        return self.output("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def processes(self):
        """(pid inside, command line) of every process of the host."""
        lines = self.output("ps", "-eo", "pid=,args=").splitlines()
        return [(int(pid), args) for pid, args in (line.split(None, 1) for line in lines)]

    def containers(self, runtime="runc"):
        """The ids of the containers a runtime knows. runc fails when one goes while it lists them; then there is a next list."""
        done = self.run(runtime, "list", "--format", "json", check=False)
        deadline = time.monotonic() + PATIENCE
        while done.returncode != 0 and "no such file or directory" in done.stderr and time.monotonic() < deadline:
            done = self.run(runtime, "list", "--format", "json", check=False)
        if done.returncode != 0:
            raise CommandFailed(done)
        listed = json.loads(done.stdout.strip() or "null")
        return [entry["id"] for entry in listed or []]

    def pid_of(self, command_line):
        """The pid inside of the one process with this command line, once it is there."""
        found = []

        def is_there():
            found[:] = [pid for pid, args in self.processes() if args == command_line]
            return found

        self.wait_for(is_there, f"a process {command_line}")
        (pid,) = found
        return pid

    def wait_stoppable(self, unit, systemctl=None):
        """
        Waits until the main process of a unit is that of its container and handles SIGTERM. Before that it is the runtime
        still, or cannot be terminated as the first process of a container, and a stop ends as a failure after 90 s.
        """

        def handles():
            pid = (systemctl or self).unit(unit, "MainPID")["MainPID"]
            place = self.mounted_path(f"/proc/{pid}")
            try:
                program, status = os.readlink(place / "exe"), (place / "status").read_text()
            except OSError:  # none yet, or another one by now
                return False
            (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
            return not re.search("runc|crun", program) and int(caught, 16) >> (signal.SIGTERM - 1) & 1

        self.wait_for(handles, f"a process of {unit} that handles SIGTERM")

    wait_for = staticmethod(wait_for)

    def fetch(self, url):
        """What an HTTP server inside answers; waits until it listens."""
        answers = []

        def answered():
            answers.append(self.run("curl", "-fsS", "--max-time", "20", url, check=False))
            return answers[-1].returncode == 0

        self.wait_for(answered, f"an answer of {url}")
        return answers[-1].stdout.strip()


__all__ = ["CommandFailed", "Host"]
