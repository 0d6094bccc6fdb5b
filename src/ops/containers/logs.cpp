#include "ops/containers/logs.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
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

/// Who may read the journal need not be root, and only root may see what is installed: then a unit of that name will
/// do.
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

/// sd-journal looks for its files by path: a link in another root would lead it to those of this machine.
void refuse_linked_journal(const host::Layout& layout) {
  for (const std::string directory : {"/var/log/journal", "/run/log/journal"}) {
    if (const auto place = layout.on_disk(directory); place != layout.root() + directory) {
      throw base::Error(base::ErrorKind::failed,
                        fmt::format("the journal of {} is behind a link: {} is {}", layout.root(), directory, place),
                        fmt::format("read it with: journalctl --directory={}", place));
    }
  }
}

}  // namespace

void logs(Context& context, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on) {
  query.unit = readable_unit(context, name);
  query.own_user = context.layout.user().has_value();
  if (context.layout.offline()) {
    refuse_linked_journal(context.layout);
    query.root = context.layout.root();
  }
  host::read_log(query, take, go_on);
}

}  // namespace berth::ops
