# SPDX-License-Identifier: LGPL-2.1-or-later
"""A table of mistakes and failures: the command, its exit code, its message and its hint. After each, the whole disk must be
unchanged.

Other files test full, read-only and separate disks (test_disks.py), tokens (test_tokens.py), hostile images
(tests/unit/store/hostile_*) and interruption (test_interrupt.py)."""

import base64
import contextlib
import dataclasses
import json
import re
from collections.abc import Callable

import pytest
from rig import images
from rig.authority import Authority
from rig.checks import leftovers
from rig.registry import TokenServer
from rig.shell import run

USER, PASSWORD = "captain", TokenServer.PASSWORD


# -- fixtures of the rows ------------------------------------------------------------------------------------------


class Stage:
    """A host, and registries with different faults."""

    def __init__(self, site, host):
        self.site, self.host = site, host
        self.hello = site.pushed(images.hello_world())
        site.pushed(images.two_platforms())
        site.front("--answers", port=5100)
        self._guarded()
        self._untrusted()
        self._spoiled()
        host.run("sh", "-c", "echo '127.0.0.1 registry.test other.test missing.test' >> /etc/hosts; mkdir /etc/berth")
        host.path("/etc/berth/berth.conf").write_text(
            "[pull]\nretries = 0\n"
            + "".join(
                f'[[registry]]\nlocation = "{location}"\nca-file = "/etc/berth/ca.pem"\n'
                for location in ("registry.test:5401", "other.test:5400")
            )
            + '[[registry]]\nlocation = "missing.test:5400"\nca-file = "/etc/berth/none.pem"\n'
        )
        host.path("/etc/berth/ca.pem").write_bytes(self.authority.certificate.read_bytes())
        self.before = host.snapshot()

    def _guarded(self):
        users = self.site.directory / "users"
        users.write_text(run("htpasswd", "-nbB", USER, PASSWORD).stdout)
        registry = self.site.another_registry(port=5300, users=users)
        registry.push(images.plain().layout, "guarded:latest", f"--dest-creds={USER}:{PASSWORD}")
        login = base64.b64encode(f"{USER}:wr0ng".encode()).decode()
        self.host.path("/root/wrong.json").write_text(json.dumps({"auths": {registry.address: {"auth": login}}}))

    def _untrusted(self):
        authority = Authority(self.site.directory / "authority")
        for port, days in ((5400, 2), (5401, -1)):
            registry = self.site.another_registry(port=port, tls=authority.sign("registry.test", "localhost", days=days))
            registry.push(images.plain().layout, "secure:latest")
        self.authority = authority

    def _spoiled(self):
        """In one image a byte of a layer is changed, in the other a layer is truncated."""
        for port, spoil in ((5200, lambda data: data[:-9] + b"?" + data[-8:]), (5201, lambda data: data[: len(data) // 2])):
            registry = self.site.another_registry(port=port)
            registry.push(images.plain().layout, "spoiled:latest")
            for blob in (registry.storage / "docker/registry/v2/blobs").rglob("data"):
                if blob.read_bytes()[:2] == b"\x1f\x8b":
                    blob.write_bytes(spoil(blob.read_bytes()))


@pytest.fixture(scope="module")
def stage(shared_site, shared_host):
    return Stage(shared_site, shared_host)


@contextlib.contextmanager
def file_there(stage, path, text="x\n", mode=0o644):
    file = stage.host.path(path)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    yield
    file.unlink()


def file(path, text="x\n", mode=0o644):
    return lambda stage: file_there(stage, path, text, mode)


@contextlib.contextmanager
def foreign_container(stage):
    """A container that was created by the runtime, like that of another tool."""
    stage.host.run("mkdir -p /run/foreign/rootfs && cd /run/foreign && runc spec")
    stage.host.run("mount", "--bind", "/", "/run/foreign/rootfs")
    config = json.loads(stage.host.output("cat", "/run/foreign/config.json"))
    config["process"].update(args=["/bin/sleep", "1000"], terminal=False)
    config["linux"].pop("resources", None)
    config["linux"]["namespaces"] = [{"type": "pid"}, {"type": "mount"}]
    config.pop("hostname", None)
    stage.host.run("sh", "-c", "cat > /run/foreign/config.json", input=json.dumps(config))
    stage.host.run("sh", "-c", "cd /run/foreign && runc run -d probe < /dev/null > /dev/null 2>&1")
    yield
    assert stage.host.containers() == ["probe"], "berth must not change it"
    stage.host.run("runc", "delete", "--force", "probe")
    stage.host.run("umount", "/run/foreign/rootfs")


@contextlib.contextmanager
def directory_there(stage, path):
    stage.host.mounted_path(path).mkdir(parents=True)
    yield
    run("rm", "-rf", stage.host.mounted_path(path))


def directory(path):
    return lambda stage: directory_there(stage, path)


def runtime(version):
    """A program that prints this version of runc."""
    return file("/root/runc", f"#!/bin/sh\n[ $1 = state ] && exit 1\necho 'runc version {version}'\n", 0o755)


HELLO = f"oci:{images.hello_world().inside}"
UNPRIVILEGED = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups")
WITHOUT_BUS = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs x /run/systemd && mount -t tmpfs x /run/dbus && exec "$@"', "-")

BAD_UNIT = images.with_exports(
    "bad-unit",
    {"service.template": "[Service]\nType=sometimes\nRestart=on-failure\n[Install]\nWantedBy=multi-user.target\n"},
)
MISSING = images.with_exports(
    "missing-variable",
    {"service.template": "[Service]\nExecStart=$EXEC_START\nEnvironment=A=$WANTED\n[Install]\nWantedBy=multi-user.target\n"},
)


# -- the table ---------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Row:
    what: str
    argv: tuple
    code: int
    says: str  # a regular expression for the message
    hint: str  # a regular expression for the hint
    before: Callable = lambda stage: contextlib.nullcontext()
    around: tuple = ()  # the command line before `berth`


TABLE = [
    # registries
    Row("unknown host", ("pull", "registry.invalid/x"), 1, "host registry.invalid is unknown", "DNS"),
    Row("refused connection", ("pull", "localhost:5999/x"), 1, "cannot reach localhost:5999: Connection refused", "registry runs.*port"),
    Row("unknown authority", ("pull", "registry.test:5400/secure"), 1, "cannot trust registry.test:5400.*unknown authority", "ca-file"),
    Row("wrong name", ("pull", "other.test:5400/secure"), 1, "cannot trust other.test:5400.*another name", "name that the certificate"),
    Row("expired certificate", ("pull", "registry.test:5401/secure"), 1, "cannot trust registry.test:5401.*expired", "clock"),
    Row("401 without a login", ("pull", "localhost:5300/guarded"), 5, "localhost:5300 does not give guarded", "podman login localhost:5300"),
    Row("401 with a wrong login", ("pull", "--authfile=/root/wrong.json", "localhost:5300/guarded"), 5,
        "localhost:5300 refuses the login from /root/wrong.json", "podman login"),
    Row("403", ("pull", "localhost:5100/answers-403/x"), 5, "localhost:5100 answers 403 Forbidden.*the rig says so", "request access to it"),
    Row("404, an unknown tag", ("pull", "localhost:5000/hello-world:nothing"), 3, "hello-world:nothing does not exist", "tags there: .*latest"),
    Row("404, an unknown repository", ("pull", "localhost:5000/nothing"), 3, "localhost:5000/nothing:latest does not exist", "name and the tag"),
    Row("429", ("pull", "localhost:5100/answers-429/x"), 1, "answers 429 Too Many Requests", "try again later.*log in"),
    Row("500", ("pull", "localhost:5100/answers-500/x"), 1, "answers 500 Internal Server Error", "try again later"),
    Row("no image for the platform", ("pull", "--platform=linux/s390x", "localhost:5000/two-platforms"), 3,
        "two-platforms.*linux/s390x", "linux/arm64.*linux/amd64"),
    Row("wrong digest", ("pull", "localhost:5200/spoiled"), 6, "sha256:[0-9a-f]{64}", "try again"),
    Row("truncated blob", ("pull", "localhost:5201/spoiled"), 6, "wrong size: the manifest says", "try again"),
    Row("unreadable authority", ("pull", "missing.test:5400/secure"), 1, "cannot read the CA certificates in /etc/berth/none.pem", "ca-file"),
    # the command line
    Row("missing variable", ("install", f"oci:{MISSING.inside}", "--name=probe"), 1, r"service.template:3.*WANTED", "--set WANTED="),
    Row("forced variable in --set", ("install", "--set=DESTDIR=/x", HELLO), 2, "--set DESTDIR=….*berth itself", "leave it out"),
    Row("malformed --set", ("install", "--set=PORT", HELLO), 2, "PORT", "NAME=VALUE"),
    Row("unknown filter of containers", ("containers", "list", "-f", "colour=red"), 2, "unknown filter 'colour'", "container image command"),
    Row("unknown filter of images", ("images", "list", "-f", "colour=red"), 2, "unknown filter 'colour'", "repo tag id"),
    Row("malformed filter", ("images", "list", "-f", "tag"), 2, "'tag' is not of the form KEY=VALUE", "repo tag id"),
    Row("invalid name", ("install", "--name=../x", HELLO), 2, r"'\.\./x' does not begin with a letter", "--name"),
    # names and files in use
    Row("name taken by a directory", ("install", "--name=probe", HELLO), 4, "berth/probe exists and is not a container", "--name",
        directory("/var/lib/containers/berth/probe")),
    Row("name taken by the remains of a container", ("install", "--name=probe", HELLO), 4, "probe.1 is left over", "berth uninstall probe",
        directory("/var/lib/containers/berth/probe.1")),
    Row("unit exists", ("install", "--name=dbus", HELLO), 4, "unit /usr/lib/systemd/system/dbus.service exists already", "--name"),
    Row("tmpfiles configuration exists", ("install", "--name=probe", HELLO), 4, "/etc/tmpfiles.d/probe.conf exists already", "--name",
        file("/etc/tmpfiles.d/probe.conf")),
    Row("tmpfiles configuration of the system", ("install", "--name=systemd", HELLO), 4, "/usr/lib/tmpfiles.d/systemd.conf exists already", "--name"),
    Row("sysusers configuration of the system", ("install", "--name=basic", HELLO), 4, "/usr/lib/sysusers.d/basic.conf exists already", "--name"),
    Row("settings for a unit of that name", ("install", "--name=probe", HELLO), 4, "/run/systemd/system/probe.service.d exists already", "--name",
        directory("/run/systemd/system/probe.service.d")),
    Row("container known to the runtime", ("install", "--name=probe", HELLO), 4, "/usr/sbin/runc already has a container probe",
        "--name.*runc delete --force probe", foreign_container),
    # the host
    Row("runtime missing", ("install", "--runtime=krun", HELLO), 3, "The runtime krun is not installed", "runc or crun"),
    Row("runtime not executable", ("install", "--runtime=/root/runc", HELLO), 5, "/root/runc is not an executable file", "--runtime",
        file("/root/runc")),
    Row("runtime too old", ("install", "--runtime=/root/runc", HELLO), 1, "too old: it is runc 1.0.0-rc10, and berth needs 1.0.0",
        "newer", runtime("1.0.0-rc10")),
    *(Row(f"{verb[0]} for the system without root", ("--system", *verb), 5, f"berth {verb[0]} requires root", f"sudo berth {verb[0]}",
          around=UNPRIVILEGED) for verb in (("pull", HELLO), ("install", HELLO), ("uninstall", "x"))),
    Row("bus not reachable", ("install", HELLO, "--name=probe"), 1, "systemd cannot be reached", "--root DIR", around=WITHOUT_BUS),
    Row("unit that systemd refuses", ("install", f"oci:{BAD_UNIT.inside}", "--name=probe"), 1,
        r"systemd cannot load probe.service \(bad-setting\)[\s\S]*ExecStart=", "journalctl -u probe.service"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.what)
def test_bad_use(row, stage):
    with row.before(stage):
        done = stage.host.run(*row.around, "berth", *row.argv, check=False)
    error, _, hint = done.stderr.partition("\nhint: ")
    assert done.returncode == row.code, done.stderr
    assert re.search(row.says, error), done.stderr
    assert re.search(row.hint, hint, re.DOTALL), done.stderr
    assert done.stdout == ""
    after = stage.host.snapshot()
    assert leftovers(stage.before, after) == []
    stage.before = after


def test_the_table_names_every_exit_code_of_a_refusal():
    assert {row.code for row in TABLE} == {1, 2, 3, 4, 5, 6}


# -- related behaviour -----------------------------------------------------------------------------------


def test_retry_after_of_a_busy_registry_is_respected(stage):
    front = stage.site.front("--busy-first=1", port=5104)
    stage.host.path("/etc/berth/patient.conf").write_text("[pull]\nretries = 1\n")
    done = stage.host.berth("--config=/etc/berth/patient.conf", "pull", f"{front.address}/hello-world")
    waited = float(re.search(r"429 Too Many Requests; trying again in ([\d.]+) s", done.stderr).group(1))
    assert waited >= 1.0


@pytest.mark.parametrize("version, warned", [("1.1.11", True), ("1.1.5+ds1", False), ("1.3.3", False)])
def test_a_runtime_with_a_known_container_escape_is_warned_about(version, warned, stage):
    with runtime(version)(stage):
        done = stage.host.berth("install", "--display", "--runtime=/root/runc", HELLO)
    assert ("warning: runc 1.1.11 has a vulnerability that lets a process escape from its container (CVE-2024-21626" in done.stderr) == warned


DAMAGES = ["rm {0}/info", "echo garbage > {0}/info", "ln -sfn nowhere {1}", "ln -sfn /etc {1}", "rm -r {0}"]


def test_damaged_containers_are_reported_and_left_out_of_lists_and_can_be_removed(stage):
    host = stage.host
    before = host.snapshot()
    host.berth("install", "--name=good", HELLO)
    damaged = [f"damaged{number}" for number in range(len(DAMAGES))]
    for name, damage in zip(damaged, DAMAGES):
        host.berth("install", f"--name={name}", HELLO)
        host.run("sh", "-c", damage.format(f"/var/lib/containers/berth/{name}.0", f"/var/lib/containers/berth/{name}"))
    done = host.berth("containers", "list", "-a", "-q")
    assert done.stdout.split() == ["good"]
    assert [name for name in damaged if name not in done.stderr] == []
    for name in damaged:
        done = host.berth("start", name, check=False)
        assert done.returncode in (1, 6) and name in done.stderr and "berth uninstall" in done.stderr
        host.berth("uninstall", name)
    done = host.berth("uninstall", "--json", "nobody", "good", check=False)
    assert done.returncode == 3 and [each["container"] for each in json.loads(done.stdout)] == ["good"]
    assert leftovers(before, host.snapshot()) == []
