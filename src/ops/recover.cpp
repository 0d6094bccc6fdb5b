#include "ops/recover.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "host/journal.hpp"
#include "host/lock.hpp"
#include "ops/switch.hpp"
#include "ops/uninstall.hpp"

namespace berth::ops {

namespace {

constexpr std::string_view staging_prefix = ".staging-";

/// For locks that may be held: whoever holds one is no reason for a message here.
class SilentReporter final : public base::Reporter {
  void step(std::string_view) override {}
  void progress(const base::Progress&) override {}
  void warning(std::string_view) override {}
};

/// Runs `work` under the lock of `name`, or not at all when another command holds it.
void when_idle(const Session& session, const std::string& name, const std::function<void()>& work) {
  try {
    SilentReporter silent;
    const auto lock =
        host::ContainerLock::take(session.layout, name, session.command, std::chrono::seconds(0), silent, session.stop);
    work();
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::conflict) {
      throw;
    }
  }
}

void recover_note(Session& session, const std::string& name) {
  const auto json = host::read_journal(session.layout, name);
  if (!json) {
    return;
  }
  if (auto change = switch_note(*json)) {
    recover_switch(session, std::move(*change));
  } else if (const auto uninstall = uninstall_note(*json)) {
    session.reporter.step(fmt::format("completing an interrupted uninstall of {}", name));
    complete_uninstall(session, *uninstall);
  }
}

void remove_stale_staging(Session& session) {
  const auto folder = base::open_host_folder(session.layout.deployments());
  for (const auto& entry : base::list_folder(folder.get())) {
    if (entry.starts_with(staging_prefix)) {
      when_idle(session, entry.substr(staging_prefix.size()), [&] { base::remove_tree_at(folder.get(), entry); });
    }
  }
}

}  // namespace

void recover_pending(Session& session) {
  for (const auto& name : host::list_journals(session.layout)) {
    when_idle(session, name, [&] {
      base::in_context([&] { return fmt::format("recovering {}", name); }, [&] { recover_note(session, name); });
    });
  }
  if (base::stat_at(AT_FDCWD, session.layout.deployments())) {
    remove_stale_staging(session);
  }
}

}  // namespace berth::ops
