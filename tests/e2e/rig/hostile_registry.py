"""A registry on loopback that serves exactly what a folder holds, true or not: a program of its own, so that it can run
inside another network namespace. FOLDER/NAME/manifests/{latest,DIGEST} and FOLDER/NAME/blobs/DIGEST; a file FILE.type
beside a manifest says its Content-Type.

hostile_registry.py PORT FOLDER
"""

import http.server
import pathlib
import re
import sys


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = None

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = re.fullmatch(r"/v2/([a-z0-9-]+)/(manifests|blobs)/([A-Za-z0-9:._-]+)", self.path)
        if self.path == "/v2/":
            self._answer(200, b"{}", "application/json")
            return
        file = self.folder / path[1] / path[2] / path[3] if path else None
        if file is None or not file.is_file():
            self._answer(404, b'{"errors":[{"code":"NOT_FOUND"}]}', "application/json")
            return
        kind = file.with_name(file.name + ".type")
        self._answer(200, file.read_bytes(), kind.read_text() if kind.exists() else "application/octet-stream")

    def _answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    Answers.folder = pathlib.Path(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
