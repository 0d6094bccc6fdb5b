# SPDX-License-Identifier: LGPL-2.1-or-later
"""A docker-registry on the loopback device of a network, and a proxy before it that injects faults."""

import pathlib
import re

from rig import debian
from rig.server import Server
from rig.shell import CommandFailed
from rig.token_server import ISSUER, SERVICE

PORT = 5000

CONFIGURATION = """
version: 0.1
log: {{level: warn, accesslog: {{disabled: false}}}}
storage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}, maintenance: {{uploadpurging: {{enabled: false}}}}}}
http: {{addr: '127.0.0.1:{port}'{tls}}}
{auth}
"""


class Registry(Server):
    """@param storage may be shared with other registries that only read  @param tls (certificate, key)
    @param users a htpasswd file  @param tokens a TokenServer"""

    def __init__(self, network, directory, storage, port=PORT, tls=None, users=None, tokens=None):
        super().__init__(network, directory, port)
        self.storage = pathlib.Path(storage)
        self.tls, self.users, self.tokens = tls, users, tokens
        self.start()

    def start(self):
        tls = f", tls: {{certificate: {self.tls[0]}, key: {self.tls[1]}}}" if self.tls else ""
        auth = f"auth: {{htpasswd: {{realm: rig, path: {self.users}}}}}" if self.users else self.tokens.settings() if self.tokens else ""
        config = self.directory / "config.yml"
        config.write_text(CONFIGURATION.format(storage=self.storage, port=self.port, tls=tls, auth=auth))
        self.run(debian.unpacked("docker-registry") / "usr/bin/docker-registry", "serve", config)

    def log_size(self):
        return (self.directory / "log").stat().st_size

    def requests(self, since=0):
        """(method, path, status) of the answered requests. @param since the size of the log where they begin"""
        with open(self.directory / "log", "rb") as log:
            log.seek(since)
            text = log.read().decode(errors="replace")
        return [(m, p, int(s)) for m, p, s in re.findall(r'"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/[\d.]+" (\d+)', text)]

    def push(self, layout, name, *options):
        """Pushes an image of an OCI layout. @param layout DIR:TAG  @return its reference"""
        return self.push_from(f"oci:{layout}", name, *options)

    def push_from(self, source, name, *options):
        verify = ["--dest-tls-verify=false"]
        try:
            self.network.run(
                "skopeo", "copy", "--quiet", "--insecure-policy", *verify, *options, source, f"docker://{self.address}/{name}"
            )
        except CommandFailed as failure:
            raise AssertionError(f"{failure}\n{self.log()[-2000:]}") from failure
        return f"{self.address}/{name}"


class TokenServer(Server):
    """rig/token_server.py: issues tokens for a registry with `tokens`."""

    PASSWORD = "s3cret-captain"

    def __init__(self, network, directory, identity, port, *options):
        """@param identity (certificate, key) to sign with"""
        super().__init__(network, directory, port)
        self.certificate = identity[0]
        self.run_own("rig.token_server", *identity, self.PASSWORD, *options)

    def settings(self):
        realm = f"http://localhost:{self.port}/token"
        return f"auth: {{token: {{realm: '{realm}', service: {SERVICE}, issuer: {ISSUER}, rootcertbundle: {self.certificate}}}}}"


class Front(Server):
    """rig/front.py between a client and a registry, with the faults that its options name."""

    def __init__(self, network, registry, directory, port, *options):
        super().__init__(network, directory, port)
        self.run_own("rig.front", registry.port, *options)

    def blobs(self):
        """The paths of the blobs that were requested so far. The log of a registry has a request only after its answer."""
        return [line.split()[1] for line in self.log().splitlines() if line.startswith("GET ") and "/blobs/" in line]
