# SPDX-License-Identifier: LGPL-2.1-or-later
"""Invalid images, and a registry that serves them unchecked."""

import copy
import gzip
import hashlib
import io
import json
import tarfile

from rig import debian
from rig.server import Server

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(kind, data, **more):
    return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}


def tar(files):
    """A tar archive of (name, bytes)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


class Image:
    """The documents of a valid image of one layer, for tests to spoil. A different `seed` gives a different layer."""

    def __init__(self, seed="hello"):
        unpacked = tar([("etc/motd", seed.encode())])
        self.layer = gzip.compress(unpacked, mtime=0)
        self.config = {
            "architecture": debian.architecture(), "os": "linux", "config": {"Cmd": ["/bin/sh"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(unpacked)]},
        }  # fmt: skip
        self.config_text = None
        self.config_kind = CONFIG
        self.layer_kind = LAYER

    def manifest(self):
        config = self.config_bytes()
        return {
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": descriptor(self.config_kind, config), "layers": [descriptor(self.layer_kind, self.layer)],
        }  # fmt: skip

    def config_bytes(self):
        return self.config_text if self.config_text is not None else json.dumps(self.config).encode()

    def spoiled(self, change):
        """The manifest, changed by the function `change`."""
        document = copy.deepcopy(self.manifest())
        change(document)
        return document


class HostileRegistry(Server):
    """rig/hostile_registry.py on a port of the network; `serve` adds an image."""

    def __init__(self, network, directory, port=5200):
        super().__init__(network, directory, port)
        self.run_own("rig.hostile_registry", self.directory)

    def serve(self, name, manifest, blobs=(), kind=MANIFEST, manifests=()):
        """@param manifest bytes or a document  @param blobs, manifests served under their digests"""
        top = self.directory / name
        self._put(top / "manifests", "latest", manifest, kind)
        for inner in manifests:
            self._put(top / "manifests", digest(_bytes(inner)), inner, None)
        for data in blobs:
            self._put(top / "blobs", digest(data), data, None)
        return f"{self.address}/{name}"

    @staticmethod
    def _put(directory, name, data, kind):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(_bytes(data))
        if kind:
            (directory / f"{name}.type").write_text(kind)


def _bytes(data):
    return data if isinstance(data, bytes) else json.dumps(data).encode()
