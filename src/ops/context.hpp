// What every use case works with.
#pragma once

#include <stop_token>
#include <string>

#include "base/fd.hpp"
#include "base/reporter.hpp"
#include "host/config/config.hpp"
#include "host/layout.hpp"
#include "host/machine/facts.hpp"
#include "host/systemd/systemd.hpp"
#include "image/reference.hpp"
#include "source/open.hpp"
#include "store/store.hpp"

namespace berth::ops {

/// The machine, its settings and the caller's ears, for one command. Not owned: systemd, reporter.
struct Context {
  host::Layout layout;
  host::Config config;
  host::Facts facts;
  host::Systemd& systemd;
  base::Reporter& reporter;
  std::stop_token stop;
  std::string command;           ///< what this process does, for lock files: "berth install"
  std::string data_directory;    ///< where exports-templates is installed, e.g. /usr/share/berth
  std::string runtime_override;  ///< RUNC_PATH of the environment, or empty
  image::Naming naming = image::Naming::canonical;
  std::string forced_image_id{};  ///< every image is taken for one of this id; for tests of updates
};

/// The directory below which everything of the machine is; paths are walked from its descriptor.
/// @throws Error when it cannot be opened
base::Fd open_root(const Context& context);

/// How to reach registries, from berth.conf and `authfile` (may be empty).
source::SourceOptions source_options(const Context& context, const std::string& authfile);

/// The repository of this machine, or another one at `repository` when not empty.
store::StoreOptions store_options(const Context& context, const std::string& repository = {});

/// Throws interrupted when the user asked to stop.
void check_stop(const std::stop_token& stop);

}  // namespace berth::ops
