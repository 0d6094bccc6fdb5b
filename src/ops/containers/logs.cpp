// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/containers/logs.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "host/layout.hpp"
#include "host/state/deployment.hpp"
#include "ops/footprint/installed_unit.hpp"

namespace berth::ops {

namespace {

bool has_unit(const Context& context, const std::string& name) {
  const auto directories = context.layout.unit_directories_in_root();
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    return base::stat_at(AT_FDCWD, context.layout.on_disk(directory + "/" + host::unit_name(name))).has_value();
  });
}

/// A user who may read the journal need not have access to the deployments. Then a unit file of that name is
/// sufficient.
std::string readable_unit(Context& context, const std::string& name) {
  try {
    return unit_of(context, name);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_permitted) {
      throw;
    }
    if (!has_unit(context, name)) {
      host::throw_not_installed(name);
    }
    return host::unit_name(name);
  }
}

/// sd-journal opens its files by path. A link in another root would lead it to the journal of this machine.
void refuse_linked_journal(const host::Layout& layout) {
  for (const std::string directory : {"/var/log/journal", "/run/log/journal"}) {
    if (const auto path = layout.on_disk(directory); path != layout.root() + directory) {
      throw base::Error(base::ErrorKind::failed,
                        fmt::format("the journal of {} is behind a link: {} is {}", layout.root(), directory, path),
                        fmt::format("read it with: journalctl --directory={}", path));
    }
  }
}

}  // namespace

void logs(Context& context, const LogRequest& request, const std::function<bool(const host::LogEntry&)>& take,
          const std::function<bool()>& go_on) {
  host::LogQuery query;
  query.unit = readable_unit(context, request.name);
  query.last = request.last;
  query.since = request.since;
  query.follow = request.follow;
  query.own_user = context.layout.user().has_value();
  if (context.layout.offline()) {
    refuse_linked_journal(context.layout);
    query.root = context.layout.root();
  }
  host::read_log(query, take, go_on);
}

base::Json to_json(const host::LogEntry& entry) {
  constexpr std::int64_t second = 1'000'000;  // microseconds
  base::Json json = {
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(entry.time / second)),
                           entry.time % second)},
      {"program", entry.program},
      {"pid", nullptr},
      {"priority", entry.priority},
      {"message", entry.message}};
  int pid = 0;
  if (std::from_chars(entry.pid.data(), entry.pid.data() + entry.pid.size(), pid).ec == std::errc()) {
    json["pid"] = pid;
  }
  return json;
}

}  // namespace berth::ops
