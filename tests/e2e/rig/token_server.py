# SPDX-License-Identifier: LGPL-2.1-or-later
"""A server of bearer tokens (the token specification of distribution) on the loopback device. Everybody may read repositories
below public/; the user captain may read and write all except those below forbidden/.

python3 -m rig.token_server PORT CERTIFICATE KEY PASSWORD [--first-lifetime SECONDS]
"""

import argparse
import base64
import itertools
import json
import re
import secrets
import subprocess
import sys
import time
import urllib.parse

from rig.answers import Answers, serve

ISSUER, SERVICE, USER = "rig-tokens", "rig", "captain"
LIFETIME_SECONDS = 300
LEEWAY_SECONDS = 60  # how long docker-registry accepts a token after its expiry


def encoded(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=")


def granted(name, actions, user):
    allowed = {"pull", "push"} if user and not name.startswith("forbidden/") else {"pull"} if name.startswith("public/") else set()
    return sorted(allowed & set(actions))


class Tokens(Answers):
    options = None
    lifetimes = None  # seconds, of one token after the other

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = query.get("scope", [])
        user, right = self._login()
        print("token", "for", user or "nobody", "scope", *scopes, "accepted" if right else "refused", flush=True)
        if not right:
            self.answer(401, {"details": "incorrect username or password"})
            return
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": granted(name, actions.split(","), user)})
        lifetime = next(Tokens.lifetimes)
        self.answer(200, {"token": self._token(user, access, lifetime), "expires_in": lifetime})

    def _login(self):
        """(user or None, whether the request may go on); a request without a login may."""
        header = self.headers.get("Authorization")
        if header is None:
            return None, True
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return user, (user, password) == (USER, self.options.password)

    def _token(self, user, access, lifetime):
        certificate = re.sub(r"-----[^-]*-----|\s", "", open(self.options.certificate, encoding="ascii").read())
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": user or "", "aud": SERVICE, "nbf": now - 600, "iat": now, "access": access,
                  "jti": secrets.token_hex(8), "exp": now - LEEWAY_SECONDS + lifetime}  # fmt: skip
        text = encoded({"typ": "JWT", "alg": "RS256", "x5c": [certificate]}) + b"." + encoded(claims)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.options.key], input=text,
                                   stdout=subprocess.PIPE, check=True).stdout  # fmt: skip
        return (text + b"." + encoded(signature)).decode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("password")
    parser.add_argument("--first-lifetime", type=int, default=LIFETIME_SECONDS)
    Tokens.options = parser.parse_args(sys.argv[1:])
    Tokens.lifetimes = itertools.chain([Tokens.options.first_lifetime], itertools.repeat(LIFETIME_SECONDS))
    serve(Tokens.options.port, Tokens)


if __name__ == "__main__":
    main()
