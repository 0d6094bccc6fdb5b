// Whether objects are what their names say.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/object_walk.hpp"
#include "store/repository.hpp"

namespace berth::store {

/// Compares objects with their names, contents in two threads. What was found good is not looked at again, however
/// many commits have it.
class Examination {
 public:
  /// @param repository, options must outlive it
  Examination(const Repository& repository, const StoreOptions& options) : repository_(repository), options_(options) {}

  struct Result {
    std::size_t objects = 0;  ///< all that the commits consist of
    std::vector<ObjectFault> faults;
  };

  /// Examines commits and everything below, as far as folders can be read.
  /// @param name of what is examined, for the progress
  /// @throws Error(interrupted)
  Result examine(const std::string& name, const std::vector<Checksum>& commits);

  /// Examines what the repository has besides.
  std::vector<ObjectFault> examine_rest();

 private:
  const Repository& repository_;
  const StoreOptions& options_;
  ObjectSet good_;
};

}  // namespace berth::store
