#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# quiet.sh LOG COMMAND…: runs the command, shows its output only if it fails.
log=$1
shift
"$@" >"$log" 2>&1 || { status=$?; cat "$log"; exit $status; }
