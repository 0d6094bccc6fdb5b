// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ops/context.hpp"

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::ops {

base::Fd open_root(const Context& context) {
  return base::open_host_directory(context.layout.root());
}

base::Fd open_deployments(const Context& context) {
  return base::open_host_directory(context.layout.deployments());
}

source::SourceOptions source_options(const Context& context, const std::string& authfile) {
  source::SourceOptions options;
  options.authfile = authfile.empty() ? context.config.authfile : authfile;
  for (const auto& registry : context.config.registries) {
    options.registries.push_back({registry.location, registry.insecure, registry.ca_file});
  }
  options.retries = context.config.retries;
  options.connect_timeout = std::chrono::seconds(context.config.connect_timeout_seconds);
  options.user_agent = "berth/" BERTH_VERSION;
  options.stop = context.stop;
  options.reporter = &context.reporter;
  return options;
}

store::StoreOptions store_options(const Context& context, const std::string& repository) {
  store::StoreOptions options;
  options.repository = repository.empty() ? context.layout.repository() : repository;
  options.recovered = repository.empty();
  options.read_only = repository.empty() ? context.layout.read_only_repository() : "";
  options.mode = context.layout.user() ? store::RepositoryMode::bare_user : store::RepositoryMode::bare;
  options.parallel_layers = context.config.parallel_layers;
  options.writer = context.config.libostree_writes ? store::ObjectAuthor::libostree : store::ObjectAuthor::own;
  options.durability = context.config.gentle ? store::Durability::gentle : store::Durability::fast;
  options.lock_timeout = std::chrono::seconds(context.config.lock_timeout_seconds);
  options.stop = context.stop;
  options.reporter = &context.reporter;
  return options;
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    base::throw_interrupted();
  }
}

}  // namespace berth::ops
