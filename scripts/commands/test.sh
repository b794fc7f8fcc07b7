# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_test() {
  local label="" pattern="" args
  while [ $# -gt 0 ]; do
    case $1 in
      -L) [ $# -ge 2 ] || usage_error "-L needs a label"; label=$2; shift ;;
      -h | --help)
        echo "usage: scripts/dodeca test [-L LABEL] [PATTERN]   (labels and names: ctest --test-dir build -N -V)"
        exit 0 ;;
      -*) usage_error "test: unknown option '$1', allowed: -L LABEL" ;;
      *) [ -z "$pattern" ] || usage_error "test: one PATTERN only"; pattern=$1 ;;
    esac
    shift
  done
  build all
  args=(--test-dir "$build" --output-on-failure --no-tests=error -j "$(nproc)")
  if [ -n "$label" ]; then args+=(-L "^$label\$"); else args+=(-LE nightly); fi
  [ -z "$pattern" ] || args+=(-R "$pattern")
  echo_run ctest "${args[@]}" || exit 1
}
