# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images that are difficult to unpack. A checkout is compared with what umoci unpacks."""

import os

import pytest
from rig import debian, images
from rig.checks import rootfs
from rig.shell import run
from rig.snapshot import Snapshot


def check_out(host, image):
    host.berth("install", "--name=probe", f"oci:{image.inside}")
    return rootfs(host, "probe")


@pytest.mark.parametrize("make", [images.whiteouts, images.special, images.plain, images.etcd], ids=lambda make: make.__name__)
def test_a_checkout_equals_what_umoci_unpacks(make, host, work):
    expected = Snapshot.of(images.unpacked(make(), work / f"expected-{make.__name__}"))
    found = Snapshot.of(check_out(host, make()))
    assert expected.without_sharing().difference(found.without_sharing()) == []


def test_whiteouts_remove_files_of_lower_layers(host):
    tree = check_out(host, images.whiteouts())
    removed = ("gone", "directory/a", "directory/deep/b", "all-gone", "opaque/old", "opaque/deep")
    assert [path for path in removed if (tree / path).exists()] == []
    assert (tree / "keep").read_text() == "changed by the second layer\n"
    assert (tree / "kind/now-a-directory").read_text() == "second layer\n"
    assert os.listdir(tree / "opaque") == ["new"]
    assert [path for path in tree.rglob(".wh.*")] == []


def test_an_archive_without_padding_at_its_end_is_read(host):
    tree = check_out(host, images.unpadded())
    assert os.listdir(tree / "opaque") == ["new"]
    assert (tree / "opaque/new").read_text() == "second layer\n"


def test_capabilities_setuid_bits_and_owners_are_kept(host):
    tree = check_out(host, images.special())
    assert "cap_net_raw=ep" in host.output("getcap", "/var/lib/containers/berth/probe/rootfs/usr/bin/with-capability")
    assert (tree / "usr/bin/with-setuid").stat().st_mode & 0o7777 == 0o4755
    assert (tree / "usr/bin/with-setgid").stat().st_mode & 0o7777 == 0o2755
    owner = (tree / "srv/of-somebody").stat()
    assert (owner.st_uid, owner.st_gid) == (100123, 200456)


def test_hard_links_stay_one_file(host):
    tree = check_out(host, images.special())
    inodes = {(tree / path).stat().st_ino for path in ("usr/share/one", "usr/share/two", "usr/bin/three")}
    assert len(inodes) == 1


@pytest.mark.parametrize("make", [images.replaced, images.replaced_by_umoci], ids=lambda make: make.__name__)
def test_a_directory_replaced_by_a_link_and_a_link_replaced_by_a_directory(make, host):
    tree = check_out(host, make())
    assert os.readlink(tree / "data") == "real"
    assert (tree / "real/file").read_text() == "the real one\n"
    assert not (tree / "link").is_symlink()
    assert os.listdir(tree / "link") == ["own"]


@pytest.mark.parametrize("where", ["registry", "layout"])
def test_an_index_gives_the_image_of_this_machine(where, host, site):
    image = images.two_platforms()
    reference = site.pushed(image) if where == "registry" else f"oci:{image.inside}"
    host.berth("pull", reference)
    assert platform_of(host) == debian.architecture()


def test_platform_chooses_another_image(host, site):
    host.berth("pull", "--platform=linux/arm64", site.pushed(images.two_platforms()))
    assert platform_of(host) == "arm64"


def platform_of(host):
    """The content of /platform in the only stored image."""
    (name,) = [row["repository"] + ":" + row["tag"] for row in host.stored()]
    commit = host.berth_json("inspect", name)["commit"]
    repository = host.path("/var/lib/containers/berth/.storage/ostree")
    return run("ostree", f"--repo={repository}", "cat", commit, "/platform").stdout.strip()


def test_a_platform_that_the_index_lacks_is_refused_with_those_it_has(host, site):
    done = host.berth("pull", "--platform=linux/s390x", site.pushed(images.two_platforms()), check=False)
    assert done.returncode == 3
    assert "linux/amd64" in done.stderr and "linux/arm64" in done.stderr


def test_a_plain_image_runs_from_its_oci_configuration(host, site):
    host.berth("install", "--now", site.pushed(images.plain()))
    host.wait_for_output("plain", "plain runs as 1000 in /srv/home with GREETING=good day and one two")


def test_ostree_fsck_accepts_the_stored_objects(host):
    host.berth("pull", f"oci:{images.special().inside}")
    run("ostree", f"--repo={host.path('/var/lib/containers/berth/.storage/ostree')}", "fsck", "--all")
