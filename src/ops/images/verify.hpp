// SPDX-License-Identifier: LGPL-2.1-or-later
// berth images verify: checks stored images and deployments for damage, and queries the registries for newer images.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.hpp"
#include "ops/context.hpp"

namespace berth::ops {

struct VerifyRequest {
  std::vector<std::string> images;  ///< names, ids or containers; empty: everything
  bool remote = true;               ///< query the registries, too
  std::string authfile;
};

/// A damaged or missing object of an image.
struct DamagedFile {
  std::string object;  ///< CHECKSUM.TYPE, as OSTree names it; the branch for the kind `branch`
  std::string kind;    ///< file, directory, attributes, commit, branch
  bool missing = false;
  std::vector<std::string>
      paths;  ///< in the image, or `layer HEX: PATH` when only a layer has it; of a branch: its file
  std::vector<std::string> containers;  ///< with a deployment, live or not, that has it
};

/// A deployment whose files differ from its image.
struct DamagedDeployment {
  std::string container;
  std::string path;  ///< its root file system
  bool live = false;
  std::vector<std::string> changed;  ///< absolute in the image
  std::vector<std::string> missing;
  std::string reason;       ///< why another file of the deployment is damaged; then the lists are empty
  bool unreadable = false;  ///< that file is `info`
};

enum class RemoteState {
  not_asked,
  none,  ///< the image has no registry, or its name contains a digest
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
  std::string remote_id;      ///< image ID in the registry, when it is known
  std::string remote_reason;  ///< why it is not known
};

/// @throws Error(not_found) for an image that is not stored
std::vector<VerifiedImage> verify_images(Context& context, const VerifyRequest& request);

/// @return `not asked`, `none`, `latest`, `newer` or `unknown`
std::string_view name_of(RemoteState state);

base::Json to_json(const DamagedFile& file);
base::Json to_json(const DamagedDeployment& deployment);

/// berth-images-verify.schema.json
base::Json to_json(const std::vector<VerifiedImage>& images);

}  // namespace berth::ops
