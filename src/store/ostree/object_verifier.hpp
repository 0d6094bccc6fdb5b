// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of objects with their names.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "store/ostree/object_walk.hpp"
#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"

namespace berth::store {

/// Compares objects with their names, contents in two threads. Good objects are not read again, however many commits
/// have them.
class ObjectVerifier {
 public:
  /// @param repository, options must outlive it
  ObjectVerifier(const Repository& repository, const StoreOptions& options)
      : repository_(repository), options_(options) {}

  struct Result {
    std::size_t objects = 0;  ///< all objects of the commits
    std::vector<ObjectFault> faults;
  };

  /// Verifies commits and everything below, as far as directories can be read.
  /// @param name of the commits, for the progress
  /// @throws Interrupted
  Result verify(const std::string& name, const std::vector<Checksum>& commits);

  /// Verifies the remaining objects of the repository.
  std::vector<ObjectFault> verify_rest();

 private:
  const Repository& repository_;
  const StoreOptions& options_;
  ObjectSet good_;
};

/// Verifies a commit that is about to be deployed, unless nobody can have changed it or it was verified before.
/// @return whether other users can have changed it
/// @throws Error(verification) naming the damaged object
bool verify_before_use(const Repository& repository, const StoreOptions& options, const Checksum& commit);

/// After all commits were verified and found good: verifies the remaining objects and, if they are good as well, marks
/// the repository as private. @return the damaged objects
std::vector<ObjectFault> complete_verification(const Repository& repository, ObjectVerifier& verifier);

}  // namespace berth::store
