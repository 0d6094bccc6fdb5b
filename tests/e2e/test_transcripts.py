# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares the output of berth with transcripts: tests/golden/cli/*.txt are run on an empty tree, and those in tests/golden/host
on a booted host.

A line `$ berth …` is a command, and `% …` a shell command that prepares the next ones. After a command follow its standard output,
its standard error with `2> ` before each line, and `=> CODE` unless the exit code is 0. `#` begins a remark; such a line of the output is
escaped by a backslash. $ROOT is the tree, and $WEB, $PLAIN, $NEEDY and $FILES are images. Ids, times and sizes are replaced.
With BERTH_ACCEPT=1 the present output is written to the files.
"""

import os
import pathlib
import re
import shlex

import pytest
from rig import debian, images
from rig.installed import installed
from rig.shell import run

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden"

UNIT = """[Unit]
Description=Greets $RECEIVER
[Service]
Type=forking
PIDFile=$PIDFILE
ExecStart=$EXEC_START
ExecStop=$EXEC_STOP
ExecStopPost=$EXEC_STOPPOST
[Install]
WantedBy=multi-user.target
"""

CONFIG = """{
  "ociVersion": "1.0.2",
  "process": {"args": ["/bin/sh", "-c", "echo Hi $RECEIVER"], "cwd": "/", "user": {"uid": 0, "gid": 0},
              "capabilities": ["CAP_NET_ADMIN"]},
  "root": {"path": "rootfs", "readonly": true},
  "mounts": [{"type": "bind", "source": "${STATE_DIRECTORY}/$NAME", "destination": "/data", "options": ["rbind", "rw"]}],
  "linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}
}
"""


def exports(manifest):
    return {"config.json.template": CONFIG, "service.template": UNIT, "manifest.json": manifest}


def image_variables(path="layout"):
    """@param path the attribute of an image with its path  @return variable → reference"""
    web = '{"version": "1.0", "defaultValues": {"RECEIVER": "World"}, "renameFiles": {"/usr/local/bin/ctl": "/usr/local/bin/${NAME}ctl"}}'
    made = {
        "WEB": images.with_exports("web", exports(web), {"usr/local/bin/ctl": "control\n", "etc/web/web.conf": "greeting\n"}),
        "NEEDY": images.with_exports("needy", exports('{"version": "1.0"}')),
        "FILES": images.with_exports("files", {"manifest.json": '{"version": "1.0", "noContainerService": true}'}, {"opt/files/one": "1\n"}),
        "PLAIN": images.plain(),
    }
    return {name: f"oci:{getattr(image, path)}" for name, image in made.items()}


@pytest.fixture(scope="module")
def variables():
    return image_variables()


@pytest.fixture
def tree(site):
    """A tree that contains only a runtime."""
    root = site.directory / "tree"
    for directory in ("usr/bin", "etc/systemd/system", "etc/tmpfiles.d"):
        (root / directory).mkdir(parents=True)
    (root / "usr/bin/runc").write_text("#!/bin/sh\necho runc version 1.1.5\necho --pid-file\n")
    (root / "usr/bin/runc").chmod(0o755)
    return root


def normalised(text, variables):
    """Replaces ids, times and sizes by texts of the same width, which keeps tables aligned."""
    for name, value in variables.items():
        text = text.replace(value, f"${name}").replace(value.removeprefix("oci:"), f"${name}")
    text = text.replace(str(installed() / "usr/bin/berth"), "$BERTH")
    text = text.replace(f'"architecture": "{debian.architecture()}"', '"architecture": "ARCHITECTURE"')
    text = re.sub(r'("ALL_PROCESS_CAPABILITIES": ").*(",)', r"\1…\2", text)
    text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID", text)
    text = re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,}(?=…|\b)", lambda found: "x" * len(found.group(0)), text)
    text = re.sub(r"(T\d\d:\d\d:\d\d)\.\d+Z", r"\1.999999999Z", text)  # the number of digits depends on the tool
    text = re.sub(r"\b\d{4}-\d\d-\d\d([T ])\d\d:\d\d(:\d\d)?", lambda found: re.sub(r"\d", "9", found.group(0)), text)
    text = re.sub(r"\b[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d (\S+)\[\d+\]", r"Mmm 99 99:99:99 \1[999]", text)
    text = re.sub(r"(?<=/\.mounts/)[0-9a-f-]+", lambda found: re.sub(r"[0-9a-f]", "x", found.group(0)), text)
    text = re.sub(r"-run-[0-9a-f]{6}\b", "-run-xxxxxx", text)
    text = re.sub(r"\b\d+(\.\d+)? [kMG]?B\b", lambda found: re.sub(r"\d", "9", found.group(0)), text)
    return re.sub(r'("(?:size|bytesFetched|created|bytes|shared|own|reclaimable|total)": )\d+', r"\g<1>999", text)


def transcript_of(script, variables, berth, shell):
    """Runs the commands of a transcript. @param berth runs arguments  @param shell runs a line  @return the new transcript"""
    result = []
    for line in script.splitlines():
        if line.startswith("#"):
            result.append(line)
        elif line.startswith("% "):
            result.append(line)
            shell(line[2:])
        elif line.startswith("$ berth "):
            done = berth(re.sub(r"\$(\w+)", lambda name: variables[name.group(1)], word) for word in shlex.split(line[8:]))
            result.append(line)
            result += [re.sub(r"^(?=[#$%])", r"\\", each) for each in done.stdout.splitlines()]
            result += [f"2> {each}" for each in done.stderr.splitlines()]
            result += [f"=> {done.returncode}"] if done.returncode else []
            result.append("")
    return "\n".join(normalised(line, variables) if not line.startswith(("$", "%", "#")) else line for line in result)


def compare(path, variables, berth, shell):
    now = transcript_of(path.read_text(encoding="utf-8"), variables, berth, shell)
    if os.environ.get("BERTH_ACCEPT") == "1":
        path.write_text(now, encoding="utf-8")
    assert now == path.read_text(encoding="utf-8")


def transcripts(directory):
    return pytest.mark.parametrize("path", sorted((GOLDEN / directory).glob("*.txt")), ids=lambda path: path.stem)


@transcripts("cli")
def test_output_on_a_tree_equals_the_transcript(path, tree, variables):
    variables = {**variables, "ROOT": str(tree)}
    program = str(installed() / "usr/bin/berth")
    environment = {"BERTH_DATADIR": str(installed() / "usr/share/berth"), "NO_COLOR": "1", **variables}
    compare(
        path, variables,
        lambda words: run(program, "--root", str(tree), *words, check=False, env=environment),
        lambda line: run("/bin/sh", "-c", line, env=environment),
    )  # fmt: skip


@transcripts("host")
def test_output_on_a_host_equals_the_transcript(path, host):
    variables = image_variables("inside")
    compare(
        path, variables,
        lambda words: host.berth(*words, check=False),
        lambda line: host.run("/bin/sh", "-c", line, env=variables),
    )  # fmt: skip
