// SPDX-License-Identifier: LGPL-2.1-or-later
// The directory that holds all deployments, and names in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "host/layout.hpp"

namespace berth::ops {

/// Opens the directory of deployments; creates it and its parents when missing. Created directories that are empty on
/// destruction are removed, so that a failed command leaves nothing behind.
class DeploymentsDirectory {
 public:
  explicit DeploymentsDirectory(const host::Layout& layout);
  DeploymentsDirectory(const DeploymentsDirectory&) = delete;
  DeploymentsDirectory& operator=(const DeploymentsDirectory&) = delete;
  ~DeploymentsDirectory();
  [[nodiscard]] int get() const noexcept { return directory_.get(); }

 private:
  std::vector<std::string> created_;
  base::Fd directory_;
};

/// Prefix of the names of staging directories below the deployments; the rest is the name of a container or one-off.
inline constexpr std::string_view staging_prefix = ".staging-";
/// Name of the staging directory of a deployment of `name`.
std::string staging_name(const std::string& name);
/// Name of the directory that keeps a displaced deployment while a change gives its slot to another one.
std::string waiting_name(const std::string& name);

}  // namespace berth::ops
