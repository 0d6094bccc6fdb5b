// SPDX-License-Identifier: LGPL-2.1-or-later
// Error: the message, and the kind that decides the exit code. Interrupted: a request to stop.
#pragma once

#include <cerrno>
#include <cstddef>
#include <exception>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace berth::base {

/// Each kind maps to one exit code; the table is in cli/terminal/exit_code.cpp and in berth(8).
enum class ErrorKind {
  failed,         ///< 1: it did not work
  usage,          ///< 2: the command line or a value given there is wrong
  not_found,      ///< 3: image, container or file does not exist
  conflict,       ///< 4: a name, file or lock is taken
  not_permitted,  ///< 5: the user or the system does not allow it
  verification,   ///< 6: bytes are not what their digest or format says
  start_failed,   ///< 7: the service did not start and was rolled back
};

/// A refusal or a failure. Callers add context lines ("installing etcd"), innermost first.
class Error : public std::exception {
 public:
  /// @param message one lower-case line that names the object and the reason
  /// @param hint how to remedy it
  /// @param details what a program or a log says about it, any number of lines; not the remedy
  Error(ErrorKind kind, std::string message, std::string hint = {}, std::string details = {});

  /// Adds the next outer context line.
  void add_context(std::string line);

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  [[nodiscard]] const std::string& details() const noexcept { return details_; }
  [[nodiscard]] const std::vector<std::string>& contexts() const noexcept { return contexts_; }
  /// The contexts, outermost first, and the message, on one line. Neither hint nor details.
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::string details_;
  std::vector<std::string> contexts_;
  std::string what_;
};

/// The user asked to stop, by SIGINT or SIGTERM; exit code 130. It derives neither from Error nor from std::exception,
/// so that handlers of failures let it pass. Code that restores a state on every way out uses `catch (...)` or a
/// destructor.
class Interrupted {
 public:
  /// @param hint what is left to do, when the command could not take everything back
  explicit Interrupted(std::string hint = {}) : hint_(std::move(hint)) {}
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  std::string hint_;
};

/// Throws the failure of a system call: "cannot WHAT: strerror(code)". EACCES, EPERM and EROFS become not_permitted,
/// ENOENT not_found, EEXIST conflict, all others failed. Most have a hint; EACCES and EPERM have one for root only.
/// @param what the attempted action and its object, e.g. "open /etc/passwd"
[[noreturn]] void throw_errno(std::string_view what, int code = errno);

/// Returns `result` when it is not negative, otherwise throws errno as throw_errno does.
int check_errno(int result, std::string_view what);

/// Throws Interrupted.
[[noreturn]] void throw_interrupted();

/// The message of the exception that is being handled, for destructors and undo steps, which report it and go on.
/// @return what() of a std::exception, "interrupted" for Interrupted
std::string current_message() noexcept;

/// Text from outside, such as a name in an image or an answer of a server, as part of a message: one line, as
/// shown_line (base/shown_text.hpp) makes it. @param limit bytes of `text`; the rest is replaced by `...`
std::string printable(std::string_view text, std::size_t limit = 255);

/// Runs `work`; an Error that leaves it gets `context` as its next context line. Interrupted has no context.
/// @param context a string, or a callable returning one (evaluated only on failure)
template <typename Context, typename Work>
decltype(auto) in_context(Context&& context, Work&& work) {
  try {
    return std::forward<Work>(work)();
  } catch (Error& error) {
    if constexpr (std::is_invocable_v<Context>) {
      error.add_context(context());
    } else {
      error.add_context(std::string(std::forward<Context>(context)));
    }
    throw;
  }
}

}  // namespace berth::base
