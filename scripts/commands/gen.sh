# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# All generators; the first rejection is the status.
command_gen() {
  local name
  ensure_packages
  for name in gen_defs gen_crc gen_tables; do
    (script "$name" "$@") || exit
  done
}
