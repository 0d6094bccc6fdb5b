#include "ops/change/recover.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/hint.hpp"
#include "base/json.hpp"
#include "host/state/deployment.hpp"
#include "host/state/transaction_journal.hpp"
#include "ops/change/adoption.hpp"
#include "ops/change/damaged_record.hpp"
#include "ops/change/deployment_switch.hpp"
#include "ops/change/removal.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/footprint/installed_unit.hpp"
#include "ops/footprint/volumes.hpp"
#include "ops/journal_record.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/one_off.hpp"

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
std::optional<host::ContainerLock> lock_if_free(const Session& session, const std::string& name) {
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

/// Nothing when an interrupted write left no more than a beginning.
using Note = std::variant<std::monostate, AdoptNote, UninstallNote, SwitchNote>;

/// @throws Error(verification) for a note that says nothing that can be done
Note read_note(const Session& session, const std::string& name) {
  const auto json = host::read_journal(session.layout, name);
  if (!json) {
    return {};
  }
  const base::JsonView noted(*json, "journal note");
  if (noted.at("name").as_string() != name) {
    noted.at("name").fail(fmt::format("expected {}", name));
  }
  if (auto adoption = adopt_note(*json)) {
    return std::move(*adoption);
  }
  if (auto change = switch_note(*json)) {
    return std::move(*change);
  }
  return uninstall_note(*json).value();
}

struct Recovery {
  Session& session;
  const std::string& name;

  void operator()(std::monostate /*note*/) const { host::remove_journal(session.layout, name); }
  void operator()(const AdoptNote& note) const {
    session.reporter.step(fmt::format("completing an interrupted adoption of {}", name));
    complete_adoption(session, note);
  }
  void operator()(const UninstallNote& note) const {
    session.reporter.step(fmt::format("completing an interrupted uninstall of {}", name));
    complete_uninstall(session, note);
  }
  void operator()(const SwitchNote& note) const { recover_switch(session, note); }
};

/// What is done about a note that is damaged.
enum class Damage { refused, settled };

/// The caller holds the lock.
void recover_note(Session& session, const std::string& name, Damage damage) {
  Note note;
  try {
    note = base::with_hint("`berth recover` goes by what is on the disk instead",
                           [&] { return read_note(session, name); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::verification || damage == Damage::refused) {
      throw;
    }
    session.reporter.warning(error.what());
    settle_without_note(session, name);
    return;
  }
  std::visit(Recovery{session, name}, note);
}

void recover_container(Session& session, const std::string& name, Damage damage = Damage::refused) {
  base::in_context([&] { return fmt::format("recovering {}", name); }, [&] { recover_note(session, name, damage); });
}

void remove_stale_staging(Session& session) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  for (const auto& entry : base::list_folder(folder.get())) {
    if (entry.starts_with(staging_prefix)) {
      if (const auto lock = lock_if_free(session, entry.substr(staging_prefix.size()))) {
        end_abandoned_one_off(session, folder.get(), entry);
        remove_users_tree(session, folder.get(), entry);
      }
    }
  }
}

/// Lock files that a killed process left: to take such a lock and to give it back removes its file.
void remove_stale_locks(const Session& session) {
  for (const auto& name : host::list_locks(session.layout)) {
    lock_if_free(session, name);
  }
}

/// @return what could not be recovered
std::vector<Error> recover_each(Session& session, Damage damage) {
  std::vector<Error> failures;
  for (const auto& name : host::list_journals(session.layout)) {
    try {
      if (const auto lock = lock_if_free(session, name)) {
        recover_container(session, name, damage);
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
    tidy_adoptions(session);
    remove_stale_locks(session);
    close_former_volumes(session);
  }
  store::Store::remove_left_overs(store_options(session));
  return failures;
}

/// Units that somebody removed. A change that is still unfinished has put its own aside.
void restore_each(Session& session, std::vector<Error>& failures) {
  for (const auto& deployment : host::list_deployments(session.layout).deployments) {
    try {
      const bool misses = misses_texts(session, deployment) && !host::read_journal(session.layout, deployment.name);
      const auto lock = misses ? lock_if_free(session, deployment.name) : std::nullopt;
      const bool whole = lock && !host::read_journal(session.layout, deployment.name);
      const auto now = whole ? host::find_deployment(session.layout, deployment.name) : std::nullopt;
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

void mend_repository(const Session& session, std::vector<Error>& failures) {
  try {
    store::Store::mend_config(store_options(session));
  } catch (const Error& error) {
    failures.push_back(error);
  }
}

}  // namespace

void recover_pending(Session& session) {
  for (const auto& failure : recover_each(session, Damage::refused)) {
    session.reporter.warning(failure.hint().empty() ? std::string(failure.what())
                                                    : fmt::format("{}; {}", failure.what(), failure.hint()));
  }
}

void recover_all(Session& session) {
  auto failures = recover_each(session, Damage::settled);
  mend_repository(session, failures);
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
