# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hostile /exports of images: what is refused, what is warned about, and the privileges that --display shows."""

import json

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, leftovers
from rig.images import Link, Program

UNIT = "[Service]\nExecStart=$EXEC_START\n[Install]\nWantedBy=multi-user.target\n"


def config(mounts=(), **more):
    return json.dumps(
        {
            "ociVersion": "1.0.2",
            "process": {"args": ["/bin/sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
            "root": {"path": "rootfs", "readonly": True},
            "mounts": list(mounts),
            "linux": {"namespaces": [{"type": kind} for kind in ("mount", "pid", "ipc", "network")]},
            **more,
        }
    )


def bind(source, *options):
    return {"destination": "/d", "type": "bind", "source": source, "options": ["rbind", *options]}


def image(name, files=None, hostfs=None, rename=None, mounts=(), **more):
    files = {"config.json.template": config(mounts, **more), "service.template": UNIT, **(files or {})}
    if rename:
        files["manifest.json"] = json.dumps({"version": "1.0", "renameFiles": rename})
    return images.with_exports(f"hostile-{name}", files, hostfs)


# (exit code, texts of the message, image); the container is always named probe.
REFUSED = {
    "unit": (4, ["etc/systemd/system/probe.service", "--name"], image("unit", hostfs={"etc/systemd/system/probe.service": "x"})),
    "unit-by-rename": (4, ["hostfs/etc/harmless", "which berth itself writes"],
                       image("unit-rename", hostfs={"etc/harmless": "x"}, rename={"/etc/harmless": "/etc/systemd/system/${NAME}.service"})),
    "tmpfiles": (4, ["etc/tmpfiles.d/probe.conf"], image("tmpfiles", hostfs={"etc/tmpfiles.d/probe.conf": "x"})),
    "deployment": (4, ["which berth itself writes"], image("deployment", hostfs={"var/lib/containers/berth/other.0/info": "{}"})),
    "settings": (4, ["/etc/berth/berth.conf"], image("settings", hostfs={"etc/berth/berth.conf": "x"})),
    "link-to-deployments": (4, ["srv/link", "leads to /var/lib/containers/berth"],
                            image("link-own", hostfs={"srv/link": Link("/var/lib/containers/berth")})),
    "exports-link": (6, ["exports/config.json in the image is a symbolic link"], image("config-link", {"config.json": Link("/etc/passwd")})),
    "hostfs-link": (6, ["/exports/hostfs in the image is a symbolic link"], image("hostfs-link", {"hostfs": Link("/etc")})),
    "manifest-link": (6, ["exports/manifest.json in the image is a symbolic link"], image("manifest-link", {"manifest.json": Link("../../../../etc/passwd")})),
    "rename-upwards": (6, ["renameFiles", ".."], image("upwards", hostfs={"etc/a": "x"}, rename={"/etc/a": "/srv/../../etc/b"})),
    "rename-relative": (6, ["renameFiles", "not absolute"], image("relative", hostfs={"etc/a": "x"}, rename={"/etc/a": "etc/b"})),
    "rename-to-root": (6, ["the host's root"], image("to-root", hostfs={"etc/a": "x"}, rename={"/etc/a": "/"})),
    "rename-collides": (4, ["/etc/same"], image("collides", hostfs={"etc/a": "x", "etc/b": "y"}, rename={"/etc/a": "/etc/same", "/etc/b": "/etc/same"})),
    "rename-kernel": (5, ["/proc"], image("kernel", hostfs={"etc/a": "x"}, rename={"/etc/a": "/proc/sys/kernel/new"})),
    "bind-deployments": (6, ["config.json", "/var/lib/containers/berth, which is berth's own", "read-only"], image("bind-own", mounts=[bind("/var/lib/containers/berth", "rw")])),
    "bind-repository": (6, ["which is berth's own"], image("bind-repo", mounts=[bind("/var/lib/containers/berth/.storage/ostree")])),
    "bind-rootfs": (6, ["which is berth's own"], image("bind-rootfs", mounts=[bind("$DESTDIR/rootfs/etc")])),
    "bind-relative": (6, ["write to rootfs"], image("bind-relative", mounts=[bind("rootfs")])),
    "bind-upwards": (6, ["`..`"], image("bind-upwards", mounts=[bind("/srv/../var/lib/containers/berth")])),
    "writable-root": (6, ["writable", "root.readonly"], image("writable", root={"path": "rootfs"})),
    "other-root": (6, ["must be `rootfs`"], image("other", root={"path": "/", "readonly": True})),
    "return-in-unit": (6, ["exports/service.template:1", "carriage return"], image("unit-cr", {"service.template": "# c\rExecStartPre=/bin/touch /x\n" + UNIT})),
    "return-in-tmpfiles": (6, ["exports/tmpfiles.template:1", "carriage return"], image("tmpfiles-cr", {"tmpfiles.template": "# c\rR /etc\n"})),
    "escape-in-default": (6, ["defaultValues.A", "U+001B"], image("escape", {"manifest.json": json.dumps({"version": "1.0", "defaultValues": {"A": "\x1b[2J"}})})),
    "escape-in-name": (6, ["exports/hostfs", "U+001B"], image("escape-name", hostfs={"etc/a\x1b[2J": "x"})),
    "terminal": (6, ["requires a terminal", "process.terminal"], image("terminal", process={"args": ["/bin/sh"], "cwd": "/", "terminal": True})),
    "hook-of-wrong-type": (6, ["hooks.prestart"], image("hook-type", hooks={"prestart": "x"})),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_and_changes_nothing(shared_host, case):
    code, words, made = REFUSED[case]
    before = shared_host.snapshot()
    done = shared_host.berth("install", "--name=probe", f"oci:{made.inside}", check=False)
    assert done.returncode == code, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr
    assert "hint: " in done.stderr
    assert leftovers(before, shared_host.snapshot()) == []


def install(host, made, *options):
    return host.berth("install", "--name=probe", *options, f"oci:{made.inside}")


def test_a_link_of_the_host_does_not_hide_directories_of_berth(host):
    host.run("mkdir -p /srv && ln -s /var/lib/containers/berth /srv/hidden && ln -s /etc/systemd/system /etc/units")
    for made, code in ((image("by-link", mounts=[bind("/srv/hidden")]), 6), (image("unit-by-link", hostfs={"etc/units/probe.service": "x"}), 4)):
        done = host.berth("install", "--name=probe", f"oci:{made.inside}", check=False)
        assert done.returncode == code, done.stderr
        assert "berth" in done.stderr


def test_existing_files_of_the_host_are_not_changed(host):
    before = {path: host.path(path).read_bytes() for path in ("/etc/shadow", "/etc/passwd", "/usr/bin/env")}
    done = install(host, image("existing", hostfs={path.lstrip("/"): "mine" for path in before}))
    for path, content in before.items():
        assert host.path(path).read_bytes() == content
        assert f"{path} exists on the host already and is left as it is" in done.stderr
    host.berth("uninstall", "probe")
    for path, content in before.items():
        assert host.path(path).read_bytes() == content


def test_a_host_file_follows_the_links_of_the_administrator_only(host):
    host.run("mkdir -p /srv/real && ln -s /srv/real /etc/byadmin")
    install(host, image("admin-link", hostfs={"etc/byadmin/x": "bytes", "etc/fresh": Link("/srv/real"), "usr/local/y": "y"}))
    assert host.path("/srv/real/x").read_text() == "bytes"
    assert host.path("/etc/fresh").readlink().as_posix() == "/srv/real"
    host.berth("uninstall", "probe")
    assert not host.path("/srv/real/x").exists() and host.path("/srv/real").is_dir()
    assert not host.path("/etc/fresh").is_symlink()


def test_names_in_the_manifest_that_hostfs_lacks_are_reported(host):
    done = install(host, image("no-such-file", hostfs={"etc/one": "1"}, rename={"/etc/on": "/etc/two"}))
    assert "warning: exports/manifest.json: renameFiles names paths that are not in exports/hostfs: /etc/on\n" in done.stderr
    assert host.path("/etc/one").read_text() == "1"


def test_two_files_can_exchange_their_names(host):
    install(host, image("exchange", hostfs={"etc/one": "1", "etc/two": "2"}, rename={"/etc/one": "/etc/two", "/etc/two": "/etc/one"}))
    assert (host.path("/etc/one").read_text(), host.path("/etc/two").read_text()) == ("2", "1")


ODD = "a b\"c'd\\e%%f$$g;#|`&<>[x]*?~"


def test_odd_values_stay_within_their_line(host):
    """Values are substituted unchanged; they can add neither a line nor a setting."""
    unit = '[Service]\nEnvironment="PLAIN=1"\n# $VALUE\nExecStart=$EXEC_START\n[Install]\nWantedBy=multi-user.target\n'
    files = {"service.template": unit, "tmpfiles.template": "# $VALUE\nd /run/probe 0755 - - - -\n"}
    install(host, image("odd", files), f"--set=VALUE={ODD}")
    assert f"\n# {ODD}\n" in host.path("/etc/systemd/system/probe.service").read_text()
    assert host.path("/etc/tmpfiles.d/probe.conf").read_text() == f"# {ODD}\nd /run/probe 0755 - - - -\n"
    assert host.unit("probe", "LoadState", "User") == {"LoadState": "loaded", "User": ""}


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\\"])
@pytest.mark.parametrize("file", ["service.template", "tmpfiles.template"])
def test_values_that_would_add_a_line_are_refused(shared_host, value, file):
    texts = {"service.template": "[Service]\n# $VALUE\nExecStart=$EXEC_START\n", "tmpfiles.template": "#\nd /run/$VALUE\n"}
    before = shared_host.snapshot()
    done = shared_host.berth("install", "--name=probe", f"--set=VALUE={value}", f"oci:{image('lines-' + file, {file: texts[file]}).inside}", check=False)
    assert done.returncode == 1, done.stderr
    assert f"exports/{file}:2: the value of $VALUE" in done.stderr
    assert leftovers(before, shared_host.snapshot()) == []


PRIVILEGED = {
    "process": {"args": ["/bin/sh"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "capabilities": {"bounding": "ALL"}},
    "hooks": {"prestart": [{"path": "/usr/bin/true"}]},
    "linux": {"devices": [{"path": "/dev/kvm", "type": "c", "major": 10, "minor": 232}], "resources": {"devices": [{"allow": True, "access": "rwm"}]},
              "sysctl": {"net.ipv4.ip_forward": "1"}},
}  # fmt: skip
PRIVILEGED_UNIT = "[Unit]\nFailureAction=reboot\n[Service]\nExecStartPre=/bin/bash -c 'echo > /run/x'\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\n"


def privileged():
    proc = {"destination": "/proc", "type": "proc", "source": "proc"}
    template = config([bind("/", "rw"), bind("/etc/hosts", "ro"), proc], **PRIVILEGED).replace('"ALL"', "[$ALL_PROCESS_CAPABILITIES]")
    files = {"config.json.template": template, "service.template": PRIVILEGED_UNIT, "tmpfiles.template": "d /run/probe\nw /proc/sys/vm/swappiness - - - - 1\n"}
    return image("privileged", files, {"usr/local/bin/su2": Program("#!/bin/sh\n"), "etc/cron.d/probe": "", "etc/probe.conf": "", "etc/probe.link": Link("probe.conf\n")})


SHOWN = [
    "runs with all capabilities (41)", "shares the host's network", "shares the host's processes (pid namespace)", "shares the host's IPC namespace",
    "shares the host's name (UTS namespace)",
    "may write the kernel's settings at /proc/sys, which is not read-only",
    "shares the host's mounts", "binds the host's / read-write at /d", "binds the host's /etc/hosts read-only at /d", "gets the device /dev/kvm",
    "may use devices: all", "hooks run on the host: /usr/bin/true (prestart)", "sets the kernel parameter net.ipv4.ip_forward",
    "may change the files of all containers, which are below /", "puts a setuid or setgid program on the host: /usr/local/bin/su2 (4755)",
    "puts a file on the host that controls programs run by root: /etc/cron.d/probe", "the unit acts on the whole machine: FailureAction=reboot",
    "the unit runs a program of the host as root: ExecStartPre=/bin/bash -c 'echo > /run/x'",
    "changes the host by a tmpfiles.d line: w /proc/sys/vm/swappiness - - - - 1",
]  # fmt: skip


def test_display_shows_all_privileges(shared_host):
    before = shared_host.snapshot()
    shown = shared_host.berth("install", "--display", "--name=probe", f"oci:{privileged().inside}").stdout
    asked = shown.split("This image asks for:\n")[1].split("\n\n")[0]
    assert sorted(line.strip() for line in asked.splitlines()) == sorted(SHOWN)
    plan = json.loads(shared_host.berth("install", "--dry-run", "--json", "--name=probe", f"oci:{privileged().inside}").stdout)
    assert sorted(plan["privileges"]) == sorted(SHOWN)
    assert "4755 0:0 /usr/local/bin/su2" in shown and "/etc/probe.conf" in shown and "/etc/probe.link -> probe.conf\\n\n" in shown
    assert [file["target"] for file in plan["hostFiles"] if file["kind"] == "link"] == ["probe.conf\n"]
    assert leftovers(before, shared_host.snapshot()) == []


def hooked():
    return image("hooked", hooks={"prestart": [{"path": "/usr/bin/true"}]})


def test_a_run_reports_its_privileges(shared_host):
    before = shared_host.snapshot()
    reference = f"oci:{privileged().inside}"
    shown = shared_host.berth("run", "--display", reference, "/bin/echo", "hi").stdout
    asked = shown.split("This image asks for:\n")[1].split("\n\n")[0]
    assert "hooks run on the host: /usr/bin/true (prestart)" in asked and "runs with all capabilities" in asked
    assert "ExecStartPre" not in shown and "su2" not in shown and "tmpfiles" not in asked  # they belong to an install
    plan = json.loads(shared_host.berth("run", "--display", "--json", reference, "/bin/echo", "hi").stdout)
    assert plan["config"]["process"]["args"] == ["/bin/echo", "hi"]
    done = shared_host.berth("run", f"oci:{hooked().inside}", "/bin/true", check=False)
    assert "can do what root on this host can: hooks run on the host: /usr/bin/true (prestart)" in done.stderr
    assert leftovers(before, shared_host.snapshot()) == []


def test_control_characters_are_not_sent_to_the_terminal(shared_host):
    made = image("shown", {"tmpfiles.template": "d /run/probe\n# $VALUE\n"})
    values = ("--set=VALUE=a\u202eb", "--set=UNUSED=1\x1b[2J\n  NAME=other")
    for verb in ("install", "render"):
        options = ("--display", "--name=probe") if verb == "install" else ("--name=probe",)
        shown = shared_host.berth(verb, *options, *values, f"oci:{made.inside}").stdout
        assert "\x1b" not in shown and "\u202e" not in shown and "# a<U+202E>b\n" in shown
    assert "  UNUSED=1?[2J\\n  NAME=other\n" in shared_host.berth("install", "--display", "--name=probe", *values, f"oci:{made.inside}").stdout


def test_an_update_reports_additional_privileges(host):
    install(host, image("growing"))
    grown = image("growing", {"tmpfiles.template": "C /var/lib/probe/key - - - - /etc/shadow\n"})
    done = host.berth("update", "--settle=0", f"--rebase=oci:{grown.inside}", "probe")
    assert "warning: probe asks for additional privileges: changes the host by a tmpfiles.d line: C /var/lib/probe/key - - - - /etc/shadow\n" in done.stderr
    assert "asks for additional privileges" not in host.berth("update", "--settle=0", "--set=X=1", "probe").stderr


def test_privileges_of_root_are_warned_about(host):
    done = install(host, privileged())
    (warning,) = [line for line in done.stderr.splitlines() if "can do what root on this host can" in line]
    for privilege in ("all capabilities", "binds the host's / read-write", "hooks run on the host", "ExecStartPre", "su2", "/etc/cron.d/probe"):
        assert privilege in warning
    assert "net.ipv4.ip_forward" not in warning
    assert host.path(f"{DEPLOYMENTS}/probe.0/config.json").exists()


def test_an_ordinary_image_is_not_warned_about(host):
    assert "can do what root" not in host.berth("install", f"oci:{images.plain().inside}", "--name=plain").stderr
