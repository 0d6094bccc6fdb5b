#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Only messages that are listed here call an image, a registry or a disk damaged or hostile. Each is listed with the fact that
justifies it. All other messages report the observation and a remedy, since most such failures have other causes."""

import re

from source_tree import TOP, files, finish

ACCUSING = re.compile(r"hostile|malicious|attack|tamper|corrupt|damaged|pushed again|push the image again|do not trust|Invalid argument", re.IGNORECASE)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')

# file → [(text, the fact that justifies it)]
JUSTIFIED = {
    "src/cli/verbs/images/images_verify.cpp": [
        ("damaged", "a digest differs"), ("{} damaged", "a digest differs"), ("{} is damaged in {}", "a digest differs"),
    ],
    "src/cli/verbs/images/images_repair.cpp": [
        ("{}: {} damaged objects replaced, {} layers fetched\\n", "a digest differed"), ("Replace damaged files of an image and of its containers", "help"),
    ],
    "src/cli/atomic/atomic_images.cpp": [("{} is damaged in the store", "verify found it")],
    "src/ops/change/damaged_record.cpp": [("the record of an unfinished change of {} is damaged, and no deployment of it is live", "it cannot be read"),
                                 ("the damaged record of {} was removed; the container is restored as {} describes it", "it could not be read")],
    "src/ops/images/image_lookup.cpp": [("the branch of {}, {}, is damaged", "it holds no checksum"), ("{} is damaged: its commit {} is missing", "looked for")],
    "src/ops/footprint/installed_unit.cpp": [("{} is missing, and its copy is damaged: {}", "it is not a text file")],
    "src/ops/containers/rollback.cpp": [("the other deployment of {} is damaged: {}", "one of its files cannot be read or parsed")],
    "src/store/ostree/repository_config.cpp": [("the configuration of the repository, {}/config, is damaged: {}", "it cannot be read or parsed")],
    "src/store/ostree/repository_creation.cpp": [("config.damaged", "a name")],
    "src/store/store.cpp": [("the configuration of the repository, {}/config, was damaged and is written ", "it could not be read or parsed")],
    "src/store/ostree/refs.cpp": [("the branch {} is damaged: {}: {}", "it holds no checksum")],
    "src/store/ostree/repository.cpp": [("the repository is damaged; run `ostree fsck` on it", "a directory object holds an impossible name")],
    "src/store/repair.cpp": [("replace the damaged object ", "a digest differs")],
    "src/store/ostree/object_staging.cpp": [("replace a damaged object of the repository", "a digest differs")],
    "src/store/prune.cpp": [("the repository is damaged: {} {}", "an object is missing or its digest differs")],
    "src/store/tree/checksum.cpp": [("the file that names it is damaged; berth images verify shows the images concerned", "it is no checksum")],
    "src/ops/images/repair.cpp": [("damaged", "a key of JSON")],
    "src/ops/images/verify.cpp": [("damaged", "a key of JSON")],
    "src/store/verify.cpp": [("{} damaged objects are needed by no image; berth images prune removes them", "a digest differs")],
    "src/base/archive/tar_reader.cpp": [("Damaged tar archive", "a text of libarchive, which is removed"), ("it is damaged, truncated or invalid", "one of three")],
    "src/base/archive/decompress.cpp": [("the gzip data is damaged", "the decoder reports it"), ("the zstd data is damaged: {}", "the decoder reports it"),
                                ("damaged", "the decoder reports it")],
    "src/store/pull.cpp": [("{} is now another image than the damaged one", "a digest differs"),
                           ("the manifest and the configuration do not belong together; have the image built or pushed again", "both have their digests")],
    "src/store/fetch.cpp": [("the layers and the configuration of the image do not belong together; have it built or pushed again", "both have their digests"),
                            ("the manifest does not fit its layers; have the image built or pushed again", "both have their digests")],
    "src/store/layer/layer_import.cpp": [("pull again; if it stays, have the image built or pushed again", "only if it stays"),
                                         ("the layers and the configuration of the image do not belong together; have it built or pushed again", "both have their digests")],
    "src/image/manifest.cpp": [("push the image again with a current tool, or convert it with `skopeo copy --format v2s2`", "its schema is 1")],
    "src/base/digest.cpp": [("try again; if it happens again, do not trust where it comes from", "a digest differs, twice")],
    "src/source/registry/registry.cpp": [("try again; if it happens again, do not trust this registry or a proxy before it", "a digest differs, twice")],
}  # fmt: skip


def main():
    findings = []
    unused = {(place, text) for place, messages in JUSTIFIED.items() for text, _ in messages}
    for path in files("src/*.cpp", "src/*.hpp"):
        place = str(path.relative_to(TOP))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.lstrip().startswith(("#include", "//")):
                continue
            for literal in LITERAL.findall(line):
                if not ACCUSING.search(literal):
                    continue
                known = [text for text, _ in JUSTIFIED.get(place, []) if text == literal or (len(text) > 20 and text in literal)]
                unused -= {(place, text) for text in known}
                if not known:
                    findings.append(f"{place}:{number}: an accusing message that is not listed in tests/lint/blame.py: {literal}")
    findings += [f"{place}: does not contain the listed message: {text}" for place, text in sorted(unused)]
    finish(findings)


if __name__ == "__main__":
    main()
