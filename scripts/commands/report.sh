# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_report() { exec python3 "$root/scripts/commands/report.py" "$@"; }
