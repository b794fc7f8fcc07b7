# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Both generators; the first rejection is the status.
command_gen() {
  local script
  ensure_packages
  for script in gen_defs gen_crc; do
    python3 "$root/scripts/commands/$script.py" "$@" || exit
    case " $* " in *" -h "* | *" --help "*) exit ;; esac
  done
}
