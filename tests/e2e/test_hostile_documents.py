# SPDX-License-Identifier: LGPL-2.1-or-later
"""A registry that serves invalid, inconsistent or foreign documents: each is refused with a message that names it and with a
remedy, and leaves nothing in the store."""

import gzip
import json

import pytest
from rig import debian, hostile
from rig.hostile import INDEX, MANIFEST, HostileRegistry, Image, descriptor, digest


@pytest.fixture(scope="module")
def registry(shared_site):
    made = HostileRegistry(shared_site.network, shared_site.directory / "hostile")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def pulled_once(shared_host, registry):
    """A host whose repository exists, so that any change of it comes from a refused image."""
    good = Image()
    shared_host.berth("pull", registry.serve("good", good.manifest(), [good.config_bytes(), good.layer]))
    return shared_host


class Served:
    """The documents that a case adds to the registry."""

    def __init__(self, manifest, image=None, kind=MANIFEST, blobs=None, manifests=()):
        image = image or Image()
        self.manifest, self.kind, self.manifests = manifest, kind, manifests
        self.blobs = [image.config_bytes(), image.layer] if blobs is None else blobs


def changed(path, value):
    """A manifest with a different value at `path`."""
    image = Image()

    def change(document):
        for key in path[:-1]:
            document = document[key]
        document[path[-1]] = value

    return Served(image.spoiled(change), image)


def with_config(text=None, kind=None, **more):
    image = Image()
    image.config.update(more)
    image.config_text = text
    image.config_kind = kind or image.config_kind
    return Served(image.manifest(), image)


def with_layer(kind=None, layer=None):
    image = Image()
    image.layer_kind = kind or image.layer_kind
    image.layer = layer or image.layer
    return Served(image.manifest(), image)


def index_of(*entries):
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}


def text():
    return json.dumps(Image().manifest()).encode()


def other_blob():
    """The registry serves a different blob of the same size."""
    image = Image("wrong blob")
    manifest = image.manifest()
    served = Served(manifest, image)
    served.wrong = (digest(image.layer), bytes(len(image.layer)))
    return served


def wrong_size(by, seed="size"):
    image = Image(seed)
    return Served(image.spoiled(lambda m: m["layers"][0].update(size=len(image.layer) + by)), image)


def nested_index():
    inner = json.dumps(index_of(descriptor(MANIFEST, text(), platform={"os": "linux", "architecture": debian.architecture()}))).encode()
    middle = json.dumps(index_of(descriptor(INDEX, inner, platform={"os": "linux", "architecture": debian.architecture()}))).encode()
    outer = index_of(descriptor(INDEX, middle, platform={"os": "linux", "architecture": debian.architecture()}))
    return Served(outer, kind=INDEX, manifests=[middle, inner])


def foreign_layer():
    image = Image()
    kind = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
    return Served(image.spoiled(lambda m: m["layers"][0].update(mediaType=kind, urls=["https://elsewhere.example/"])), image)


def bomb():
    packed = gzip.compress(hostile.tar([("bomb", bytes(1 << 20))]), mtime=0)
    return with_layer(layer=packed + gzip.compress(bytes(80 << 20), mtime=0))


# Served documents, and texts that the message must contain: the document, the key, the reason.
CASES = {
    "empty": (Served(b""), ["manifest", "not valid JSON"]),
    "truncated": (Served(text()[:-20]), ["manifest", "not valid JSON", "line 1"]),
    "web-page": (Served(b"<html>log in</html>", kind="text/html"), ["web page"]),
    "huge": (Served(text() + b" " * (4 << 20)), ["4194304"]),
    "deep": (Served(b'{"x":' + b"[" * 100_000), ["more than 64 levels"]),
    "key-twice": (Served(text()[:-1] + b',"schemaVersion":2}'), ["schemaVersion", "twice"]),
    "wrong-type": (changed(["layers"], {}), ["layers", "expected an array"]),
    "both": (Served({**Image().manifest(), "manifests": []}), ["both 'manifests' and 'config'"]),
    "index-in-index-in-index": (nested_index(), ["index inside two others"]),
    "says-otherwise": (changed(["mediaType"], INDEX), ["mediaType"]),
    "schema-1": (Served({"schemaVersion": 1, "fsLayers": []}, kind="application/vnd.docker.distribution.manifest.v1+json"), ["schema 1"]),
    "slash-digest": (changed(["layers", 0, "digest"], "sha256:../../../etc/passwd"), ["layers[0].digest"]),
    "short-digest": (changed(["config", "digest"], "sha256:abc"), ["config.digest"]),
    "unknown-algorithm": (changed(["config", "digest"], "md5:" + "a" * 32), ["config.digest"]),
    "negative-size": (changed(["layers", 0, "size"], -1), ["layers[0].size", "negative"]),
    "size-beyond-63-bits": (changed(["layers", 0, "size"], 1 << 63), ["layers[0].size", "63 bits"]),
    "size-too-small": (wrong_size(-1), ["blob", "has the wrong size"]),
    "size-too-large": (wrong_size(1), ["blob", "has the wrong size"]),
    "size-of-a-stored-layer": (wrong_size(1, "hello"), ["layer", "the manifest says"]),
    "wrong-blob": (other_blob(), ["blob", "has the wrong content", "digest"]),
    "unknown-layer": (with_layer("application/vnd.example.layer+json"), ["layers[0]", "unknown type"]),
    "foreign-layer": (foreign_layer(), ["layers[0]", "foreign"]),
    "encrypted-layer": (with_layer("application/vnd.oci.image.layer.v1.tar+gzip+encrypted"), ["layers[0]", "encrypted"]),
    "helm-chart": (with_config(kind="application/vnd.cncf.helm.config.v1+json"), ["config.mediaType", "Helm chart"]),
    "empty-config": (with_config(b"{}"), ["configuration", "rootfs"]),
    "truncated-config": (with_config(b'{"os": '), ["configuration", "not valid JSON"]),
    "wrongly-typed-config": (with_config(config={"Cmd": "/bin/sh"}), ["configuration", "config.Cmd"]),
    "wrong-diff-id": (with_config(rootfs={"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}), ["layer", "image configuration says"]),
    "missing-diff-id": (with_config(rootfs={"type": "layers", "diff_ids": []}), ["1 layers", "0 diff ids"]),
    "bomb": (bomb(), ["after the end of its archive"]),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_with_a_reason_and_leaves_nothing(pulled_once, registry, case):
    served, words = CASES[case]
    reference = registry.serve(case, served.manifest, served.blobs, served.kind, served.manifests)
    if hasattr(served, "wrong"):
        name, data = served.wrong
        (registry.directory / case / "blobs" / name).write_bytes(data)
    before = pulled_once.snapshot()
    done = pulled_once.berth("pull", reference, check=False)
    assert done.returncode == 6, done.stderr
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, done.stderr
    assert "hint: " in done.stderr, done.stderr
    assert before.difference(pulled_once.snapshot()) == []
    assert len(done.stderr) < 1000


def test_an_image_of_another_platform_is_warned_about(pulled_once, registry):
    image = Image()
    image.config["architecture"] = "s390x"
    reference = registry.serve("mainframe", image.manifest(), [image.config_bytes(), image.layer])
    done = pulled_once.berth("pull", reference)
    assert "is built for linux/s390x, not for linux/" in done.stderr
    assert "is built for linux/s390x" in pulled_once.berth("install", "--name=mainframe", reference).stderr
    assert "built for" not in pulled_once.berth("pull", "--platform=linux/s390x", reference).stderr
    pulled_once.berth("uninstall", "mainframe")


def test_documents_that_others_accept_are_accepted(pulled_once, registry):
    """Media types are only hints, missing members and null are empty, and entries of an index that are not chosen are ignored."""
    image = Image("odd")
    del image.config["architecture"], image.config["os"]
    image.config["config"].update(Labels={"a": None}, Env=["FOO", "A=b"], Entrypoint=None)
    image.config_kind = "application/octet-stream"
    image.layer_kind = "application/vnd.docker.image.rootfs.diff.tar"  # but it is compressed by gzip
    manifest = image.manifest()
    manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"
    del manifest["schemaVersion"]
    inner = json.dumps(manifest).encode()
    platform = {"os": "linux", "architecture": debian.architecture()}
    nested = json.dumps(index_of(descriptor(MANIFEST, inner, platform=platform))).encode()
    index = index_of({"digest": "md5:1"}, descriptor(MANIFEST, b"elsewhere"), descriptor(INDEX, nested, platform=platform))
    blobs = [image.config_bytes(), image.layer]
    reference = registry.serve("odd", index, blobs, "TEXT/PLAIN", [nested, inner])
    assert "built for" not in pulled_once.berth("pull", reference).stderr
    done = pulled_once.berth("install", "--name=odd", reference)
    assert "the entry 'FOO' of the image's environment is not a variable" in done.stderr
    config = json.loads(pulled_once.path("/var/lib/containers/berth/odd/config.json").read_text())
    assert "A=b" in config["process"]["env"] and "FOO" not in config["process"]["env"]
    pulled_once.berth("uninstall", "odd")


def test_a_layout_does_not_replace_an_image_of_a_registry(pulled_once, registry):
    good, evil = Image("good"), Image("evil")
    reference = registry.serve("etcd", good.manifest(), [good.config_bytes(), good.layer]) + ":latest"
    layout = pulled_once.path("/srv/hostile")
    (layout / "blobs/sha256").mkdir(parents=True)
    manifest = json.dumps(evil.manifest()).encode()
    for blob in (manifest, evil.config_bytes(), evil.layer):
        (layout / "blobs/sha256" / digest(blob).removeprefix("sha256:")).write_bytes(blob)
    names = {"io.containerd.image.name": reference, "org.opencontainers.image.ref.name": reference}
    (layout / "index.json").write_text(json.dumps(index_of({**descriptor(MANIFEST, manifest), "annotations": names})))
    (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    pulled_once.berth("install", "--name=etcd", reference)
    pulled_once.berth("install", "--name=foo", "oci:/srv/hostile")
    assert pulled_once.berth_json("inspect", "foo")["image"] == "localhost/hostile:latest"
    assert "Latest version already installed" in pulled_once.berth("update", "--no-pull", "etcd").stdout
    refused = pulled_once.berth("pull", f"oci:/srv/hostile:{reference}", check=False)
    assert refused.returncode == 4 and "is stored from its registry" in refused.stderr
    assert "Latest version already installed" in pulled_once.berth("update", "--no-pull", "etcd").stdout
    for name in ("etcd", "foo"):
        pulled_once.berth("uninstall", name)
