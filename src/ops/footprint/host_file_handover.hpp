// Host files of containers that were installed before a file could belong to several.
#pragma once

#include <string>
#include <vector>

#include "ops/context.hpp"
#include "ops/journal_record.hpp"

namespace berth::ops {

/// Gives a file to another container whose image brings just the same: it found the file there when it was installed,
/// and recorded nothing. Its info file says then that it has it.
/// @param name the container that goes
/// @return the one that has the file now; empty when there is none
std::string hand_over(const Context& context, const std::string& name, const NotedFile& file);

/// The other containers whose images bring a file of other content to the same path: they found this one there, and are
/// without any when it goes. Files that an image names otherwise on the host are not seen.
/// @param name the container that goes, or brings the file no longer
std::vector<std::string> left_without(const Context& context, const std::string& name, const NotedFile& file);

/// What a container that left_without named is told of.
std::string left_without_words(const std::string& path, const std::string& name);

}  // namespace berth::ops
