"""The rig itself: if one of these fails, look here first."""

import json

import pytest
from rig import images


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
    words = {line.split()[0] + line.split()[1] for line in lines}
    assert words == {"+/etc/new", "-/etc/issue", "!/etc/fstab", "+/etc/passwd-link", "!/etc/passwd", "!/etc/group"}


def test_a_reboot_keeps_the_disk_and_nothing_else(host):
    host.run("echo kept > /etc/kept; echo gone > /run/gone")
    boot = host.output("cat", "/proc/sys/kernel/random/boot_id")
    host.reboot()
    assert host.output("cat", "/etc/kept") == "kept"
    assert not host.output("ls /run/gone 2>/dev/null || true")
    assert host.output("cat", "/proc/sys/kernel/random/boot_id") != boot


@pytest.mark.portable
def test_both_runtimes_run_a_container_here(host):
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
    asked = [("GET", "/v2/whiteouts/manifests/latest", 200)]  # the line is written when the answer has been given
    shared_host.wait_for(lambda: shared_site.registry.requests(size) == asked, "a line in the registry's log")
