// SPDX-License-Identifier: LGPL-2.1-or-later
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

/// Discards the message that another command holds a lock: recovery skips such a container.
class SilentReporter final : public base::Reporter {
  void step(std::string_view) override {}
  void progress(const base::Progress&) override {}
  void warning(std::string_view) override {}
};

/// nullopt when another command holds it.
std::optional<host::ContainerLock> lock_if_free(const Context& context, const std::string& name) {
  try {
    SilentReporter silent;
    return host::ContainerLock::take(context.layout, name, context.command, std::chrono::seconds(0), silent,
                                     context.stop);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::conflict) {
      return std::nullopt;
    }
    throw;
  }
}

/// monostate: writing the record was interrupted, so that the change had not begun.
using Record = std::variant<std::monostate, AdoptionRecord, UninstallRecord, SwitchRecord>;

/// @throws Error(verification) for a damaged record
Record read_record(const Context& context, const std::string& name) {
  const auto json = host::read_journal(context.layout, name);
  if (!json) {
    return {};
  }
  const base::JsonView view(*json, "journal record");
  if (view.at("name").as_string() != name) {
    view.at("name").fail(fmt::format("expected {}", name));
  }
  if (auto adoption = parse_adoption_record(*json)) {
    return std::move(*adoption);
  }
  if (auto change = parse_switch_record(*json)) {
    return std::move(*change);
  }
  return parse_uninstall_record(*json).value();
}

struct Recovery {
  Context& context;
  const std::string& name;

  void operator()(std::monostate /*record*/) const { host::remove_journal(context.layout, name); }
  void operator()(const AdoptionRecord& record) const {
    context.reporter.step(fmt::format("completing an interrupted adoption of {}", name));
    complete_adoption(context, record);
  }
  void operator()(const UninstallRecord& record) const {
    context.reporter.step(fmt::format("completing an interrupted uninstall of {}", name));
    complete_uninstall(context, record);
  }
  void operator()(const SwitchRecord& record) const { recover_switch(context, record); }
};

/// How a damaged record is handled: the container is not changed, or restored from the files on disk.
enum class Damage { refused, settled };

/// The caller holds the lock.
void recover_record(Context& context, const std::string& name, Damage damage) {
  Record record;
  try {
    record = base::with_hint("`berth recover` restores the container from the files on disk instead",
                             [&] { return read_record(context, name); });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::verification || damage == Damage::refused) {
      throw;
    }
    context.reporter.warning(error.what());
    settle_damaged_record(context, name);
    return;
  }
  std::visit(Recovery{context, name}, record);
}

void recover_container(Context& context, const std::string& name, Damage damage = Damage::refused) {
  base::in_context([&] { return fmt::format("recovering {}", name); }, [&] { recover_record(context, name, damage); });
}

void remove_stale_staging(Context& context) {
  const auto directory = open_deployments(context);
  for (const auto& entry : base::list_directory(directory.get())) {
    if (entry.starts_with(staging_prefix)) {
      if (const auto lock = lock_if_free(context, entry.substr(staging_prefix.size()))) {
        end_abandoned_one_off(context, directory.get(), entry);
        remove_users_tree(context, directory.get(), entry);
      }
    }
  }
}

/// Removes lock files that a killed process left: releasing a lock removes its file.
void remove_stale_locks(const Context& context) {
  for (const auto& name : host::list_locks(context.layout)) {
    lock_if_free(context, name);
  }
}

/// @return what could not be recovered
std::vector<Error> recover_each(Context& context, Damage damage) {
  std::vector<Error> failures;
  for (const auto& name : host::list_journals(context.layout)) {
    try {
      if (const auto lock = lock_if_free(context, name)) {
        recover_container(context, name, damage);
      }
    } catch (const Error& error) {
      failures.push_back(error);
    }
  }
  host::remove_empty_journals(context.layout);
  if (base::stat_at(AT_FDCWD, context.layout.deployments())) {
    remove_stale_staging(context);
    tidy_adoptions(context);
    remove_stale_locks(context);
    close_former_volumes(context);
  }
  store::Store::remove_left_overs(store_options(context));
  return failures;
}

/// Writes missing units again. An unfinished change has moved its own away, so that such containers are left alone.
void restore_each(Context& context, std::vector<Error>& failures) {
  for (const auto& deployment : host::list_deployments(context.layout).deployments) {
    try {
      const bool misses = misses_texts(context, deployment) && !host::read_journal(context.layout, deployment.name);
      const auto lock = misses ? lock_if_free(context, deployment.name) : std::nullopt;
      const bool whole = lock && !host::read_journal(context.layout, deployment.name);
      const auto now = whole ? host::find_deployment(context.layout, deployment.name) : std::nullopt;
      if (now) {
        restore_missing_texts(context, *now);
      }
    } catch (const Error& error) {
      failures.push_back(error);
    }
  }
}

void mend_repository(const Context& context, std::vector<Error>& failures) {
  try {
    store::Store::repair_config(store_options(context));
  } catch (const Error& error) {
    failures.push_back(error);
  }
}

}  // namespace

void recover_pending(Context& context) {
  for (const auto& failure : recover_each(context, Damage::refused)) {
    context.reporter.warning(failure.hint().empty() ? std::string(failure.what())
                                                    : fmt::format("{}; {}", failure.what(), failure.hint()));
  }
}

void recover_all(Context& context) {
  auto failures = recover_each(context, Damage::settled);
  mend_repository(context, failures);
  restore_each(context, failures);
  for (std::size_t index = 1; index < failures.size(); ++index) {
    context.reporter.warning(failures[index].what());
  }
  if (!failures.empty()) {
    throw Error(failures.front());
  }
}

host::ContainerLock lock_container(Context& context, const std::string& name) {
  auto lock = host::ContainerLock::take(context.layout, name, context.command,
                                        std::chrono::seconds(context.config.lock_timeout_seconds), context.reporter,
                                        context.stop);
  recover_container(context, name);
  return lock;
}

}  // namespace berth::ops
