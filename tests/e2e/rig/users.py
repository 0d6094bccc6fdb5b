# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users of a host, with their own systemd."""

import os

from rig.host import Caller
from rig.shell import run

FIRST_ID = 1000
SUB_IDS = "100000-165535"


class User(Caller):
    """A user of a host, to be created before it boots. @param sub_ids for /etc/subuid and /etc/subgid"""

    def __init__(self, host, name, lingers=True, sub_ids=SUB_IDS):
        self.host, self.name, self.home = host, name, f"/home/{name}"
        # The tree masks it, since it takes time at every boot and only users need it.
        host.path("/etc/systemd/system/systemd-logind.service").unlink(missing_ok=True)
        ids = [f"--add-subuids={sub_ids}", f"--add-subgids={sub_ids}"] if sub_ids else []
        run("chroot", host.tree, "useradd", "--key=SUB_UID_COUNT=0", "--key=SUB_GID_COUNT=0", "--create-home",
            "--user-group", "--shell=/bin/bash", name)  # fmt: skip
        if ids:
            run("chroot", host.tree, "usermod", *ids, name)
        self.uid = int(run("chroot", host.tree, "id", "-u", name).stdout)
        os.chmod(host.path(self.home), 0o700)
        if lingers:
            directory = host.path("/var/lib/systemd/linger")
            directory.mkdir(parents=True, exist_ok=True)
            (directory / name).write_text("")

    @property
    def runtime(self):
        return f"/run/user/{self.uid}"

    def words(self, *argv, env=None):
        """(argv, environment) to run a command as this user, as after `su`."""
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
        """A path below the home directory, for the tests to open."""
        return self.host.path(f"{self.home}/{inside}")

    def deployments(self):
        return self.path(".local/share/containers/berth")
