"""A real docker-registry on the loopback of one network, and a server in front of it that can misbehave."""

import pathlib
import re
import subprocess
import sys
import time

from rig import debian
from rig.shell import CLEAN, CommandFailed, die_with_parent
from rig.token_server import ISSUER, SERVICE

PORT = 5000

CONFIGURATION = """
version: 0.1
log: {{level: warn, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}
http: {{addr: '127.0.0.1:{port}'{tls}}}
{auth}
"""


def wait_listening(network, port, process, seconds=20):
    """Waits until somebody listens on 127.0.0.1:port of the network."""
    deadline = time.monotonic() + seconds
    while True:
        if network.run("ss", "-Htln", f"sport = :{port}").stdout.strip():
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError(f"nothing listens on port {port}")
        time.sleep(0.02)


class Registry:
    """`storage` may be shared with other registries that only read. `tls` is (certificate, key), `users` a htpasswd file,
    `tokens` a TokenServer."""

    def __init__(self, network, folder, storage, port=PORT, tls=None, users=None, tokens=None):
        self.network, self.port, self.storage = network, port, pathlib.Path(storage)
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.tls, self.users, self.tokens = tls, users, tokens
        self._process = None
        self.start()

    @property
    def address(self):
        return f"localhost:{self.port}"

    def start(self):
        tls = f", tls: {{certificate: {self.tls[0]}, key: {self.tls[1]}}}" if self.tls else ""
        auth = f"auth: {{htpasswd: {{realm: rig, path: {self.users}}}}}" if self.users else self.tokens.settings() if self.tokens else ""
        config = self.folder / "config.yml"
        config.write_text(CONFIGURATION.format(storage=self.storage, port=self.port, tls=tls, auth=auth))
        program = debian.unpacked("docker-registry") / "usr/bin/docker-registry"
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                self.network.within(str(program), "serve", str(config)), env=CLEAN,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        wait_listening(self.network, self.port, self._process)

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def log_size(self):
        return (self.folder / "log").stat().st_size

    def requests(self, since=0):
        """(method, path, status) of the requests answered since that size of the log."""
        with open(self.folder / "log", "rb") as log:
            log.seek(since)
            text = log.read().decode(errors="replace")
        return [(m, p, int(s)) for m, p, s in re.findall(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/[\d.]+" (\d+)', text)]

    def push(self, layout, name, *options):
        """Puts an image of an OCI layout (`DIR:TAG`) or of any other skopeo source into the registry."""
        return self.push_from(f"oci:{layout}", name, *options)

    def push_from(self, source, name, *options):
        verify = ["--dest-tls-verify=false"]
        try:
            self.network.run(
                "skopeo", "copy", "--quiet", "--insecure-policy", *verify, *options, source, f"docker://{self.address}/{name}"
            )
        except CommandFailed as failure:
            raise AssertionError(f"{failure}\n{(self.folder / 'log').read_text()[-2000:]}") from failure
        return f"{self.address}/{name}"


class TokenServer:
    """rig/token_server.py: gives the tokens that a registry with `tokens` asks for."""

    PASSWORD = "s3cret-captain"

    def __init__(self, network, folder, identity, port, *options):
        """@param identity (certificate, key) of the signer"""
        self.port, self.certificate = port, identity[0]
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        program = pathlib.Path(__file__).with_name("token_server.py")
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                network.within(sys.executable, "-B", str(program), str(port), *map(str, identity), self.PASSWORD, *options),
                env=CLEAN, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        wait_listening(network, port, self._process)

    def settings(self):
        realm = f"http://localhost:{self.port}/token"
        return f"auth: {{token: {{realm: '{realm}', service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {self.certificate}}}}}"

    def log(self):
        return (self.folder / "log").read_text().splitlines()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Front:
    """rig/front.py between a client and the registry: slow, failing or breaking off."""

    def __init__(self, network, registry, folder, port, *options):
        self.network, self.port = network, port
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        program = pathlib.Path(__file__).with_name("front.py")
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                network.within(sys.executable, "-B", str(program), str(port), str(registry.port), *options), env=CLEAN,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent,
            )  # fmt: skip
        wait_listening(network, port, self._process)

    @property
    def address(self):
        return f"localhost:{self.port}"

    def log(self):
        return (self.folder / "log").read_text()

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
