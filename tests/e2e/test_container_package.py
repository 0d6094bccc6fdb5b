"""--system-package=build: a package of a whole container, made on one host and installed with plain dpkg on another, which
has neither berth nor a registry."""

import pytest
from rig import debian, images

PACKAGE = "atomic-container-hello-world-preinstalled"
PLACE = "/usr/lib/containers/berth"
URL = "http://127.0.0.1:8081/"
PLACES = ("/usr/lib/containers", "/usr/lib/systemd", "/usr/lib/tmpfiles.d", "/etc", "/var", "/root")


def build(host, *options, image=None, program="berth"):
    """@return what was printed, on a host whose current directory is /root"""
    words = " ".join(["cd /root &&", program, "install --system-package=build", *options, image])
    return host.output(words)


@pytest.fixture(scope="module")
def package(shared_host):
    """The bytes of a package of hello-world."""
    made = build(shared_host, "--set=RECEIVER=You", image=f"oci:{images.hello_world().inside}")
    assert made.startswith(f"/root/{PACKAGE}_") and made.endswith(f"_{debian.architecture()}.deb")
    return shared_host.path(made).read_bytes()


@pytest.fixture
def other(site, package):
    """Another host, without berth, that has the package at /root/package.deb."""
    host = site.host(bare=True, boot=False)
    host.path("/root/package.deb").write_bytes(package)
    return host.boot()


def state(host):
    return host.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}", PACKAGE, check=False).stdout.strip()


def test_nothing_is_installed_and_nothing_left_where_it_is_made(site, package):
    host = site.host()
    before = host.snapshot(*PLACES)
    build(host, image=f"oci:{images.hello_world().inside}")
    lines = before.difference(host.snapshot(*PLACES))
    assert len(lines) == 1 and f"+ /root/{PACKAGE}_" in lines[0]
    assert "berth-" not in host.output("ls", "/var/tmp")


def test_installed_with_dpkg_it_starts_and_comes_back_at_boot(other):
    other.run("dpkg", "--install", "/root/package.deb")
    assert other.unit("hello-world")["ActiveState"] == "inactive"
    other.run("systemctl", "start", "hello-world")
    assert other.fetch(URL) == "Hi You!"
    assert other.output("dpkg", "--verify", PACKAGE) == ""
    other.reboot()
    assert other.fetch(URL) == "Hi You!"


def test_removed_with_dpkg_it_stops_and_purge_leaves_nothing(other):
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


def test_another_version_takes_over_and_what_ran_runs(other, shared_host):
    other.run("dpkg", "--install", "/root/package.deb")
    other.run("systemctl", "start", "hello-world")
    assert other.fetch(URL) == "Hi You!"
    newer = build(shared_host, "--set=RECEIVER=All", image=f"oci:{images.hello_world().inside}")
    other.path("/root/newer.deb").write_bytes(shared_host.path(newer).read_bytes())
    other.run("dpkg", "--install", "/root/newer.deb")
    assert other.fetch(URL) == "Hi All!"


def test_berth_lists_it_and_puts_another_one_over_it(site, package):
    host = site.host()
    host.path("/root/package.deb").write_bytes(package)
    host.run("dpkg", "--install", "/root/package.deb")
    assert [(row["container"], row["backend"]) for row in host.listed("-a")] == [("hello-world", "preinstalled")]
    host.berth("install", "--now", f"oci:{images.hello_world().inside}")
    host.run("dpkg", "--remove", PACKAGE)
    assert host.fetch(URL) == "Hi World!", "the installed one was left alone"
    assert [row["backend"] for row in host.listed("-a")] == ["ostree"]


def test_the_spelling_of_the_older_tool(shared_host):
    said = build(shared_host, "--system", "--name=older", image=f"oci:{images.hello_world().inside}", program="berth atomic")
    assert said.startswith("Generated deb /root/atomic-container-older-preinstalled_")
    assert shared_host.path(said.split()[-1]).is_file()


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
def test_bad_use_is_refused_and_makes_nothing(shared_host, options, code, words):
    before = shared_host.output("ls /root /var/tmp")
    done = shared_host.berth("install", "--system-package=build", *options, f"oci:{images.hello_world().inside}", check=False)
    assert done.returncode == code and words in done.stderr
    assert shared_host.output("ls /root /var/tmp") == before


def test_json_tells_where_it_is(shared_host):
    told = shared_host.berth_json("install", "--system-package=build", "--name=told", f"oci:{images.hello_world().inside}")
    assert told["deployment"] == f"{PLACE}/told.0"
    assert shared_host.path(told["package"]).is_file()
