// What is done about a container whose note of an unfinished change cannot be read.
#pragma once

#include <string>

#include "ops/context.hpp"

namespace berth::ops {

/// Goes by what is on the disk instead: what waits aside takes its place where the live deployment says so, and goes
/// otherwise; then the note is removed. The caller holds the container's lock.
/// @throws Error when the disk does not tell either, with the remedy; then nothing has changed
void settle_without_note(Context& context, const std::string& name);

}  // namespace berth::ops
