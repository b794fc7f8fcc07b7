#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# loops_kept.sh DIR: the C++ that Verilator made of the 128 x 128 array keeps its loops as loops.
# Unrolled, it would be megabytes of straight code that no compiler turns into vector code.
set -eu
dir=$1
bytes=$(cat "$dir"/*.cpp | wc -c)
loops=$(cat "$dir"/*DepSet*.cpp | grep -cE '(while|for) \(.*(0x80U|0x7fU)' || true)
echo "generated C++: $bytes bytes, $loops loops over 127 or 128"
[ "$bytes" -lt 500000 ] || { echo "more than 500000 bytes: loops were unrolled"; exit 1; }
[ "$loops" -ge 8 ] || { echo "fewer than 8 loops: loops were unrolled"; exit 1; }
