#include "ops/recover.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/deployment.hpp"
#include "host/journal.hpp"
#include "ops/adopt.hpp"
#include "ops/installed_unit.hpp"
#include "ops/one_off.hpp"
#include "ops/switch.hpp"
#include "ops/uninstall.hpp"
#include "ops/user_space.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

/// For locks that may be held: whoever holds one is no reason for a message here.
class SilentReporter final : public base::Reporter {
  void step(std::string_view) override {}
  void progress(const base::Progress&) override {}
  void warning(std::string_view) override {}
};

/// nullopt when another command holds it.
std::optional<host::ContainerLock> try_lock(const Session& session, const std::string& name) {
  try {
    SilentReporter silent;
    return host::ContainerLock::take(session.layout, name, session.command, std::chrono::seconds(0), silent,
                                     session.stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) {
      return std::nullopt;
    }
    throw;
  }
}

/// The caller holds the lock.
void recover_note(Session& session, const std::string& name) {
  const auto json = host::read_journal(session.layout, name);
  if (!json) {
    host::remove_journal(session.layout, name);  // what an interrupted write left
  } else if (const auto adoption = adopt_note(*json)) {
    session.reporter.step(fmt::format("completing an interrupted adoption of {}", name));
    complete_adoption(session, *adoption);
  } else if (auto change = switch_note(*json)) {
    recover_switch(session, std::move(*change));
  } else if (const auto uninstall = uninstall_note(*json)) {
    session.reporter.step(fmt::format("completing an interrupted uninstall of {}", name));
    complete_uninstall(session, *uninstall);
  }
}

void recover_container(Session& session, const std::string& name) {
  base::in_context([&] { return fmt::format("recovering {}", name); }, [&] { recover_note(session, name); });
}

void remove_stale_staging(Session& session) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  for (const auto& entry : base::list_folder(folder.get())) {
    if (entry.starts_with(staging_prefix)) {
      if (const auto lock = try_lock(session, entry.substr(staging_prefix.size()))) {
        end_abandoned_one_off(session, folder.get(), entry);
        remove_users_tree(session, folder.get(), entry);
      }
    }
  }
}

/// @return what could not be recovered
std::vector<Error> recover_each(Session& session) {
  std::vector<Error> failures;
  for (const auto& name : host::list_journals(session.layout)) {
    try {
      if (const auto lock = try_lock(session, name)) {
        recover_container(session, name);
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) {
        throw;
      }
      failures.push_back(error);
    }
  }
  host::remove_empty_journals(session.layout);
  if (base::stat_at(AT_FDCWD, session.layout.deployments())) {
    remove_stale_staging(session);
  }
  return failures;
}

/// Units that somebody removed.
void restore_each(Session& session, std::vector<Error>& failures) {
  for (const auto& deployment : host::list_deployments(session.layout).deployments) {
    try {
      const auto lock = misses_texts(session, deployment) ? try_lock(session, deployment.name) : std::nullopt;
      const auto now = lock ? host::find_deployment(session.layout, deployment.name) : std::nullopt;
      if (now) {
        restore_missing_texts(session, *now);
      }
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::interrupted) {
        throw;
      }
      failures.push_back(error);
    }
  }
}

}  // namespace

void recover_pending(Session& session) {
  for (const auto& failure : recover_each(session)) {
    session.reporter.warning(failure.what());
  }
}

void recover_all(Session& session) {
  auto failures = recover_each(session);
  restore_each(session, failures);
  for (std::size_t index = 1; index < failures.size(); ++index) {
    session.reporter.warning(failures[index].what());
  }
  if (!failures.empty()) {
    throw Error(failures.front());
  }
}

host::ContainerLock lock_container(Session& session, const std::string& name) {
  auto lock = host::ContainerLock::take(session.layout, name, session.command,
                                        std::chrono::seconds(session.config.lock_timeout_seconds), session.reporter,
                                        session.stop);
  recover_container(session, name);
  return lock;
}

}  // namespace berth::ops
