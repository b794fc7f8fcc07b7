# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_vendor() { exec python3 "$root/scripts/commands/vendor.py" "$@"; }
