"""A reverse proxy on loopback that passes requests to a registry and spoils some: a program of its own, so that it can
run inside another network namespace.

front.py PORT REGISTRY-PORT [--bytes-per-second N] [--fail-first N] [--break-first-blob BYTES] [--stall-blobs]
"""

import argparse
import http.client
import http.server
import re
import sys
import threading
import time

CHUNK_BYTES = 8192


class Spoiler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options = None
    lock = threading.Lock()
    failures_left = 0
    breaks_left = 0

    def _take(self, counter):
        with Spoiler.lock:
            left = getattr(Spoiler, counter)
            setattr(Spoiler, counter, max(0, left - 1))
            return left > 0

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        print(self.command, self.path, flush=True)
        blob = re.search(r"/blobs/", self.path) is not None
        if self._take("failures_left"):
            self.send_error(503)
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.options.registry, timeout=60)
        skipped = ("host", "connection")
        upstream.request(self.command, self.path, headers={k: v for k, v in self.headers.items() if k.lower() not in skipped})
        answer = upstream.getresponse()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self._pass_on(answer, blob)

    def _pass_on(self, answer, blob):
        limit = self.options.break_first_blob if blob and self.options.break_first_blob and self._take("breaks_left") else None
        sent = 0
        while chunk := answer.read(CHUNK_BYTES):
            if limit is not None and sent + len(chunk) > limit:
                self.wfile.write(chunk[: limit - sent])
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.wfile.write(chunk)
            self.wfile.flush()
            sent += len(chunk)
            if blob and self.options.stall_blobs:
                time.sleep(600)
            if blob and self.options.bytes_per_second:
                time.sleep(len(chunk) / self.options.bytes_per_second)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("registry", type=int)
    parser.add_argument("--bytes-per-second", type=int, default=0)
    parser.add_argument("--fail-first", type=int, default=0)
    parser.add_argument("--break-first-blob", type=int, default=0)
    parser.add_argument("--stall-blobs", action="store_true")
    Spoiler.options = parser.parse_args(sys.argv[1:])
    Spoiler.failures_left = Spoiler.options.fail_first
    Spoiler.breaks_left = 1
    server = http.server.ThreadingHTTPServer(("127.0.0.1", Spoiler.options.port), Spoiler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    main()
