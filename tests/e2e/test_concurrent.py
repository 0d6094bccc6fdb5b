# SPDX-License-Identifier: LGPL-2.1-or-later
"""Concurrent commands: on one container they exclude each other, on different containers they do not wait."""

import json

from rig import images
from rig.checks import leftovers


def test_two_installs_of_one_name_give_one_container(host):
    image = images.hello_world()
    processes = [host.start_process("berth", "install", "--name=hello", f"oci:{image.inside}") for _ in range(2)]
    outputs = [process.outputs() for process in processes]
    assert any(process.returncode == 0 for process in processes), outputs
    assert any("hello already present" in out + err or "hello" in err for out, err in outputs)
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_installs_of_different_names_at_the_same_time(host):
    image = images.plain()
    processes = [host.start_process("berth", "install", f"--name=c{i}", f"oci:{image.inside}") for i in range(4)]
    outputs = [process.outputs() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert [row["container"] for row in host.listed("-a")] == ["c0", "c1", "c2", "c3"]


def test_install_and_uninstall_of_one_name_end_in_a_complete_state(host):
    image = images.plain()
    before = host.snapshot()
    host.berth("install", "--name=c", f"oci:{image.inside}")
    processes = [host.start_process("berth", *words) for words in (("uninstall", "c"), ("install", "--name=c", f"oci:{image.inside}"))]
    for process in processes:
        process.outputs()
    host.berth("uninstall", "c", check=False)
    assert leftovers(before, host.snapshot()) == []


def test_a_command_waits_for_a_lock_no_longer_than_configured_and_names_its_holder(host, site):
    host.run("mkdir -p /etc/berth && printf '[locks]\\ntimeout = 1\\n' > /etc/berth/berth.conf")
    site.pushed(images.large())
    front = site.front("--stall-blobs=0")
    first = host.start_process("berth", "install", "--name=hello", f"{front.address}/large")
    host.wait_for(front.blobs, "a request for a blob by the first install")
    done = host.berth("install", "--name=hello", f"oci:{images.hello_world().inside}", check=False)
    assert done.returncode == 4
    assert "berth install" in done.stderr
    host.end_process(first)


def test_pulls_of_the_same_image_at_the_same_time(host, site):
    reference = site.pushed(images.whiteouts())
    processes = [host.start_process("berth", "pull", reference) for _ in range(3)]
    outputs = [process.outputs() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len(host.stored()) == 1


def end_all(processes):
    """Waits for the end of all. @return (exit code, output) of each"""
    outputs = [process.outputs() for process in processes]
    return [(process.returncode, "".join(output)) for process, output in zip(processes, outputs, strict=True)]


def test_prunes_during_an_install_remove_nothing_of_it(host):
    """Until the install has finished, no deployment uses the image."""
    image = f"oci:{images.hello_world().inside}"
    commands = [("install", "--name=hello", image), *[("images", "prune")] * 3]
    ended = end_all([host.start_process("berth", *words) for words in commands])
    assert [code for code, _ in ended] == [0, 0, 0, 0], ended
    host.berth("images", "prune")
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert host.berth_json("images", "verify", "localhost/hello-world:latest")


def test_an_update_and_an_uninstall_of_one_name_end_in_a_complete_state(host):
    before = host.snapshot()
    host.berth("install", "--name=hello", f"oci:{images.hello_world().inside}")
    commands = [("update", "--set", "RECEIVER=You", "hello"), ("uninstall", "hello")]
    (update, output), (uninstall, _) = end_all([host.start_process("berth", *words) for words in commands])
    assert uninstall == 0
    assert update == 0 or (update == 3 and "no container hello is installed" in output), output
    assert host.listed("-a") == []
    assert leftovers(before, host.snapshot()) == []


def test_lists_during_changes_show_only_complete_containers(host):
    image = f"oci:{images.plain().inside}"
    host.berth("install", "--name=stays", image)
    changes = (
        "i=0; while [ ! -e /root/enough ]; do i=$((i + 1)); "
        "berth install --name=c {0} && berth update --set GREETING=$i c && berth rollback c && berth uninstall c || exit; done"
    )
    changing = host.start_process("/bin/sh", "-c", changes.format(image))
    seen = []

    def list_again():
        done = host.berth("containers", "list", "-a", "--json")
        assert "cannot be read" not in done.stderr, done.stderr
        seen.append([row["container"] for row in json.loads(done.stdout)["containers"]])
        assert seen[-1] in (["stays"], ["c", "stays"])
        return seen

    host.wait_for(list_again, "20 lists, with and without c", lambda seen: len(seen) >= 20 and ["stays"] in seen and ["c", "stays"] in seen)
    host.path("/root/enough").touch()
    assert end_all([changing])[0][0] == 0
