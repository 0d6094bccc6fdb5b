// How rooms speak to whoever called them. Rooms never print.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::base {

/// State of one piece of longer work, e.g. one layer of a pull.
struct Progress {
  std::string id;           ///< stable identity of the piece, e.g. a short digest
  std::string label;        ///< what is being done: "fetching", "present", "done"
  std::uint64_t done = 0;   ///< bytes
  std::uint64_t total = 0;  ///< bytes; 0 when unknown
};

/// Receives what happens. Calls may come from several threads at once.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A step began or a fact is worth telling ("layer abc123 present").
  virtual void step(std::string_view sentence) = 0;
  virtual void progress(const Progress& progress) = 0;
  /// Something the user should know; the work goes on.
  virtual void warning(std::string_view sentence) = 0;
};

}  // namespace berth::base
