// The folder below which all deployments live, made for as long as it is needed.
#pragma once

#include <string>
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

}  // namespace berth::ops
