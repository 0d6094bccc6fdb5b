// The directory below which all deployments live, made for as long as it is needed, and names in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "host/layout.hpp"

namespace berth::ops {

/// Opens the directory of deployments, creating it with its parents. What was created and is still empty at the end
/// goes again, so that a failed command leaves no trace.
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

/// How the names of directories begin in which something is prepared, below the deployments; the rest is what it is
/// for.
inline constexpr std::string_view staging_prefix = ".staging-";
/// Name of the directory in which a deployment of `name` is prepared, below the deployments.
std::string staging_name(const std::string& name);
/// Where a deployment waits whose slot another one takes.
std::string waiting_name(const std::string& name);

}  // namespace berth::ops
