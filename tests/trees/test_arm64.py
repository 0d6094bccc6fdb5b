# SPDX-License-Identifier: LGPL-2.1-or-later
"""berth for Arm under qemu-user: it starts, and it stores and installs the variant for Arm of an image."""

import gzip
import hashlib
import io
import json
import pathlib
import re
import subprocess
import tarfile

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
RUNTIME = "#!/bin/sh\necho runc version 1.1.5\necho --pid-file\n"


@pytest.fixture
def root(tmp_path):
    """A tree that has an OCI runtime and nothing else."""
    for directory in ("usr/bin", "etc/systemd/system", "etc/tmpfiles.d"):
        (tmp_path / "root" / directory).mkdir(parents=True)
    runtime = tmp_path / "root/usr/bin/runc"
    runtime.write_text(RUNTIME)
    runtime.chmod(0o755)
    return tmp_path / "root"


@pytest.fixture
def berth(request):
    """Runs berth under qemu and returns its output."""
    build = pathlib.Path(request.config.getoption("build"))

    def run(*words):
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "BERTH_DATADIR": str(TOP)}
        command = ["qemu-aarch64", build / "src/berth", *words]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=600)
        assert done.returncode == 0, f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


class Layout:
    """An OCI image layout with one image for each architecture; each holds a file that names its architecture."""

    def __init__(self, path):
        self.path = path
        (path / "blobs/sha256").mkdir(parents=True)
        (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        manifests = [self.image(architecture) for architecture in ("amd64", "arm64")]
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
        (path / "index.json").write_text(json.dumps(index))

    def blob(self, data, kind):
        digest = hashlib.sha256(data).hexdigest()
        (self.path / "blobs/sha256" / digest).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    def image(self, architecture):
        tar = io.BytesIO()
        with tarfile.open(fileobj=tar, mode="w") as archive:
            for name, text in (("etc/architecture", architecture), ("bin/server", "#!/bin/sh\n")):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode = len(text), 0o755
                archive.addfile(entry, io.BytesIO(text.encode()))
        config = {
            "architecture": architecture, "os": "linux", "config": {"Cmd": ["/bin/server"]},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar.getvalue()).hexdigest()]},
        }  # fmt: skip
        manifest = {
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.blob(json.dumps(config).encode(), "config.v1+json"),
            "layers": [self.blob(gzip.compress(tar.getvalue()), "layer.v1.tar+gzip")],
        }  # fmt: skip
        return {**self.blob(json.dumps(manifest).encode(), "manifest.v1+json"), "platform": {"os": "linux", "architecture": architecture}}


@pytest.fixture
def image(tmp_path):
    return f"oci:{Layout(tmp_path / 'layout').path}"


def test_the_program_is_one_for_arm(berth, request):
    program = pathlib.Path(request.config.getoption("build")) / "src/berth"
    elf_machine = int.from_bytes(program.read_bytes()[18:20], "little")
    assert elf_machine == 183  # EM_AARCH64
    version = re.search(r"\d+\.\d+\.\d+", (TOP / "version").read_text(encoding="utf-8")).group()
    assert version in berth("--version")


def test_a_pull_takes_the_image_for_arm(berth, root, image):
    pulled = json.loads(berth("--root", root, "pull", "--json", image))
    assert pulled["changed"] and pulled["layersFetched"] == 1
    inspected = json.loads(berth("--root", root, "inspect", pulled["image"]))
    assert inspected["config"]["architecture"] == "arm64"


def test_an_install_lays_the_image_out(berth, root, image):
    berth("--root", root, "install", "--name=web", image)
    deployment = root / "var/lib/containers/berth/web"
    assert (deployment / "rootfs/etc/architecture").read_text() == "arm64"
    assert (root / "etc/systemd/system/web.service").exists()
    assert (root / "etc/systemd/system/multi-user.target.wants/web.service").is_symlink()
    berth("--root", root, "uninstall", "web")
    assert not (root / "etc/systemd/system/web.service").exists()
