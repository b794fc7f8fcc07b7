# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_waves() {
  ensure_packages
  exec python3 "$root/scripts/commands/waves.py" "$@"
}
