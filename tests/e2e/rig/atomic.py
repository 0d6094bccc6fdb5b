# SPDX-License-Identifier: LGPL-2.1-or-later
"""Installs containers as `atomic` 1.22 did, step by step: each layer is a commit, the layers are checked out one over the
other, the templates are rendered, and a link with an absolute target names the live deployment."""

import hashlib
import json
import shutil
import string
import time

from rig.shell import run

ROOT = "/var/lib/containers/atomic"
REPOSITORY = f"{ROOT}/.storage/ostree"
RUNTIME = "/usr/sbin/runc"
UUID = "0f4aa50b-3a0c-4d5f-9c8e-0d7f3a9a1b2c"


class AtomicInstaller:
    """@param work a directory for temporary files @param repository its path on the host"""

    def __init__(self, host, work, repository=REPOSITORY):
        self.host, self.work = host, work
        work.mkdir(parents=True, exist_ok=True)
        self.repository = host.path(repository)
        self.repository.parent.mkdir(parents=True)
        self._ostree("init", "--mode=bare")

    def _ostree(self, *words):
        return run("ostree", f"--repo={self.repository}", *words).stdout.strip()

    def pull(self, image, name):
        """Stores an image of the cache under a name, as `skopeo copy ... ostree:` did: a commit for each layer, with whiteouts
        as plain files, and a commit with the manifest."""
        directory = self.work / f"blobs-{image.name}"
        run("skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{image.layout}", f"dir:{directory}")
        manifest = (directory / "manifest.json").read_text()
        for layer in json.loads(manifest)["layers"]:
            digest = layer["digest"].removeprefix("sha256:")
            tree = self.work / f"layer-{digest[:12]}"
            if not tree.exists():
                tree.mkdir()
                run("tar", "-xzf", directory / digest, "-C", tree)
            self._ostree("commit", f"--branch=ociimage/{digest}", f"--tree=dir={tree}", "--subject=layer",
                         f"--add-metadata-string=docker.size={layer['size']}")  # fmt: skip
        empty = self.work / "empty"
        empty.mkdir(exist_ok=True)
        digest = json.loads(run("skopeo", "inspect", f"oci:{image.layout}").stdout)["Digest"]
        self._ostree("commit", f"--branch={branch(name)}", f"--tree=dir={empty}", "--subject=image",
                     f"--add-metadata-string=docker.manifest={manifest}",
                     f"--add-metadata-string=docker.digest={digest}")  # fmt: skip

    def refs(self):
        return self._ostree("refs").splitlines()

    def deploy(self, name, image, values=None, slot=0, forget=()):
        """Deploys to slot 0, like `install --name`, or to slot 1, like an update. @param image the name as it was typed
        @param forget keys that info files of an earlier release do not have"""
        destination = f"{ROOT}/{name}.{slot}"
        directory = self.host.path(destination)
        (directory / "rootfs").mkdir(parents=True)
        commit = self._ostree("rev-parse", branch(image))
        manifest = json.loads(self._ostree("show", "--print-metadata-key=docker.manifest", commit)[1:-1].replace("\\n", "\n").replace('\\"', '"'))
        for layer in manifest["layers"]:
            self._ostree("checkout", "--union", "--whiteouts", "--fsync=no",
                         f"ociimage/{layer['digest'].removeprefix('sha256:')}", directory / "rootfs")  # fmt: skip
        exports = directory / "rootfs/exports"
        values = self._values(name, destination, image, exports, values or {})
        (directory / "config.json").write_text(_filled(exports / "config.json.template", values))
        self._write_unit(name, directory, exports, values)
        files = self._copy_host_files(exports, values) if slot == 0 else {}
        digest = self._ostree("show", "--print-metadata-key=docker.digest", commit).strip("'")
        info = {"image": image, "revision": digest.removeprefix("sha256:"), "ostree-commit": commit, "created": int(time.time()),
                "values": values, "has-container-service": True, "installed-files": list(files), "installed-files-checksum": files,
                "installed-files-template": [], "rename-installed-files": {}, "rpm-installed": None,
                "system-package": "no", "remote": None, "use-links": True, "runtime": RUNTIME}  # fmt: skip
        kept = {key: value for key, value in info.items() if key not in forget}
        (directory / "info").write_text(json.dumps(kept, indent=4) + "\n")
        link = self.host.path(f"{ROOT}/{name}")
        link.unlink(missing_ok=True)
        link.symlink_to(destination)

    def enable(self, name, start=True):
        self.host.run("systemctl", "daemon-reload")
        self.host.run("systemctl", "enable", name)
        if start:
            self.host.run("systemctl", "start", name)

    def _values(self, name, destination, image, exports, given):
        pidfile = f"/run/container-{name}.pid"
        values = {"RUN_DIRECTORY": "/run", "PIDFILE": pidfile, "CONF_DIRECTORY": "/etc", "STATE_DIRECTORY": "/var/lib",
                  "ALL_PROCESS_CAPABILITIES": '"CAP_CHOWN",\n"CAP_KILL"\n', "RUNTIME": RUNTIME, "ATOMIC": "/usr/bin/atomic", "UUID": UUID}  # fmt: skip
        values.update(json.loads((exports / "manifest.json").read_text()).get("defaultValues", {}))
        values.update(given)
        values.update({"DESTDIR": destination, "NAME": name, "EXEC_START": f"{RUNTIME} run '{name}'",
                       "EXEC_STOP": f"{RUNTIME} kill '{name}'", "EXEC_STARTPRE": "", "EXEC_STOPPOST": "", "HOST_UID": 0,
                       "HOST_GID": 0, "IMAGE_NAME": image, "IMAGE_ID": "0" * 64})  # fmt: skip
        return values

    def _copy_host_files(self, exports, values):
        """Copies the files of hostfs to the host, with the renames of the manifest. @return path → sha256"""
        names = json.loads((exports / "manifest.json").read_text()).get("renameFiles", {})
        copied = {}
        for source in sorted((exports / "hostfs").rglob("*")):
            if source.is_file():
                inside = "/" + str(source.relative_to(exports / "hostfs"))
                inside = string.Template(names.get(inside, inside)).safe_substitute(values)
                target = self.host.path(inside)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
                copied[inside] = hashlib.sha256(source.read_bytes()).hexdigest()
        return copied

    def _write_unit(self, name, directory, exports, values):
        for template, copy, directory_of_host in (("service.template", f"{name}.service", "etc/systemd/system"),
                                      ("tmpfiles.template", f"tmpfiles-{name}.conf", "etc/tmpfiles.d")):  # fmt: skip
            if (exports / template).exists():
                (directory / copy).write_text(_filled(exports / template, values))
                target = self.host.path(directory_of_host) / copy.removeprefix("tmpfiles-")
                shutil.copyfile(directory / copy, target)
                if template.startswith("tmpfiles"):
                    self.host.run("systemd-tmpfiles", "--create", f"/{directory_of_host}/{name}.conf")


def branch(name):
    """`ociimage/` and the name with its tag, with characters outside [A-Za-z0-9.-] as _XX."""
    tagged = name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"
    return "ociimage/" + "".join(c if c.isalnum() or c in ".-" else f"_{ord(c):02X}" for c in tagged)


def _filled(path, values):
    return string.Template(path.read_text()).safe_substitute(values)
