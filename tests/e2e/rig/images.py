# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images made by other tools (umoci, buildah, skopeo) from Debian's packages, cached on this machine as OCI layouts."""

import inspect
import os
import pathlib
import shutil
import struct

from rig import cache, debian
from rig.shell import run

HERE = pathlib.Path(__file__).resolve().parent
TAG = "latest"

HELLO_SCRIPT = """#!/bin/sh
# PID 1 gets no signal that it does not handle.
trap 'kill "$server"; exit 0' TERM INT
echo "hello-world listens on port $PORT for $RECEIVER"
httpd -f -p "$PORT" -h /www &
server=$!
wait "$server"
"""

HELLO_PAGE = """#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\nHi %s!\\n' "$RECEIVER"
"""

PLAIN_SCRIPT = """#!/bin/sh
trap 'echo "plain says goodbye"; exit 0' TERM INT
echo "plain runs as $(id -u) in $PWD with GREETING=$GREETING and $*"
while :; do sleep 1000 & wait "$!"; done
"""

ETCD_ENVIRONMENT_SCRIPT = """#!/bin/sh
# To etcd, an empty variable differs from one that is not set.
for name in $(env | sed -n 's/^\\(ETCD_[A-Z_]*\\)=$/\\1/p'); do unset "$name"; done
exec "$@"
"""


class Image:
    """An image in the cache: `layout` is DIR:TAG, and `inside` the same on a booted host."""

    def __init__(self, name, directory):
        self.name, self.directory = name, directory
        self.layout = f"{directory / name}:{TAG}"
        self.inside = f"/srv/images/{directory.name}/{name}:{TAG}"

    def file(self, name):
        """The path of another file beside the layout, on a booted host."""
        assert (self.directory / name).exists()
        return f"/srv/images/{self.directory.name}/{name}"


def templates(sample):
    """The directory with the /exports templates of a published image, in BERTH_EXPORTS_SAMPLES (default: ../shared/exports-samples
    beside the source tree), or else similar templates of this tree."""
    top = HERE.parents[2]
    for directory in (os.environ.get("BERTH_EXPORTS_SAMPLES"), top.parent / "shared" / "exports-samples"):
        if directory and (pathlib.Path(directory) / sample).is_dir():
            return pathlib.Path(directory) / sample
    return HERE.parent / "templates" / sample


# -- building ---------------------------------------------------------------------------------------------------


class Build:
    """Builds an image in directory/layout."""

    def __init__(self, directory, tag=TAG, architecture=None):
        self.reference = f"{directory / 'layout'}:{tag}"
        self.bundle = directory / "bundle"
        if not (directory / "layout").exists():
            run("umoci", "init", "--layout", directory / "layout")
        run("umoci", "new", "--image", self.reference)
        run("umoci", "config", "--image", self.reference, "--architecture", architecture or debian.architecture(), "--os", "linux")
        self.config("--config.cmd", "/bin/sh")
        run("umoci", "unpack", "--image", self.reference, self.bundle)
        self.rootfs = self.bundle / "rootfs"

    def write(self, path, text="", mode=0o644):
        target = self.rootfs / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return target

    def copy(self, source, path, mode=None):
        target = self.rootfs / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
        if mode is not None:
            target.chmod(mode)

    def directories(self, *paths):
        for path in paths:
            (self.rootfs / path).mkdir(parents=True, exist_ok=True)

    def remove(self, path):
        cache.remove(self.rootfs / path)

    def busybox(self):
        """busybox with links for its applets, and the mount points of every configuration."""
        self.directories("bin", "proc", "sys", "dev", "tmp", "run", "etc", "root", "var/lib")
        self.copy(debian.static_busybox(), "bin/busybox", 0o755)
        for applet in run(self.rootfs / "bin/busybox", "--list").stdout.split():
            if applet != "busybox":
                (self.rootfs / "bin" / applet).symlink_to("busybox")
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:guest:/:/bin/sh\n")
        self.write("etc/group", "root:x:0:\nguest:x:1000:\n")

    def exports(self, sample):
        for path in templates(sample).iterdir():
            if path.is_file():
                self.copy(path, f"exports/{path.name}", 0o644)

    def greeter(self):
        """An HTTP server on $PORT that greets $RECEIVER, with the published templates."""
        self.write("usr/bin/run.sh", HELLO_SCRIPT, 0o755)
        self.write("www/cgi-bin/index.cgi", HELLO_PAGE, 0o755)
        self.exports("hello-world")

    def layer(self):
        """Ends a layer. Later changes belong to the next one."""
        run("umoci", "repack", "--refresh-bundle", "--image", self.reference, self.bundle)

    def config(self, *options):
        run("umoci", "config", "--image", self.reference, *options)

    def raw_layer(self, directory):
        """Adds a layer with the files of a directory, packed by tar."""
        archive = self.bundle.with_name("layer.tar")
        run("tar", "--create", f"--file={archive}", "--numeric-owner", "--xattrs", f"--directory={directory}", *os.listdir(directory))
        run("umoci", "raw", "add-layer", "--image", self.reference, archive)
        archive.unlink()

    def done(self):
        run("umoci", "gc", "--layout", self.reference.rsplit(":", 1)[0])
        cache.remove(self.bundle)


def _image(name, make, *inputs):
    def complete(directory):
        make(directory)
        (directory / "layout").rename(directory / name)  # berth names an image after the directory of its layout

    recipe = [inspect.getsource(_image), inspect.getsource(make), inspect.getsource(Build), HELLO_SCRIPT, HELLO_PAGE, PLAIN_SCRIPT, ETCD_ENVIRONMENT_SCRIPT]
    return Image(name, cache.made_once(f"image-{name}", cache.digest_of(*recipe, *inputs), complete))


# -- the images -------------------------------------------------------------------------------------------------


def hello_world():
    """busybox and the published templates: an HTTP server on $PORT that greets $RECEIVER. Also as archives."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.layer()
        build.greeter()
        build.layer()
        build.config("--config.label", "atomic.type=system", "--config.label", "version=1.2")
        build.done()
        layout = f"oci:{directory / 'layout'}:{TAG}"
        copy = ["skopeo", "copy", "--quiet", "--insecure-policy"]
        run(*copy, layout, f"oci-archive:{directory / 'oci.tar'}:{TAG}")
        run(*copy, layout, f"docker-archive:{directory / 'docker.tar'}:example.test/hello-world:{TAG}")

    return _image("hello-world", make, templates("hello-world"))


def etcd():
    """Debian's etcd with the published templates."""

    def make(directory):
        debs = debian.unpacked("etcd-server", "etcd-client", "libc6")
        build = Build(directory)
        build.busybox()
        run("cp", "-a", debs / "lib/.", build.rootfs / "lib")
        run("cp", "-a", debs / "lib64/.", build.rootfs / "lib64")
        build.remove("lib/systemd")
        for program in ("etcd", "etcdctl"):
            build.copy(debs / "usr/bin" / program, f"usr/bin/{program}", 0o755)
        build.write("usr/bin/etcd-env.sh", ETCD_ENVIRONMENT_SCRIPT, 0o755)
        build.directories("var/run", "var/lib/etcd", "var/run/etcd", "etc/etcd", "dev/pts", "dev/shm", "dev/mqueue")
        build.write("etc/resolv.conf")
        build.write("etc/hosts", "127.0.0.1 localhost\n")
        build.layer()
        build.exports("etcd")
        build.copy(debs / "usr/bin/etcdctl", "exports/hostfs/usr/local/bin/etcdctl", 0o755)
        build.write("exports/hostfs/etc/etcd/etcd.conf", "# settings of etcd\n")
        build.layer()
        build.config("--config.label", "atomic.type=system")
        build.done()

    return _image("etcd", make, templates("etcd"))


def whiteouts():
    """Three layers, which remove files and directories, replace a file by a directory, and make a directory opaque."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        for path in ("keep", "gone", "directory/a", "directory/deep/b", "all-gone/x", "all-gone/y/z", "opaque/old", "opaque/deep/old", "kind"):
            build.write(path, f"{path} of the first layer\n")
        build.layer()
        for path in ("gone", "directory/deep/b", "all-gone", "kind"):
            build.remove(path)
        build.write("kind/now-a-directory", "second layer\n")
        build.write("keep", "changed by the second layer\n", 0o600)
        build.layer()
        third = directory / "third"
        for path in ("opaque/.wh..wh..opq", "opaque/new", "directory/.wh.a"):
            (third / path).parent.mkdir(parents=True, exist_ok=True)
            (third / path).write_text("third layer\n" if path.endswith("new") else "")
        build.raw_layer(third)
        cache.remove(third)
        build.done()

    return _image("whiteouts", make)


def unpadded():
    """An archive of `umoci insert`, which ends after the last byte of the last file, without padding and end blocks. Docker,
    containerd and podman read it."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.write("opaque/old", "first layer\n")
        build.layer()
        new = directory / "new"
        new.mkdir()
        (new / "new").write_text("second layer\n")
        run("umoci", "insert", "--image", build.reference, "--opaque", new, "/opaque")
        cache.remove(new)
        build.done()

    return _image("unpadded", make)


def special():
    """File capabilities, setuid and setgid bits, hard links, sticky directories, large ids and long names."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        net_raw, permitted_effective = 1 << 13, 0x02000000 | 1
        capability = build.write("usr/bin/with-capability", "#!/bin/sh\n", 0o755)
        os.setxattr(capability, "security.capability", struct.pack("<5I", permitted_effective, net_raw, 0, 0, 0))
        build.write("usr/bin/with-setuid", "#!/bin/sh\n", 0o4755)
        os.chown(build.write("usr/bin/with-setgid", "#!/bin/sh\n"), 0, 8)
        (build.rootfs / "usr/bin/with-setgid").chmod(0o2755)
        first = build.write("usr/share/one", "shared bytes\n", 0o640)
        os.link(first, build.rootfs / "usr/share/two")
        os.link(first, build.rootfs / "usr/bin/three")
        os.chown(build.write("srv/of-somebody", "x"), 100123, 200456)
        build.directories("srv/sticky")
        (build.rootfs / "srv/sticky").chmod(0o1777)
        build.write("srv/" + "n" * 200, "a long name\n")
        build.write("srv/" + "/".join(["d" * 50] * 5) + "/deep", "a long path\n")
        (build.rootfs / "srv/dangling").symlink_to("/nowhere/at/all")
        build.layer()
        build.done()

    return _image("special", make)


def _first_of_replaced(directory):
    build = Build(directory)
    build.busybox()
    build.write("data/file", "first layer\n")
    build.write("real/file", "the real one\n")
    (build.rootfs / "link").symlink_to("real")
    build.layer()
    return build


def _replace(rootfs):
    cache.remove(rootfs / "data")
    (rootfs / "data").symlink_to("real")
    cache.remove(rootfs / "link")
    (rootfs / "link").mkdir()
    (rootfs / "link/own").write_text("a directory now\n")


def replaced():
    """The second layer, made by buildah, replaces a directory by a symbolic link, and a link by a directory. Like Docker, buildah
    also writes a whiteout below the new link (`data -> real` and `data/.wh.file`), which must not remove a file of /real."""

    def make(directory):
        _first_of_replaced(directory).done()
        buildah = ["buildah", "--root", directory / "storage", "--runroot", directory / "run", "--storage-driver", "vfs"]
        # A relative path, because buildah parses it as a reference, which must not have upper-case letters.
        container = run(*buildah, "from", f"oci:layout:{TAG}", cwd=directory).stdout.strip()
        _replace(pathlib.Path(run(*buildah, "mount", container).stdout.strip()))
        run(*buildah, "commit", "--quiet", "--format", "oci", container, f"oci:{directory / 'second'}:{TAG}")
        run(*buildah, "rm", container)
        cache.remove(directory / "layout")
        (directory / "second").rename(directory / "layout")
        for leftover in ("storage", "run"):
            cache.remove(directory / leftover)

    return _image("replaced", make, inspect.getsource(_first_of_replaced), inspect.getsource(_replace))


def replaced_by_umoci():
    """Like replaced(), made by umoci."""

    def make(directory):
        build = _first_of_replaced(directory)
        _replace(build.rootfs)
        build.layer()
        build.done()

    return _image("replaced-by-umoci", make, inspect.getsource(_first_of_replaced), inspect.getsource(_replace))


def plain():
    """An image without /exports; berth uses its OCI configuration."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.write("usr/bin/serve", PLAIN_SCRIPT, 0o755)
        build.directories("srv/home")
        build.layer()
        build.config(
            "--config.entrypoint", "/usr/bin/serve", "--config.cmd", "one", "--config.cmd", "two",
            "--config.env", "GREETING=good day", "--config.env", "PATH=/bin:/usr/bin",
            "--config.user", "guest", "--config.workingdir", "/srv/home",
        )  # fmt: skip
        build.done()

    return _image("plain", make)


def command(name, script, *config):
    """An image without /exports whose command is a shell script. @param config options of `umoci config`"""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.layer()
        build.config("--config.cmd", "/bin/sh", "--config.cmd", "-c", "--config.cmd", script, *config)
        build.done()

    return _image(name, make, script, *config)


def private():
    """plain, with a directory and a file that are private to its user, a read-only directory, and a volume."""

    def make(directory):
        build = Derived(directory, plain())
        own = build.write("srv/own/secret", "a secret\n", 0o600)
        build.write("srv/fixed/file", "fixed\n", 0o444)
        (build.rootfs / "srv/fixed").chmod(0o555)
        own.parent.chmod(0o700)
        for path in (own, own.parent):
            os.chown(path, 1000, 1000)
        build.layer()
        build.config("--config.volume", "/data")
        build.done()

    return _image("private", make, plain().directory.name)


def tempting():
    """plain, with files that other users of a host could misuse: `id` as a setuid program, `cat` with a capability to read all
    files, a world-writable file, and a file of uid 1000."""

    def make(directory):
        build = Derived(directory, plain())
        for name, mode in (("id", 0o4755), ("cat", 0o755)):
            build.copy(debian.host_tree() / "usr/bin" / name, f"usr/bin/tempting-{name}", mode)
        read_all, permitted_effective = 1 << 2, 0x02000000 | 1
        os.setxattr(build.rootfs / "usr/bin/tempting-cat", "security.capability",
                    struct.pack("<5I", permitted_effective, read_all, 0, 0, 0))  # fmt: skip
        build.write("srv/everybody", "as it was\n", 0o666)
        os.chown(build.write("srv/guest", "as it was\n"), 1000, 1000)
        build.layer()
        build.done()

    return _image("tempting", make, plain().directory.name)


def two_platforms():
    """An index, made by buildah, with images for amd64 and arm64; /platform contains the architecture."""

    def make(directory):
        for architecture in ("amd64", "arm64"):
            part = directory / architecture
            part.mkdir()
            build = Build(part, architecture=architecture)
            build.write("platform", architecture + "\n")
            build.layer()
            build.done()
        buildah = ["buildah", "--root", directory / "storage", "--runroot", directory / "run", "--storage-driver", "vfs"]
        run(*buildah, "manifest", "create", "both")
        for architecture in ("arm64", "amd64"):
            run(*buildah, "manifest", "add", "both", f"oci:{directory / architecture / 'layout'}:{TAG}")
        run(*buildah, "manifest", "push", "--all", "both", f"oci:{directory / 'layout'}:{TAG}")
        for leftover in ("storage", "run", "amd64", "arm64"):
            cache.remove(directory / leftover)

    return _image("two-platforms", make)


def large(megabytes=24):
    """A large layer that does not compress, and a small one."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        (build.rootfs / "blob").write_bytes(os.urandom(megabytes << 20))
        build.greeter()
        build.layer()
        build.write("second", "a second layer\n")
        build.layer()
        build.done()

    return _image("large", make, str(megabytes), templates("hello-world"))


class Link(str):
    """The target of a symbolic link, as the text of a file."""

    def __repr__(self):
        return f"Link({str(self)!r})"


class Program(str):
    """The text of a setuid program."""

    def __repr__(self):
        return f"Program({str(self)!r})"


def with_exports(name, files, hostfs=None):
    """A small image with files in /exports. @param files, hostfs path in /exports and in /exports/hostfs → text, Link or Program"""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.write("usr/bin/run.sh", HELLO_SCRIPT, 0o755)
        for path, text in [*files.items(), *((f"hostfs/{path}", text) for path, text in (hostfs or {}).items())]:
            target = build.write(f"exports/{path}", text, 0o4755 if isinstance(text, Program) else 0o644)
            if isinstance(text, Link):
                target.unlink()
                target.symlink_to(text)
        build.layer()
        build.done()

    return _image(name, make, repr(sorted(files.items())), repr(sorted((hostfs or {}).items())))


def latin():
    """A unit and a host file that are not UTF-8."""

    def make(directory):
        build = Build(directory)
        build.busybox()
        build.write("exports/manifest.json", '{"version": "1.0", "installedFilesTemplate": ["/etc/latin"]}')
        build.write("exports/hostfs/etc/latin").write_bytes(b"caf\xe9 of $NAME\n")
        build.write("exports/service.template").write_bytes(b"# caf\xe9 of $NAME\n[Service]\nExecStart=$EXEC_START\n")
        build.layer()
        build.done()

    return _image("latin", make)


def unpacked(image, directory):
    """Unpacks an image by umoci, to compare it with a checkout. @return the path of its root file system"""
    run("umoci", "unpack", "--image", image.layout, directory)
    return pathlib.Path(directory) / "rootfs"


class Derived(Build):
    """Builds an image on top of another one."""

    def __init__(self, directory, base):
        self.reference = f"{directory / 'layout'}:{TAG}"
        self.bundle = directory / "bundle"
        shutil.copytree(base.directory / base.name, directory / "layout")
        run("umoci", "unpack", "--image", self.reference, self.bundle)
        self.rootfs = self.bundle / "rootfs"


def derived(base, name, files, removed=(), config=(), links=None):
    """`base` with another layer.
    @param files path → new text  @param removed paths  @param links path → target  @param config options of `umoci config`"""

    def make(directory):
        build = Derived(directory, base)
        for path, text in files.items():
            mode = 0o755 if text.startswith("#!") else 0o644
            build.write(path, text, mode)
        for path in removed:
            build.remove(path)
        for path, target in (links or {}).items():
            build.remove(path)
            (build.rootfs / path).symlink_to(target)
        build.layer()
        if config:
            build.config(*config)
        build.done()

    recipe = [inspect.getsource(Derived), base.directory.name, repr(sorted(files.items())), repr(removed), repr(config), repr(links)]
    return _image(name, make, *recipe)
