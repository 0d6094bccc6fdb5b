"""A server of bearer tokens (distribution's token specification) on loopback: a program of its own, so that it can run
inside another network namespace. Anybody may read repositories below public/; captain may read and write all but those
below forbidden/.

token_server.py PORT CERTIFICATE KEY PASSWORD [--lifetime SECONDS]
"""

import argparse
import base64
import http.server
import json
import re
import secrets
import subprocess
import sys
import time
import urllib.parse

ISSUER, SERVICE, USER = "rig-tokens", "rig", "captain"
LEEWAY_SECONDS = 60  # docker-registry accepts a token for so long after it has expired


def encoded(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=")


def granted(name, actions, user):
    allowed = {"pull", "push"} if user and not name.startswith("forbidden/") else {"pull"} if name.startswith("public/") else set()
    return sorted(allowed & set(actions))


class Tokens(http.server.BaseHTTPRequestHandler):
    options = None

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        scopes = query.get("scope", [])
        user, right = self._login()
        print("token", "for", user or "nobody", "scope", *scopes, "accepted" if right else "refused", flush=True)
        if not right:
            self.send_error(401)
            return
        access = []
        for scope in scopes:
            kind, name, actions = scope.split(":")
            access.append({"type": kind, "name": name, "actions": granted(name, actions.split(","), user)})
        body = json.dumps({"token": self._token(user, access), "expires_in": self.options.lifetime}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _login(self):
        """(user or None, whether the login is right); no login at all is right."""
        header = self.headers.get("Authorization")
        if header is None:
            return None, True
        user, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return user, (user, password) == (USER, self.options.password)

    def _token(self, user, access):
        certificate = re.sub(r"-----[^-]*-----|\s", "", open(self.options.certificate, encoding="ascii").read())
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": user or "", "aud": SERVICE, "nbf": now - 600, "iat": now, "access": access,
                  "jti": secrets.token_hex(8), "exp": now - LEEWAY_SECONDS + self.options.lifetime}  # fmt: skip
        text = encoded({"typ": "JWT", "alg": "RS256", "x5c": [certificate]}) + b"." + encoded(claims)
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.options.key], input=text,
                                   stdout=subprocess.PIPE, check=True).stdout  # fmt: skip
        return (text + b"." + encoded(signature)).decode()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("certificate")
    parser.add_argument("key")
    parser.add_argument("password")
    parser.add_argument("--lifetime", type=int, default=300)
    Tokens.options = parser.parse_args(sys.argv[1:])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", Tokens.options.port), Tokens)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
