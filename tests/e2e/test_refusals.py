# SPDX-License-Identifier: LGPL-2.1-or-later
"""Refusals: each names the object, the reason and the remedy, and leaves the host unchanged."""

import json
import signal

import pytest
from rig import images
from rig.checks import leftovers


@pytest.fixture
def unchanged(shared_host):
    """A host that must be unchanged at the end of the test."""
    before = shared_host.snapshot()
    yield shared_host
    assert leftovers(before, shared_host.snapshot()) == []


def refused(host, code, *argv):
    done = host.berth(*argv, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    return done.stderr


HELLO = images.hello_world


def test_a_short_name_proposes_a_full_one(unchanged):
    assert "docker.io/library/busybox" in refused(unchanged, 2, "install", "busybox")


def test_an_unknown_option_is_named(unchanged):
    assert "--colour" in refused(unchanged, 2, "install", "--colour", "x")


def test_an_unknown_verb_is_named(unchanged):
    assert "instal" in refused(unchanged, 2, "instal", "x")


def test_a_layout_that_does_not_exist(unchanged):
    assert "/nowhere" in refused(unchanged, 3, "install", "oci:/nowhere")


@pytest.mark.parametrize("name", ["-x", ".x", "a/b", "a b", "ü", "a" * 250])
def test_an_illegal_container_name(unchanged, name):
    assert name[:20] in refused(unchanged, 2, "install", f"--name={name}", f"oci:{HELLO().inside}")


@pytest.mark.parametrize("variable", ["NAME", "DESTDIR", "EXEC_START", "IMAGE_ID", "HOST_UID"])
def test_a_forced_variable_cannot_be_set(unchanged, variable):
    assert variable in refused(unchanged, 2, "install", f"--set={variable}=x", f"oci:{HELLO().inside}")


def test_a_container_that_is_not_installed_cannot_be_uninstalled_started_or_stopped(unchanged):
    for verb in ("uninstall", "start", "stop"):
        assert "nothing" in refused(unchanged, 3, verb, "nothing")


MANY_MISSING = {
    "config.json.template": json.dumps({"ociVersion": "1.0.0", "process": {"args": ["$ONE"], "cwd": "/"},
                                        "root": {"path": "rootfs", "readonly": True}}),
    "service.template": "[Unit]\nDescription=$TWO\n[Service]\nExecStart=$EXEC_START\n[Install]\nWantedBy=multi-user.target\n",
    "tmpfiles.template": "# first\n# second\nd ${THREE} - - - -\n",
    "manifest.json": '{"version": "1.0"}',
}  # fmt: skip


def test_every_missing_variable_is_named_at_once_with_file_and_line(unchanged):
    image = images.with_exports("many-missing", MANY_MISSING)
    message = refused(unchanged, 1, "install", f"oci:{image.inside}", "--name=many")
    for line in ("config.json.template:1", "service.template:2", "tmpfiles.template:3"):
        assert line in message
    for variable in ("ONE", "TWO", "THREE"):
        assert variable in message


def test_a_value_that_breaks_the_json_is_located(unchanged):
    image = images.with_exports("many-missing", MANY_MISSING)
    message = refused(unchanged, 1, "install", "--set=ONE=a\"b", "--set=TWO=x", "--set=THREE=/run/x", f"oci:{image.inside}")
    assert "config.json.template:1" in message and "ONE" in message


def test_a_newline_cannot_add_a_directive_to_a_unit(unchanged):
    image = images.with_exports("many-missing", MANY_MISSING)
    message = refused(unchanged, 1, "install", "--set=ONE=x", "--set=TWO=x\n[Service]\nExecStartPre=/bin/sh", "--set=THREE=/run/x",
                      f"oci:{image.inside}")  # fmt: skip
    assert "service.template:2" in message and "TWO" in message


def config_image(name, root):
    config = {"ociVersion": "1.0.0", "process": {"args": ["/bin/sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}}, "root": root}
    return images.with_exports(name, {"config.json": json.dumps(config)})


def test_a_writable_root_file_system(unchanged):
    image = config_image("writable-root", {"path": "rootfs"})
    assert "root.readonly" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


def test_a_root_file_system_outside_the_deployment(unchanged):
    image = config_image("other-root", {"path": "/", "readonly": True})
    assert "must be `rootfs`" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


def test_a_wrong_type_in_the_manifest_names_the_key(unchanged):
    image = images.with_exports("wrong-type", {"manifest.json": '{"version": "1.0", "renameFiles": ["a"]}'})
    assert "renameFiles" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


LAST_LINE = "the last line of the service"
NO_START = {
    "service.template": f"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo {LAST_LINE}; exit 3'\n[Install]\nWantedBy=multi-user.target\n",
    "manifest.json": '{"version": "1.0"}',
}


def test_an_install_is_undone_when_the_service_does_not_start_and_quotes_its_output(unchanged):
    image = images.with_exports("no-start", NO_START)
    message = refused(unchanged, 7, "install", "--now", f"oci:{image.inside}", "--name=probe")
    assert LAST_LINE in message
    assert unchanged.unit("probe", "LoadState")["LoadState"] == "not-found"


def test_a_failed_start_of_an_installed_container_quotes_the_journal(host):
    image = images.with_exports("no-start", NO_START)
    host.berth("install", f"oci:{image.inside}", "--name=probe")
    assert LAST_LINE in refused(host, 1, "start", "probe")


def test_the_last_lines_are_quoted_even_if_journald_is_late(host):
    image = images.with_exports("no-start", NO_START)
    host.berth("install", f"oci:{image.inside}", "--name=probe")
    journald = str(host.pid_of("/lib/systemd/systemd-journald"))
    host.run("kill", "-STOP", journald)
    process = host.start_process("berth", "start", "probe")
    host.wait_for_state("probe", "failed")
    signal.sigtimedwait([], 1)  # far longer than messages take to the journal
    host.run("kill", "-CONT", journald)
    _, errors = process.outputs()
    assert process.returncode == 1 and LAST_LINE in errors


def test_help_and_version_go_to_standard_output(shared_host):
    done = shared_host.berth("--version")
    assert done.stdout.startswith("berth ") and done.stderr == ""
    for verb in ((), ("install",), ("containers", "list")):
        done = shared_host.berth(*verb, "--help")
        assert "--help" in done.stdout and done.stderr == ""
