# SPDX-License-Identifier: LGPL-2.1-or-later
"""The base of the rig's own HTTP servers. Each is a module that runs as a program (`python3 -m rig.NAME`), since it has to be
in another network namespace; rig/server.py starts it."""

import http.server
import json


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def answer(self, status, body, kind="application/json", **headers):
        """@param body bytes, or a value that is sent as JSON"""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_):
        pass


def serve(port, handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    server.serve_forever()
