// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/ostree/repository_config.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "store/ostree/glib.hpp"

namespace berth::store {
namespace {

using KeyFilePtr = std::unique_ptr<GKeyFile, FreeWith<g_key_file_unref>>;

constexpr const char* section = "core";
constexpr const char* known_version = "1";

/// The modes of ostree.repo-config(5); any other means that the file is damaged.
constexpr std::array<std::string_view, 6> modes = {"bare",    "bare-user", "bare-user-only", "bare-split-xattrs",
                                                   "archive", "archive-z2"};

class Reader {
 public:
  Reader(const std::string& text, const std::string& path) : file_(g_key_file_new()), path_(path) {
    Failure failure;
    if (g_key_file_load_from_data(file_.get(), text.data(), text.size(), G_KEY_FILE_NONE, failure.out()) == 0) {
      refuse_damaged(failure.message());
    }
  }

  [[nodiscard]] std::optional<std::string> text(const char* key) const {
    const CharsPtr value(g_key_file_get_value(file_.get(), section, key, nullptr));
    return value ? std::optional<std::string>(value.get()) : std::nullopt;
  }

  [[nodiscard]] bool flag(const char* key, bool otherwise) const {
    if (!text(key)) {
      return otherwise;
    }
    Failure failure;
    const bool value = g_key_file_get_boolean(file_.get(), section, key, failure.out()) != 0;
    if (!failure.message().empty()) {
      refuse(failure.message());
    }
    return value;
  }

  /// Digits, followed by one of `units` unless that is empty.
  [[nodiscard]] std::uint64_t number(std::string_view key, const std::string& value, std::uint64_t limit,
                                     std::string_view unit = {}) const {
    std::uint64_t result = 0;
    const auto* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, result);
    if (error != std::errc() || std::string_view(rest, static_cast<std::size_t>(end - rest)) != unit ||
        result > limit) {
      refuse(fmt::format("{} is '{}'", key, value));
    }
    return result;
  }

  [[noreturn]] void refuse(std::string_view reason) const {
    throw base::Error(base::ErrorKind::failed, fmt::format("cannot open the repository {}: {}", path_, reason),
                      fmt::format("correct the line in {}/config, or remove it; see ostree.repo-config(5)", path_));
  }

  /// For text that no program writes.
  [[noreturn]] void refuse_damaged(std::string_view reason) const { throw damaged_config(path_, reason); }

 private:
  KeyFilePtr file_;
  const std::string& path_;
};

void check_mode(const Reader& reader, RepositoryMode wanted, const std::string& path) {
  const auto version = reader.text("repo_version");
  const auto mode = reader.text("mode");
  if (!version || version->find_first_not_of("0123456789") != std::string::npos || version->empty()) {
    reader.refuse_damaged("it has no valid version");
  }
  if (!mode) {
    reader.refuse_damaged("it has no mode");
  }
  if (version != known_version) {
    throw base::Error(
        base::ErrorKind::failed, fmt::format("cannot open the repository {}: its version is not supported", path),
        fmt::format("unless a newer program created it, write `repo_version={}` into {}/config", known_version, path));
  }
  if (std::find(modes.begin(), modes.end(), *mode) == modes.end()) {
    reader.refuse_damaged(fmt::format("it has the unknown mode '{}'", base::printable(*mode)));
  }
  if (*mode != name_of(wanted)) {
    throw base::Error(
        base::ErrorKind::conflict,
        fmt::format("the repository {} is {}, and {} is needed", path, base::printable(*mode), name_of(wanted)),
        "name another repository in berth.conf");
  }
}

std::uint64_t free_bytes(const Reader& reader) {
  constexpr const char* key = "min-free-space-size";
  constexpr std::array<std::pair<char, unsigned>, 3> units = {{{'M', 20}, {'G', 30}, {'T', 40}}};
  const auto text = reader.text(key);
  if (!text) {
    return 0;
  }
  for (const auto& [letter, shift] : units) {
    if (const std::string unit{letter, 'B'}; text->ends_with(unit)) {
      return reader.number(key, *text, UINT64_MAX >> shift, unit) << shift;
    }
  }
  reader.refuse(fmt::format("{} is '{}', which does not end with MB, GB or TB", key, *text));
}

}  // namespace

base::Error damaged_config(const std::string& path, std::string_view reason) {
  return {base::ErrorKind::verification,
          fmt::format("the configuration of the repository, {}/config, is damaged: {}", path, reason)};
}

std::string_view name_of(RepositoryMode mode) {
  return mode == RepositoryMode::bare ? "bare" : "bare-user";
}

std::uint64_t RepositoryConfig::reserve(int directory) const {
  if (free_bytes > 0) {
    return free_bytes;
  }
  struct statvfs status {};
  base::check_errno(::fstatvfs(directory, &status), "query the free space of the repository");
  constexpr double hundred = 100.0;
  const auto size = static_cast<double>(status.f_blocks) * static_cast<double>(status.f_frsize);
  return static_cast<std::uint64_t>(size * (free_percent / hundred));
}

RepositoryConfig parse_repository_config(const std::string& text, RepositoryMode wanted, const std::string& path) {
  const Reader reader(text, path);
  check_mode(reader, wanted, path);
  constexpr std::chrono::seconds longest = std::chrono::hours(24 * 365);
  constexpr std::uint64_t highest = 99;  // percent
  RepositoryConfig config;
  config.mode = wanted;
  config.sync = reader.flag("fsync", true);
  config.locking = reader.flag("locking", true);
  config.free_bytes = free_bytes(reader);
  if (const auto value = reader.text("min-free-space-percent")) {
    config.free_percent = static_cast<unsigned>(reader.number("min-free-space-percent", *value, highest));
  }
  if (const auto value = reader.text("lock-timeout-secs")) {
    const bool endless = *value == "-1";
    config.lock_timeout =
        endless ? longest
                : std::chrono::seconds(reader.number("lock-timeout-secs", *value, std::uint64_t(longest.count())));
  }
  return config;
}

}  // namespace berth::store
