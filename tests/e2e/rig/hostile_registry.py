# SPDX-License-Identifier: LGPL-2.1-or-later
"""A registry on the loopback device that serves the files of a directory unchecked: DIRECTORY/NAME/manifests/{latest,DIGEST}
and DIRECTORY/NAME/blobs/DIGEST. A file FILE.type beside a manifest contains its Content-Type.

python3 -m rig.hostile_registry PORT DIRECTORY
"""

import pathlib
import re
import sys

from rig.answers import Answers, serve


class Hostile(Answers):
    directory = None

    def do_GET(self):
        path = re.fullmatch(r"/v2/([a-z0-9-]+)/(manifests|blobs)/([A-Za-z0-9:._-]+)", self.path)
        if self.path == "/v2/":
            self.answer(200, {})
            return
        file = self.directory / path[1] / path[2] / path[3] if path else None
        if file is None or not file.is_file():
            self.answer(404, {"errors": [{"code": "NOT_FOUND"}]})
            return
        kind = file.with_name(file.name + ".type")
        self.answer(200, file.read_bytes(), kind.read_text() if kind.exists() else "application/octet-stream")


def main():
    Hostile.directory = pathlib.Path(sys.argv[2])
    serve(int(sys.argv[1]), Hostile)


if __name__ == "__main__":
    main()
