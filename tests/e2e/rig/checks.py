"""Questions that several tests ask."""

import re

DEPLOYMENTS = "/var/lib/containers/berth"


def leftovers(before, after):
    """How the host differs from an earlier listing, apart from what may stay: the image repository and the other dot
    directories below the deployments (locks, the empty journal), and the directories that lead there."""
    lines = before.difference(after)
    allowed = re.compile(rf"\+ (/var/lib/containers|{DEPLOYMENTS}|{DEPLOYMENTS}/\.(storage|locks|transactions)(/\S*)?) ")
    return [line for line in lines if not allowed.match(line)]


def rootfs(host, name, slot=0):
    """The checked-out root file system of a container, as we can open it."""
    return host.path(f"{DEPLOYMENTS}/{name}.{slot}/rootfs")


def in_cgroup_of(host, pid, unit_cgroup):
    """Whether a process, by its pid inside the host, is in that cgroup or below."""
    lines = host.output("cat", f"/proc/{pid}/cgroup").splitlines()
    (path,) = [line.removeprefix("0::") for line in lines if line.startswith("0::")]
    return path == unit_cgroup or path.startswith(unit_cgroup + "/")


def runtime_processes(host):
    """Command lines of OCI runtimes that run in the host."""
    return [args for _, args in host.processes() if re.match(r"\S*/?(runc|crun)\s", args + " ")]
