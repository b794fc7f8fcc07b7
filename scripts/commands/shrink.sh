# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_shrink() {
  build shrink board_mini
  exec "$build/bin/shrink" "$@"
}
