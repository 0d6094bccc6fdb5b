// SPDX-License-Identifier: LGPL-2.1-or-later
// The context of every use case.
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

/// The host, its settings and the caller's reporter, for one command. Not owned: systemd, reporter.
struct Context {
  host::Layout layout;
  host::Config config;
  host::Facts facts;
  host::Systemd& systemd;
  base::Reporter& reporter;
  std::stop_token stop;
  std::string command;           ///< the running command, for lock files: "berth install"
  std::string data_directory;    ///< directory of exports-templates, e.g. /usr/share/berth
  std::string runtime_override;  ///< RUNC_PATH of the environment; empty: not set
  image::Naming naming = image::Naming::canonical;
  std::string forced_image_id{};  ///< id that every image gets; for tests of updates
};

/// Opens the root directory of the host; paths of the host are resolved below it.
/// @throws Error when it cannot be opened
base::Fd open_root(const Context& context);

/// Opens the directory of deployments. @throws Error when it does not exist
base::Fd open_deployments(const Context& context);

/// Options for image sources, from berth.conf. @param authfile file with logins; empty: that of berth.conf
source::SourceOptions source_options(const Context& context, const std::string& authfile);

/// Options for a store. @param repository path of a repository; empty: that of the host
store::StoreOptions store_options(const Context& context, const std::string& repository = {});

/// @throws Interrupted when a stop was requested
void check_stop(const std::stop_token& stop);

}  // namespace berth::ops
