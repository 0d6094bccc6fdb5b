# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that several tests use."""

import re

DEPLOYMENTS = "/var/lib/containers/berth"
RUNTIMES = {"runc": "/usr/sbin/runc", "crun": "/usr/bin/crun"}


def leftovers(before, after):
    """The differences between two snapshots of a host that an uninstall must not leave: all but the repository of images,
    the locks and the empty transaction journal below the deployments, and the directories above them."""
    lines = before.difference(after)
    allowed = re.compile(rf"\+ (/var/lib/containers|{DEPLOYMENTS}|{DEPLOYMENTS}/\.(storage|locks|transactions)(/\S*)?) ")
    return [line for line in lines if not allowed.match(line)]


def rootfs(host, name, slot=0):
    """The path of the root file system of a container."""
    return host.path(f"{DEPLOYMENTS}/{name}.{slot}/rootfs")


def in_cgroup_of(host, pid, unit_cgroup):
    """Whether a process is in a cgroup or below it. @param pid the pid inside the host"""
    lines = host.output("cat", f"/proc/{pid}/cgroup").splitlines()
    (path,) = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    return path == unit_cgroup or path.startswith(unit_cgroup + "/")


def runtime_processes(host):
    """The command lines of all OCI runtimes that are running in the host."""
    return [args for _, args in host.processes() if re.match(r"\S*/?(runc|crun)\s", args + " ")]
