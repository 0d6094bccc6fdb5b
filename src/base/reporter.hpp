// SPDX-License-Identifier: LGPL-2.1-or-later
// The interface through which long work reports to its caller. Only the caller knows whether a terminal, a D-Bus job or
// an HTTP stream shows it: progress is ids and numbers, messages are plain text without layout or control characters.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace berth::base {

/// State of a piece of long work.
enum class ProgressPhase { waiting, working, done };

/// What a piece of long work does.
enum class ProgressTask {
  resolving,     ///< the name of an image, at its source
  fetching,      ///< a layer into the store
  present,       ///< a layer that the store has already; reported as done only
  merging,       ///< the layers of an image
  writing,       ///< objects of an image to disk
  checking_out,  ///< an image into a directory
  comparing,     ///< checkouts with the store
  checking,      ///< objects against their checksums
  marking,       ///< objects in use, before a prune
  removing,      ///< objects that are not in use
  starting,      ///< a unit
  stopping,      ///< a unit
  applying,      ///< the steps of a change: install, update, rollback, uninstall; the last value
};

/// What `done` and `total` count.
enum class ProgressUnit { bytes, files, objects, steps };

/// State of one piece of long work, e.g. one layer of a pull. Each piece is reported at most ten times a second, and
/// in the phase `done` at its end. A piece that fails ends with an exception and need not be reported again.
struct Progress {
  std::string id;  ///< identifies the piece: short digest of a layer, name of an image, unit or container
  ProgressTask task = ProgressTask::fetching;
  std::uint64_t done = 0;   ///< in `unit`
  std::uint64_t total = 0;  ///< in `unit`; 0 when unknown
  ProgressPhase phase = ProgressPhase::working;
  ProgressUnit unit = ProgressUnit::bytes;
};

/// Receives events. Several threads may call it at once.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A step of the work began or ended, e.g. "layer abc123 present". @param message one line
  virtual void step(std::string_view message) = 0;
  virtual void progress(const Progress& progress) = 0;
  /// A problem that does not end the work. @param message one line; the remedy, if any, after a semicolon
  virtual void warning(std::string_view message) = 0;
};

}  // namespace berth::base
