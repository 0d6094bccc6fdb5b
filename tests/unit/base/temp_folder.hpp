// A real folder for one test, and checks of the errors that come out of it.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"

namespace berth::base::test {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "berth-base-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
    fd_ = open_host_folder(path_.string());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
  Fd fd_;
};

/// Runs `work` and returns the Error it must throw.
template <typename Work>
Error error_of(Work work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "expected an Error";
  return {ErrorKind::failed, "no error"};
}

}  // namespace berth::base::test
