# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth update and rollback of etcd: no data are lost, and a failed update is rolled back."""

import contextlib
import json
import os
import re
import signal
import threading

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, rootfs
from rig.shell import PATIENCE
from test_etcd import SETTINGS as ETCD_SETTINGS
from test_etcd import URL, etcdctl

SETTINGS = [
    *ETCD_SETTINGS,
    "--set=ETCD_HEARTBEAT_INTERVAL=20",  # a leader is elected at once
    "--set=ETCD_ELECTION_TIMEOUT=200",
]
ROLLED_BACK = 7
NAME = "etcd1"
FAST = "--settle=0.3"

WRITER = """
i=0
while [ ! -e /root/enough ]; do
  i=$((i + 1))
  if /usr/local/bin/etcd1ctl --command-timeout=2s put "key$i" "$i" > /dev/null 2>&1; then echo "$(date +%s.%N) $i"; fi
done
"""


def newer(name="etcd-newer", **files):
    """etcd with another layer, which adds a host file."""
    extra = {"usr/share/newer": "newer\n", "exports/hostfs/etc/etcd/more.conf": "# more\n"}
    return images.derived(images.etcd(), name, {**extra, **files})


def push(site, image):
    """Pushes an image under the name of the installed container."""
    return site.pushed(image, name="patient")


def replaced(host, verb, *argv):
    """Runs an update or a rollback, and waits until the new process answers, and so can be stopped."""
    host.berth(verb, FAST, *argv, NAME)
    host.fetch(f"{URL}/health")


def wait_switched(host, before):
    """Waits until another deployment is live and runs. @param before the target of the link before"""
    link = host.path(f"{DEPLOYMENTS}/{NAME}")
    host.wait_for(lambda: (os.readlink(link), host.unit(NAME)["ActiveState"]), f"another deployment than {before} to run",
                  lambda found: found[0] != before and found[1] == "active")  # fmt: skip


def info(host):
    return host.berth_json("inspect", NAME)


@pytest.fixture(scope="module")
def patient_site(shared_site):
    return shared_site


@pytest.fixture(scope="module")
def patient(shared_host, patient_site):
    """A host on which etcd runs. Every test leaves it as it was."""
    shared_host.berth("install", "--now", f"--name={NAME}", *SETTINGS, push(patient_site, images.etcd()))
    etcdctl(shared_host, "put", "greeting", "hello")
    return shared_host


@pytest.fixture(autouse=True)
def serving(patient):
    """
    Waits until etcd answers. Before it handles SIGTERM, a stop fails, because the kernel ignores the signal for PID 1 of a
    namespace.
    """
    patient.run("systemctl", "start", NAME)
    patient.fetch(f"{URL}/health")


@pytest.fixture
def kept(patient):
    """Checks that the host, except the image store and the data of etcd, is the same before and after the test."""
    volatile = (f"{DEPLOYMENTS}/.storage", "/var/lib/etcd")
    before, live = patient.snapshot("etc", "usr/local", "var/lib").without(*volatile), info(patient)
    yield
    assert before.difference(patient.snapshot("etc", "usr/local", "var/lib").without(*volatile)) == []
    assert (info(patient)["imageId"], info(patient)["deployment"]) == (live["imageId"], live["deployment"])
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"
    assert patient.unit(NAME)["ActiveState"] == "active"


def unit_of(text):
    return (images.templates("etcd") / "service.template").read_text().replace("[Service]\n", f"[Service]\n{text}")


def manifest_with(**keys):
    return json.dumps({**json.loads((images.templates("etcd") / "manifest.json").read_text()), **keys})


IGNORES_TERM = "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n"
UNHEALTHY = {"command": ["/bin/sh", "-c", "echo there is no leader; exit 4"], "interval": 0.1, "retries": 2}

BREAKAGES = {
    "exits at once": ({"usr/bin/etcd-env.sh": "#!/bin/sh\necho cannot open the data\nexit 3\n"}, "did not stay up|did not start"),
    "is never ready": (
        {"usr/bin/etcd-env.sh": "#!/bin/sh\nunset NOTIFY_SOCKET\nexec sleep 1000\n",
         "exports/service.template": unit_of("Type=notify\nNotifyAccess=all\nTimeoutStartSec=1\nTimeoutStopSec=1\n")},
        "did not start",
    ),
    "dies within the settle time": ({"usr/bin/etcd-env.sh": "#!/bin/sh\nsleep 0.4\nexit 5\n"}, "did not stay up"),
    "is unhealthy": ({"exports/manifest.json": manifest_with(healthCheck=UNHEALTHY)}, "failed its health check: .*exited with status 4"),
    "hangs on stop": (
        {"usr/bin/etcd-env.sh": IGNORES_TERM, "exports/service.template": unit_of("TimeoutStopSec=1\n"),
         "exports/manifest.json": manifest_with(healthCheck=UNHEALTHY)},
        "failed its health check",
    ),
}  # fmt: skip


@pytest.mark.portable
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_an_update_to_a_broken_service_is_rolled_back(breakage, patient, patient_site, kept):
    files, reason = BREAKAGES[breakage]
    push(patient_site, newer("broken-" + breakage.replace(" ", "-"), **files))
    settle = "--settle=60" if "did not stay up" in reason else FAST
    done = patient.berth("update", settle, NAME, check=False)
    assert done.returncode == ROLLED_BACK, done.stderr
    assert re.search(reason, done.stderr), done.stderr
    assert "the update of etcd1 failed and was rolled back" in done.stderr
    if breakage == "is unhealthy":
        assert "there is no leader" in done.stderr
    if breakage == "exits at once":
        assert "cannot open the data" in done.stderr


def test_an_update_to_a_unit_that_systemd_cannot_load_is_rolled_back(patient, patient_site, kept):
    broken = {"exports/service.template": unit_of("Type=nonsense\nExecStartPre=relative/program\nType=dbus\n")}
    push(patient_site, newer("broken-unit", **broken))
    done = patient.berth("update", FAST, NAME, check=False)
    assert done.returncode == ROLLED_BACK
    assert "systemd cannot load" in done.stderr or "did not start" in done.stderr, done.stderr


def test_an_update_with_a_host_file_that_cannot_be_created_is_undone(patient, patient_site, kept):
    push(patient_site, newer("broken-place", **{"exports/hostfs/etc/hostname/x": "x\n"}))
    done = patient.berth("update", FAST, NAME, check=False)
    assert done.returncode != 0
    assert "/etc/hostname" in done.stderr


def test_an_update_interrupted_during_the_health_gate_is_undone(patient, patient_site, kept):
    push(patient_site, newer())
    process = patient.start_process("berth", "update", "--settle=60", NAME)
    pid = patient.inner_pid(process)
    slot = os.readlink(patient.path(f"{DEPLOYMENTS}/{NAME}"))
    wait_switched(patient, slot)
    patient.fetch(f"{URL}/health")  # see serving()
    os.kill(pid, signal.SIGINT)
    assert process.finish() == 130


def test_updates_and_rollbacks_lose_no_key(patient, patient_site):
    """A client writes all the time. All acknowledged keys exist afterwards, and the interruption is short."""
    push(patient_site, newer())
    before = info(patient)
    writer = patient.start_process("/bin/sh", "-c", WRITER, env={"ETCDCTL_API": "3"})
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(writer.stdout))
    reader.start()

    def more_keys():
        count = len(lines)
        patient.wait_for(lambda: len(lines), f"five keys after the first {count}", lambda number: number > count + 5)

    more_keys()
    replaced(patient, "update")
    after = info(patient)
    more_keys()
    replaced(patient, "rollback")
    more_keys()
    patient.path("/root/enough").touch()
    assert writer.finish() == 0
    reader.join(PATIENCE)
    acknowledged = [line.split() for line in lines]
    found = set(etcdctl(patient, "get", "--prefix", "key", "--keys-only").split())
    lost = [number for _, number in acknowledged if f"key{number}" not in found]
    assert acknowledged and lost == []
    times = [float(time) for time, _ in acknowledged]
    pauses = sorted((late - early for early, late in zip(times, times[1:])), reverse=True)[:2]
    assert pauses[0] < 80, f"{len(acknowledged)} keys, the longest pauses: {pauses}; systemd kills a service that does not stop within 90 s"
    assert after["imageId"] != before["imageId"] and after["values"]["UUID"] == before["values"]["UUID"]
    assert info(patient)["imageId"] == before["imageId"]


@pytest.mark.portable
def test_three_updates_add_a_file_and_drop_it(patient, patient_site):
    push(patient_site, newer())
    replaced(patient, "update")
    slot = info(patient)["slot"]
    assert rootfs(patient, NAME, slot).joinpath("usr/share/newer").exists()
    assert patient.path("/etc/etcd/more.conf").read_text() == "# more\n"
    third = images.derived(images.etcd(), "etcd-third", {"usr/share/third": "third\n"})
    push(patient_site, third)
    replaced(patient, "update")
    assert info(patient)["slot"] == 1 - slot
    replaced(patient, "update", "--set=ETCD_NAME=renamed")
    assert info(patient)["slot"] == slot
    assert not rootfs(patient, NAME, slot).joinpath("usr/share/newer").exists()
    assert not patient.path("/etc/etcd/more.conf").exists() and not patient.path("/etc/etcd").exists()
    assert patient.path("/usr/local/bin/etcd1ctl").exists()
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"


def test_an_update_to_the_same_image_changes_nothing(patient, patient_site):
    replaced(patient, "update")  # to the image of the test before
    before = patient.snapshot("etc", "var/lib")
    started = patient.unit(NAME, "InvocationID")
    log = patient_site.registry.log_size()
    assert patient.berth("update", NAME).stdout == "Latest version already installed.\n"
    assert patient.unit(NAME, "InvocationID") == started
    assert all("/manifests/" in path or path == "/v2/" for _, path, _ in patient_site.registry.requests(log))
    assert before.without("/var/lib/etcd").difference(patient.snapshot("etc", "var/lib").without("/var/lib/etcd")) == []


def test_an_existing_host_file_is_kept(patient, patient_site):
    patient.path("/etc/etcd").mkdir()
    patient.path("/etc/etcd/more.conf").write_text("# mine\n")
    push(patient_site, newer("etcd-conflict", **{"usr/share/conflict": "x\n"}))
    done = patient.berth("update", FAST, NAME)
    patient.fetch(f"{URL}/health")
    assert "/etc/etcd/more.conf exists on the host already" in done.stderr
    assert patient.path("/etc/etcd/more.conf").read_text() == "# mine\n"
    assert "/etc/etcd/more.conf" not in info(patient)["installedFiles"]
    patient.path("/etc/etcd/more.conf").unlink()
    patient.path("/etc/etcd").rmdir()


def test_a_stopped_service_stays_stopped(patient, patient_site):
    patient.run("systemctl", "stop", NAME)
    push(patient_site, newer())
    patient.berth("update", FAST, NAME)
    assert patient.unit(NAME)["ActiveState"] == "inactive"
    patient.berth("rollback", FAST, NAME)
    assert patient.unit(NAME)["ActiveState"] == "inactive"
    patient.run("systemctl", "start", NAME)
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3, 0.5, 0.8, 1.2])
def test_the_next_command_recovers_a_killed_update(delay, patient, patient_site):
    """At any time one of the two deployments is complete and runs."""
    push(patient_site, newer(f"etcd-kill-{delay}", **{"usr/share/kill": f"{delay}\n"}))
    before = info(patient)
    process = patient.start_process("berth", "update", "--settle=0", NAME)
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        pid = patient.inner_pid(process)
        signal.sigtimedwait([], delay)
        os.kill(pid, signal.SIGKILL)
    process.finish()
    patient.berth("recover")
    after = info(patient)
    assert after["imageId"] == before["imageId"] or after["slot"] != before["slot"]
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"
    assert patient.unit(NAME)["ActiveState"] == "active"
    leftovers = [path for path in patient.snapshot("etc", "var/lib/containers").paths() if "/.berth-" in path]
    assert [path for path in leftovers if "/.storage/" not in path] == []
    assert not patient.path(f"{DEPLOYMENTS}/.transactions").exists()
    assert patient.containers() == [NAME]


@pytest.mark.portable
def test_a_boot_recovers_an_update_after_a_power_cut(patient, patient_site):
    """berth-recover.service is enabled wherever berth is installed."""
    assert patient.output("systemctl", "is-enabled", "berth-recover.service") == "enabled"
    push(patient_site, newer("etcd-cut", **{"usr/share/cut": "cut\n"}))
    before = info(patient)
    patient.start_process("berth", "update", "--settle=600", NAME)
    wait_switched(patient, f"{NAME}.{before['slot']}")
    patient.kill()
    patient.boot()
    assert info(patient)["deployment"] == before["deployment"]
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"
    assert "undoing an interrupted update of etcd1" in patient.journal("berth-recover.service")
    assert not patient.path(f"{DEPLOYMENTS}/.transactions").exists()
    patient.reboot()
    condition = patient.unit("berth-recover.service", "ConditionResult", "ExecMainStartTimestampMonotonic")
    assert condition == {"ConditionResult": "no", "ExecMainStartTimestampMonotonic": "0"}
    assert etcdctl(patient, "get", "greeting") == "greeting\nhello"


def test_rebase_no_pull_and_all(patient, patient_site):
    """Two containers; the image of one is not from a registry."""
    push(patient_site, images.etcd())
    replaced(patient, "update")
    patient.berth("install", "--name=hello", f"oci:{images.hello_world().inside}")
    rows = {row["container"]: row for row in patient.berth_json("update", "--all")["containers"]}
    assert rows["hello"]["status"] == "unchanged"
    reference = patient_site.pushed(newer(), name="rebased")
    replaced(patient, "update", f"--rebase={reference}")
    assert info(patient)["image"] == f"{reference}"
    patient_site.pushed(images.derived(newer(), "broken-rebased", {"usr/bin/etcd-env.sh": "#!/bin/sh\nexit 3\n"}), name="rebased")
    done = patient.berth("update", "--settle=60", "--all", check=False)
    assert done.returncode == ROLLED_BACK
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0] == ["CONTAINER", "BEFORE", "AFTER", "LATEST", "STATUS"]
    etcd, hello = lines[1:]
    assert etcd[0] == NAME and etcd[1] == etcd[2] != etcd[3] and etcd[4:] == ["rolled", "back"]
    assert hello[0] == "hello" and hello[1] == hello[2] == hello[3] and hello[4:] == ["unchanged"]
    patient.fetch(f"{URL}/health")
    assert patient.berth("update", "--settle=60", "--no-pull", NAME, check=False).returncode == ROLLED_BACK


def test_check_shows_what_an_update_would_change(patient, patient_site):
    manifest = manifest_with(healthCheck={"command": "true"}, defaultValues={"ETCD_NAME": "", "COLOUR": "red"})
    files = {"exports/manifest.json": manifest, "exports/service.template": unit_of("Environment=NEW=1\n"), "usr/share/big": "x" * 100000}
    image = images.derived(images.etcd(), "etcd-checked", files, config=("--config.label", "version=9.9"))
    replaced(patient, "update", f"--rebase={push(patient_site, images.etcd())}")
    push(patient_site, image)
    before, log = patient.snapshot("etc", "var/lib/containers"), patient_site.registry.log_size()
    check = patient.berth_json("update", "--check", NAME)
    assert check["newer"] and check["idInstalled"] == info(patient)["imageId"] != check["idAvailable"]
    assert check["versionAvailable"] == "9.9"
    assert check["layersToFetch"] == 1 and check["bytesToFetch"] > 100

    def blobs():
        return [path for _, path, _ in patient_site.registry.requests(log) if "/blobs/" in path]

    patient.wait_for(blobs, "a request for a blob in the log of the registry")
    assert len(blobs()) == 1, "only the image configuration may be fetched"
    assert before.difference(patient.snapshot("etc", "var/lib/containers")) == []
    table = patient.berth("update", "--check", "--all").stdout
    assert re.search(rf"{NAME} .* 9\.9 .* newer\n", table), table
    diff = patient.berth_json("update", "--check", "--diff", NAME)["diff"]
    assert "+Environment=NEW=1" in diff["unit"]
    assert "COLOUR=red" in diff["defaultValues"]["added"]
    assert "ETCD_DATA_DIR=" in diff["defaultValues"]["removed"]
    without = (f"{DEPLOYMENTS}/.storage",)
    assert before.without(*without).difference(patient.snapshot("etc", "var/lib/containers").without(*without)) == []
    text = patient.berth("update", "--check", "--diff", NAME).stdout
    assert "  +Environment=NEW=1\n" in text and "  + COLOUR=red\n" in text
    push(patient_site, images.etcd())
    assert patient.berth_json("update", "--check", NAME)["newer"] is False


@pytest.mark.parametrize("argv, code, words", [
    (["update", "--diff", "etcd1"], 2, "--diff requires --check"),
    (["update", "--check", "nothing"], 3, "no container nothing is installed"),
    (["update"], 2, "--all, is missing"),
    (["update", "--all", "etcd1"], 2, "--all cannot be used with a name"),
    (["update", "--all", "--set=A=b"], 2, "--all cannot be used with --set, --set-file or --rebase"),
    (["update", "--all", "--rebase=x.example/y"], 2, "--all cannot be used with --set, --set-file or --rebase"),
    (["update", "--set=NAME=x", "etcd1"], 2, "NAME"),
    (["update", "nothing"], 3, "no container nothing is installed"),
    (["rollback", "nothing"], 3, "no container nothing is installed"),
    (["rollback", "hello"], 3, "hello has no other deployment"),
    (["update", "--settle=-1", "etcd1"], 2, "--settle"),
])  # fmt: skip
def test_refusals(argv, code, words, patient):
    done = patient.berth(*argv, check=False)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
