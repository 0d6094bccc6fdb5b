# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host: a Debian tree with systemd as PID 1, booted by systemd-nspawn over a copy-on-write view."""

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

from rig import cache, debian, sandbox
from rig.process import Process
from rig.shell import CLEAN, PATIENCE, PAUSE_SECONDS, CommandFailed, die_with_parent, run, wait_for
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
    """Runs commands inside the host by its `run`, as root or as another user."""

    def output(self, *argv, **options):
        return self.run(*argv, **options).stdout.strip()

    def berth(self, *argv, check=True, **options):
        return self.run("berth", *argv, check=check, **options)

    def berth_json(self, *argv):
        return json.loads(self.berth(*argv, "--json").stdout)


class Host(Caller):
    """@param directory a private directory  @param layers trees over the cached one, lowest first"""

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
        """Starts the host and waits until systemd has finished starting."""
        assert self._nspawn is None, "the host is running already"
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
        messages = []

        def ready():
            code = self._nspawn.poll()
            assert code is None, f"systemd-nspawn ended with exit code {code} before the host had booted\n{self.console()[-4000:]}"
            if select.select([notify], [], [], 0.2)[0]:
                messages.extend(notify.recv(4096).decode().splitlines())
            leaders = [message.partition("=")[2] for message in messages if message.startswith("X_NSPAWN_LEADER_PID=")]
            self._leader = int(leaders[-1]) if leaders else None
            return messages

        def is_ready(messages):
            return self._leader is not None and "READY=1" in messages[messages.index(f"X_NSPAWN_LEADER_PID={self._leader}") :]

        try:
            wait_for(ready, "the host to boot", is_ready, BOOT_SECONDS, lambda: self.console()[-4000:])
        except AssertionError:
            self.kill()
            raise

    def runs(self):
        return self._leader is not None

    def console(self):
        """The output on the console since the host was made."""
        path = self.directory / "console"
        return path.read_text(errors="replace") if path.exists() else ""

    def power_off(self):
        """Shuts the host down and waits for its end."""
        self._nspawn.terminate()
        try:
            self._nspawn.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"waited {STOP_SECONDS} s for the host to shut down\n{self.console()[-4000:]}") from None
        self._nspawn = self._leader = None

    def kill(self):
        """Ends the host at once, like a power cut, but with all writes kept."""
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
        """Ends the host and removes its view. The sandbox removes its cgroups."""
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
        """Starts a command inside. @return a Process, that of nsenter; `inner_pid` gives the pid of the command"""
        return Process(self.within(*argv, env=env), stdin)

    def inner_pid(self, process):
        """The pid of the command, in the namespace of the tests. @raise ProcessLookupError when it has ended"""

        def child():
            """(pid, program) of the child of nsenter"""
            if process.poll() is not None:
                raise ProcessLookupError("the command has ended")
            children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return (int(children[0]), pathlib.Path(f"/proc/{children[0]}/exe").resolve().name) if children else (0, "nsenter")

        pid, _ = self.wait_for(child, f"the start of: {' '.join(process.args)}", lambda child: child[1] not in ("nsenter", "env"), pause=0.005)
        return pid

    def end_process(self, process):
        """Kills the command itself. If only nsenter were killed, the command would go on, and the host would wait for it at its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.inner_pid(process), signal.SIGKILL)
        process.finish()

    # -- state --------------------------------------------------------------------------------------------------

    def path(self, inside):
        """A path of the host, for the tests to open."""
        return self.tree / str(inside).lstrip("/")

    def mounted_path(self, inside):
        """A path of the booted host, with the file systems that it has mounted."""
        return pathlib.Path(f"/proc/{self._leader}/root") / str(inside).lstrip("/")

    def mounted_snapshot(self, *roots):
        """A Snapshot of the booted host, with the file systems that it has mounted."""
        return Snapshot.of(self.mounted_path("/"), *roots)

    def snapshot(self, *roots):
        """A Snapshot of the host's disk."""
        return Snapshot.of(self.tree, *roots)

    def unit(self, name, *properties):
        """Properties of a unit as a dictionary."""
        names = properties or ("ActiveState", "SubState", "Result", "MainPID", "ControlGroup", "UnitFileState", "Type")
        text = self.output("systemctl", "show", name, "--property", ",".join(names))
        return dict(line.split("=", 1) for line in text.splitlines())

    def journal(self, unit):
        """All lines that a unit has written so far."""
        self.run("journalctl", "--sync")
        return self.output("journalctl", "--no-pager", "-o", "cat", "-u", unit)

    def processes(self):
        """(pid inside, command line) of every process of the host."""
        lines = self.output("ps", "-eo", "pid=,args=").splitlines()
        return [(int(pid), args) for pid, args in (line.split(None, 1) for line in lines)]

    def containers(self, runtime="runc"):
        """The ids of the containers of a runtime. runc is run again when a container was removed while runc listed it."""
        done = self.wait_for(lambda: self.run(runtime, "list", "--format", "json", check=False), f"a list of the containers of {runtime}",
                             lambda done: done.returncode == 0 or "no such file or directory" not in done.stderr)  # fmt: skip
        if done.returncode != 0:
            raise CommandFailed(done)
        listed = json.loads(done.stdout.strip() or "null")
        return [entry["id"] for entry in listed or []]

    def pid_of(self, command_line):
        """The pid inside of the only process with this command line; waits for it."""
        found = self.wait_for(self.processes, f"a process {command_line}", lambda found: any(args == command_line for _, args in found))
        (pid,) = [pid for pid, args in found if args == command_line]
        return pid

    def wait_ended(self, words):
        """Waits until no process has these words in its command line."""
        self.wait_for(lambda: [args for _, args in self.processes() if words in args], f"the end of every process `{words}`", [])

    def wait_stoppable(self, unit, systemctl=None):
        """
        Waits until the main process of a unit is the payload and handles SIGTERM. Before that it is the runtime, or the
        kernel ignores the signal because the payload is PID 1 of its namespace, and a stop fails after 90 s.
        """

        def main_process():
            """(pid, program, signals that it handles as a bit mask)"""
            pid = (systemctl or self).unit(unit, "MainPID")["MainPID"]
            path = self.mounted_path(f"/proc/{pid}")
            try:
                program, status = os.readlink(path / "exe"), (path / "status").read_text()
            except OSError:  # it has not started yet, or it has ended
                return pid, "", 0
            (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
            return pid, program, int(caught, 16)

        def handles_term(main):
            _, program, caught = main
            return not re.search("runc|crun", program) and caught >> (signal.SIGTERM - 1) & 1

        self.wait_for(main_process, f"a main process of {unit} that handles SIGTERM", handles_term)

    def wait_for(self, get, what, until=bool, seconds=PATIENCE, pause=PAUSE_SECONDS):
        """rig.shell.wait_for; a failure quotes the journal as well."""
        return wait_for(get, what, until, seconds, self.last_messages, pause)

    def wait_for_state(self, unit, state):
        """Waits until a unit has this ActiveState."""
        self.wait_for(lambda: self.unit(unit)["ActiveState"], f"{unit} to be {state}", state)

    def wait_for_output(self, unit, text):
        """Waits until a unit has written `text`. @return all that it has written"""
        return self.wait_for(lambda: self.journal(unit), f"{text!r} in the journal of {unit}", lambda journal: text in journal)

    def last_messages(self, count=20):
        """The last lines of the journal, or of the console when the host is not running; for messages of failures."""
        if not self.runs():
            return "console of the host:\n" + "\n".join(self.console().splitlines()[-count:])
        with contextlib.suppress(AssertionError):  # a host that does not answer must not hide the failure
            return "journal of the host:\n" + self.run("journalctl", "--no-pager", "-n", str(count), check=False, timeout=20).stdout
        return ""

    def fetch(self, url):
        """The answer of an HTTP server inside; waits until it listens."""
        answer = self.wait_for(lambda: self.run("curl", "-fsS", "--max-time", "20", url, check=False), f"an answer of {url}",
                               lambda answer: answer.returncode == 0)  # fmt: skip
        return answer.stdout.strip()

