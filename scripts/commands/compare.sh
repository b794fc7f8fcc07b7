# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_compare() { PYTHONPATH=$root/scripts exec python3 -m compare "$@"; }
