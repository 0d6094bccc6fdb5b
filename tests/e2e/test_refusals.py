"""Refusals: each names the thing, the reason and the remedy, and leaves the host as it was."""

import json
import signal

import pytest
from rig import images
from rig.checks import leftovers
from rig.shell import PATIENCE


@pytest.fixture
def unchanged(shared_host):
    """The host, with a check that the test left nothing behind."""
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


def test_what_is_not_installed_cannot_be_uninstalled_started_or_stopped(unchanged):
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
    words = refused(unchanged, 1, "install", f"oci:{image.inside}", "--name=many")
    for place in ("config.json.template:1", "service.template:2", "tmpfiles.template:3"):
        assert place in words
    for variable in ("ONE", "TWO", "THREE"):
        assert variable in words


def test_a_value_that_breaks_the_json_is_located(unchanged):
    image = images.with_exports("many-missing", MANY_MISSING)
    words = refused(unchanged, 1, "install", "--set=ONE=a\"b", "--set=TWO=x", "--set=THREE=/run/x", f"oci:{image.inside}")
    assert "config.json.template:1" in words and "ONE" in words


def test_a_newline_cannot_add_a_directive_to_a_unit(unchanged):
    image = images.with_exports("many-missing", MANY_MISSING)
    words = refused(unchanged, 1, "install", "--set=ONE=x", "--set=TWO=x\n[Service]\nExecStartPre=/bin/sh", "--set=THREE=/run/x",
                    f"oci:{image.inside}")  # fmt: skip
    assert "service.template:2" in words and "TWO" in words


def config_image(name, root):
    config = {"ociVersion": "1.0.0", "process": {"args": ["/bin/sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}}, "root": root}
    return images.with_exports(name, {"config.json": json.dumps(config)})


def test_a_root_that_is_not_read_only(unchanged):
    image = config_image("writable-root", {"path": "rootfs"})
    assert "root.readonly" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


def test_a_root_that_is_elsewhere(unchanged):
    image = config_image("other-root", {"path": "/", "readonly": True})
    assert "must be `rootfs`" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


def test_a_wrong_type_in_the_manifest_names_the_key(unchanged):
    image = images.with_exports("wrong-type", {"manifest.json": '{"version": "1.0", "renameFiles": ["a"]}'})
    assert "renameFiles" in refused(unchanged, 6, "install", f"oci:{image.inside}", "--name=probe")


def test_a_service_that_does_not_start_is_taken_back_with_its_last_words(unchanged):
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo these are my last words; exit 3'\n[Install]\nWantedBy=multi-user.target\n"
    image = images.with_exports("no-start", {"service.template": unit, "manifest.json": '{"version": "1.0"}'})
    words = refused(unchanged, 7, "install", "--now", f"oci:{image.inside}", "--name=probe")
    assert "these are my last words" in words
    assert unchanged.unit("probe", "LoadState")["LoadState"] == "not-found"


def test_a_failed_start_of_an_installed_container_quotes_the_journal(host):
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo these are my last words; exit 3'\n[Install]\nWantedBy=multi-user.target\n"
    image = images.with_exports("no-start", {"service.template": unit, "manifest.json": '{"version": "1.0"}'})
    host.berth("install", f"oci:{image.inside}", "--name=probe")
    words = refused(host, 1, "start", "probe")
    assert "these are my last words" in words


def test_the_last_words_are_quoted_though_journald_is_late(host):
    unit = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo these are my last words; exit 3'\n[Install]\nWantedBy=multi-user.target\n"
    image = images.with_exports("no-start", {"service.template": unit, "manifest.json": '{"version": "1.0"}'})
    host.berth("install", f"oci:{image.inside}", "--name=probe")
    journald = str(host.pid_of("/lib/systemd/systemd-journald"))
    host.run("kill", "-STOP", journald)
    process = host.start_process("berth", "start", "probe")
    host.wait_for(lambda: host.unit("probe")["ActiveState"] == "failed", "it has failed")
    signal.sigtimedwait([], 1)  # far longer than words are on their way
    host.run("kill", "-CONT", journald)
    _, words = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1 and "these are my last words" in words


def test_help_and_version_go_to_standard_output(shared_host):
    done = shared_host.berth("--version")
    assert done.stdout.startswith("berth ") and done.stderr == ""
    for verb in ((), ("install",), ("containers", "list")):
        done = shared_host.berth(*verb, "--help")
        assert "--help" in done.stdout and done.stderr == ""
