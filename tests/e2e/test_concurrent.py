"""Two commands on one container never mix; commands on different ones do not wait for each other."""

import json

from rig import images
from rig.checks import leftovers
from rig.shell import PATIENCE


def test_two_installs_of_one_name_give_one_container(host):
    image = images.hello_world()
    processes = [host.start_process("berth", "install", "--name=hello", f"oci:{image.inside}") for _ in range(2)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert any(process.returncode == 0 for process in processes), outputs
    assert any("hello already present" in out + err or "hello" in err for out, err in outputs)
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_installs_of_different_names_at_the_same_time(host):
    image = images.plain()
    processes = [host.start_process("berth", "install", f"--name=c{i}", f"oci:{image.inside}") for i in range(4)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert [row["container"] for row in host.listed("-a")] == ["c0", "c1", "c2", "c3"]


def test_install_and_uninstall_of_one_name_end_in_a_whole_state(host):
    image = images.plain()
    before = host.snapshot()
    host.berth("install", "--name=c", f"oci:{image.inside}")
    processes = [host.start_process("berth", *words) for words in (("uninstall", "c"), ("install", "--name=c", f"oci:{image.inside}"))]
    for process in processes:
        process.communicate(timeout=PATIENCE)
    host.berth("uninstall", "c", check=False)
    assert leftovers(before, host.snapshot()) == []


def test_a_held_lock_is_waited_for_no_longer_than_configured_and_its_holder_is_named(host, site):
    host.run("mkdir -p /etc/berth && printf '[locks]\\ntimeout = 1\\n' > /etc/berth/berth.conf")
    site.pushed(images.large())
    front = site.front("--stall-blobs=0")
    first = host.start_process("berth", "install", "--name=hello", f"{front.address}/large")
    host.wait_for(lambda: "/blobs/" in front.log(), "the first install is fetching")
    done = host.berth("install", "--name=hello", f"oci:{images.hello_world().inside}", check=False)
    assert done.returncode == 4
    assert "berth install" in done.stderr
    host.end_process(first)


def test_pulls_of_the_same_image_at_the_same_time(host, site):
    reference = site.pushed(images.whiteouts())
    processes = [host.start_process("berth", "pull", reference) for _ in range(3)]
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len(host.stored()) == 1


def end_all(processes):
    """Exit code and messages of each, once all are over."""
    outputs = [process.communicate(timeout=PATIENCE) for process in processes]
    return [(process.returncode, "".join(output)) for process, output in zip(processes, outputs, strict=True)]


def test_an_install_and_prunes_at_the_same_time_leave_it_whole(host):
    """What is being installed is not yet used by anything, and must not be taken for rubbish."""
    image = f"oci:{images.hello_world().inside}"
    commands = [("install", "--name=hello", image), *[("images", "prune")] * 3]
    ended = end_all([host.start_process("berth", *words) for words in commands])
    assert [code for code, _ in ended] == [0, 0, 0, 0], ended
    host.berth("images", "prune")
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"
    assert host.berth_json("images", "verify", "localhost/hello-world:latest")


def test_an_update_and_an_uninstall_of_one_name_end_in_a_legal_state(host):
    before = host.snapshot()
    host.berth("install", "--name=hello", f"oci:{images.hello_world().inside}")
    commands = [("update", "--set", "RECEIVER=You", "hello"), ("uninstall", "hello")]
    (update, said), (uninstall, _) = end_all([host.start_process("berth", *words) for words in commands])
    assert uninstall == 0
    assert update == 0 or (update == 3 and "no container hello is installed" in said), said
    assert host.listed("-a") == []
    assert leftovers(before, host.snapshot()) == []


def test_lists_during_changes_show_whole_containers_only(host):
    image = f"oci:{images.plain().inside}"
    host.berth("install", "--name=stays", image)
    changes = (
        "i=0; while [ ! -e /root/enough ]; do i=$((i + 1)); "
        "berth install --name=c {0} && berth update --set GREETING=$i c && berth rollback c && berth uninstall c || exit; done"
    )
    changing = host.start_process("/bin/sh", "-c", changes.format(image))
    seen = []

    def seen_enough():
        done = host.berth("containers", "list", "-a", "--json")
        assert "cannot be read" not in done.stderr, done.stderr
        seen.append([row["container"] for row in json.loads(done.stdout)["containers"]])
        assert seen[-1] in (["stays"], ["c", "stays"])
        return len(seen) >= 20 and ["stays"] in seen and ["c", "stays"] in seen

    host.wait_for(seen_enough, "lists with and without it")
    host.path("/root/enough").touch()
    assert end_all([changing])[0][0] == 0
