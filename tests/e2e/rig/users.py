"""Users of a host, who have a systemd of their own."""

import os

from rig.host import Caller
from rig.shell import run

FIRST_ID = 1000
SUB_IDS = "100000-165535"


class User(Caller):
    """One user of a host, to be made before it boots. `sub_ids` are those of /etc/subuid and /etc/subgid."""

    def __init__(self, host, name, lingers=True, sub_ids=SUB_IDS):
        self.host, self.name, self.home = host, name, f"/home/{name}"
        # Masked in the tree, for only users need it, and it costs time at every boot.
        host.path("/etc/systemd/system/systemd-logind.service").unlink(missing_ok=True)
        ids = [f"--add-subuids={sub_ids}", f"--add-subgids={sub_ids}"] if sub_ids else []
        run("chroot", host.tree, "useradd", "--key=SUB_UID_COUNT=0", "--key=SUB_GID_COUNT=0", "--create-home",
            "--user-group", "--shell=/bin/bash", name)  # fmt: skip
        if ids:
            run("chroot", host.tree, "usermod", *ids, name)
        self.uid = int(run("chroot", host.tree, "id", "-u", name).stdout)
        os.chmod(host.path(self.home), 0o700)
        if lingers:
            place = host.path("/var/lib/systemd/linger")
            place.mkdir(parents=True, exist_ok=True)
            (place / name).write_text("")

    @property
    def runtime(self):
        return f"/run/user/{self.uid}"

    def words(self, *argv, env=None):
        """(argv, environment) that run a command as this user, as after a plain `su`."""
        words = ["setpriv", f"--reuid={self.name}", f"--regid={self.name}", "--init-groups", "--", *argv]
        return words, {"HOME": self.home, "USER": self.name, **(env or {})}

    def run(self, *argv, check=True, env=None, **options):
        words, environment = self.words(*argv, env=env)
        return self.host.run(*words, check=check, env=environment, **options)

    def systemctl(self, *argv, **options):
        return self.run("systemctl", "--user", *argv, env={"XDG_RUNTIME_DIR": self.runtime}, **options)

    def unit(self, name, *properties):
        names = properties or ("ActiveState", "SubState", "MainPID", "ControlGroup", "UnitFileState", "FragmentPath")
        text = self.systemctl("show", name, "--property", ",".join(names)).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def path(self, inside):
        """A path below the home directory as we can open it."""
        return self.host.path(f"{self.home}/{inside}")

    def deployments(self):
        return self.path(".local/share/containers/berth")
