// What went wrong, in words for a person, and the kind that decides the exit code.
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
  interrupted,    ///< 130: SIGINT or SIGTERM
};

/// A refusal or failure. `sentence` names the thing and the reason, `hint` the remedy.
/// Rooms add context lines at their borders ("while installing etcd"), innermost first.
class Error : public std::exception {
 public:
  Error(ErrorKind kind, std::string message, std::string hint = {});

  /// Adds the next outer context line.
  void add_context(std::string line);

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
  [[nodiscard]] const std::vector<std::string>& contexts() const noexcept { return contexts_; }
  /// The whole error on one line: outermost context first, then the sentence.
  [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

 private:
  void compose();

  ErrorKind kind_;
  std::string message_;
  std::string hint_;
  std::vector<std::string> contexts_;
  std::string what_;
};

/// Throws the failure of a system call: "cannot WHAT: strerror(code)". EACCES, EPERM and EROFS become
/// not_permitted, ENOENT not_found, EEXIST conflict, everything else failed; ENOSPC gets a hint.
/// @param what the attempted action and its object, e.g. "open /etc/passwd"
[[noreturn]] void throw_errno(std::string_view what, int code = errno);

/// Returns `result` when it is not negative, otherwise throws errno as throw_errno does.
int check_errno(int result, std::string_view what);

/// Throws ErrorKind::interrupted.
[[noreturn]] void throw_interrupted();

/// Text from outside (a name in an image, an answer of a server) made fit for a message: bytes that are not printable
/// ASCII become `?`, and what is over `limit` bytes is cut off.
std::string printable(std::string_view text, std::size_t limit = 255);

/// Runs `work`; an Error that leaves it gets `context` as its next context line.
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
