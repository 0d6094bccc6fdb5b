// SPDX-License-Identifier: LGPL-2.1-or-later
// berth.conf.
#include "harness.hpp"
#include "host/config/config.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace berth;
  fuzz::QuietReporter reporter;
  const fuzz::InputFile file(fuzz::text_of(data, size));
  const auto config = fuzz::accepted([&] { return host::read_config("/", file.path(), reporter); });
  if (!config) {
    return 0;
  }
  const auto absolute = [](const std::string& path) { return path.empty() || path.starts_with('/'); };
  fuzz::require(absolute(config->deployments) && absolute(config->repository) && absolute(config->authfile),
                "paths are absolute");
  fuzz::require(config->parallel_layers >= 1 && config->parallel_layers <= 16, "parallel-layers is in its range");
  fuzz::require(config->retries >= 0 && config->retries <= 20, "retries is in its range");
  fuzz::require(!config->runtimes.empty(), "there is a runtime to look for");
  for (const auto& registry : config->registries) {
    fuzz::require(!registry.location.empty() && absolute(registry.ca_file), "a registry has a place");
  }
  return 0;
}
