// SPDX-License-Identifier: LGPL-2.1-or-later
// Shared libraries that are loaded when they are first needed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace berth::base {

/// A library that the program does not link with, because loading one costs time at every start: libcurl and libostree
/// bring eighty more and take ten times as long as the rest of the start. Once loaded it stays.
///
/// A table of its functions names each as a member, typed after the library's own header:
/// `struct Curl { LateLibrary library{"libcurl.so.4"}; decltype(&::curl_easy_init) easy_init =
/// library["curl_easy_init"]; };`
/// BERTH_DLOPEN_NOTE beside the table declares the library to packaging tools.
class LateLibrary {
 public:
  /// The address of a function; converts to the function pointer type that it initializes.
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

  /// dlopen(3) with all symbols bound.
  /// @param name the soname, e.g. `libcurl.so.4`
  /// @throws Error(failed) when the library is not installed
  explicit LateLibrary(const char* name);

  /// @throws Error(failed) when the library has no such function
  Symbol operator[](const char* function) const;

 private:
  const char* name_;
  void* handle_;
};

/// An ELF note (elf(5)) of the section .note.dlopen; see BERTH_DLOPEN_NOTE.
template <std::size_t Size>
struct DlopenNote {
  std::uint32_t name_size;
  std::uint32_t description_size;
  std::uint32_t type;
  char name[4];
  char description[(Size + 3) / 4 * 4];
};

/// An aggregate rather than a class with a constructor, which g++ would put into a section that can be written to.
template <std::size_t Size>
consteval DlopenNote<Size> dlopen_note(const char (&json)[Size]) {
  DlopenNote<Size> note{4, Size, 0x407c0c0a, {'F', 'D', 'O', '\0'}, {}};
  for (std::size_t at = 0; at < Size; ++at) {
    note.description[at] = json[at];
  }
  return note;
}

}  // namespace berth::base

/// Declares a LateLibrary in the ELF metadata of the program, where tools that compute the dependencies of a package
/// find it: https://systemd.io/ELF_DLOPEN_METADATA/. All arguments but the first are string literals.
/// @param variable a name that is not used elsewhere in the file; the note is in one source file only
/// @param feature what needs the library, as a short id
/// @param priority `required`, `recommended` or `suggested`
// NOLINTBEGIN(cppcoreguidelines-macro-usage,bugprone-macro-parentheses): an attribute and adjacent literals
#define BERTH_DLOPEN_NOTE(variable, soname, feature, description, priority)                     \
  [[gnu::used, gnu::section(".note.dlopen")]] alignas(4) constexpr auto variable =              \
      ::berth::base::dlopen_note("[{\"feature\":\"" feature "\",\"description\":\"" description \
                                 "\",\"priority\":\"" priority "\",\"soname\":[\"" soname "\"]}]")
// NOLINTEND(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)
