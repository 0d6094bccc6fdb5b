// How rooms speak to whoever called them. Rooms never print.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::base {

/// Where a piece of longer work stands.
enum class ProgressPhase { waiting, working, done };

/// What `done` and `total` count.
enum class ProgressUnit { bytes, files };

/// State of one piece of longer work, e.g. one layer of a pull. Whoever makes such pieces reports each at most ten
/// times a second, and in the phase `done` when it is over; a piece that fails ends with the Error instead.
struct Progress {
  std::string id;           ///< stable identity of the piece, e.g. a short digest
  std::string label;        ///< what is being done, in a word or two: "fetching", "present", "done"
  std::uint64_t done = 0;   ///< in `unit`
  std::uint64_t total = 0;  ///< in `unit`; 0 when unknown
  ProgressPhase phase = ProgressPhase::working;
  ProgressUnit unit = ProgressUnit::bytes;
};

/// Receives what happens. Calls may come from several threads at once.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A step began or a fact is worth telling ("layer abc123 present").
  virtual void step(std::string_view message) = 0;
  virtual void progress(const Progress& progress) = 0;
  /// Something the user should know; the work goes on.
  virtual void warning(std::string_view message) = 0;
};

}  // namespace berth::base
