// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/terminal/exit_code.hpp"

namespace berth::cli {

int exit_code(base::ErrorKind kind) {
  switch (kind) {
    case base::ErrorKind::failed:
      return 1;
    case base::ErrorKind::usage:
      return 2;
    case base::ErrorKind::not_found:
      return 3;
    case base::ErrorKind::conflict:
      return 4;
    case base::ErrorKind::not_permitted:
      return 5;
    case base::ErrorKind::verification:
      return 6;
    case base::ErrorKind::start_failed:
      return 7;
  }
  return 1;
}

}  // namespace berth::cli
