# SPDX-License-Identifier: LGPL-2.1-or-later
"""Verbs for stored images: info, history, tag, delete, prune, update, verify, repair, mount, df."""

import json
import os
import re

import pytest
from rig import images
from rig.checks import DEPLOYMENTS, rootfs
from rig.shell import run

VIEW = "/mnt/view"


def installed(host, site, name="hello"):
    reference = site.pushed(images.hello_world())
    host.berth("install", f"--name={name}", reference)
    return reference


def repository(host):
    return host.path(f"{DEPLOYMENTS}/.storage/ostree")


def object_files(host):
    return sorted(str(path) for path in repository(host).glob("objects/??/*"))


def flip_byte(path):
    with open(path, "r+b") as file:
        first = file.read(1)[0]
        file.seek(0)
        file.write(bytes([first ^ 1]))


def test_info_shows_labels_and_variables(host, site):
    installed(host, site)
    lines = host.berth("images", "info", "hello").stdout.splitlines()
    assert lines[0] == "Image Name: localhost:5000/hello-world:latest"
    assert "version: 1.2" in lines
    assert lines[lines.index("Template variables with default value, but overridable with --set:") + 1] == "PORT: 8081"
    info = host.berth_json("images", "info", "localhost:5000/hello-world:latest")
    assert info["labels"]["atomic.type"] == "system"
    assert info["defaults"] == {"PORT": "8081", "RECEIVER": "World"}
    assert info["required"] == []
    assert "EXEC_START" in info["providedByBerth"]


def test_info_marks_required_variables(host):
    image = images.with_exports("needs-values", {"service.template": "[Service]\nExecStart=$EXEC_START $MUST\n", "config.json": "{}"})
    host.berth("pull", f"oci:{image.inside}")
    lines = host.berth("images", "info", "localhost/needs-values:latest").stdout.splitlines()
    assert "MUST: {DEF_VALUE}" in lines


def test_history_and_version(host, site):
    reference = installed(host, site)
    history = host.berth_json("images", "history", reference)["history"]
    assert [bool(entry["layer"]) for entry in history].count(True) == 2
    assert all(entry["size"] > 0 for entry in history if entry["layer"])
    (row,) = host.berth_json("images", "version")["images"]
    assert (row["image"], row["version"]) == ("localhost:5000/hello-world:latest", "1.2")
    assert host.berth("images", "version", "hello").stdout.splitlines()[1].split()[1] == "1.2"


def test_tag_delete_and_prune(host, site):
    reference = installed(host, site)
    host.berth("images", "tag", reference, "registry.example/renamed:2")
    ids = {row["id"] for row in host.stored()}
    assert len(host.stored()) == 2 and len(ids) == 1
    (image_id,) = ids

    refused = host.berth("images", "delete", image_id[:12], check=False)
    assert refused.returncode == 4
    assert "in use by hello" in refused.stderr and "--force" in refused.stderr

    host.berth("images", "delete", reference)  # the other name keeps the image
    assert host.berth("images", "delete", "registry.example/renamed:2", check=False).returncode == 4
    host.berth("images", "tag", "hello", reference)
    host.berth("images", "delete", "--force", image_id[:12])  # both tags of the one image
    assert host.stored() == []
    host.berth("images", "prune")
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert host.berth_json("images", "verify", "--no-remote")["images"][0]["damaged"] == []

    host.berth("uninstall", "hello")
    planned = host.berth_json("images", "prune", "--dry-run")
    done = host.berth_json("images", "prune")
    assert (planned["objects"], planned["bytes"]) == (done["objects"], done["bytes"]) and done["bytes"] > 1_000_000
    assert object_files(host) == []


@pytest.mark.parametrize("words, code, text", [
    (("images", "delete", "localhost/nothing:1"), 3, "there is no image"),
    (("images", "delete", "ab"), 3, "there is no image"),
    (("images", "info", "nothing"), 3, "there is no image nothing"),
    (("images", "tag", "localhost:5000/hello-world:latest", "short"), 2, "docker.io/library/short"),
    (("images", "update",), 2, "the name of an image, or --all, is missing"),
    (("images", "update", "--all", "x"), 2, "--all cannot be used with names"),
    (("mount", "hello", "/nowhere"), 3, "/nowhere"),
    (("mount", "nothing", "/mnt"), 3, "there is no image nothing"),
    (("mount", "--live", "hello", "/mnt"), 2, "do not support --live"),
    (("umount", "/mnt"), 3, "no image is mounted at /mnt"),
    (("images", "repair", "nothing"), 3, "there is no image nothing"),
])  # fmt: skip
def test_refusals(shared_host, shared_site, words, code, text):
    if not shared_host.stored():
        installed(shared_host, shared_site)
    done = shared_host.berth(*words, check=False)
    assert done.returncode == code, done.stderr
    assert text in done.stderr and "hint:" in done.stderr and done.stdout == ""


def test_a_layer_that_an_image_needs_is_not_deleted(host, site):
    host.berth("pull", site.pushed(images.plain()))
    layer = next(row["id"] for row in host.stored("-a") if row["type"] == "layer")
    done = host.berth("images", "delete", layer[:12], check=False)
    assert done.returncode == 4 and "is part of" in done.stderr


def test_verify_finds_a_newer_image_and_update_pulls_it(host, site):
    reference = site.registry.push(images.hello_world().layout, "moving:latest", "--all")
    host.berth("pull", reference)
    assert host.berth_json("images", "verify")["images"][0]["registry"] == "latest"
    before = host.stored()[0]["id"]
    site.registry.push(images.plain().layout, "moving:latest", "--all")
    (row,) = host.berth_json("images", "verify")["images"]
    assert row["registry"] == "newer" and row["registryImageId"] != before
    (updated,) = host.berth_json("images", "update", "--all")["images"]
    assert (updated["status"], updated["idBefore"]) == ("updated", before)
    (again,) = host.berth_json("images", "update", "localhost:5000/moving:latest")["images"]
    assert again["status"] == "up to date"
    assert sum(row["dangling"] for row in host.stored("-a")) > 0
    host.berth("images", "prune")
    assert sum(row["dangling"] for row in host.stored("-a")) == 0
    site.registry.stop()
    failed = host.berth("images", "update", "--all", check=False)
    assert failed.returncode != 0 and "failed" in failed.stdout


def test_verify_finds_damage_and_repair_fixes_it_while_the_container_runs(host, site):
    reference = site.pushed(images.etcd())
    host.berth("install", "--now", "--name=etcd1", "--set=ETCD_DATA_DIR=/var/lib/etcd/data", reference)
    host.fetch("http://127.0.0.1:2379/health")
    program = rootfs(host, "etcd1") / "usr/bin/etcdctl"
    whole = program.read_bytes()
    flip_byte(program)
    os.chmod(rootfs(host, "etcd1") / "usr/bin/etcd-env.sh", 0o777)
    done = host.berth("images", "verify", "--no-remote", "etcd1", check=False)
    assert done.returncode == 6
    assert "/usr/bin/etcdctl" in done.stdout and "used by etcd1" in done.stdout
    assert "berth images repair" in done.stderr

    since = site.registry.log_size()
    repaired = host.berth_json("images", "repair", "etcd1")
    assert repaired["damaged"] == 2
    assert {file for deployment in repaired["mended"] for file in deployment["files"]} >= {"/usr/bin/etcdctl", "/usr/bin/etcd-env.sh"}
    host.wait_for(lambda: site.registry.requests(since), "a request to the registry")
    assert program.read_bytes() == whole
    assert program.stat().st_nlink > 1, "it must be a link to the object again"
    assert host.berth("images", "verify", "--no-remote").returncode == 0
    assert host.unit("etcd1")["ActiveState"] == "active"
    assert host.berth_json("images", "repair", "etcd1")["damaged"] == 0
    os.chmod(rootfs(host, "etcd1") / "usr/bin/etcd-env.sh", 0o700)
    assert host.berth_json("images", "repair", reference)["layersFetched"] == 1, "only the layer that contains the file is fetched"


def test_deployments_that_share_no_inode_with_the_store_are_verified_and_repaired(host, site):
    """The objects were removed and fetched again, so the files of both deployments are different inodes."""
    reference = installed(host, site)
    host.berth("update", "--no-pull", "--set=RECEIVER=You", "hello")
    for path in repository(host).glob("objects/??/*.file"):
        path.unlink()
    assert host.berth_json("images", "repair", "hello")["layersFetched"] == 2
    assert host.berth_json("images", "verify", "--no-remote")["images"][0]["deployments"] == []
    flip_byte(rootfs(host, "hello", 0) / "bin/busybox")
    (rootfs(host, "hello", 1) / "usr/bin/run.sh").unlink()
    done = host.berth("images", "verify", "--no-remote", reference, check=False)
    assert done.returncode == 6
    assert f"hello: /bin/busybox is damaged in {DEPLOYMENTS}/hello.0/rootfs" in done.stdout
    assert f"hello: /bin/busybox is damaged in {DEPLOYMENTS}/hello.1/rootfs" in done.stdout  # both deployments share the inode
    assert f"hello: /usr/bin/run.sh is missing in {DEPLOYMENTS}/hello.1/rootfs" in done.stdout
    site.registry.stop()
    repaired = host.berth_json("images", "repair", "hello")
    assert (repaired["damaged"], repaired["layersFetched"]) == (0, 0)
    assert [deployment["files"] for deployment in repaired["mended"]] == [["/bin/busybox"], ["/bin/busybox", "/usr/bin/run.sh"]]
    assert host.berth("images", "verify", "--no-remote").returncode == 0
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi You!"


def test_a_missing_object_and_a_damaged_directory_are_repaired_from_a_layout(host):
    image = images.whiteouts()
    host.berth("install", "--name=c", f"oci:{image.inside}")
    (rootfs(host, "c") / "keep").stat()
    trees = sorted(repository(host).glob("objects/??/*.dirtree"), key=lambda path: path.stat().st_size)
    flip_byte(trees[-1])
    wanted = os.stat(rootfs(host, "c") / "bin/busybox").st_ino
    for path in repository(host).glob("objects/??/*.file"):
        if path.lstat().st_ino == wanted:
            path.unlink()
    assert host.berth("images", "verify", "c", check=False).returncode == 6
    refused = host.berth("images", "prune", check=False)
    assert refused.returncode == 6 and "repository is damaged" in refused.stderr
    assert host.berth("images", "repair", "c", check=False).returncode == 2  # there is no registry
    host.berth("images", "repair", f"oci:{image.inside}")
    assert host.berth("images", "verify", "c").returncode == 0


def test_a_view_is_read_only_and_survives_delete_and_prune(host, site):
    reference = installed(host, site)
    host.run("mkdir", VIEW)
    host.berth("mount", reference, VIEW)
    assert host.run("touch", f"{VIEW}/x", check=False).returncode != 0
    assert host.berth("mount", "hello", VIEW, check=False).returncode == 4
    host.berth("uninstall", "hello")
    host.berth("images", "delete", reference)
    host.berth("images", "prune")
    assert "manifest.json" in host.output("ls", f"{VIEW}/exports")
    host.berth("umount", VIEW)
    assert host.output("ls", VIEW) == ""
    host.berth("images", "prune")
    assert object_files(host) == []


def test_prune_removes_the_files_of_a_view_after_a_reboot(host, site):
    reference = installed(host, site)
    host.run("mkdir", VIEW)
    host.berth("mount", reference, VIEW)
    host.reboot()
    assert host.output("ls", VIEW) == ""
    (removed,) = host.berth_json("images", "prune")["directories"]
    assert removed.startswith(f"{DEPLOYMENTS}/.mounts/")
    assert not host.path(removed).exists()


def test_df_adds_up(host, site):
    installed(host, site)
    host.berth("install", "--name=other", site.pushed(images.plain()))
    run("sync", "--file-system", host.path(DEPLOYMENTS))  # blocks are allocated when the files are written
    usage = host.berth_json("df")
    rows = {(row["kind"], row["name"]): row for row in usage["usage"]}
    assert set(rows) == {("image", "localhost:5000/hello-world:latest"), ("image", "localhost:5000/plain:latest"),
                         ("container", "hello"), ("container", "other")}  # fmt: skip
    disk = {}
    for directory in (repository(host) / "objects", host.path(f"{DEPLOYMENTS}/hello.0"), host.path(f"{DEPLOYMENTS}/other.0")):
        for path in [directory, *directory.rglob("*")]:
            status = path.lstat()
            if not (directory.name == "objects" and path.is_dir()):
                disk[status.st_ino] = status.st_blocks * 512
    assert usage["total"] == sum(disk.values())
    assert all(row["bytes"] == row["shared"] + row["own"] for row in rows.values())
    assert rows["container", "hello"]["shared"] > 1_000_000
    last = host.berth("df").stdout.splitlines()[-1]
    assert re.fullmatch(r"total \S+ \S+, of which berth images prune would free \S+ \S+", last)


def test_concurrent_prunes_remove_nothing_of_an_install(host, site):
    reference = site.pushed(images.plain())
    loop = "while :; do berth -q images prune || echo prune failed >> /tmp/prune; done"
    host.run(f"sh -c '{loop}' > /dev/null 2>&1 & echo $! > /tmp/pruner")
    for _ in range(6):
        host.berth("install", "--name=c", reference)
        assert (rootfs(host, "c") / "usr/bin/serve").stat().st_nlink > 1
        host.berth("uninstall", "c")
        host.berth("images", "delete", reference)
    host.run("kill $(cat /tmp/pruner)")
    assert not host.path("/tmp/prune").exists()
    assert json.loads(host.berth("images", "list", "--json").stdout)["images"] == []
