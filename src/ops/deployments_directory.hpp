// The folder below which all deployments live, made for as long as it is needed, and names in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "host/layout.hpp"

namespace berth::ops {

/// Opens the folder of deployments, creating it with its parents. What was created and is still empty at the end
/// goes again, so that a failed command leaves no trace.
class DeploymentsFolder {
 public:
  explicit DeploymentsFolder(const host::Layout& layout);
  DeploymentsFolder(const DeploymentsFolder&) = delete;
  DeploymentsFolder& operator=(const DeploymentsFolder&) = delete;
  ~DeploymentsFolder();
  [[nodiscard]] int get() const noexcept { return folder_.get(); }

 private:
  std::vector<std::string> created_;
  base::Fd folder_;
};

/// How the names of folders begin in which something is prepared, below the deployments; the rest is what it is for.
inline constexpr std::string_view staging_prefix = ".staging-";
/// Name of the folder in which a deployment of `name` is prepared, below the deployments.
std::string staging_name(const std::string& name);
/// Where a deployment waits whose slot another one takes.
std::string waiting_name(const std::string& name);

}  // namespace berth::ops
