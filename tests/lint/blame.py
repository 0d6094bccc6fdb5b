#!/usr/bin/python3
"""Messages that accuse an image, a registry or a disk. Each is listed with what must be certain where it is said; any other
says what was found and what helps, for most of what looks like malice or damage is neither."""

import re

from source_tree import TOP, files, finish

ACCUSING = re.compile(r"hostile|malicious|attack|tamper|corrupt|damaged|pushed again|push the image again|do not trust|Invalid argument", re.IGNORECASE)
LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')

# file → (text, what is certain there)
SAID = {
    "src/cli/verbs/images_verify.cpp": [
        ("damaged", "a digest differs"), ("{} damaged", "a digest differs"), ("{} is damaged in {}", "a digest differs"),
        ("{}: {} damaged objects replaced, {} layers fetched\\n", "a digest differed"), ("Fetch what is damaged again, and mend the containers that share it", "help"),
    ],
    "src/cli/atomic/atomic_images.cpp": [("{} is damaged in the store", "verify found it"), ("fetch what is damaged again with: berth images repair {}", "verify found it")],
    "src/ops/change/damaged_record.cpp": [("the note of an unfinished change of {} is damaged, and no deployment of it is live", "it cannot be read"),
                                 ("the damaged note of {} is removed; it is what {} says", "it could not be read")],
    "src/ops/images/image_lookup.cpp": [("the branch of {}, {}, is damaged", "it holds no checksum"), ("{} is damaged: its commit {} is missing", "looked for")],
    "src/ops/containers/install.cpp": [("lets a hostile process out", "the runtime's version has the CVE")],
    "src/ops/footprint/installed_unit.cpp": [("{} is missing, and its copy is damaged: {}", "it is no text file")],
    "src/ops/containers/rollback.cpp": [("the other deployment of {} is damaged: {}", "one of its files cannot be read or parsed")],
    "src/store/ostree/repository_config.cpp": [("the configuration of the repository, {}/config, is damaged: {}", "it cannot be read or parsed")],
    "src/store/ostree/repository_creation.cpp": [("config.damaged", "a name")],
    "src/store/store.cpp": [("the configuration of the repository, {}/config, was damaged and is written ", "it could not be read or parsed")],
    "src/store/ostree/refs.cpp": [("the branch {} is damaged: {}: {}", "it holds no checksum")],
    "src/store/ostree/repository.cpp": [("the repository is damaged; run `ostree fsck` on it", "a directory object holds an impossible name")],
    "src/store/repair.cpp": [("replace the damaged object ", "a digest differs")],
    "src/store/ostree/object_staging.cpp": [("replace a damaged object of the repository", "a digest differs")],
    "src/store/prune.cpp": [("the repository is damaged: {} is {}", "an object is missing or its digest differs")],
    "src/store/tree/checksum.cpp": [("whatever names it is damaged; berth images verify shows what is concerned", "it is no checksum")],
    "src/store/verify.cpp": [("{} stored objects that no image needs are damaged; berth images prune removes them", "a digest differs")],
    "src/store/layer/tar_reader.cpp": [("Damaged tar archive", "what libarchive says, taken away"), ("it is damaged, cut off or makes no sense", "one of three")],
    "src/store/layer/decompress.cpp": [("the gzip data is damaged", "the decoder says so"), ("the zstd data is damaged: {}", "the decoder says so"),
                                 ("pull again; if it stays, have the image built or pushed again", "only if it stays")],
    "src/store/pull.cpp": [("what is fetched as {} now is another image than the damaged one", "a digest differs"),
                           ("the manifest and the configuration do not belong together; have the image built or pushed again", "both have their digests")],
    "src/store/fetch.cpp": [("the layers and the configuration of the image do not belong together; have it built or pushed again", "both have their digests"),
                            ("the manifest does not fit its layers; have the image built or pushed again", "both have their digests")],
    "src/store/layer/layer_import.cpp": [("the layers and the configuration of the image do not belong together; have it built or pushed again", "both have their digests")],
    "src/image/manifest.cpp": [("push the image again with a current tool, or convert it with `skopeo copy --format v2s2`", "its schema is 1")],
    "src/base/digest.cpp": [("try again; if it happens again, do not trust where it comes from", "a digest differs, twice")],
    "src/source/registry/registry.cpp": [("try again; if it happens again, do not trust this registry or what stands before it", "a digest differs, twice")],
}  # fmt: skip


def main():
    findings = []
    unused = {(place, text) for place, said in SAID.items() for text, _ in said}
    for path in files("src/*.cpp", "src/*.hpp"):
        place = str(path.relative_to(TOP))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.lstrip().startswith(("#include", "//")):
                continue
            for literal in LITERAL.findall(line):
                if not ACCUSING.search(literal):
                    continue
                known = [text for text, _ in SAID.get(place, []) if text == literal or (len(text) > 20 and text in literal)]
                unused -= {(place, text) for text in known}
                if not known:
                    findings.append(f"{place}:{number}: who is to blame is not known to be so: {literal}")
    findings += [f"{place}: nothing says any more: {text}" for place, text in sorted(unused)]
    finish(findings)


if __name__ == "__main__":
    main()
