// Shared libraries that are loaded when they are first needed.
#pragma once

namespace berth::base {

/// A library that the program does not link with, for what it takes to load one is paid at every start of the program:
/// libcurl and libostree bring eighty more and cost ten times what the rest of the start does. It stays loaded.
///
/// A table of its functions names each as a member, typed after the library's own header:
/// `struct Curl { LateLibrary library{"libcurl.so.4"}; decltype(&::curl_easy_init) easy_init =
/// library["curl_easy_init"]; };`
class LateLibrary {
 public:
  /// The address of a function, which becomes whatever type of function pointer it is given to.
  class Symbol {
   public:
    template <typename Function>
    operator Function*() const noexcept {  // NOLINT(google-explicit-constructor): it stands in an initializer
      return reinterpret_cast<Function*>(address_);
    }

   private:
    friend class LateLibrary;
    explicit Symbol(void* address) : address_(address) {}
    void* address_;
  };

  /// dlopen(3) with all symbols bound. @param name as the dynamic loader looks for it, with its major version
  /// @throws Error(failed) when it is not there
  explicit LateLibrary(const char* name);

  /// @throws Error(failed) when the library has no such function
  Symbol operator[](const char* function) const;

 private:
  const char* name_;
  void* handle_;
};

}  // namespace berth::base
