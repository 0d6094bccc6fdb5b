// SPDX-License-Identifier: LGPL-2.1-or-later
// Options of a store.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/reporter.hpp"

namespace berth::store {

enum class RepositoryMode { bare, bare_user };

/// How files are checked out: as hard links to the repository's objects, or as copies, which cost time and space.
enum class CheckoutFiles { linked, copied };

/// Who writes objects; the result is the same.
enum class ObjectAuthor { own, libostree };

/// When a pull syncs: at its end, or repeatedly, so that other programs wait less when they sync.
enum class Durability { fast, gentle };

struct StoreOptions {
  std::string repository;  ///< absolute path; created with its parents when missing
  /// Absolute path of a second repository, which other users may be able to change. Its images are found as well; those
  /// that are used are verified and copied. Nothing is written to it. Empty when it is not set.
  std::string read_only;
  RepositoryMode mode = RepositoryMode::bare;
  bool recovered = false;  ///< `berth recover` repairs its configuration; for hints
  unsigned parallel_layers = 2;
  ObjectAuthor writer = ObjectAuthor::own;
  Durability durability = Durability::fast;
  std::chrono::seconds lock_timeout{30};  ///< for commands that prune or repair
  std::stop_token stop;
  base::Reporter* reporter = nullptr;  ///< not owned; required
};

/// A checkout of a commit, at `path`, a directory on this machine.
struct CheckedOut {
  std::string commit;
  std::string path;
  bool whole = true;  ///< false: it is still being created, or the commit has only part of its files
};

}  // namespace berth::store
