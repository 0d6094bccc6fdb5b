# SPDX-License-Identifier: LGPL-2.1-or-later
"""Repositories that `atomic` wrote: layers are commits below ociimage/, and no commit has the merged tree."""

import pytest
from rig import images
from rig.atomic import AtomicInstaller
from rig.checks import DEPLOYMENTS
from rig.shell import run

NAME = "example.test/hello-world"


def repository_of(host):
    return host.path(f"{DEPLOYMENTS}/.storage/ostree")


@pytest.fixture
def stored(host, work):
    """A host with a repository of `atomic pull`: a commit for each layer with docker.size, and a commit with the manifest."""
    AtomicInstaller(host, work / "atomic", f"{DEPLOYMENTS}/.storage/ostree").pull(images.hello_world(), NAME)
    return host


def refs(host):
    return {str(path.relative_to(repository_of(host))): path.read_text() for path in (repository_of(host) / "refs").rglob("*") if path.is_file()}


def test_an_image_whose_layers_are_commits_is_listed_and_installed(stored):
    assert [row["repository"] for row in stored.stored()] == [NAME]
    stored.berth("install", "--now", NAME)
    assert stored.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_queries_do_not_change_the_repository(stored):
    before, objects = refs(stored), len(list(repository_of(stored).glob("objects/??/*")))
    info = stored.berth_json("images", "info", NAME)
    assert info["defaults"] == {"PORT": "8081", "RECEIVER": "World"} and "EXEC_START" in info["providedByBerth"]
    assert len(stored.berth_json("images", "history", NAME)["history"]) >= 2
    assert stored.berth_json("inspect", NAME)["name"] == f"{NAME}:latest"
    (verified,) = stored.berth_json("images", "verify", "--no-remote")["images"]
    assert verified["damaged"] == [] and verified["objects"] > 10
    (row,) = stored.berth_json("df")["usage"]
    assert row["own"] > 1_000_000 and stored.berth_json("df")["reclaimable"] == 0
    assert stored.berth_json("images", "prune", "--dry-run")["objects"] == 0
    assert refs(stored) == before
    assert len(list(repository_of(stored).glob("objects/??/*"))) == objects


def test_prune_keeps_the_image_and_it_can_be_mounted(stored):
    stored.berth("images", "prune")
    stored.run("mkdir", "/mnt/view")
    stored.berth("mount", NAME, "/mnt/view")
    assert "manifest.json" in stored.output("ls", "/mnt/view/exports")
    stored.berth("images", "prune")
    stored.berth("umount", "/mnt/view")
    stored.berth("install", NAME)


def test_damage_is_found_and_repaired_from_a_layout(stored):
    """The image has the name of the layout, because repair looks for the name in its source."""
    reference = f"oci:{images.hello_world().inside}"
    name = "localhost/hello-world"
    refs_directory = repository_of(stored) / "refs/heads/ociimage"
    (refs_directory / "example.test_2Fhello-world_3Alatest").rename(refs_directory / "localhost_2Fhello-world_3Alatest")
    biggest = max((path for path in repository_of(stored).glob("objects/??/*.file") if path.is_file()), key=lambda path: path.stat().st_size)
    with open(biggest, "r+b") as file:
        file.write(b"damage")
    done = stored.berth("images", "verify", "--no-remote", name, check=False)
    assert done.returncode == 6 and "busybox is damaged" in done.stdout
    assert stored.berth("images", "repair", name, check=False).returncode == 2
    assert stored.berth_json("images", "repair", reference)["damaged"] == 1
    assert stored.berth("images", "verify", "--no-remote", name).returncode == 0
    stored.berth("install", "--now", "--name=hello", name)
    assert stored.fetch("http://127.0.0.1:8081/") == "Hi World!"
