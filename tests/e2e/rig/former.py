# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host as berth 0.1.0 left it, with deployment directories that all users can enter: former/host.tar.xz, made by former/make.py."""

import gzip
import hashlib
import io
import json
import pathlib
import tarfile

from rig import debian
from rig.checks import DEPLOYMENTS
from rig.shell import run

ARCHIVE = pathlib.Path(__file__).resolve().parents[1] / "former/host.tar.xz"
RECORDS = f"{DEPLOYMENTS}/.transactions"
PREINSTALLED = "/usr/lib/containers/berth"
USER = "ann"

LIVE = ("web", "lean", "masked", "disabled", "packaged", "older")
# Containers on which a command was killed, by what the recovery does: it undoes the command, or completes it.
UNDONE = ("update-killed", "rollback-killed", "install-killed")
COMPLETED = ("update-committed", "uninstall-killed")

# Creates a setuid program in its volume, and ends on SIGTERM. It uses no library, to be small.
PAYLOAD = """
#define SYS3(n, a, b, c) ({ long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory"); r; })
struct action { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; };
static void end(int signal) { (void)signal; SYS3(231, 0, 0, 0); }
void _start(void) {
  struct action action = {end, 0x04000000, 0, 0};
  register long size __asm__("r10") = 8;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(13), "D"(15), "S"(&action), "d"(0), "r"(size) : "rcx", "r11", "memory");
  long file = SYS3(2, "/data/tool", 0101, 04755);
  SYS3(91, file, 04755, 0);
  SYS3(3, file, 0, 0);
  for (;;) SYS3(34, 0, 0, 0);
}
"""

# Host files whose names and content depend on the name of the container.
TEMPLATED = {
    "manifest.json": json.dumps({
        "version": "1.0", "defaultValues": {"GREETING": "ahoy"}, "installedFilesTemplate": ["/etc/app/app.conf"],
        "renameFiles": {"/etc/app/app.conf": "/etc/${NAME}/${NAME}.conf", "/usr/local/bin/ctl": "/usr/local/bin/${NAME}ctl"},
    }),
    "hostfs/etc/app/app.conf": "greeting = $GREETING of version {version}\n",
    "hostfs/usr/local/bin/ctl": "#!/bin/sh\necho control\n",
}  # fmt: skip
# `atomic` has no default templates.
SERVICE = ("[Unit]\nDescription=$NAME\n[Service]\nExecStart=$EXEC_START\nExecStop=$EXEC_STOP\nRestart=no\nWorkingDirectory=$DESTDIR\n"
           "[Install]\nWantedBy=multi-user.target\n")  # fmt: skip
CONFIG = json.dumps({
    "ociVersion": "1.0.2", "root": {"path": "rootfs", "readonly": True},
    "process": {"args": ["/bin/payload"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "env": ["PATH=/bin"]},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/data", "type": "bind", "source": "${STATE_DIRECTORY}/${NAME}", "options": ["rbind", "rw"]}],
    "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}]},
})  # fmt: skip
EXPORTS = {
    "web": TEMPLATED,
    "packaged": {"manifest.json": json.dumps({"version": "1.0"}), "hostfs/etc/packaged/packaged.conf": "packaged\n"},
    "older": {"manifest.json": json.dumps({"version": "1.0"}), "service.template": SERVICE, "config.json.template": CONFIG,
              "tmpfiles.template": "d ${STATE_DIRECTORY}/${NAME} 0755 - - - -\n"},
}  # fmt: skip


def payload(directory):
    program = directory / "payload"
    if not program.exists():
        run("gcc", "-Os", "-static", "-nostdlib", "-ffreestanding", "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-w",
            "-Wl,--build-id=none,-z,noseparate-code,-s", "-o", program, "-xc", "-", input=PAYLOAD)  # fmt: skip
    return program.read_bytes()


def layout(directory, name, version):
    """Creates directory/NAME-VERSION/NAME, an OCI layout. Written by hand to keep it small. @return its path"""
    path = directory / f"{name}-{version}" / name
    blobs = path / "blobs/sha256"
    blobs.mkdir(parents=True)
    exports = EXPORTS.get(name.split("-")[0], TEMPLATED if name.endswith(("-killed", "-committed")) else {})
    files = {"bin/payload": payload(directory), "version": str(version).encode(), "data/app.conf": b"from the image\n",
             **{f"exports/{path}": text.replace("{version}", str(version)).encode() for path, text in exports.items()}}  # fmt: skip
    directories = {"proc", "sys", "dev", "run", "tmp", "etc", *(str(above) for name in files for above in pathlib.Path(name).parents[:-1])}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name in sorted(directories):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755 if name.startswith(("bin/", "exports/hostfs/usr")) else 0o644
            tar.addfile(entry, io.BytesIO(content))

    def blob(content, media_type):
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    kind = "application/vnd.oci.image."
    config = {"architecture": debian.architecture(), "os": "linux", "config": {"Cmd": ["/bin/payload"], "Volumes": {"/data": {}}},
              "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(raw.getvalue()).hexdigest()}"]}}  # fmt: skip
    layers = [blob(gzip.compress(raw.getvalue(), mtime=0), kind + "layer.v1.tar+gzip")]
    manifest = {"schemaVersion": 2, "mediaType": kind + "manifest.v1+json", "layers": layers,
                "config": blob(json.dumps(config).encode(), kind + "config.v1+json")}  # fmt: skip
    index = {"schemaVersion": 2, "manifests": [blob(json.dumps(manifest).encode(), manifest["mediaType"])]}
    index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (path / "index.json").write_text(json.dumps(index))
    (path / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return path


def unpack(tree):
    """Unpacks the archive over the tree of a host that is not running."""
    run("tar", "--extract", f"--file={ARCHIVE}", "--xattrs", "--xattrs-include=*", "--same-owner", "--same-permissions",
        "--numeric-owner", f"--directory={tree}")  # fmt: skip
