# SPDX-License-Identifier: LGPL-2.1-or-later
"""A reverse proxy on the loopback device that forwards requests to a registry, with faults on request.

python3 -m rig.front PORT REGISTRY-PORT [--bytes-per-second N] [--fail-first N] [--break-first-blob BYTES]
                     [--stall-blobs BYTES [--until FILE]] [--busy-first SECONDS] [--redirect-blobs HOST:PORT]
                     [--delay SECONDS] [--answers]
"""

import argparse
import http.client
import pathlib
import re
import sys
import threading
import time

from rig.answers import Answers, serve

CHUNK_BYTES = 8192


class Spoiler(Answers):
    options = None
    lock = threading.Lock()
    failures_left = 0
    busy_left = 0
    breaks_left = 0

    def _take(self, counter):
        with Spoiler.lock:
            left = getattr(Spoiler, counter)
            setattr(Spoiler, counter, max(0, left - 1))
            return left > 0

    def do_GET(self):
        print(self.command, self.path, "with a login" if "Authorization" in self.headers else "without", flush=True)
        blob = re.search(r"/blobs/", self.path) is not None
        time.sleep(self.options.delay)
        if not self._answered(blob):
            self._forward(blob)

    def _answered(self, blob):
        """Answers the request without the registry, if an option says so. @return whether it did"""
        status = re.match(r"/v2/answers-(\d+)/", self.path) if self.options.answers else None
        if status:
            self._spoil(int(status.group(1)))
        elif self._take("failures_left"):
            self._spoil(503)
        elif self._take("busy_left"):
            self._spoil(429, **{"Retry-After": str(self.options.busy_first)})
        elif blob and self.options.redirect_blobs:
            self._spoil(307, Location=f"http://{self.options.redirect_blobs}{self.path}")
        else:
            return False
        return True

    def _spoil(self, status, **headers):
        self.answer(status, {"errors": [{"code": "SPOILED", "message": "the rig says so"}]}, **headers)

    def _forward(self, blob):
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
            self._copy(answer, blob)

    def _copy(self, answer, blob):
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
            if blob and self.options.stall_blobs is not None and sent >= self.options.stall_blobs:
                self._stall()
            if blob and self.options.bytes_per_second:
                time.sleep(len(chunk) / self.options.bytes_per_second)

    def _stall(self):
        release = self.options.until
        while release is None or not release.exists():
            time.sleep(0.05)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("registry", type=int)
    parser.add_argument("--bytes-per-second", type=int, default=0)
    parser.add_argument("--fail-first", type=int, default=0)
    parser.add_argument("--break-first-blob", type=int, default=0)
    parser.add_argument("--stall-blobs", type=int, help="send so many bytes of a blob, then nothing")
    parser.add_argument("--until", type=pathlib.Path, help="send the rest once this file exists")
    parser.add_argument("--busy-first", type=int, default=0, help="the first answer is 429 with this Retry-After")
    parser.add_argument("--redirect-blobs", help="redirect requests for blobs to this address")
    parser.add_argument("--delay", type=float, default=0, help="seconds before every answer")
    parser.add_argument("--answers", action="store_true", help="answers-NUMBER/* is answered with that status")
    Spoiler.options = parser.parse_args(sys.argv[1:])
    Spoiler.failures_left = Spoiler.options.fail_first
    Spoiler.busy_left = 1 if Spoiler.options.busy_first else 0
    Spoiler.breaks_left = 1
    serve(Spoiler.options.port, Spoiler)


if __name__ == "__main__":
    main()
