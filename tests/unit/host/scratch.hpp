// SPDX-License-Identifier: LGPL-2.1-or-later
// A temporary directory, and errors, for the tests of host.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "host/layout.hpp"

namespace berth::host::testing {

/// A new directory, removed with its content on destruction.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "berth-host-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string at(const std::string& below) const { return path_ + "/" + below; }
  [[nodiscard]] base::Fd open() const { return base::open_host_directory(path_); }
  [[nodiscard]] bool has(const std::string& below) const {
    return std::filesystem::symlink_status(at(below)).type() != std::filesystem::file_type::not_found;
  }

  void directory(const std::string& below) const { std::filesystem::create_directories(at(below)); }
  void file(const std::string& below, const std::string& text, mode_t mode = 0644) const {
    std::filesystem::create_directories(std::filesystem::path(at(below)).parent_path());
    std::ofstream(at(below), std::ios::binary) << text;
    ::chmod(at(below).c_str(), mode);
  }
  void link(const std::string& below, const std::string& target) const {
    std::filesystem::create_directories(std::filesystem::path(at(below)).parent_path());
    std::filesystem::create_symlink(target, at(below));
  }
  [[nodiscard]] std::string text(const std::string& below) const {
    std::ifstream stream(at(below), std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] std::string target(const std::string& below) const {
    return std::filesystem::read_symlink(at(below)).string();
  }
  [[nodiscard]] struct stat status(const std::string& below) const {
    struct stat status {};
    EXPECT_EQ(0, ::lstat(at(below).c_str(), &status)) << below;
    return status;
  }
  /// All paths below, sorted, one per line, for comparisons.
  [[nodiscard]] std::string listing() const {
    std::vector<std::string> lines;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
      lines.push_back(entry.path().lexically_relative(path_).string());
    }
    std::sort(lines.begin(), lines.end());
    std::string all;
    for (const std::string& line : lines) {
      all += line + "\n";
    }
    return all;
  }

 private:
  std::string path_;
};

/// The paths of a root that is not running.
inline Layout layout_in(const Scratch& root) {
  LayoutSettings settings;
  settings.root = root.path();
  return Layout(settings);
}

/// Runs `work` and returns the Error that it must throw.
template <typename Work>
base::Error error_of(Work work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {base::ErrorKind::failed, "nothing was thrown"};
}

}  // namespace berth::host::testing
