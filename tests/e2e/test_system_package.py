# SPDX-License-Identifier: LGPL-2.1-or-later
"""Host files in a system package: dpkg manages them from install to uninstall."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS

PACKAGE = "atomic-container-greeter1"
EXPORTS = {"manifest.json": json.dumps({"version": "1.0", "installedFilesTemplate": ["/etc/greeter/greeter.conf"], "defaultValues": {"GREETING": "ahoy"}})}
HOSTFS = {"etc/greeter/greeter.conf": "greeting = $GREETING\n", "usr/local/bin/greet": "#!/bin/sh\necho hello\n"}


@pytest.fixture
def installed(host):
    host.berth("install", "--name=greeter1", "--system-package=yes", f"oci:{images.with_exports('greeter-packaged', EXPORTS, HOSTFS).inside}")
    return host


def status(host):
    """The state and the summary of the package in dpkg; empty when it is not installed."""
    done = host.run("dpkg-query", "--show", "--showformat=${db:Status-Abbrev}${Summary}", PACKAGE, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def test_dpkg_owns_the_host_files(installed):
    assert status(installed).startswith("ii")
    assert installed.output("dpkg", "--search", "/usr/local/bin/greet").startswith(PACKAGE)
    assert installed.path("/etc/greeter/greeter.conf").read_text() == "greeting = ahoy\n"
    assert installed.output("dpkg", "--verify", PACKAGE) == ""
    image_id = installed.berth_json("inspect", "greeter1")["imageId"]
    assert image_id[:12] in installed.output("dpkg-query", "--show", "--showformat=${Version}", PACKAGE)
    info = json.loads(installed.path(f"{DEPLOYMENTS}/greeter1.0/info").read_text())
    assert (info["system-package"], info["package"]) == ("yes", PACKAGE)


def test_uninstall_removes_the_package(installed):
    installed.berth("uninstall", "greeter1")
    assert status(installed) == ""
    assert not installed.path("/usr/local/bin/greet").exists()
    assert not installed.path("/etc/greeter").exists()


def test_an_update_with_other_values_installs_another_package_and_a_rollback_the_first_one(installed):
    installed.berth("update", "--no-pull", "--set=GREETING=moin", "greeter1")
    assert installed.path("/etc/greeter/greeter.conf").read_text() == "greeting = moin\n"
    assert installed.output("dpkg", "--verify", PACKAGE) == ""
    installed.berth("rollback", "greeter1")
    assert installed.path("/etc/greeter/greeter.conf").read_text() == "greeting = ahoy\n"


def test_an_edited_configuration_file_is_kept_and_reported(installed):
    installed.path("/etc/greeter/greeter.conf").write_text("mine\n")
    uninstall = installed.berth("uninstall", "greeter1")
    assert "/etc/greeter/greeter.conf" in uninstall.stderr
    assert installed.path("/etc/greeter/greeter.conf").read_text() == "mine\n"
    installed.run("dpkg", "--purge", PACKAGE)
    installed.path("/etc/greeter/greeter.conf").unlink(missing_ok=True)


def test_display_names_the_package(host):
    image = images.with_exports("greeter-packaged", EXPORTS, HOSTFS)
    shown = host.berth("install", "--name=greeter1", "--display", "--system-package=yes", f"oci:{image.inside}").stdout
    assert f"in the package {PACKAGE}" in shown
    assert status(host) == ""
