# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_timeline() { exec python3 "$root/scripts/commands/timeline.py" "$@"; }
