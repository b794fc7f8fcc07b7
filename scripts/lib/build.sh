# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

configure() {
  if [ ! -f "$build/build.ninja" ]; then
    echo_run cmake -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 >&2 ||
      environment_error "configuration failed, see above"
  fi
}

# build TARGET...: configures once, then builds; errors of the compiler are shown, exit 3.
build() {
  ensure_packages
  configure
  echo_run cmake --build "$build" -j "$(nproc)" --target "$@" >&2 || environment_error "build failed, see above"
}
