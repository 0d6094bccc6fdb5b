// SPDX-License-Identifier: LGPL-2.1-or-later
// Host files that several containers provide, recorded by versions of berth which gave each file one owner.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// Hands a host file over to another container whose image provides the same file, and which did not record it because
/// the file existed when it was installed. Adds the file to that container's info.
/// @param name the container that is removed
/// @return the container that owns the file now; empty when no other container provides it
std::string hand_over(const Context& context, const std::string& name, const RecordedFile& file);

/// Finds other containers whose images provide a different file for the same path. The path was taken when they were
/// installed, so they are without the file when this one is removed. Files that an image renames on the host are not
/// found.
/// @param name the container that is removed, or whose new version does not provide the file
/// @return names of the containers
std::vector<std::string> left_without(const Context& context, const std::string& name, const RecordedFile& file);

/// @return the warning about a container that left_without returned
std::string describe_left_without(const std::string& path, const std::string& name);

}  // namespace berth::ops
