# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Both generators; the first rejection is the status.
command_gen() {
  local name
  ensure_packages
  for name in gen_defs gen_crc; do
    (script "$name" "$@") || exit
  done
}
