# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# script NAME [ARGUMENT...]: becomes a script of ours; scripts/start.py says which, and what -I is for.
script() { exec python3 -I -X utf8 "$root/scripts/start.py" "$@"; }
