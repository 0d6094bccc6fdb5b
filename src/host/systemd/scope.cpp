// SPDX-License-Identifier: LGPL-2.1-or-later
#include "host/systemd/scope.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::host {

namespace {

constexpr const char* leaf = "berth";

}  // namespace

MessagePtr scope_call(const Bus& bus, const std::string& scope, const std::string& description,
                      const std::string& slice) {
  const std::string action = "prepare the scope " + scope;
  MessagePtr call = bus.new_call("StartTransientUnit");
  check_bus(sd_bus_message_append(call.get(), "ss", scope.c_str(), "fail"), action);
  check_bus(sd_bus_message_append(call.get(), "a(sv)", 5, "Description", "s", description.c_str(), "Slice", "s",
                                  slice.c_str(), "Delegate", "b", 1, "CollectMode", "s", "inactive-or-failed", "PIDs",
                                  "au", 1, static_cast<std::uint32_t>(::getpid())),
            action);
  check_bus(sd_bus_message_append(call.get(), "a(sa(sv))", 0), action);
  return call;
}

std::string enter_leaf_of_own_cgroup() {
  char* raw = nullptr;
  check_bus(sd_pid_get_cgroup(0, &raw), "find the control group of this process");
  std::string path(raw);
  std::free(raw);  // NOLINT(cppcoreguidelines-no-malloc): sd_pid_get_cgroup(3) allocates with malloc
  const std::string directory = "/sys/fs/cgroup" + path;
  if (!base::stat_at(AT_FDCWD, directory + "/cgroup.procs")) {
    return path;
  }
  const base::Fd opened = base::open_host_directory(directory);
  if (::mkdirat(opened.get(), leaf, 0755) < 0 && errno != EEXIST) {
    base::throw_errno(fmt::format("make a control group in {}", directory));
  }
  const base::Fd members = base::open_at(opened.get(), fmt::format("{}/cgroup.procs", leaf), O_WRONLY);
  base::write_all(members.get(), "0\n", "cgroup.procs");
  return path;
}

}  // namespace berth::host
