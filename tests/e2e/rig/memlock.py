# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes crun work on a machine that withholds CAP_SYS_RESOURCE from the tests. Before crun loads a device policy it raises
RLIMIT_MEMLOCK, and fails if it may not, although kernels since 5.11 do not apply this limit to BPF programs. On such
machines, and only there, hosts get a preloaded library that ignores this error."""

import re

from rig import cache
from rig.shell import run

CAP_SYS_RESOURCE = 24

SOURCE = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int set_limit(int resource, const void *limit) {
  int result = (int)syscall(SYS_prlimit64, 0, resource, limit, (void *)0);
  return result != 0 && errno == EPERM && resource == RLIMIT_MEMLOCK ? 0 : result;
}
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return set_limit((int)resource, limit); }
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) { return set_limit((int)resource, limit); }
"""


def needed():
    with open("/proc/self/status", encoding="utf-8") as status:
        (bounding,) = re.findall(r"^CapBnd:\s*(\w+)", status.read(), re.MULTILINE)
    return not int(bounding, 16) >> CAP_SYS_RESOURCE & 1


def layers():
    """The trees to lay over that of a host: one with the library, if it is needed."""

    def make(directory):
        library = "usr/local/lib/memlock.so"
        (directory / "tree/usr/local/lib").mkdir(parents=True)
        (directory / "tree/etc").mkdir()
        (directory / "tree/etc/ld.so.preload").write_text(f"/{library}\n")
        run("gcc", "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", directory / "tree" / library, input=SOURCE)

    return [cache.made_once("memlock", cache.digest_of(SOURCE), make) / "tree"] if needed() else []
