# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_build() {
  local target
  for target in "$@"; do
    case $target in -*) usage_error "'$target' is unknown; allowed: TARGET..." ;; esac
  done
  prepare
  for target in "$@"; do
    ninja -C "$build" -f "$build/build.ninja" -t query "$target" >/dev/null 2>&1 ||
      usage_error "'$target' is no target; allowed: those of ninja -C $build -t targets"
  done
  build "${@:-all}"
}
