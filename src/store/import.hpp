// SPDX-License-Identifier: LGPL-2.1-or-later
// Images of another repository on this machine.
#pragma once

#include <string>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// As Store::import_from.
void import_repository(const Repository& repository, const StoreOptions& options, const std::string& path,
                       ImportedFiles files);

}  // namespace berth::store
