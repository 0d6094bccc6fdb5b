// How a store is to be used, for everything in it.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "base/reporter.hpp"

namespace berth::store {

enum class RepositoryMode { bare, bare_user };

/// Files of a checkout: hard links to the repository's objects, which nobody may write to, or copies, which cost time
/// and space.
enum class CheckoutFiles { linked, copied };

/// Who writes objects. They are the same in the end.
enum class ObjectAuthor { own, libostree };

/// When a pull writes to the disk: beside its work, or waiting for it again and again, so that others who sync wait
/// less.
enum class Durability { fast, gentle };

struct StoreOptions {
  std::string repository;  ///< absolute path; created with its parents when missing
  /// Absolute path of another one, which others may enter and change: its images are found, too, and those that are to
  /// be used are taken over as examined copies. Nothing is written to it. Empty: none.
  std::string read_only;
  RepositoryMode mode = RepositoryMode::bare;
  bool recovered = false;  ///< `berth recover` looks after it, for hints
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
  bool whole = true;  ///< false: it is still being made, or the commit says only in part what is in it
};

}  // namespace berth::store
