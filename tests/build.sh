# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by ./test and ./demo: the build directories. The current directory is the top of the source tree.
# shellcheck shell=bash

# What ccache requires for objects that are compiled with a precompiled header.
export CCACHE_SLOPPINESS=pch_defines,time_macros

# configure DIRECTORY OPTIONS…: sets a build directory up when it is not there; CXX names the compiler.
configure() {
  local directory=$1 log
  shift
  if [ -e "$directory/build.ninja" ]; then
    return 0
  fi
  log=$(mktemp)
  rm -rf "$directory"
  if ! meson setup "$directory" --prefix=/usr --sysconfdir=/etc --localstatedir=/var --werror --wrap-mode=nodownload "$@" \
    > "$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# -Wrestrict of g++ 12 sees overlapping copies in std::string where there are none (GCC bug 105651).
# Debug information takes a third of the time; those who look for a fault have lines in build-asan.
configure_gcc() { CXX="ccache g++" configure "$1" -Dcpp_args=-Wno-restrict -Ddebug=false "${@:2}"; }

build_gcc() { configure_gcc build && ninja -C build --quiet "${@:-product}"; }

# Without tests and optimisation, which is ready in half the time.
build_demo() { configure_gcc build-demo -Dtests=false -Dbuildtype=plain -Doptimization=0 && ninja -C build-demo --quiet; }

# Reports of sanitizers need only line tables; add -g to debug. configure_clang DIRECTORY OPTIONS…
configure_clang() {
  CXX="ccache clang++" configure "$@" -Dbuildtype=debug -Dcpp_args=-gline-tables-only \
    -Db_sanitize=address,undefined -Db_lundef=false
}

# With clang, ccache learns from the compile itself what a file includes, without a second run of the preprocessor. g++ does not say
# what a precompiled header was made of.
build_clang() { configure_clang build-asan && CCACHE_DEPEND=true ninja -C build-asan --quiet tests; }
