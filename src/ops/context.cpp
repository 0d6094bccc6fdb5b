#include "ops/context.hpp"

#include "base/error.hpp"
#include "base/file.hpp"

namespace berth::ops {

base::Fd open_root(const Session& session) {
  return base::open_host_folder(session.layout.root());
}

source::SourceOptions source_options(const Session& session, const std::string& authfile) {
  source::SourceOptions options;
  options.authfile = authfile.empty() ? session.config.authfile : authfile;
  for (const auto& registry : session.config.registries) {
    options.registries.push_back({registry.location, registry.insecure, registry.ca_file});
  }
  options.retries = session.config.retries;
  options.connect_timeout = std::chrono::seconds(session.config.connect_timeout_seconds);
  options.user_agent = "berth/" BERTH_VERSION;
  options.stop = session.stop;
  options.reporter = &session.reporter;
  return options;
}

store::StoreOptions store_options(const Session& session, const std::string& repository) {
  store::StoreOptions options;
  options.repository = repository.empty() ? session.layout.repository() : repository;
  options.recovered = repository.empty();
  options.read_only = repository.empty() ? session.layout.read_only_repository() : "";
  options.mode = session.layout.user() ? store::RepositoryMode::bare_user : store::RepositoryMode::bare;
  options.parallel_layers = session.config.parallel_layers;
  options.writer = session.config.libostree_writes ? store::ObjectAuthor::libostree : store::ObjectAuthor::own;
  options.durability = session.config.gentle ? store::Durability::gentle : store::Durability::fast;
  options.lock_timeout = std::chrono::seconds(session.config.lock_timeout_seconds);
  options.stop = session.stop;
  options.reporter = &session.reporter;
  return options;
}

void check_stop(const std::stop_token& stop) {
  if (stop.stop_requested()) {
    base::throw_interrupted();
  }
}

}  // namespace berth::ops
