# SPDX-License-Identifier: LGPL-2.1-or-later
"""Rootless containers: of a lingering user with subordinate ids, and of a user without both."""

import contextlib
import json
import os
import signal
import stat

import pytest
from rig import images
from rig.checks import leftovers
from rig.users import User

PORT = "8085"
URL = f"http://127.0.0.1:{PORT}/cgi-bin/index.cgi"


@pytest.fixture(scope="module")
def people(shared_site):
    """(alice, bob) on one host: alice lingers and has subordinate ids, bob has neither."""
    host = shared_site.host(boot=False)
    alice = User(host, "alice")
    bob = User(host, "bob", lingers=False, sub_ids=None)
    host.boot()
    host.wait_for_state(f"user@{alice.uid}", "active")
    return alice, bob


@pytest.fixture
def alice(people):
    """alice, without containers and failed units afterwards."""
    user = people[0]
    yield user
    for row in user.berth_json("containers", "list", "--all")["containers"]:
        user.berth("uninstall", row["container"])
    assert user.output("systemctl", "--user", "list-units", "--plain", "--no-legend", "--failed",
                       env={"XDG_RUNTIME_DIR": user.runtime}) == ""  # fmt: skip


@pytest.fixture
def bob(people):
    return people[1]


@pytest.fixture
def plain(shared_site):
    return shared_site.pushed(images.plain())


@pytest.fixture
def private(shared_site):
    return shared_site.pushed(images.private())


@pytest.fixture
def hello(shared_site):
    return shared_site.pushed(images.hello_world())


RUNTIMES = pytest.mark.parametrize("runtime", ["/usr/bin/runc", "/usr/bin/crun"])


@RUNTIMES
def test_a_plain_image_is_a_service_of_the_user(alice, plain, runtime):
    alice.berth("install", f"--runtime={runtime}", "--name=plain", "--now", plain)
    unit = alice.unit("plain")
    assert (unit["ActiveState"], unit["UnitFileState"]) == ("active", "enabled")
    assert unit["FragmentPath"] == "/home/alice/.config/systemd/user/plain.service"
    assert unit["ControlGroup"].endswith("/app.slice/plain.service")
    cgroup = alice.host.output("cat", f"/proc/{unit['MainPID']}/cgroup").splitlines()[-1]
    assert cgroup.endswith("/app.slice/plain.service/payload")
    assert alice.path(".config/systemd/user/default.target.wants/plain.service").is_symlink()
    rows = alice.berth_json("containers", "list")["containers"]
    assert [(row["container"], row["state"]) for row in rows] == [("plain", "running")]
    assert alice.host.listed("--all") == []  # it is not a system container
    alice.host.wait_stoppable("plain", alice)
    alice.berth("stop", "plain")
    assert alice.unit("plain")["ActiveState"] == "inactive"


@RUNTIMES
def test_an_image_with_templates_uses_the_network_of_the_host(alice, hello, runtime):
    alice.berth("install", f"--runtime={runtime}", "--name=hello", f"--set=PORT={PORT}", "--now", hello)
    assert alice.host.fetch(URL) == "Hi World!"
    alice.host.run("journalctl", "--sync")
    assert f"hello-world listens on port {PORT} for World" in alice.berth("logs", "hello").stdout
    config = alice.berth_json("inspect", "hello")["config"]
    assert {"type": "user"} in config["linux"]["namespaces"]
    assert {"type": "network"} not in config["linux"]["namespaces"]
    assert config["linux"]["uidMappings"][1]["hostID"] == 100000
    alice.berth("restart", "hello")
    assert alice.host.fetch(URL) == "Hi World!"


def test_everything_is_below_the_home_directory(alice, plain):
    before = alice.host.snapshot("/etc", "/usr", "/var/lib")
    alice.berth("install", "--name=plain", plain)
    assert leftovers(before, alice.host.snapshot("/etc", "/usr", "/var/lib")) == []
    assert "mode=bare-user\n" in (alice.deployments() / ".storage/ostree/config").read_text()
    assert stat.S_IMODE(alice.deployments().stat().st_mode) == 0o700
    values = alice.berth_json("inspect", "plain")["values"]
    assert values["RUN_DIRECTORY"] == alice.runtime
    assert values["STATE_DIRECTORY"] == "/home/alice/.data"
    assert values["CONF_DIRECTORY"] == "/home/alice/.config"
    assert values["PIDFILE"] == f"{alice.runtime}/container-plain.pid"
    assert values["HOST_UID"] == str(alice.uid)


def test_uninstall_leaves_nothing_but_images_and_state(alice, hello):
    alice.berth("pull", hello)
    before = alice.host.snapshot(alice.home)
    alice.berth("install", "--name=hello", "--now", hello)
    alice.berth("uninstall", "hello")
    allowed = ("/.data", "/.config", "/.local/share/containers/berth/.locks", "/.local/share/containers/berth/.transactions")
    lines = before.difference(alice.host.snapshot(alice.home))
    assert [line for line in lines if not line.split()[1].removeprefix(alice.home).startswith(allowed)] == []
    assert list(alice.path(".config/systemd/user").rglob("*.service")) == []


@RUNTIMES
def test_another_user_in_the_container_reads_its_files_and_writes_its_volume(alice, private, runtime):
    alice.berth("install", f"--runtime={runtime}", "--name=private", "--now", private)
    assert alice.berth("exec", "private", "id", "-u").stdout == "1000\n"
    assert alice.berth("exec", "private", "cat", "/srv/own/secret").stdout == "a secret\n"
    alice.berth("exec", "private", "touch", "/data/written")
    assert alice.path(".local/share/berth/private/data/written").exists()
    assert alice.berth("exec", "private", "touch", "/srv/own/x", check=False).returncode == 1  # read-only


@RUNTIMES
def test_exec_run_and_logs(alice, plain, runtime):
    alice.berth("install", f"--runtime={runtime}", "--name=plain", plain)
    done = alice.berth("run", "plain", "/bin/sh", "-c", "echo once; exit 3", check=False)
    assert (done.returncode, done.stdout) == (3, "once\n"), done.stderr
    alice.berth("start", "plain")
    assert alice.berth("run", "plain", "id", "-u").stdout == "1000\n"
    assert alice.berth("exec", "plain", "nothing", check=False).returncode == 127
    alice.host.run("journalctl", "--sync")
    assert "Started plain.service" in alice.berth("logs", "plain").stdout
    alice.host.wait_stoppable("plain", alice)
    alice.berth("stop", "plain")


@RUNTIMES
def test_an_image_is_run_on_a_copy_that_is_removed(alice, private, runtime):
    alice.berth("pull", private)
    before = alice.host.snapshot(alice.home)
    command = "mkdir -p /srv/own/a/b && echo new > /srv/own/secret && echo x > /srv/own/a/b/c && cat /srv/own/secret"
    done = alice.berth("run", f"--runtime={runtime}", private, "/bin/sh", "-c", command)
    assert done.stdout == "new\n"
    lines = [line for line in before.difference(alice.host.snapshot(alice.home)) if "/.locks" not in line]
    assert [line for line in lines if "/.transactions" not in line] == []
    assert alice.berth_json("images", "verify", "--no-remote")["images"][0]["damaged"] == []


def test_update_and_rollback(alice, shared_site):
    first = images.plain()
    newer = images.derived(first, "plain-newer", {"srv/newer": "newer\n"})
    reference = shared_site.pushed(first, name="changing")
    alice.berth("install", "--name=changing", "--now", reference)
    alice.host.wait_stoppable("changing", alice)
    shared_site.pushed(newer, name="changing")
    assert alice.berth("update", "--check", "changing", check=False).returncode == 0
    alice.berth("update", "--settle=0.2", "changing")
    assert alice.berth("exec", "changing", "cat", "/srv/newer").stdout == "newer\n"
    alice.host.wait_stoppable("changing", alice)
    alice.berth("rollback", "--settle=0.2", "changing")
    assert alice.berth("exec", "changing", "cat", "/srv/newer", check=False).returncode == 1
    alice.host.wait_stoppable("changing", alice)
    assert alice.unit("changing")["ActiveState"] == "active"


def test_an_update_to_a_service_that_ends_is_rolled_back(alice, shared_site):
    broken = images.derived(images.plain(), "plain-broken", {"usr/bin/serve": "#!/bin/sh\nexit 4\n"})
    reference = shared_site.pushed(images.plain(), name="breaking")
    alice.berth("install", "--name=breaking", "--now", reference)
    alice.host.wait_stoppable("breaking", alice)
    shared_site.pushed(broken, name="breaking")
    done = alice.berth("update", "--settle=60", "breaking", check=False)
    assert done.returncode == 7, done.stderr
    alice.host.wait_stoppable("breaking", alice)
    assert alice.unit("breaking")["ActiveState"] == "active"


def test_a_view_is_a_copy_whose_changes_do_not_reach_the_store(alice, private):
    alice.berth("pull", private)
    alice.run("mkdir", "-p", "/home/alice/view")
    alice.berth("mount", private, "/home/alice/view")
    assert alice.path("view/srv/own/secret").read_text() == "a secret\n"
    alice.run("sh", "-c", "echo changed > /home/alice/view/srv/own/secret && rm -r /home/alice/view/bin")
    assert alice.berth_json("images", "verify", "--no-remote")["images"][0]["damaged"] == []
    assert "not empty" in alice.berth("mount", private, "/home/alice/view", check=False).stderr
    alice.berth("images", "prune")
    assert alice.path("view/srv/own/secret").exists()
    alice.berth("umount", "/home/alice/view")
    assert list(alice.path("view").iterdir()) == []
    assert alice.berth("umount", "/home/alice/view", check=False).returncode == 3
    alice.run("rmdir", "/home/alice/view")


def test_images_can_be_listed_tagged_pruned_and_deleted(alice, plain, private):
    alice.berth("install", "--name=private", private)
    alice.berth("images", "tag", private, "localhost/mine:1")
    rows = alice.berth_json("images", "list")["images"]
    assert {"localhost/mine", "localhost:5000/private"} <= {row["repository"] for row in rows}
    assert {row["kind"] for row in alice.berth_json("df")["usage"]} == {"image", "container"}
    assert alice.berth_json("inspect", "localhost/mine:1")["type"] == "image"
    alice.berth("uninstall", "private")
    for row in rows:
        alice.berth("images", "delete", f"{row['repository']}:{row['tag']}")
    alice.berth("images", "prune")
    assert alice.berth_json("images", "list", "--all")["images"] == []


def test_a_damaged_object_is_repaired(alice, plain):
    alice.berth("install", "--name=plain", plain)
    served = alice.deployments() / "plain.0/rootfs/usr/bin/serve"
    served.write_text("damaged")
    assert alice.berth("images", "verify", "--no-remote", check=False).returncode == 6
    alice.berth("images", "repair", "plain")
    assert alice.berth_json("images", "verify", "--no-remote")["images"][0]["damaged"] == []


@pytest.mark.parametrize("delay", [0.05, 0.2])
def test_the_next_command_recovers_a_killed_install(alice, private, delay):
    alice.berth("pull", private)
    words, environment = alice.words("berth", "install", "--name=killed", private)
    process = alice.host.start_process(*words, env=environment)
    with contextlib.suppress(ProcessLookupError):  # it has ended already
        pid = alice.host.inner_pid(process)
        signal.sigtimedwait([], delay)
        os.kill(pid, signal.SIGKILL)
    process.finish()
    alice.berth("recover")
    names = [path.name for path in alice.deployments().iterdir() if not path.name.startswith((".storage", ".locks", ".mounts"))]
    assert sorted(names) in ([], ["killed", "killed.0"])


def test_host_files_are_not_installed_and_reported(alice, shared_site):
    image = images.with_exports("for-users", {"manifest.json": '{"version": "1.0"}'}, {"usr/local/bin/x": "x"})
    done = alice.berth("install", "--name=files", shared_site.pushed(image))
    assert "exports/hostfs" in done.stderr
    assert not alice.host.path("/usr/local/bin/x").exists()


def test_old_templates_run_for_a_user(alice, shared_site):
    """Settings that require root are removed and reported."""
    config = json.loads((images.templates("hello-world") / "config.json.template").read_text().replace("$", "x"))
    config["process"]["args"] = ["/bin/sh", "-c", "trap exit TERM; sleep 1000 & wait"]
    config["process"]["oomScoreAdj"] = -900
    config["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"}], "network": {"classID": 1}}
    config["linux"]["cgroupsPath"] = "/system.slice/mine"
    image = images.with_exports("of-the-system", {"config.json": json.dumps(config), "tmpfiles.template":
                                "d ${STATE_DIRECTORY}/of-the-system 0700 root root - -\n"})  # fmt: skip
    done = alice.berth("install", "--name=old", "--now", shared_site.pushed(image))
    for word in ("oomScoreAdj", "network", "cgroupsPath"):
        assert word in done.stderr
    assert alice.unit("old")["ActiveState"] == "active"
    assert alice.path(".data/of-the-system").is_dir()


# -- without subordinate ids ------------------------------------------------------------------------------------------------------


def test_without_subordinate_ids_the_container_has_only_root(bob, hello):
    """Without lingering, the systemd of bob runs only while bob is logged in; the message says so."""
    done = bob.berth("install", "--name=hello", hello, check=False)
    assert done.returncode == 1
    assert "usermod --add-subuids" in done.stderr and "enable-linger" in done.stderr
    bob.host.run("systemctl", "start", f"user@{bob.uid}")
    try:
        bob.berth("install", "--name=hello", "--set=PORT=8086", "--now", hello)
        bob.host.fetch("http://127.0.0.1:8086/")
        assert bob.berth("exec", "hello", "id", "-u").stdout == "0\n"
        bob.berth("uninstall", "hello")
    finally:
        bob.host.run("systemctl", "stop", f"user@{bob.uid}")


def test_without_subordinate_ids_an_image_with_another_user_is_refused(bob, plain):
    bob.host.run("systemctl", "start", f"user@{bob.uid}")
    try:
        done = bob.berth("install", "--name=plain", plain, check=False)
    finally:
        bob.host.run("systemctl", "stop", f"user@{bob.uid}")
    assert done.returncode == 5
    assert "uid 1000" in done.stderr and "usermod" in done.stderr


def test_a_runtime_without_user_namespaces_is_refused(alice, plain):
    alice.path("rootful").write_text("""#!/bin/sh\n[ "$1" = features ] && echo '{"linux": {"namespaces": ["pid"]}}'\n""")
    alice.path("rootful").chmod(0o755)
    before = alice.berth("images", "list", "--all", "--json").stdout
    done = alice.berth("install", f"--runtime={alice.home}/rootful", "--name=plain", plain, check=False)
    assert done.returncode == 1
    assert f"The runtime {alice.home}/rootful cannot run rootless containers" in done.stderr
    assert alice.berth_json("containers", "list", "--all")["containers"] == []
    assert alice.berth("images", "list", "--all", "--json").stdout == before


def test_a_host_without_user_namespaces_is_reported_with_the_setting(alice, plain):
    setting = "/proc/sys/user/max_user_namespaces"
    alice.host.run("sh", "-c", f"echo 0 > /run/zero && mount --bind /run/zero {setting}")
    try:
        done = alice.berth("install", "--name=plain", plain, check=False)
    finally:
        alice.host.run("umount", setting)
    assert done.returncode == 5
    assert "sysctl user.max_user_namespaces" in done.stderr


def test_without_newuidmap_the_package_is_named(alice, hello):
    alice.host.run("mv", "/usr/bin/newuidmap", "/usr/bin/newuidmap.away")
    try:
        done = alice.berth("install", "--name=hello", "--display", hello)
    finally:
        alice.host.run("mv", "/usr/bin/newuidmap.away", "/usr/bin/newuidmap")
    assert "uidmap" in done.stderr


def test_users_can_use_the_verbs_of_atomic(alice, hello):
    done = alice.berth("atomic", "install", "--user", "--name=hello", f"--set=PORT={PORT}", hello)
    assert "\nsystemctl --user enable hello\n" in done.stdout
    assert alice.berth("atomic", "run", "hello").stdout == "systemctl --user start hello\n"
    assert alice.host.fetch(URL).startswith("Hi ")
    assert "running" in alice.berth("atomic", "containers", "list").stdout
    assert alice.berth("atomic", "install", "--system", hello, check=False).returncode == 1
    done = alice.berth("atomic", "uninstall", "hello")
    assert done.stdout == "systemctl --user disable --now hello\nsystemctl --user daemon-reload\n"


def test_the_caller_decides_whose_containers_are_meant(alice, plain):
    done = alice.berth("install", "--system", plain, check=False)
    assert done.returncode == 5 and "sudo berth install" in done.stderr
    assert alice.berth("containers", "list", "--system", check=False).returncode == 5
    assert alice.berth("install", "--root=/mnt", plain, check=False).returncode == 5
    assert alice.berth("recover", "--boot", check=False).returncode == 5
    done = alice.host.berth("install", "--user", plain, check=False)
    assert done.returncode == 2 and "runuser -u USER" in done.stderr
    assert alice.berth("containers", "list", "--user", "--all", "--json").returncode == 0


def test_a_relative_directory_in_the_environment_is_refused(alice):
    done = alice.berth("containers", "list", env={"XDG_DATA_HOME": "here"}, check=False)
    assert done.returncode == 2 and "XDG_DATA_HOME" in done.stderr


def test_the_configuration_of_the_user_is_read_and_paths_of_the_system_are_not_used(alice):
    alice.host.run("mkdir", "-p", "/etc/berth")
    alice.host.run("sh", "-c", "printf '[paths]\ndeployments = \"/srv/roots\"\n' > /etc/berth/berth.conf")
    alice.run("mkdir", "-p", "/home/alice/.config/berth")
    try:
        alice.berth("containers", "list", "--all")
        alice.run("sh", "-c", "echo '[paths' > /home/alice/.config/berth/berth.conf")
        done = alice.berth("containers", "list", check=False)
        assert done.returncode == 2 and "/home/alice/.config/berth/berth.conf:1" in done.stderr
    finally:
        alice.run("rm", "-r", "/home/alice/.config/berth")
        alice.host.run("rm", "/etc/berth/berth.conf")


def test_a_service_of_a_lingering_user_starts_at_boot(alice, plain, bob):
    alice.berth("install", "--name=plain", plain)
    alice.host.reboot()
    alice.host.wait_for_state(f"user@{alice.uid}", "active")
    alice.host.wait_for(lambda: alice.unit("plain")["ActiveState"], "plain.service of alice to be active", "active")
