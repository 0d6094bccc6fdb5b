// What most files of the product include, compiled once. A file still names what it uses: it also has to compile
// without this.
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
