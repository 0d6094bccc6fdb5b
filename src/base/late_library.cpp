// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/late_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "base/error.hpp"

namespace berth::base {
namespace {

[[noreturn]] void refuse(const char* name) {
  const char* reason = ::dlerror();
  throw Error(ErrorKind::failed, fmt::format("cannot load {}: {}", name, reason == nullptr ? "no reason" : reason),
              "install the package of that library");
}

}  // namespace

LateLibrary::LateLibrary(const char* name) : name_(name), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) {
    refuse(name);
  }
}

LateLibrary::Symbol LateLibrary::operator[](const char* function) const {
  void* address = ::dlsym(handle_, function);
  if (address == nullptr) {
    refuse(name_);
  }
  return Symbol(address);
}

}  // namespace berth::base
