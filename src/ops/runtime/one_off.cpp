// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/runtime/one_off.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/process.hpp"
#include "host/machine/facts.hpp"
#include "ops/deployments_directory.hpp"
#include "ops/private_deployment.hpp"
#include "ops/rootless.hpp"
#include "ops/runtime/start_failure.hpp"

namespace berth::ops {

namespace {

using base::Error;
using base::ErrorKind;

constexpr const char* record_file = "one-off";
constexpr std::size_t name_limit = 200;  // leaves room for the suffix in a unit name
constexpr std::size_t random_digits = 6;

std::string new_id(const std::string& name) {
  return fmt::format("{}-run-{}", name.substr(0, name_limit), host::random_uuid().substr(0, random_digits));
}

host::ContainerLock take_lock(Context& context, const std::string& id) {
  return host::ContainerLock::take(context.layout, id, context.command, std::chrono::seconds(0), context.reporter,
                                   context.stop);
}

struct OneOffRecord {
  std::string deployment;
  std::string runtime;
};

std::optional<OneOffRecord> read_record(int deployments, const std::string& entry) {
  const auto document = entry + "/" + record_file;
  const auto text = base::read_file_at(deployments, document, base::json_size_limit);
  if (!text) {
    return std::nullopt;
  }
  const auto json = base::parse_json(*text, document);
  const base::JsonView view(json, document);
  return OneOffRecord{view.at("deployment").as_string(), view.at("runtime").as_string()};
}

/// Deletes the container in any state, and stops the scope, in which the runtime may still wait for it.
void end_container(Context& context, const std::string& runtime, const std::string& id) {
  base::run_process({runtime, "delete", "--force", id});  // fails when the container does not exist, which is fine
  context.systemd.stop(id + ".scope");
}

}  // namespace

OneOff::OneOff(Context& context, const std::string& name, const std::string& deployment, const std::string& runtime)
    : context_(context),
      id_(new_id(name)),
      deployment_(deployment),
      runtime_(runtime),
      lock_(take_lock(context, id_)) {}

OneOff::~OneOff() {
  try {
    if (started_) {
      base::run_process({runtime_, "delete", "--force", id_});
    }
    remove_users_tree(context_, open_deployments(context_).get(), directory());
  } catch (...) {
    context_.reporter.warning(fmt::format("could not clean up after {}: {}", id_, base::current_message()));
  }
}

std::string OneOff::directory() const {
  return staging_name(id_);
}

void OneOff::claim() const {
  const auto deployments = open_deployments(context_);
  if (::mkdirat(deployments.get(), directory().c_str(), 0700) != 0 && errno != EEXIST) {
    base::throw_errno("create " + directory());
  }
  const base::Json record = {{"deployment", deployment_}, {"runtime", runtime_}};
  base::replace_file_at(deployments.get(), directory() + "/" + record_file, record.dump(2) + "\n", 0600);
}

CommandOutcome OneOff::run(base::Json config, const Attachment& attachment, const std::function<void()>& before_start) {
  const auto cgroup = context_.systemd.enter_scope(id_ + ".scope", fmt::format("One-off run {}", id_));
  config["linux"]["cgroupsPath"] = cgroup + "/payload";
  const auto path = context_.layout.deployments() + "/" + directory();
  const auto opened = base::open_host_directory(path);
  base::replace_file_at(opened.get(), "config.json", config.dump(2) + "\n", 0600);
  let_container_pass(context_, opened.get(), config);
  check_stop(context_.stop);
  const auto what = fmt::format("run {} in {}", config.at("process").at("args").at(0).get<std::string>(), id_);
  started_ = true;
  const auto failure_code = [&] { return start_failure_code(path, config, config.at("process")); };
  auto outcome = run_runtime(runtime_, {"run", "--bundle", path, id_}, attachment, what, failure_code, before_start);
  started_ = outcome.exit_code != 0;  // after a success the runtime has deleted it
  return outcome;
}

void end_abandoned_one_off(Context& context, int deployments, const std::string& entry) {
  const auto id = entry.substr(staging_prefix.size());
  try {
    if (const auto record = read_record(deployments, entry)) {
      context.reporter.step(fmt::format("ending the interrupted one-off run {}", id));
      end_container(context, record->runtime, id);
    }
  } catch (const Error& error) {
    context.reporter.warning(fmt::format("{}: {}", id, error.what()));
  }
}

void refuse_while_one_off_runs(const Context& context, const std::vector<std::string>& deployments) {
  const auto directory = open_deployments(context);
  for (const auto& entry : base::list_directory(directory.get())) {
    const auto record = entry.starts_with(staging_prefix) ? read_record(directory.get(), entry) : std::nullopt;
    if (record && std::find(deployments.begin(), deployments.end(), record->deployment) != deployments.end()) {
      const auto id = entry.substr(staging_prefix.size());
      throw Error(
          ErrorKind::conflict, fmt::format("the one-off run {} uses the files of {}", id, record->deployment),
          fmt::format("wait for its end, or end it with {} stop {}.scope", context.layout.command("systemctl"), id));
    }
  }
}

}  // namespace berth::ops
