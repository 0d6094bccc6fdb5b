// SPDX-License-Identifier: LGPL-2.1-or-later
// Auth files of podman, skopeo and docker. `s3cr3t` is a secret that no message may quote, unless it is in the name of
// a credential helper, which is not secret.
#include "source/registry/credentials.hpp"

#include "harness.hpp"

namespace {

using namespace berth;

void check(const std::string& path, const std::string& registry, const std::string& repository) {
  fuzz::QuietReporter reporter;
  try {
    const auto found = source::find_credentials(registry, repository, {path, {}, &reporter});
    fuzz::require(!found || !found->username.empty() || !found->identity_token.empty(),
                  "a login has a user or a token");
  } catch (const base::Error& error) {
    const std::string words = error.what() + error.hint();
    fuzz::require(fuzz::is_showable(words), "an error is fit to be shown", words);
    const bool names_helper = words.find("docker-credential-") != std::string::npos;
    fuzz::require(names_helper || words.find("s3cr3t") == std::string::npos, "no message quotes a secret", words);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // No credential helper can be found.
  static const int no_programs = ::setenv("PATH", "/nonexistent", 1);
  fuzz::require(no_programs == 0, "the environment can be set");
  const fuzz::InputFile file(fuzz::text_of(data, size));
  check(file.path(), "registry.example:5000", "team/app");
  check(file.path(), "docker.io", "library/busybox");
  return 0;
}
