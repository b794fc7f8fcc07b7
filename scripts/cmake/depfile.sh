#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# depfile.sh DIR NAME: what Verilator read for the model NAME in DIR, for Ninja: a change builds those models
# again that it is part of, and no others. (DIR/VNAME.d is the compiler's.)
set -e
sed "s|^[^:]* :|$1/V$2__ALL.a:|" "$1/V$2__ver.d" > "$1/$2.read.d"
