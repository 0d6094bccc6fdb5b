// SPDX-License-Identifier: LGPL-2.1-or-later
// Comparison of stored objects with their names.
#pragma once

#include <vector>

#include "store/ostree/options.hpp"
#include "store/ostree/repository.hpp"
#include "store/requests.hpp"

namespace berth::store {

/// As Store::verify.
VerifyReport verify_repository(const Repository& repository, const StoreOptions& options, const VerifyRequest& request);

/// `HEX.file`, `HEX.dirtree`, `HEX.dirmeta`, `HEX.commit`.
std::string object_text(const ObjectName& name);

}  // namespace berth::store
