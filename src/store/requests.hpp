// SPDX-License-Identifier: LGPL-2.1-or-later
// Requests to a store and their results: plain values, without libostree's types.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/ostree/options.hpp"

namespace berth::store {

/// How objects of another repository are taken over.
enum class ImportedFiles {
  linked,           ///< by hard links where possible: no other user can change them there
  verified_copies,  ///< other users could change them: each is compared with its name and copied
};

/// One image or intermediate layer in the repository.
struct StoredImage {
  std::string branch;               ///< `ociimage/…`
  std::string name;                 ///< decoded image name; empty for a layer
  std::string id;                   ///< image id: hex digest of the image configuration; for a layer its digest
  std::string commit;               ///< OSTree commit; the merged tree of an image
  std::string manifest;             ///< exact manifest text; empty for layers
  std::string manifest_digest;      ///< `sha256:…`
  std::int64_t created = 0;         ///< epoch seconds of the image, or of the commit
  std::int64_t size = 0;            ///< bytes of the unpacked layers, 0 when unknown
  bool merged = false;              ///< false for images of `atomic`, whose commit is not the merged tree
  std::vector<std::string> layers;  ///< hex digests, lowest first
  std::string config;               ///< image configuration text when stored, else empty
  bool elsewhere = false;           ///< only StoreOptions::read_only has it
  bool present = true;              ///< false: only the branch is known, see Store::lost
};

struct PullResult {
  StoredImage image;
  bool changed = false;  ///< false: everything was present already
  std::size_t layers_fetched = 0;
  std::size_t layers_present = 0;
  std::uint64_t bytes_fetched = 0;  ///< compressed bytes
  std::uint64_t skipped_nodes = 0;  ///< device nodes, fifos and sockets that were left out
};

/// The location of an object: a commit, and a path in its tree.
struct ObjectPlace {
  std::string commit;
  std::string path;  ///< absolute in the image
};

/// An object that does not match its name.
struct DamagedObject {
  std::string object;  ///< `HEX.file`, `HEX.dirtree`…
  std::string kind;    ///< file, directory, attributes (of directories), commit
  bool missing = false;
  std::vector<ObjectPlace> places;
};

/// A checkout that differs from its commit, although the objects may be good.
struct DamagedCheckout {
  std::string path;
  std::vector<std::string> changed;  ///< absolute in the image
  std::vector<std::string> missing;
};

struct VerifyRequest {
  /// Commits that are reported on together.
  struct Group {
    std::string name;  ///< for the progress
    std::vector<std::string> commits;
  };
  std::vector<Group> groups;
  std::vector<std::string> users;  ///< other commits in which the locations of damaged objects are reported
  std::vector<CheckedOut> checkouts;
  /// The groups are all images of the repository: if neither their objects nor the remaining ones are damaged, its
  /// commits need no further check before they are deployed.
  bool all = false;
};

struct VerifyReport {
  std::vector<std::uint64_t> objects;  ///< their number in each group
  std::vector<DamagedObject> damaged;
  std::vector<DamagedCheckout> checkouts;
};

/// What deployments use, whether or not a branch names it.
struct CommitsInUse {
  std::vector<std::string> commits;
  /// Whether there is a deployment whose commit is not known. If so, all stored commits count as in use.
  bool some_unknown = false;
};

struct PruneRequest {
  bool dry_run = false;
  /// Called twice, the second time under the lock.
  std::function<CommitsInUse()> in_use;
  /// Called under the lock, before anything is removed; not called by a dry run. May be empty.
  std::function<void()> clean_up;
};

struct PruneReport {
  std::size_t layers = 0;            ///< branches of layers
  std::vector<std::string> removed;  ///< those branches: `ociimage/HEX`
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;  ///< on the disk; contents that a deployment links to free none
};

}  // namespace berth::store
