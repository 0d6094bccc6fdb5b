// SPDX-License-Identifier: LGPL-2.1-or-later
#include "cli/application.hpp"

int main(int argc, char** argv) {
  return berth::cli::run(argc, argv);
}
