// SPDX-License-Identifier: LGPL-2.1-or-later
// Findings of `berth lint` about an image, and of the checks that it shares with an install.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace berth::base {

enum class Severity {
  note,     ///< information
  warning,  ///< probably a mistake
  error,    ///< an install fails, or the service cannot work
};

/// One finding.
struct Finding {
  Severity severity = Severity::note;
  std::string code;      ///< stable, e.g. `unused-default`; the whole list is in berth-lint(8)
  std::string file;      ///< `exports/…`, or another part of the image
  std::size_t line = 0;  ///< from 1; 0: the whole file
  std::string message;
  std::string hint;  ///< the remedy; may be empty

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

}  // namespace berth::base
