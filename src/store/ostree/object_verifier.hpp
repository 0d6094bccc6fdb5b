// Whether objects are what their names say.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/ostree/object_walk.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Compares objects with their names, contents in two threads. What was found good is not looked at again, however
/// many commits have it.
class ObjectVerifier {
 public:
  /// @param repository, options must outlive it
  ObjectVerifier(const Repository& repository, const StoreOptions& options)
      : repository_(repository), options_(options) {}

  struct Result {
    std::size_t objects = 0;  ///< all that the commits consist of
    std::vector<ObjectFault> faults;
  };

  /// Examines commits and everything below, as far as directories can be read.
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

/// Examines a commit that is about to be deployed, unless it cannot have been changed or was examined before.
/// @return whether it can have been changed. @throws Error(verification) naming what is damaged
bool examine_before_use(const Repository& repository, const StoreOptions& options, const Checksum& commit);

/// After an examination of all commits that found nothing: examines the rest, and if that is sound, too, the repository
/// is one that nobody can have changed. @return what is damaged
std::vector<ObjectFault> complete_examination(const Repository& repository, ObjectVerifier& verifier);

}  // namespace berth::store
