# SPDX-License-Identifier: LGPL-2.1-or-later
"""--system-package=build: a package of a whole container, built on one host and installed by dpkg on another one without
berth and without a registry."""

import pytest
from rig import debian, images

PACKAGE = "atomic-container-hello-world-preinstalled"
DEPLOYMENTS = "/usr/lib/containers/berth"
URL = "http://127.0.0.1:8081/"
CHECKED = ("/usr/lib/containers", "/usr/lib/systemd", "/usr/lib/tmpfiles.d", "/etc", "/var", "/root")


def build(host, *options, image=None, program="berth"):
    """Builds a package in /root of the host. @return the output"""
    return host.output(" ".join(["cd /root &&", program, "install --system-package=build", *options, image]))


@pytest.fixture(scope="module")
def package(shared_host):
    """The bytes of a package of hello-world."""
    made = build(shared_host, "--set=RECEIVER=You", image=f"oci:{images.hello_world().inside}")
    assert made.startswith(f"/root/{PACKAGE}_") and made.endswith(f"_{debian.architecture()}.deb")
    return shared_host.path(made).read_bytes()


@pytest.fixture
def other(site, package):
    """Another host, without berth, with the package as /root/package.deb."""
    host = site.host(bare=True, boot=False)
    host.path("/root/package.deb").write_bytes(package)
    return host.boot()


def state(host):
    return host.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", PACKAGE, check=False).stdout.strip()


def test_the_build_leaves_only_the_package(site, package):
    host = site.host()
    before = host.snapshot(*CHECKED)
    build(host, image=f"oci:{images.hello_world().inside}")
    lines = before.difference(host.snapshot(*CHECKED))
    assert len(lines) == 1 and f"+ /root/{PACKAGE}_" in lines[0]
    assert "berth-" not in host.output("ls", "/var/tmp")


def test_a_container_installed_by_dpkg_starts_and_starts_at_boot(other):
    other.run("dpkg", "--install", "/root/package.deb")
    assert other.unit("hello-world")["ActiveState"] == "inactive"
    other.run("systemctl", "start", "hello-world")
    assert other.fetch(URL) == "Hi You!"
    assert other.output("dpkg", "--verify", PACKAGE) == ""
    other.reboot()
    assert other.fetch(URL) == "Hi You!"


def test_dpkg_remove_stops_the_container_and_purge_leaves_nothing(other):
    before = other.snapshot("/usr", "/etc")
    other.run("dpkg", "--install", "/root/package.deb")
    other.run("systemctl", "start", "hello-world")
    other.fetch(URL)
    other.run("dpkg", "--remove", PACKAGE)
    assert other.unit("hello-world", "LoadState")["LoadState"] == "not-found"
    assert other.containers() == []
    other.run("dpkg", "--purge", PACKAGE)
    assert state(other) == ""
    assert before.difference(other.snapshot("/usr", "/etc")) == []


def test_a_new_version_of_the_package_restarts_a_running_container(other, shared_host):
    other.run("dpkg", "--install", "/root/package.deb")
    other.run("systemctl", "start", "hello-world")
    assert other.fetch(URL) == "Hi You!"
    newer = build(shared_host, "--set=RECEIVER=All", image=f"oci:{images.hello_world().inside}")
    other.path("/root/newer.deb").write_bytes(shared_host.path(newer).read_bytes())
    other.run("dpkg", "--install", "/root/newer.deb")
    assert other.fetch(URL) == "Hi All!"


def test_berth_lists_it_and_can_install_over_it(site, package):
    host = site.host()
    host.path("/root/package.deb").write_bytes(package)
    host.run("dpkg", "--install", "/root/package.deb")
    assert [(row["container"], row["backend"]) for row in host.listed("-a")] == [("hello-world", "preinstalled")]
    host.berth("install", "--now", f"oci:{images.hello_world().inside}")
    host.run("dpkg", "--remove", PACKAGE)
    assert host.fetch(URL) == "Hi World!", "the installed container must not change"
    assert [row["backend"] for row in host.listed("-a")] == ["ostree"]


def test_the_command_line_of_atomic(shared_host):
    output = build(shared_host, "--system", "--name=spelled", image=f"oci:{images.hello_world().inside}", program="berth atomic")
    assert output.startswith("Generated deb /root/atomic-container-spelled-preinstalled_")
    assert shared_host.path(output.split()[-1]).is_file()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--now",), 2, "--now exclude each other"),
        (("--rootfs=/srv",), 2, "--rootfs exclude each other"),
        (("--set=RECEIVER",), 2, "RECEIVER"),
        (("--name=../x",), 2, "../x"),
        (("--runtime=/bin/none",), 3, "is not installed"),
    ],
)
def test_bad_use_is_refused_and_creates_nothing(shared_host, options, code, words):
    before = shared_host.output("ls /root /var/tmp")
    done = shared_host.berth("install", "--system-package=build", *options, f"oci:{images.hello_world().inside}", check=False)
    assert done.returncode == code and words in done.stderr
    assert shared_host.output("ls /root /var/tmp") == before


def test_json_contains_the_paths(shared_host):
    result = shared_host.berth_json("install", "--system-package=build", "--name=shown", f"oci:{images.hello_world().inside}")
    assert result["deployment"] == f"{DEPLOYMENTS}/shown.0"
    assert shared_host.path(result["package"]).is_file()
