// What is said about a document or an image to those who write it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace berth::base {

enum class Severity {
  note,     ///< worth knowing
  warning,  ///< probably not meant
  error,    ///< an install fails, or the service cannot work
};

/// One remark.
struct Finding {
  Severity severity = Severity::note;
  std::string code;      ///< stable, e.g. `unused-default`; the whole list is in berth-lint(8)
  std::string file;      ///< `exports/…`, or what else it is about
  std::size_t line = 0;  ///< from 1; 0: the whole file
  std::string message;
  std::string hint;  ///< what to do; may be empty

  friend bool operator==(const Finding&, const Finding&) = default;
};

using Findings = std::vector<Finding>;

}  // namespace berth::base
