#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# depfile.sh DIR NAME: what Verilator read for the model NAME in DIR, as DIR/VNAME.d for Ninja: a change
# builds the models again that it is part of, and no others.
set -e
sed "s|^[^:]* :|$1/V$2__ALL.a:|" "$1/V$2__ver.d" > "$1/V$2.d"
