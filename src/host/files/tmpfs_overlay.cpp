// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/files/tmpfs_overlay.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"

namespace berth::host {

void mount_tmpfs_overlay(const std::string& directory) {
  base::check_errno(::unshare(CLONE_NEWNS), "create a mount namespace");
  // Later mounts of the host are visible here, but mounts of this namespace are not visible on the host.
  base::check_errno(::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr), "separate the mounts from the host's");
  base::check_errno(::chdir(directory.c_str()),
                    "enter " + directory);  // so that no option holds a path with a `,` or `:`
  if (::mkdir("scratch", 0700) != 0 && errno != EEXIST) {
    base::throw_errno("create " + directory + "/scratch");
  }
  base::check_errno(::mount("tmpfs", "scratch", "tmpfs", 0, "mode=0700"), "mount a file system in memory");
  for (const char* part : {"scratch/upper", "scratch/overlay"}) {
    base::check_errno(::mkdir(part, 0755), "create a layer in memory");
  }
  base::check_errno(
      ::mount("overlay", "rootfs", "overlay", 0, "lowerdir=rootfs,upperdir=scratch/upper,workdir=scratch/overlay"),
      "mount an overlay over " + directory + "/rootfs");
}

}  // namespace berth::host
