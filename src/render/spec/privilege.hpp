// SPDX-License-Identifier: LGPL-2.1-or-later
// What a container may do to the host beyond the rights of an ordinary service.
#pragma once

#include <string>

namespace berth::render {

struct Privilege {
  std::string message;     ///< e.g. "runs with all capabilities (41)"
  bool over_host = false;  ///< equivalent to root on the host

  friend bool operator==(const Privilege&, const Privilege&) = default;
};

}  // namespace berth::render
