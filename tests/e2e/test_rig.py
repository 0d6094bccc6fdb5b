# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rig itself. When one of these tests fails, start with it."""

import json

import pytest
from rig import images, schemas
from rig.shell import CommandTimedOut, run, wait_for


@pytest.mark.portable
def test_the_host_runs_without_a_failed_unit(shared_host):
    assert shared_host.output("systemctl", "is-system-running") == "running"
    assert shared_host.output("systemctl", "list-units", "--failed", "--no-legend") == ""


@pytest.mark.portable
def test_the_host_has_every_library_berth_needs(shared_host):
    assert "not found" not in shared_host.output("ldd", "/usr/bin/berth")


def test_a_listing_shows_every_kind_of_change(host):
    before = host.snapshot("/etc", "/usr/local")
    assert before.difference(host.snapshot("/etc", "/usr/local")) == []
    host.run("echo x > /etc/new; rm /etc/issue; chmod 600 /etc/fstab; ln /etc/passwd /etc/passwd-link; setfattr -n user.a -v b /etc/group")
    lines = before.difference(host.snapshot("/etc", "/usr/local"))
    changes = {line.split()[0] + line.split()[1] for line in lines}
    assert changes == {"+/etc/new", "-/etc/issue", "!/etc/fstab", "+/etc/passwd-link", "!/etc/passwd", "!/etc/group"}


def test_a_reboot_keeps_the_disk_and_nothing_else(host):
    host.run("echo kept > /etc/kept; echo gone > /run/gone")
    boot = host.output("cat", "/proc/sys/kernel/random/boot_id")
    host.reboot()
    assert host.output("cat", "/etc/kept") == "kept"
    assert not host.output("ls /run/gone 2>/dev/null || true")
    assert host.output("cat", "/proc/sys/kernel/random/boot_id") != boot


@pytest.mark.portable
def test_both_runtimes_can_run_a_container(host):
    image = images.plain()
    rootfs = images.unpacked(image, host.path("/root/image"))
    for runtime in ("runc", "crun"):
        host.run(f"cd /root/image && rm -f config.json && {runtime} spec")
        config = json.loads(host.path("/root/image/config.json").read_text())
        config["process"].update(args=["/bin/busybox", "echo", "hello from " + runtime], terminal=False)
        config["linux"]["namespaces"] = [{"type": kind} for kind in ("pid", "ipc", "mount")]
        config.pop("hostname", None)
        config["linux"].pop("resources", None)
        host.path("/root/image/config.json").write_text(json.dumps(config))
        assert host.output(f"cd /root/image && {runtime} run probe") == "hello from " + runtime
        assert host.containers(runtime) == []
    assert rootfs.is_dir()


def test_the_registry_serves_what_was_pushed(shared_site, shared_host):
    reference = shared_site.pushed(images.whiteouts())
    size = shared_site.registry.log_size()
    manifest = shared_host.output(
        "curl", "-fsS", "-H", "Accept: application/vnd.oci.image.manifest.v1+json",
        f"http://{shared_site.registry.address}/v2/whiteouts/manifests/latest",
    )  # fmt: skip
    assert reference == "localhost:5000/whiteouts:latest"
    assert len(json.loads(manifest)["layers"]) == 3
    request = ("GET", "/v2/whiteouts/manifests/latest", 200)
    # The registry logs a request after its answer.
    shared_host.wait_for(lambda: shared_site.registry.requests(size), "the request in the log of the registry", [request])


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("berth images list --all --json", "images list"),
        ("nsenter -t 1 -a -- /usr/bin/env -i PATH=/usr/bin berth --quiet --json inspect images", "inspect"),
        ("/x/bin/berth --root /tmp/images df --json", "df"),
        ("atomic ps --json", "atomic ps"),
        ("berth run --display --json image", "run"),
        ("berth run image echo --json", None),
        ("berth exec pull echo --json", None),
        ("berth images list", None),
        ("crun list --json", None),
    ],
)
def test_a_command_line_has_the_schema_of_its_verb(line, verb):
    assert schemas.verb_of(line.split()) == verb


def test_a_wait_that_fails_names_the_state_the_time_and_the_last_value(shared_host):
    with pytest.raises(AssertionError, match=r"waited 0\.1 s for the end; at the end there was 'middle'\nmore"):
        wait_for(lambda: "middle", "the end", "end", seconds=0.1, shown=lambda: "more")
    with pytest.raises(AssertionError, match="for dbus to be failed; at the end there was 'active'\njournal of the host:\n(?s:.)*systemd"):
        shared_host.wait_for(lambda: shared_host.unit("dbus")["ActiveState"], "dbus to be failed", "failed", seconds=0.1)


def test_a_command_that_does_not_end_is_a_failure_with_its_output(shared_host):
    with pytest.raises(CommandTimedOut, match=r"waited 1 s for the end of: sh -c echo begun; exec sleep 9(?s:.)*begun"):
        run("sh", "-c", "echo begun; exec sleep 9", timeout=1)
    process = shared_host.start_process("sh", "-c", "echo first; echo second; printf third; exec sleep 1000")
    assert process.line() == "first\n"
    with pytest.raises(AssertionError, match=r"waited 1 s for the end of: .*sleep 1000(?s:.)*stdout: second\nthird"):
        process.finish(seconds=1)
    shared_host.end_process(process)


def test_json_that_does_not_conform_is_a_failure():
    schemas.check(["berth", "rollback", "--json", "x"], '{"container": "x", "image": "y", "idBefore": "1", "idAfter": "2"}', "")
    with pytest.raises(AssertionError, match="schema of rollback"):
        schemas.check(["berth", "rollback", "--json", "x"], '{"container": "x"}', "")
    with pytest.raises(AssertionError, match=r"there is no schemas/berth-mount-x\.schema\.json"):
        schemas.check(["berth", "mount", "x", "--json"], "{}", "")
    with pytest.raises(AssertionError, match="schema of progress"):
        schemas.check(["berth", "pull", "--progress=json"], "", 'plain\n{"type": "step"}')
