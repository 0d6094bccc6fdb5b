# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pulls from registries: their requests, retries, credentials and certificates."""

import base64
import json

import pytest
from rig import images
from rig.authority import Authority
from rig.checks import rootfs
from rig.shell import run


@pytest.fixture
def reference(site):
    return site.pushed(images.whiteouts())


@pytest.fixture
def front(site, reference):
    """A proxy before the registry that logs requests."""
    return site.front()


def test_pull_fetches_each_blob_once(host, front):
    host.berth("pull", f"{front.address}/whiteouts")
    assert len(front.blobs()) == len(set(front.blobs())) == 4  # three layers and the configuration


def test_pull_of_a_stored_image_requests_only_the_manifest(host, front):
    host.berth("pull", f"{front.address}/whiteouts")
    before = front.blobs()
    host.berth("pull", f"{front.address}/whiteouts")
    assert front.blobs() == before
    assert "/manifests/" in front.log().splitlines()[-1]


def test_install_of_a_stored_image_requests_nothing(host, site, front):
    site.pushed(images.hello_world())
    host.berth("pull", f"{front.address}/hello-world")
    before = front.log()
    host.berth("install", f"{front.address}/hello-world")
    assert front.log() == before


def test_another_tag_of_the_same_content_fetches_no_layer(host, site, front):
    host.berth("pull", f"{front.address}/whiteouts")
    site.pushed(images.whiteouts(), tag="other")
    before = front.blobs()
    host.berth("pull", f"{front.address}/whiteouts:other")
    assert front.blobs() == before
    assert {row["tag"] for row in host.stored()} == {"latest", "other"}


def test_layers_of_another_stored_image_are_not_fetched_again(host, site, front):
    for name in ("replaced", "again"):
        site.pushed(images.replaced(), name=name)
    host.berth("pull", f"{front.address}/replaced")
    before = front.blobs()
    host.berth("pull", f"{front.address}/again")
    assert front.blobs() == before != []


def test_a_layout_is_not_mistaken_for_another_of_the_same_name(host):
    """Both are named localhost/same:latest; the stored image is not that of the second directory."""
    for name, image in (("first", images.plain()), ("second", images.whiteouts())):
        directory = host.path(f"/root/{name}/same")
        directory.parent.mkdir()
        run("cp", "-r", image.layout.rsplit(":", 1)[0], directory)
        host.berth("install", f"--name={name}", f"oci:/root/{name}/same:latest")
    assert rootfs(host, "first").joinpath("usr/bin/serve").exists()
    assert rootfs(host, "second").joinpath("keep").exists()


def test_a_digest_pins_the_image(host, site, reference):
    digest = json.loads(run("skopeo", "inspect", f"oci:{images.whiteouts().layout}").stdout)["Digest"]
    host.berth("pull", f"localhost:5000/whiteouts@{digest}")
    wrong = "sha256:" + "0" * 64
    done = host.berth("pull", f"localhost:5000/whiteouts@{wrong}", check=False)
    assert done.returncode in (3, 6)
    assert wrong in done.stderr


def test_pull_as_json(host, reference):
    assert host.berth_json("pull", reference)["changed"] is True
    assert host.berth_json("pull", reference)["changed"] is False


def test_a_request_is_repeated_when_the_server_is_busy(host, site, reference):
    front = site.front("--fail-first=2")
    host.berth("pull", f"{front.address}/whiteouts")
    assert len(host.stored()) == 1


def test_an_interrupted_blob_is_fetched_completely(host, site):
    site.pushed(images.large())
    front = site.front("--break-first-blob=200000")
    host.berth("pull", f"{front.address}/large")
    (row,) = host.stored()
    assert row["size"] > 24 << 20


@pytest.mark.parametrize("options", [["--dest-compress-format=zstd"], ["--dest-oci-accept-uncompressed-layers"]], ids=["zstd", "uncompressed"])
def test_layers_with_another_compression_are_pulled(options, host, work, site):
    layout = work / f"recompressed-{options[0][7:15]}"
    run("skopeo", "copy", "--quiet", "--insecure-policy", *options, f"oci:{images.whiteouts().layout}", f"oci:{layout}:latest")
    site.registry.push(f"{layout}:latest", "other:latest", "--preserve-digests")
    host.berth("pull", "localhost:5000/other")
    assert len(host.stored()) == 1


class Guarded:
    """A registry that requires a name and a password."""

    USER, PASSWORD = "captain", "s3cret"

    def __init__(self, site, **options):
        users = site.directory / "users"
        users.write_text(run("htpasswd", "-nbB", self.USER, self.PASSWORD).stdout)
        self.registry = site.another_registry(port=5300, users=users, **options)
        self.registry.push(images.whiteouts().layout, "guarded:latest", f"--dest-creds={self.USER}:{self.PASSWORD}")
        self.reference = f"{self.registry.address}/guarded"

    def authfile(self, password=PASSWORD):
        token = base64.b64encode(f"{self.USER}:{password}".encode()).decode()
        return json.dumps({"auths": {self.registry.address: {"auth": token}}})


@pytest.fixture
def guarded(site):
    return Guarded(site)


def test_a_password_is_read_from_authfile(host, guarded):
    host.path("/root/auth.json").write_text(guarded.authfile())
    host.berth("pull", "--authfile=/root/auth.json", guarded.reference)
    assert len(host.stored()) == 1


@pytest.mark.parametrize("path", ["/run/containers/0/auth.json", "/root/.config/containers/auth.json", "/root/.docker/config.json"])
def test_credentials_are_found_in_the_default_files(path, host, guarded):
    host.run("sh", "-c", f"mkdir -p $(dirname {path}) && cat > {path}", input=guarded.authfile())
    host.berth("pull", guarded.reference)
    assert len(host.stored()) == 1


@pytest.fixture
def own_authority(site):
    """The certificate of the authority of a registry with https."""
    authority = Authority(site.directory / "tls")
    registry = site.another_registry(port=5400, tls=authority.sign("registry.test", "localhost"))
    registry.push(images.whiteouts().layout, "secure:latest")
    return authority.certificate


@pytest.fixture
def secure_host(host, own_authority):
    host.run("sh", "-c", "echo '127.0.0.1 registry.test' >> /etc/hosts; mkdir -p /etc/berth; cat > /etc/berth/ca.pem",
             input=own_authority.read_text())  # fmt: skip
    return host


def test_https_with_the_ca_file_of_the_configuration(secure_host):
    secure_host.path("/etc/berth/berth.conf").write_text(
        '[[registry]]\nlocation = "registry.test:5400"\nca-file = "/etc/berth/ca.pem"\n'
    )
    secure_host.berth("pull", "registry.test:5400/secure")
    assert len(secure_host.stored()) == 1


def test_https_is_not_verified_for_an_insecure_registry(secure_host):
    secure_host.path("/etc/berth/berth.conf").write_text('[[registry]]\nlocation = "registry.test:5400"\ninsecure = true\n')
    secure_host.berth("pull", "registry.test:5400/secure")


def test_http_is_used_only_for_loopback_names_and_on_request(host, site):
    site.pushed(images.whiteouts())
    host.run("sh", "-c", "echo '127.0.0.1 registry.test' >> /etc/hosts")
    done = host.berth("pull", "registry.test:5000/whiteouts", check=False)
    assert done.returncode != 0
    host.berth("pull", "http:registry.test:5000/whiteouts")


def test_progress_and_messages_go_to_standard_error(host, reference):
    done = host.berth("pull", reference)
    assert "%" not in done.stdout
    assert host.berth("-q", "pull", reference).stderr == ""


def test_ostree_repo_is_used(host, reference):
    """/ostree/repo is used when it is on the file system of the deployments and only root can enter it."""
    host.run("mkdir -p /ostree && true")
    run("ostree", f"--repo={host.path('/ostree/repo')}", "init", "--mode=bare")
    host.path("/ostree/repo").chmod(0o700)
    host.berth("pull", reference)
    assert "ociimage/" in run("ostree", f"--repo={host.path('/ostree/repo')}", "refs").stdout
    assert not host.path("/var/lib/containers/berth/.storage/ostree").exists()
