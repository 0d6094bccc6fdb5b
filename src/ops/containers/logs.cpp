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

bool has_unit(const Session& session, const std::string& name) {
  const auto folders = session.layout.unit_folders_inside();
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
    return base::stat_at(AT_FDCWD, session.layout.on_disk(folder + "/" + host::unit_name(name))).has_value();
  });
}

/// Who may read the journal need not be root, and only root may see what is installed: then a unit of that name will
/// do.
std::string readable_unit(Session& session, const std::string& name) {
  try {
    return unit_of(session, name);
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::not_permitted) {
      throw;
    }
    if (!has_unit(session, name)) {
      host::throw_not_installed(name);
    }
    return host::unit_name(name);
  }
}

/// sd-journal looks for its files by path: a link in another root would lead it to those of this machine.
void refuse_linked_journal(const host::Layout& layout) {
  for (const std::string folder : {"/var/log/journal", "/run/log/journal"}) {
    if (const auto place = layout.on_disk(folder); place != layout.root() + folder) {
      throw base::Error(base::ErrorKind::failed,
                        fmt::format("the journal of {} is behind a link: {} is {}", layout.root(), folder, place),
                        fmt::format("read it with: journalctl --directory={}", place));
    }
  }
}

}  // namespace

void logs(Session& session, const std::string& name, host::LogQuery query,
          const std::function<bool(const host::LogEntry&)>& take, const std::function<bool()>& go_on) {
  query.unit = readable_unit(session, name);
  query.own_user = session.layout.user().has_value();
  if (session.layout.offline()) {
    refuse_linked_journal(session.layout);
    query.root = session.layout.root();
  }
  host::read_log(query, take, go_on);
}

}  // namespace berth::ops
