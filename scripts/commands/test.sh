# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_test() {
  local args=(--test-dir "$build") label="" pattern=""
  while [ $# -gt 0 ]; do
    case $1 in
      -L) label=$2; shift ;;
      -L*) label=${1#-L} ;;
      *) pattern=$1 ;;
    esac
    shift
  done
  if [ -n "$label" ]; then args+=(-L "^$label\$"); else args+=(-LE nightly); fi
  [ -z "$pattern" ] || args+=(-R "$pattern")
  prepare
  ctest "${args[@]}" -N 2>&1 | grep "^Total Tests: [1-9]" >/dev/null ||
    usage_error "no test has label '$label' and a name like '$pattern'; allowed: ctest --test-dir $build -N -V"
  build all
  echo_run ctest "${args[@]}" --output-on-failure --no-tests=error -j "$(nproc)"
  case $? in
    0) ;;
    8) exit 1 ;;  # what CTest ends with when a test has failed
    *) environment_error "ctest did not come to its end, see above" ;;
  esac
}
