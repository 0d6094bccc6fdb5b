"""Repositories that older tools wrote: layers as commits below ociimage/, no merged tree."""

import json

from rig import images
from rig.checks import DEPLOYMENTS
from rig.shell import run


def test_an_image_whose_layers_are_commits_is_listed_and_installed(host, work):
    """What `atomic pull` left: one commit per layer with docker.size, and one with the manifest that names them."""
    image = images.hello_world()
    folder = work / "older"
    repository = host.path(f"{DEPLOYMENTS}/.storage/ostree")
    repository.parent.mkdir(parents=True)
    run("ostree", f"--repo={repository}", "init", "--mode=bare")
    run("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{image.layout}", f"dir:{folder}")
    manifest = (folder / "manifest").read_text() if (folder / "manifest").exists() else (folder / "manifest.json").read_text()
    for layer in json.loads(manifest)["layers"]:
        digest = layer["digest"].removeprefix("sha256:")
        tree = work / f"older-{digest[:12]}"
        tree.mkdir()
        run("tar", "-xzf", folder / digest, "-C", tree)
        run("ostree", f"--repo={repository}", "commit", f"--branch=ociimage/{digest}", f"--tree=dir={tree}",
            f"--add-metadata-string=docker.size={layer['size']}", "--subject=layer")  # fmt: skip
    empty = work / "older-empty"
    empty.mkdir()
    name = "ociimage/example.test_2Fhello-world_3Alatest"
    digest = json.loads(run("skopeo", "inspect", f"oci:{image.layout}").stdout)["Digest"]
    run("ostree", f"--repo={repository}", "commit", f"--branch={name}", f"--tree=dir={empty}", "--subject=image",
        f"--add-metadata-string=docker.manifest={manifest}", f"--add-metadata-string=docker.digest={digest}")  # fmt: skip
    assert [row["repository"] for row in host.stored()] == ["example.test/hello-world"]
    host.berth("install", "--now", "example.test/hello-world")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
