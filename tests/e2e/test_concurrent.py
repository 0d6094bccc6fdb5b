"""Two commands on one container never mix; commands on different ones do not wait for each other."""

from rig import images
from rig.checks import leftovers


def test_two_installs_of_one_name_give_one_container(host):
    image = images.hello_world()
    processes = [host.start_process("berth", "install", "--name=hello", f"oci:{image.inside}") for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert any(process.returncode == 0 for process in processes), outputs
    assert any("hello already present" in out + err or "hello" in err for out, err in outputs)
    host.berth("start", "hello")
    assert host.fetch("http://127.0.0.1:8081/") == "Hi World!"


def test_installs_of_different_names_at_the_same_time(host):
    image = images.plain()
    processes = [host.start_process("berth", "install", f"--name=c{i}", f"oci:{image.inside}") for i in range(4)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], outputs
    assert [row["container"] for row in host.listed("-a")] == ["c0", "c1", "c2", "c3"]


def test_install_and_uninstall_of_one_name_end_in_a_whole_state(host):
    image = images.plain()
    before = host.snapshot()
    host.berth("install", "--name=c", f"oci:{image.inside}")
    processes = [host.start_process("berth", *words) for words in (("uninstall", "c"), ("install", "--name=c", f"oci:{image.inside}"))]
    for process in processes:
        process.communicate(timeout=60)
    host.berth("uninstall", "c", check=False)
    assert leftovers(before, host.snapshot()) == []


def test_a_held_lock_is_waited_for_no_longer_than_configured_and_its_holder_is_named(host, site):
    host.run("mkdir -p /etc/berth && printf '[locks]\\ntimeout = 1\\n' > /etc/berth/berth.conf")
    site.pushed(images.large())
    front = site.front("--stall-blobs")
    first = host.start_process("berth", "install", "--name=hello", f"{front.address}/large")
    host.wait_for(lambda: "/blobs/" in front.log(), "the first install is fetching")
    done = host.berth("install", "--name=hello", f"oci:{images.hello_world().inside}", check=False)
    assert done.returncode == 4
    assert "berth install" in done.stderr
    first.kill()


def test_pulls_of_the_same_image_at_the_same_time(host, site):
    reference = site.pushed(images.whiteouts())
    processes = [host.start_process("berth", "pull", reference) for _ in range(3)]
    outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert len(host.stored()) == 1
