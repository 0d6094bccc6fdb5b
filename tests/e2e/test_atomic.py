# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command lines of `atomic`, through a link with its name."""

import json
import re
import socket
import subprocess

import pytest
from rig import images
from rig.installed import installed
from rig.shell import CLEAN, die_with_parent, run, wait_for

REPOSITORY = "/srv/atomic/repo"
CHECKOUTS = "/srv/atomic/checkout"
ENVIRONMENT = {"ATOMIC_OSTREE_REPO": REPOSITORY, "ATOMIC_OSTREE_CHECKOUT_PATH": CHECKOUTS}


class Atomic:
    def __init__(self, host):
        self.host = host
        host.path("/usr/local/bin").mkdir(parents=True, exist_ok=True)
        host.path("/usr/local/bin/atomic").symlink_to("/usr/bin/berth")

    def __call__(self, *words, check=True, env=None):
        return self.host.run("atomic", *words, check=check, env={**ENVIRONMENT, **(env or {})})

    def refused(self, *words, code=1, **options):
        done = self(*words, check=False, **options)
        assert done.returncode == code, done
        return done.stderr

    def refs(self):
        return run("ostree", f"--repo={self.host.path(REPOSITORY)}", "refs").stdout.splitlines()


@pytest.fixture
def atomic(host):
    return Atomic(host)


@pytest.fixture
def archive():
    """dockertar:/FILE of hello-world, which the archive names example.test/hello-world:latest."""
    return f"dockertar:/{images.hello_world().file('docker.tar')}"


@pytest.fixture
def hello(atomic, archive):
    """hello-world, installed and running."""
    atomic("install", "--system", "--name=hello", "--set=RECEIVER=Pluto", archive)
    atomic.host.run("systemctl", "start", "hello")
    atomic.host.fetch("http://127.0.0.1:8081/")
    return atomic


def test_pull_names_images_as_they_are_written(site, atomic):
    reference = site.pushed(images.hello_world())
    done = atomic("pull", "--storage", "ostree", f"http:{reference}")
    assert done.stdout == f"Image http:{reference} is being pulled to ostree ...\n"
    encoded = re.sub(r"[^A-Za-z0-9.-]", lambda found: f"_{ord(found[0]):02X}", reference)
    assert f"ociimage/{encoded}" in atomic.refs()
    atomic("images", "tag", "--storage=ostree", reference, "hello-again:1")
    assert "ociimage/hello-again_3A1" in atomic.refs()
    listed = atomic("images", "list", "-f", "type=ostree").stdout.splitlines()
    assert listed[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "VIRTUAL", "SIZE", "TYPE"]
    ids = {line.split()[2] for line in listed[1:]}
    assert len(listed) == 3 and len(ids) == 1
    refused = atomic.refused("pull", "--storage=docker", "busybox")
    assert "please choose --storage=ostree" in refused


def test_an_image_of_no_registry_has_no_registry_in_its_name(atomic):
    archive = atomic.host.path("/srv/a.tar")
    run("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{images.hello_world().layout}",
        f"docker-archive:{archive}:localhost/atomic-test-system:latest")  # fmt: skip
    atomic("pull", "--storage", "ostree", "dockertar://srv/a.tar")
    assert "ociimage/atomic-test-system_3Alatest" in atomic.refs()
    atomic("install", "--system", "atomic-test-system")
    assert "\n>  atomic-test-system " in atomic("images", "list").stdout
    assert atomic("containers", "list", "-aq", "--no-trunc").stdout == "atomic-test-system\n"


def test_install_writes_the_files_and_prints_the_lines_of_atomic(atomic, archive):
    done = atomic("--debug", "install", "--system", "-n", "hello", "--set", "RECEIVER=Pluto", archive)
    assert done.stdout.splitlines()[0] == f"Extracting to {CHECKOUTS}/hello.0"
    assert "systemctl enable hello" in done.stdout
    for path in ("config.json", "info", "hello.service", "rootfs/usr/bin/run.sh"):
        assert atomic.host.path(f"{CHECKOUTS}/hello.0/{path}").exists()
    again = atomic("install", "--system", "--name=hello", archive)
    assert again.stdout == "hello already present\n"


def test_display_prints_the_directory_and_changes_nothing(atomic, archive):
    done = atomic("install", "--display", "--system", "--name=hello", archive)
    assert done.stdout == f"Extracting to {CHECKOUTS}/hello.0\n"
    assert atomic("containers", "list", "--all").stdout == ""


def test_a_missing_value_is_reported_with_the_message_of_atomic(atomic):
    config = json.dumps({"root": {"path": "rootfs", "readonly": True}, "process": {"args": ["$VAR_WITH_NO_DEFAULT"], "cwd": "/"}})
    image = images.with_exports("unset-variable", {"config.json.template": config})
    refused = atomic.refused("install", "--system", "--name=hello", f"oci:{image.inside}")
    assert "unreplaced value for: ''VAR_WITH_NO_DEFAULT''" in refused


def test_an_image_to_be_run_once_gets_the_name_of_the_command_line(atomic):
    config = {"root": {"path": "rootfs", "readonly": False},
              "process": {"args": ["/bin/sh", "-c", "echo > /written && echo HI $RECEIVER from $NAME"], "cwd": "/",
                          "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}},
              "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
              "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]}}  # fmt: skip
    files = {"config.json.template": json.dumps(config), "manifest.json": '{"version": "1.0", "defaultValues": {"RECEIVER": "World"}}'}
    every_time = images.with_exports("says-hi", files)
    once = images.derived(every_time, "says-hi-once", {"etc/said": "hi"}, config=("--config.label", "atomic.run=once"))
    done = atomic("install", "--system", "--name=Saturn", "--set", "RECEIVER=Pluto", f"oci:{once.inside}")
    assert done.stdout == "HI Pluto from Saturn\n"
    assert not atomic.host.path(f"{CHECKOUTS}/Saturn").exists()
    assert atomic("run", "--set=RECEIVER=Pluto", "says-hi-once:latest", "test", "-e", "/written", check=False).returncode == 1
    assert atomic.host.berth("run", f"oci:{every_time.inside}", "touch", "/written").returncode == 0
    assert "writable" not in atomic.host.berth("lint", f"oci:{once.inside}", check=False).stdout
    assert "Extracting to" in atomic("install", "--display", "--set=RECEIVER=Pluto", "says-hi-once:latest").stdout


def test_a_writable_root_file_system_is_never_installed(hello):
    config = {"root": {"path": "rootfs", "readonly": False}, "process": {"args": ["/bin/sh"], "cwd": "/"}}
    writable = images.with_exports("writable-root", {"config.json": json.dumps(config)})
    once = images.derived(writable, "writable-root-once", {"etc/x": "x"}, config=("--config.label", "atomic.run=once"))
    assert "the root file system is writable" in hello.refused("install", "--system", f"oci:{writable.inside}")
    assert "the root file system is writable" in hello.refused("containers", "update", "--rebase", f"oci:{once.inside}", "hello")


def test_lists_have_the_columns_and_the_json_of_atomic(hello):
    lines = hello("containers", "list").stdout.splitlines()
    assert lines[0].split() == ["CONTAINER", "ID", "IMAGE", "NAME", "COMMAND", "CREATED", "STATE", "BACKEND", "RUNTIME"]
    assert lines[1].split()[:4] == ["hello", "example.test/hello-w", "hello", "/usr/bin/r"]
    assert lines[1].split()[-3:] == ["running", "ostree", "runc"]
    (row,) = json.loads(hello("containers", "list", "--json").stdout)
    assert (row["id"], row["image_name"], row["state"], row["running"]) == ("hello", "example.test/hello-world:latest", "running", True)
    assert hello("containers", "list", "-q").stdout == "hello\n"
    assert hello("ps", "--no-trunc", "--filter", "image=hello-world", "--filter", "backend=ostree", "-n").stdout.startswith("   hello ")
    assert hello("containers", "list", "--json", "-f", "container=idonotexist").stdout == "[]\n"
    assert "The filter nonsense is not valid" in hello.refused("containers", "list", "-f", "nonsense=1")
    (image,) = json.loads(hello("images", "list", "--json").stdout)
    assert (image["repo"], image["tag"], image["used"], image["backend"]) == ("example.test/hello-world", "latest", True, "ostree")
    assert re.fullmatch(r"\d+\.\d\d [KM]B", image["virtual_size"])
    assert "The filter nonsense is not valid" in hello.refused("images", "list", "-f", "nonsense=1")


def test_info_has_the_headings_of_atomic(hello):
    text = hello("images", "info", "--storage", "ostree", "example.test/hello-world").stdout
    assert text.startswith("Image Name: example.test/hello-world:latest\natomic.type: system\n")
    assert "Template variables with default value, but overridable with --set:\nALL_PROCESS_CAPABILITIES: {SET_BY_OS}\n" in text
    assert "PORT: 8081" in text
    assert hello("info", "example.test/hello-world").stdout == text
    assert "example.test/hello-world:latest" in hello("images", "version", "--storage", "ostree", "example.test/hello-world").stdout
    assert "Unable to find nothing-such in the ostree backend" in hello.refused("images", "info", "--storage=ostree", "nothing-such")


def test_update_and_rollback_use_the_stored_image(hello):
    assert hello("containers", "update", "hello").stdout == "Latest version already installed.\n"
    hello("containers", "update", "--set=RECEIVER=Venus", "hello")
    assert hello.host.fetch("http://127.0.0.1:8081/") == "Hi Venus!"
    assert hello.host.path(f"{CHECKOUTS}/hello").readlink().name == "hello.1"
    assert hello("containers", "update", "hello", "--rebase", "example.test/hello-world").stdout == "Latest version already installed.\n"
    hello("containers", "rollback", "hello")
    assert hello.host.fetch("http://127.0.0.1:8081/") == "Hi Pluto!"
    forced = {"ATOMIC_OSTREE_TEST_FORCE_IMAGE_ID": "5" * 64}
    hello("containers", "update", "hello", env=forced)
    assert json.loads(hello.host.path(f"{CHECKOUTS}/hello/info").read_text())["revision"] == "5" * 64
    assert "System container 'nobody' is not installed" in hello.refused("containers", "update", "nobody")


def test_all_images_with_a_registry_in_their_name_are_updated_and_verified(site, atomic):
    reference = site.pushed(images.hello_world(), name="atomic-update")
    absent = reference.replace("atomic-update", "atomic-absent")
    atomic("pull", "--type", "docker", f"http:{reference}")
    for name in ("by-itself", absent):
        atomic("images", "tag", reference, name)
    (row, *_) = json.loads(atomic("images", "list", "--json").stdout)
    site.pushed(images.derived(images.hello_world(), "atomic-newer", {"etc/newer": "newer\n"}), name="atomic-update")
    done = atomic("images", "update", "--storage=ostree", "--all")
    assert "Image by-itself:latest not fully qualified: skipping" in done.stderr
    assert absent in done.stderr
    checked, summary = done.stdout.split("\nSUMMARY\n\n")
    assert sorted(checked.splitlines()) == [f"Checking image {name}..." for name in sorted((absent, reference))]
    rows = {line.split()[0]: line.strip().split(None, 3)[1:] for line in summary.splitlines()[1:]}
    before = row["id"][:32]
    assert rows[absent] == [before, before, "Could not pull"]
    assert (rows[reference][0], rows[reference][2]) == (before, "Updated now")
    assert rows[reference][1] != before
    done = atomic("verify", "--all", "--storage", "ostree")
    assert "Image by-itself:latest not fully qualified: skipping" in done.stderr
    assert atomic("update", reference).stdout == ""
    assert "both --all and an image name" in atomic.refused("images", "update", "--all", reference)
    assert "both --all and --force" in atomic.refused("images", "update", "--all", "--force")
    assert "Please specify --storage" in atomic.refused("images", "update", "--all")
    assert "Too few arguments" in atomic.refused("images", "update")
    assert "--force is not supported" in atomic.refused("images", "update", "--force", reference)


def test_verify_of_all_skips_images_without_a_registry(atomic, archive):
    atomic("pull", "--storage=ostree", archive)
    atomic("images", "tag", "example.test/hello-world", "by-itself")
    atomic("-y", "images", "delete", "example.test/hello-world")
    done = atomic("verify", "--all", "--storage=ostree", "--verbose")
    assert (done.stdout, "by-itself:latest not fully qualified" in done.stderr) == ("", True)


def test_run_and_stop_start_and_stop_the_service(hello):
    assert hello("stop", "hello").stdout == "systemctl stop hello\n"
    assert "inactive" in hello("containers", "list", "--all").stdout
    assert hello("run", "--replace", "hello").stdout == "systemctl start hello\n"
    assert hello("run", "hello", "echo", "-n", "inside").stdout == "inside"
    assert "'nobody'" in hello.refused("stop", "nobody")


def test_mount_and_its_refusals(hello):
    hello.host.path("/srv/mount").mkdir()
    assert "do not support --live" in hello.refused("mount", "--live", "hello", "/srv/mount")
    hello("mount", "--shared", "http:hello", "/srv/mount")
    assert hello.host.mounted_path("/srv/mount/usr/bin/run.sh").exists()
    hello("unmount", "/srv/mount")
    hello("mount", "example.test/hello-world", "--storage", "ostree", "/srv/mount")
    hello("umount", "/srv/mount")


def test_delete_and_prune(hello):
    image = json.loads(hello("images", "list", "--json").stdout)[0]["id"]
    hello("images", "tag", "example.test/hello-world", "again")
    declined = hello("containers", "delete", "hello", check=False)
    assert declined.returncode == 2
    assert "User aborted delete operation for ['hello']" in declined.stderr
    done = hello("-y", "containers", "delete", "hello").stdout
    assert done.startswith("The following containers will be deleted.\n\n   ID           NAME ")
    done = hello("--assumeyes", "images", "delete", "-f", "--storage=ostree", image[:12]).stdout
    assert done.startswith("The following images will be deleted.\n\n   IMAGE ")
    assert "<none>" in hello("images", "list", "--all").stdout
    layers = hello.refs()
    assert hello("images", "prune").stdout.splitlines() == [f"Deleting {ref}" for ref in sorted(layers)]
    assert hello("images", "list", "--all").stdout == ""
    assert "You must select --all" in hello.refused("images", "delete")


def test_uninstall_keeps_a_remote_root_file_system(hello):
    hello("install", "--system", "--name=far", f"--rootfs={CHECKOUTS}/hello.0", "--set=PORT=8090", "example.test/hello-world")
    assert hello.host.path(f"{CHECKOUTS}/far.0/rootfs").is_symlink()
    assert hello("uninstall", "--display", "far").stdout == "systemctl disable --now far\nsystemctl daemon-reload\n"
    assert "Please use atomic uninstall NAME" in hello.refused("uninstall", "--name=far", "example.test/hello-world")
    assert "Unable to find 'nobody'" in hello.refused("uninstall", "--display", "nobody")
    assert hello.host.path(f"{CHECKOUTS}/far.0/rootfs").is_symlink()
    hello("uninstall", "far")
    assert hello.host.path(f"{CHECKOUTS}/hello.0/rootfs/usr/bin/run.sh").exists()
    hello("uninstall", "hello")
    assert not hello.host.path("/etc/systemd/system/hello.service").exists()
    assert hello("uninstall", "example.test/hello-world").returncode == 0
    assert "Unable to find 'nobody'" in hello.refused("uninstall", "nobody")


def test_atomic_conf_is_read(atomic, archive):
    atomic.host.path("/etc/atomic.conf").write_text("default_storage: ostree\ncheckout_path: /srv/conf\nostree_repository: /srv/confrepo\n")
    atomic.host.run("atomic", "install", "--system", "--name=hello", archive)
    assert atomic.host.path("/srv/conf/hello.0/info").exists()
    assert atomic.host.path("/srv/confrepo/objects").exists()
    refused = atomic.host.run("atomic", "images", "list", env={"ATOMIC_CONF": "/etc/hostname"}, check=False)
    assert (refused.returncode, "/etc/hostname holds no keys" in refused.stderr) == (1, True)
    assert "The runtime /nowhere is not installed" in atomic.refused("install", "--system", "--name=x", "--runtime=/nowhere", archive)
    assert "--user does not work for privileged user" in atomic.refused("install", "--user", archive)


def test_an_unknown_verb_is_a_usage_error_and_help_lists_the_options(atomic):
    assert atomic("scan", check=False).returncode == 2
    text = atomic("install", "--help").stdout
    assert all(option in text for option in ("--system", "--storage", "--set", "--rootfs", "--system-package", "--src-creds"))


def test_credentials_do_not_stay_in_the_arguments(site, atomic):
    site.pushed(images.plain())
    front = site.front("--stall-blobs=0")
    process = atomic.host.start_process("atomic", "pull", "--src-creds=me:secret-word", f"http:{front.address}/plain", env=ENVIRONMENT)
    try:
        atomic.host.wait_for(front.blobs, "a request for a blob")
        (seen,) = [args for _, args in atomic.host.processes() if args.startswith("atomic pull")]
        assert "--src-creds=" in seen
        assert "secret-word" not in seen
    finally:
        atomic.host.end_process(process)


# -- images of a daemon -----------------------------------------------------------------------------------------------


@pytest.fixture
def podman(work):
    """A Podman service that has the image hello-world. @return its address"""
    directory = work / "podman"
    socket_path = directory / "podman.sock"
    directory.mkdir(exist_ok=True)
    storage = ["--root", str(directory / "root"), "--runroot", str(directory / "run"), "--storage-driver", "vfs"]
    run("podman", *storage, "load", "--quiet", "--input", images.hello_world().directory / "docker.tar")
    log = directory / "log"
    with open(log, "wb") as output:
        process = subprocess.Popen(["podman", *storage, "system", "service", "--time=0", f"unix://{socket_path}"], env=CLEAN,
                                   stdout=output, stderr=output, preexec_fn=die_with_parent)  # fmt: skip

    def connection_error():
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(socket_path))

    wait_for(connection_error, "podman to listen", 0, shown=log.read_text)
    yield f"unix://{socket_path}"
    process.kill()
    process.wait()


def test_an_image_is_pulled_from_a_daemon(podman, work):
    berth = installed() / "usr/bin/berth"
    root = work / "podman/host"
    root.mkdir(exist_ok=True)
    env = {"DOCKER_HOST": podman, "BERTH_DATADIR": str(installed() / "usr/share/berth"), "TMPDIR": str(work)}
    words = ["--root", root, "pull", "docker:example.test/hello-world:latest"]
    run(berth, *words, env=env)
    listed = json.loads(run(berth, "--root", root, "images", "list", "--json").stdout)["images"]
    assert [(row["repository"], row["tag"]) for row in listed] == [("example.test/hello-world", "latest")]
    refused = run(berth, "--root", root, "pull", "docker:example.test/nothing:1", env=env, check=False)
    assert refused.returncode == 3
    assert "no daemon on this machine has example.test/nothing:1" in refused.stderr
