# SPDX-License-Identifier: LGPL-2.1-or-later
"""Secrets are not disclosed, and the state of the calling process does not change what berth does."""

import base64
import ctypes
import json
import os
import re
import stat

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.installed import installed
from rig.registry import TokenServer
from rig.shell import CLEAN, run
from rig.snapshot import Snapshot

VALUE, USER, PASSWORD = "s3cret-value-of-a-variable", "captain", TokenServer.PASSWORD
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

SECRETIVE = {
    "config.json.template": json.dumps({
        "ociVersion": "1.0.2", "process": {"args": ["/bin/sleep", "1000"], "cwd": "/", "env": ["PASSWORD=$SECRET"]},
        "root": {"path": "rootfs", "readonly": True}, "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    }),
    "service.template": "[Service]\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\nWorkingDirectory=$DESTDIR\n"
                        "[Install]\nWantedBy=multi-user.target\n",
}  # fmt: skip


def secretive():
    return images.with_exports("secretive", SECRETIVE)


# -- secrets -----------------------------------------------------------------------------------------------------


class Disclosed:
    """Everything that an install with two secrets has printed, and the programs that it has run."""

    def __init__(self, site, host):
        self.host = host
        users = site.directory / "users"
        users.write_text(run("htpasswd", "-nbB", USER, PASSWORD).stdout)
        registry = site.another_registry(port=5300, users=users)
        registry.push(secretive().layout, "secretive:latest", f"--dest-creds={USER}:{PASSWORD}")
        authfile = host.path("/root/.docker/config.json")
        authfile.parent.mkdir()
        authfile.write_text(json.dumps({"auths": {registry.address: {"auth": LOGIN}}}))
        authfile.chmod(0o600)
        trace = site.directory / "trace"
        words = host.within("berth", "install", "--now", "--json", f"--set=SECRET={VALUE}", f"{registry.address}/secretive")
        done = run("strace", "-f", "-qq", "-e", "trace=execve", "-s", "100000", "-v", "-o", trace, *words)
        self.output = done.stdout + done.stderr
        # The value is on the command line of berth, but must not be on that of another program.
        started = trace.read_text().splitlines()
        self.programs = [line for line in started if not re.search(r'execve\("[^"]*/(nsenter|env|berth)"', line)]

    def files_with(self, secret):
        """Files of the host that contain a secret → mode"""
        found = run("grep", "-rlsF", "--devices=skip", f"--exclude-dir={self.host.path('/proc')}", "--", secret,
                    *(self.host.path(f"/{top}") for top in ("etc", "var", "root", "tmp", "usr/local", "ostree")),
                    check=False).stdout.splitlines()  # fmt: skip
        inside = {f"/{os.path.relpath(path, self.host.tree)}": stat.S_IMODE(os.stat(path).st_mode) for path in found}
        return {path: mode for path, mode in inside.items() if "/var/log/journal/" not in path}


@pytest.fixture(scope="module")
def disclosed(shared_site, shared_host):
    return Disclosed(shared_site, shared_host)


SECRETS = pytest.mark.parametrize("secret", [VALUE, PASSWORD, LOGIN], ids=["value", "password", "login"])


def test_programs_were_run_and_traced(disclosed):
    assert any("systemd-tmpfiles" in line or "runc" in line for line in disclosed.programs)


@SECRETS
def test_no_program_gets_a_secret(disclosed, secret):
    assert [line for line in disclosed.programs if secret in line] == []


@SECRETS
def test_no_secret_is_printed(disclosed, secret):
    assert secret not in disclosed.output
    for verb in (("containers", "list", "-a"), ("images", "list", "-a"), ("pull", "localhost:5300/secretive")):
        done = disclosed.host.berth(*verb, "--json")
        assert secret not in done.stdout + done.stderr


@SECRETS
def test_no_secret_is_in_the_journal(disclosed, secret):
    disclosed.host.run("journalctl", "--sync")
    assert secret not in disclosed.host.output("journalctl", "--no-pager", "--all", "-o", "export")


def test_only_root_can_read_values(disclosed):
    assert disclosed.files_with(VALUE) == {f"{DEPLOYMENTS}/secretive.0/info": 0o600, f"{DEPLOYMENTS}/secretive.0/config.json": 0o600}


def test_passwords_are_not_written(disclosed):
    assert disclosed.files_with(PASSWORD) == {}
    assert disclosed.files_with(LOGIN) == {"/root/.docker/config.json": 0o600}  # written by the user


def test_the_payload_gets_the_value(disclosed):
    pid = disclosed.host.pid_of("/bin/sleep 1000")
    assert f"PASSWORD={VALUE}" in disclosed.host.output("cat", f"/proc/{pid}/environ").split("\0")


def test_a_value_from_a_file_is_on_no_command_line(disclosed, tmp_path):
    """Not even on that of berth."""
    trace = tmp_path / "trace"
    words = disclosed.host.within("berth", "update", "--no-pull", "--set-file=SECRET=-", "secretive")
    done = run("strace", "-f", "-qq", "-e", "trace=execve", "-s", "100000", "-v", "-o", trace, *words, input=f"{VALUE}\n")
    assert "berth" in trace.read_text() and VALUE not in trace.read_text()
    assert "Latest version already installed" in done.stdout, "the line break must not be part of the value"


def test_values_are_read_from_files_and_standard_input(shared_host):
    image = images.with_exports("read-values", {"service.template": "[Service]\nExecStart=$EXEC_START\n# $ONE $TWO\n"})
    shared_host.path("/root/one").write_text("1\n")
    shared_host.run("sh", "-c", f"echo 2 | berth install --name=files --set-file=ONE=/root/one --set-file TWO=- oci:{image.inside}")
    assert "\n# 1 2\n" in shared_host.path("/etc/systemd/system/files.service").read_text()
    shared_host.berth("uninstall", "files")


@pytest.mark.parametrize("assignment", [f"NAME={VALUE}", f"9={VALUE}", f"SECRET={VALUE}\""])
def test_a_refused_value_is_not_printed(disclosed, assignment):
    done = disclosed.host.berth("install", f"--set={assignment}", "--name=other", f"oci:{secretive().inside}", check=False)
    assert done.returncode in (1, 2)
    assert VALUE not in done.stderr


# -- modes of files ---------------------------------------------------------------------------------------------

MODES = {
    "/etc/systemd/system/hello.service": "-rw-r--r--", "/etc/tmpfiles.d/hello.conf": "-rw-r--r--",
    f"{DEPLOYMENTS}": "drwx------", f"{DEPLOYMENTS}/.storage": "drwx------", f"{DEPLOYMENTS}/.storage/ostree": "drwx------",
    f"{DEPLOYMENTS}/hello.0": "drwx------", f"{DEPLOYMENTS}/hello.0/info": "-rw-------", f"{DEPLOYMENTS}/hello.0/config.json": "-rw-------",
    f"{DEPLOYMENTS}/hello.0/hello.service": "-rw-r--r--", f"{DEPLOYMENTS}/hello.0/tmpfiles-hello.conf": "-rw-r--r--",
}  # fmt: skip


def modes_after_install(host, umask):
    """Files that an install creates → mode and owner"""
    image = images.with_exports("umask", {"tmpfiles.template": "d /run/umask - - - -\n"},
                                {"etc/umask/one.conf": "x\n", "usr/local/bin/umask-two": "x\n"})  # fmt: skip
    before = host.snapshot("/etc", "/var", "/usr/local")
    host.run("sh", "-c", f"umask {umask}; exec berth install --name=hello oci:{image.inside}")
    after = host.snapshot("/etc", "/var", "/usr/local")
    host.berth("uninstall", "hello")
    run("rm", "-rf", host.path("/var/lib/containers"))
    created = after.paths() - before.paths()
    return {path: " ".join(after.entries[path].split()[:2]) for path in created if "/objects/" not in path and "/refs/" not in path}


def test_modes_do_not_depend_on_the_umask(host):
    usual = modes_after_install(host, "022")
    assert {path: usual[path].split()[0] for path in MODES} == MODES
    assert [path for path, mode in usual.items() if mode[8] == "w" and mode[0] != "l"] == []
    for umask in ("0", "0777"):
        assert modes_after_install(host, umask) == usual


def test_the_payload_has_three_descriptors(host):
    host.berth("install", "--now", "--name=plain", f"oci:{images.plain().inside}")
    pid = host.pid_of("sleep 1000")
    assert host.output("ls", f"/proc/{pid}/fd").split() == ["0", "1", "2"]


def test_the_unit_of_berth_is_sandboxed(shared_host):
    """berth-recover.service is the only unit that berth installs."""
    units = [path.name for path in (installed() / "usr/lib/systemd/system").iterdir() if path.is_file()]
    assert units == ["berth-recover.service"]
    names = ("NoNewPrivileges", "RestrictAddressFamilies", "MemoryDenyWriteExecute", "CapabilityBoundingSet", "SystemCallArchitectures")
    unit = shared_host.unit(units[0], *names)
    assert (unit["NoNewPrivileges"], unit["RestrictAddressFamilies"], unit["MemoryDenyWriteExecute"]) == ("yes", "AF_UNIX", "yes")
    assert unit["SystemCallArchitectures"] == "native"
    assert not re.search("cap_net_admin|cap_sys_module|cap_sys_boot|cap_setuid|cap_sys_ptrace", unit["CapabilityBoundingSet"])


# -- the caller's process ----------------------------------------------------------------------------------------

HELLO = f"oci:{images.hello_world().inside}"


def test_closed_descriptors(shared_host):
    """A file that berth opens must not become its standard output."""
    before = shared_host.snapshot().without_sharing()
    shared_host.run("sh", "-c", f"exec berth install --name=closed {HELLO} <&- >&- 2>&-")
    unit = shared_host.path("/etc/systemd/system/closed.service").read_text()
    assert unit == shared_host.path(f"{DEPLOYMENTS}/closed.0/closed.service").read_text()
    assert "installed" not in unit and json.loads(shared_host.path(f"{DEPLOYMENTS}/closed.0/info").read_text())
    shared_host.run("sh", "-c", "exec berth uninstall closed <&- >&- 2>&-")
    assert leftovers(before, shared_host.snapshot().without_sharing()) == []


HOSTILE = {
    "no home": {"HOME": None},
    "no environment": {name: None for name in CLEAN},
    "an odd locale": {"LC_ALL": "tr_TR.bogus", "LANG": "xx", "TZ": "Nowhere/Else"},
    "IFS and shell start-up": {"IFS": "/", "ENV": "/root/evil/systemd-tmpfiles", "BASH_ENV": "/root/evil/systemd-tmpfiles"},
    "a foreign PATH": {"PATH": "/root/evil:.:"},
    "foreign libraries": {"LD_LIBRARY_PATH": "/root/evil", "LD_PRELOAD": "/root/evil/none.so"},
}


@pytest.mark.parametrize("changes", HOSTILE.values(), ids=HOSTILE)
def test_the_environment_changes_nothing(shared_host, changes):
    evil = shared_host.path("/root/evil")
    evil.mkdir(exist_ok=True)
    for name in ("systemd-tmpfiles", "runc", "crun", "systemctl"):
        (evil / name).write_text("#!/bin/sh\ntouch /root/evil/ran\n")
        (evil / name).chmod(0o755)
    image = images.with_exports("tmpfiles", {"tmpfiles.template": "d /run/made-by-tmpfiles - - - -\n"})
    settings = [f"{key}={value}" for key, value in {**CLEAN, **changes}.items() if value is not None]
    command = ["sh", "-c", f"cd /root/evil && exec /usr/bin/env -i {' '.join(settings)} /usr/bin/berth install --name=env oci:{image.inside}"]
    before = shared_host.snapshot().without_sharing()
    shared_host.run(*command)
    shared_host.run("rmdir", "/run/made-by-tmpfiles")
    assert json.loads(shared_host.path(f"{DEPLOYMENTS}/env.0/info").read_text())["runtime"] == "/usr/sbin/runc"
    shared_host.berth("uninstall", "env")
    assert leftovers(before, shared_host.snapshot().without_sharing()) == []


def test_started_without_a_name():
    """execve(2) with an empty argument list."""
    program = str(installed() / "usr/bin/berth").encode()
    pid = os.fork()
    if pid == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        ctypes.CDLL(None).execve(program, (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))
        os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2


def test_a_snapshot_detects_a_changed_mode(tmp_path):
    """The tests above depend on it."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "file").chmod(0o600)
    before = Snapshot.of(tmp_path)
    (tmp_path / "file").chmod(0o644)
    assert len(before.difference(Snapshot.of(tmp_path))) == 1
