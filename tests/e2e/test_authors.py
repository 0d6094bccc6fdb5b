# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs for image authors, lint, render and init, with and without root."""

import json
import pathlib

import pytest
from rig import images
from rig.shell import run

USER = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "HOME=/nonexistent")


def of_severity(findings, severity):
    return [finding for finding in findings if finding["severity"] == severity]


def put_exports(host, directory, files):
    for name, text in files.items():
        target = host.path(f"{directory}/{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def built(host, directory, base):
    """Builds an image from the Containerfile in a directory of the host, on another base. @return its reference"""
    context = host.path(directory)
    storage = host.directory / "buildah"
    run(
        "buildah", "--root", storage / "storage", "--runroot", storage / "run", "--storage-driver", "vfs", "build", "--quiet",
        "--isolation", "chroot", "--format", "oci", "--from", f"oci:{base.name}:{images.TAG}",
        "--tag", f"oci:{context / 'image'}:latest", context,
        cwd=base.directory,  # buildah parses the path of the base as a reference, which must not have upper-case letters
    )  # fmt: skip
    return f"oci:{directory}/image:latest"


@pytest.fixture
def started(host):
    """A function that installs an image and starts it."""

    def start(reference, name, *options):
        host.berth("install", "--now", f"--name={name}", *options, reference)
        assert host.unit(name)["SubState"] == "running", host.journal(name)

    return start


def test_an_image_from_init_has_no_findings_and_runs(host, started):
    host.berth("init", "/root/greeter")
    done = host.berth("lint", "--strict", "/root/greeter")
    assert "0 errors, 0 warnings" in done.stderr
    reference = built(host, "/root/greeter", images.plain())
    assert "0 errors, 0 warnings" in host.berth("lint", "--strict", reference).stderr
    started(reference, "greeter", "--set=GREETING=ahoy there")
    host.wait_for_output("greeter", "ahoy there")
    assert host.path("/var/lib/berth/greeter/data/started").exists()
    host.berth("update", "--settle=0.2", "--set=GREETING=once more", "greeter")
    assert host.unit("greeter")["SubState"] == "running"
    host.berth("uninstall", "greeter")


def test_init_from_an_image_runs_as_the_image_would(host, started):
    plain = images.plain()
    host.berth("init", f"--from=oci:{plain.inside}", "/root/made")
    assert "0 errors, 0 warnings" in host.berth("lint", "--strict", "/root/made").stderr
    started(built(host, "/root/made", plain), "made", "--set=GREETING=hello")
    host.wait_for_output("made", "GREETING=hello and one two")
    assert "runs as 1000 in /srv/home" in host.journal("made")
    host.run("systemctl", "stop", "made")
    assert "plain says goodbye" in host.journal("made")


def test_an_author_needs_no_root(host):
    host.run("install -d -o nobody /home/author")
    host.run(*USER, "berth", "init", "/home/author/greeter")
    assert "0 errors, 0 warnings" in host.run(*USER, "berth", "lint", "/home/author/greeter").stderr
    rendered = host.run(*USER, "berth", "render", "--name=web", "/home/author/greeter").stdout
    assert "# /etc/systemd/system/web.service\n" in rendered
    assert "d /var/lib/berth/web/data 0755 0 0 - -\n" in rendered
    hello = images.hello_world()
    host.run(f"cp -r {hello.inside.rsplit(':', 1)[0]} /home/author/hello && chown -R nobody /home/author/hello")
    image = "oci:/home/author/hello:latest"
    host.berth("pull", image)  # the author cannot read the store of root
    done = host.run(*USER, "berth", "lint", "--json", image)
    assert of_severity(json.loads(done.stdout), "error") == []
    assert host.output("ls /var/tmp /tmp | grep berth || true") == ""


def test_lint_without_systemd_checks_everything_else(host):
    host.berth("init", "/root/greeter")
    host.run("mv /usr/bin/systemd-analyze /usr/bin/systemd-analyze.away")
    try:
        findings = json.loads(host.berth("lint", "--json", "/root/greeter").stdout)
    finally:
        host.run("mv /usr/bin/systemd-analyze.away /usr/bin/systemd-analyze")
    assert [finding["severity"] for finding in findings if finding["code"] == "unit-not-verified"] == ["note"]


def test_findings_have_a_file_and_a_line_and_set_the_exit_status(shared_host):
    directory = "/root/faulty/exports"
    put_exports(shared_host, directory, {
        "manifest.json": '{"version": "1.0", "defaultValues": {\n"UNUSED": "1"}}\n',
        "service.template": "[Service]\nExecStart=$EXEC_START\nRestart=sometimes\nWorkingDirectory=$DESTDIR\n",
        "config.json.template": json.dumps({
            "ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True}, "process": {"args": ["/bin/x"], "cwd": "/"},
        }),
        "tmpfiles.template": "d /run/$NAME\n",
    })  # fmt: skip
    done = shared_host.berth("lint", "/root/faulty")
    assert f"{directory}/service.template:3: warning: " in done.stdout
    assert f"{directory}/manifest.json:2: warning: no template uses $UNUSED" in done.stdout
    assert shared_host.berth("lint", "--strict", "/root/faulty", check=False).returncode == 1
    put_exports(shared_host, directory, {"tmpfiles.template": "d /run/$NAME\nk /run/x\n"})
    done = shared_host.berth("lint", "--json", "/root/faulty", check=False)
    assert done.returncode == 1
    (error,) = of_severity(json.loads(done.stdout), "error")
    assert (error["file"], error["line"], error["code"]) == (f"{directory}/tmpfiles.template", 2, "tmpfiles-syntax")
    assert "note: " not in shared_host.berth("lint", "--quiet", "/root/faulty", check=False).stdout


def test_render_writes_into_a_directory(shared_host):
    image = f"oci:{images.hello_world().inside}"
    shared_host.berth("render", "--name=hello", "--set=PORT=99", "--output=/root/rendered", image)
    config = json.loads(shared_host.path("/root/rendered/var/lib/containers/berth/hello.0/config.json").read_text())
    assert "PORT=99" in config["process"]["env"]
    assert shared_host.path("/root/rendered/etc/systemd/system/hello.service").exists()
    again = shared_host.berth("render", "--name=hello", "--output=/root/rendered", image, check=False)
    assert again.returncode == 4
    files = json.loads(shared_host.berth("render", "--json", "--name=hello", image).stdout)["files"]
    assert [pathlib.PurePath(file["path"]).name for file in files] == ["config.json", "hello.service"]


def test_a_file_that_is_not_utf_8_can_be_shown_as_json(shared_host):
    put_exports(shared_host, "/root/latin/exports", {
        "manifest.json": json.dumps({"version": "1.0", "noContainerService": True, "installedFilesTemplate": ["/etc/latin"]}),
    })  # fmt: skip
    shared_host.run("mkdir -p /root/latin/exports/hostfs/etc && printf 'caf\\351 of $NAME\\n' > /root/latin/exports/hostfs/etc/latin")
    (file,) = json.loads(shared_host.berth("render", "--json", "/root/latin").stdout)["files"]
    assert file["content"] == "caf\ufffd of latin\n"
    assert shared_host.berth("lint", "--strict", "--json", "/root/latin").returncode == 0


@pytest.mark.parametrize("verb", ["lint", "render"])
def test_a_directory_that_does_not_exist(shared_host, verb):
    done = shared_host.berth(verb, "/root/nothing", check=False)
    assert done.returncode == 3
    assert "hint:" in done.stderr


def test_init_overwrites_nothing(shared_host):
    shared_host.run("mkdir -p /root/kept; echo mine > /root/kept/help.md")
    done = shared_host.berth("init", "/root/kept", check=False)
    assert done.returncode == 4
    assert shared_host.output("find /root/kept -type f") == "/root/kept/help.md"
