# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packages of berth: the .deb on a host without berth, and the .rpm in a separate root. debian/rules and packaging/berth.spec
package the build that the other tests use, so that nothing is compiled."""

import gzip
import os
import pathlib
import re
import shutil

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.installed import build_directory, installed
from rig.shell import run

TOP = images.HERE.parents[2]
VERBS = ("init", "install", "lint", "recover", "render", "update")
INSTALLED = (
    "usr/bin/berth",
    "usr/share/berth/exports-templates/service.template",
    "usr/share/berth/schemas/berth-install.schema.json",
    "usr/share/bash-completion/completions/berth",
    "usr/share/fish/vendor_completions.d/berth.fish",
    "usr/share/man/man5/berth-exports.5",
    "usr/share/man/man5/berth.conf.5",
    "usr/share/man/man8/berth.8",
    *(f"usr/share/man/man8/berth-{verb}.8" for verb in VERBS),
)


def source_copy(directory):
    """Copies the source tree without build directories. @return the directory"""
    names = run("git", "-C", TOP, "ls-files", "-z", "--cached", "--others", "--exclude-standard").stdout
    for name in filter(None, names.split("\0")):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TOP / name, directory / name, follow_symlinks=False)
    return directory


@pytest.fixture(scope="module")
def source(work):
    return source_copy(work / "package" / "berth")


@pytest.fixture(scope="module")
def deb(source):
    """The package that BERTH_DEB names, e.g. one to be released, or a package of the build."""
    if "BERTH_DEB" in os.environ:
        return pathlib.Path(os.environ["BERTH_DEB"]).resolve()
    settings = {"BERTH_BUILD": str(build_directory()), "DEB_BUILD_OPTIONS": "nocheck noautodbgsym", "DEB_BUILD_PROFILES": "nocheck"}
    run("dpkg-buildpackage", "--build=binary", "--no-sign", cwd=source, env=settings, timeout=900)
    (package,) = source.parent.glob("berth_*.deb")
    return package


@pytest.fixture(scope="module")
def rpm(source, work):
    top = work / "rpm"
    run(
        "rpmbuild", "-bb", "--nodeps", "--build-in-place", "--define", f"_topdir {top}", "--define", f"berth_build {build_directory()}",
        "--define", "debug_package %{nil}", "packaging/berth.spec", cwd=source, timeout=900,
    )  # fmt: skip
    (package,) = (top / "RPMS").rglob("berth-*.rpm")
    return package


def files_below(tree):
    found = (os.path.relpath(os.path.join(directory, name), tree) for directory, _, names in os.walk(tree) for name in names)
    return {re.sub(r"^(lib/systemd)", r"usr/\1", path.removesuffix(".gz")) for path in found}


def test_meson_install_installs_all_files():
    files = files_below(installed())
    assert set(INSTALLED) <= files
    assert {path for path in files if path.startswith("usr/lib")} == {"usr/lib/systemd/system/berth-recover.service"}
    pages = {path.name.removesuffix(".scd") for path in (TOP / "man").glob("*.scd")}
    assert {path.rsplit("/", 1)[1] for path in files if path.startswith("usr/share/man/")} == pages


def test_the_version_is_the_same_everywhere(source):
    version = (source / "version").read_text().strip()
    assert run("dpkg-parsechangelog", "-S", "Version", cwd=source).stdout.strip() == version
    assert run("rpmspec", "-q", "--qf", "%{version}", "packaging/berth.spec", cwd=source).stdout == version
    assert run(installed() / "usr/bin/berth", "--version").stdout == f"berth {version}\n"


def test_the_deb_contains_the_files_of_meson_install(deb, work):
    run("dpkg-deb", "-x", deb, work / "unpacked-deb")
    files = files_below(work / "unpacked-deb")
    doc = {f"usr/share/doc/berth/{name}" for name in ("README.md", "SECURITY.md", "changelog", "copyright")}
    assert files - files_below(installed()) == doc | {"usr/share/lintian/overrides/berth"}
    assert files_below(installed()) <= files


def test_lintian_reports_nothing(deb):
    # The compiler splits strings, so that fragments of them look misspelled.
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", "--display-info", "--suppress-tags", "spelling-error-in-binary",
               deb, check=False, timeout=900)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


@pytest.fixture
def bare(site, deb):
    """A host without berth, with the package as /root/berth.deb."""
    host = site.host(bare=True)
    run("cp", deb, host.path("/root/berth.deb"))
    return host


def test_the_deb_installs_a_working_berth_and_purge_removes_it(bare):
    assert bare.run("command -v berth", check=False).returncode != 0
    before = bare.snapshot()
    bare.run("dpkg", "--path-include=/usr/share/*", "-i", "/root/berth.deb")
    assert bare.output("systemctl", "is-enabled", "berth-recover.service") == "enabled"
    assert bare.output("dpkg", "--verify", "berth") == ""
    page = gzip.decompress(bare.path("/usr/share/man/man8/berth-install.8.gz").read_bytes()).decode()
    assert "berth" in page
    bare.berth("install", "--now", f"oci:{images.hello_world().inside}")
    assert bare.fetch("http://127.0.0.1:8081/") == "Hi World!"
    bare.reboot()
    assert bare.fetch("http://127.0.0.1:8081/") == "Hi World!"
    bare.berth("uninstall", "hello-world")
    bare.run("mkdir -p /etc/berth && touch /etc/berth/berth.conf")
    bare.run("dpkg", "--purge", "berth")
    own = [line for line in leftovers(before, bare.snapshot()) if "berth" in line and "/var/lib/dpkg/" not in line and "/var/log/" not in line]
    assert own == []


def test_containers_keep_running_without_the_package(bare):
    bare.run("dpkg", "-i", "/root/berth.deb")
    bare.berth("install", "--now", f"oci:{images.hello_world().inside}")
    bare.fetch("http://127.0.0.1:8081/")
    bare.run("dpkg", "--purge", "berth")
    assert bare.run("command -v berth", check=False).returncode != 0
    bare.run("systemctl", "restart", "hello-world")
    assert bare.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert bare.path(f"{DEPLOYMENTS}/hello-world.0/config.json").exists()


def test_the_rpm_contains_the_files_of_meson_install(rpm, work):
    root = work / "rpm-root"
    root.mkdir()
    run("rpm", "--root", root, "--initdb")
    run("rpm", "--root", root, "--nodeps", "--noscripts", "-i", rpm)
    assert run("rpm", "--root", root, "-q", "--qf", "%{license}", "berth").stdout == "LGPL-2.1-or-later"
    files = {path.replace("vendor-completions", "site-functions") for path in files_below(installed())}
    assert files <= files_below(root)
    assert run("rpm", "--root", root, "-V", "--nodeps", "berth").stdout == ""
    run("rpm", "--root", root, "--noscripts", "-e", "berth")
    assert not (root / "usr/bin/berth").exists()
