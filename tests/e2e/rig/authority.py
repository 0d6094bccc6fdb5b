# SPDX-License-Identifier: LGPL-2.1-or-later
"""A certificate authority for tests."""

import itertools
import pathlib

from rig.shell import run


class Authority:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir()
        self.certificate = self.directory / "ca.pem"
        self._key = self.directory / "ca.key"
        self._numbers = itertools.count(1)
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", self._key, "-out", self.certificate)  # fmt: skip

    def sign(self, *names, days=2):
        """@param days the validity; with a negative number the certificate has expired  @return (certificate, key) of a server of these names"""
        directory = self.directory / str(next(self._numbers))
        directory.mkdir()
        certificate, key, request = directory / "cert.pem", directory / "key.pem", directory / "request.pem"
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={names[0]}", "-keyout", key, "-out", request)
        (directory / "names").write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
            "-days", str(days), "-extfile", directory / "names", "-out", certificate)  # fmt: skip
        return certificate, key
