// SPDX-License-Identifier: LGPL-2.1-or-later
// Headers that most files of the product use, compiled once. A file still includes what it uses: it must
// compile without this.
#ifndef BERTH_PRODUCT_HPP  // `pragma once` is not for a file that is compiled itself
#define BERTH_PRODUCT_HPP

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#endif
