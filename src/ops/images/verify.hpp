// berth images verify: is there something newer, and is what is stored still what was fetched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/context.hpp"

namespace berth::ops {

struct VerifyRequest {
  std::vector<std::string> images;  ///< names, ids or containers; empty: everything
  bool remote = true;               ///< ask the registries, too
  std::string authfile;
};

/// One damaged or missing object, as it concerns one image.
struct DamagedFile {
  std::string object;  ///< OSTree's name
  std::string kind;    ///< file, directory, attributes, commit; branch, whose only path is that of its file
  bool missing = false;
  std::vector<std::string> paths;       ///< in the image; `layer HEX: PATH` for what only a layer has
  std::vector<std::string> containers;  ///< whose deployments, either slot, have it
};

/// A deployment that is not what its image is, although what is stored may be.
struct DamagedDeployment {
  std::string container;
  std::string path;  ///< its root file system
  bool live = false;
  std::vector<std::string> changed;  ///< absolute in the image
  std::vector<std::string> missing;
  std::string reason;       ///< what is damaged of the files beside it; then there is no more to say
  bool unreadable = false;  ///< that is its description, the file `info`
};

enum class RemoteState {
  not_asked,
  none,  ///< the image came from somewhere else, or its name holds a digest
  latest,
  newer,    ///< the registry has another image under that name
  unknown,  ///< see `remote_reason`
};

struct VerifiedImage {
  std::string name;
  std::string id;
  std::uint64_t objects = 0;
  std::vector<DamagedFile> damaged;
  std::vector<DamagedDeployment> deployments;  ///< by path
  RemoteState remote = RemoteState::not_asked;
  std::string remote_id;      ///< image id in the registry, when it is known
  std::string remote_reason;  ///< why it is not known
};

/// @throws Error(not_found) for an image that is not stored
std::vector<VerifiedImage> verify_images(Context& context, const VerifyRequest& request);

}  // namespace berth::ops
