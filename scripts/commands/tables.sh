# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# The writer, or the checker that shares nothing with it.
command_tables() {
  if [ "${1-}" = check ]; then
    shift
    script "$root/fabric/tools/check_tables.py" "$@"
  fi
  build fabric_tables
  exec "$build/bin/fabric_tables" "$@"
}
