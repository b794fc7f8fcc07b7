#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compile_model.sh DIR NAME CXX MAKE-VARIABLE…: what Verilator wrote into DIR, as a static library.
#
# Every file includes the same headers, and of a chip that is half of the time: clang reads them once.
set -e
dir=$1 name=$2 cxx=$3
shift 3
cd "$dir"
case $("$cxx" --version) in
  *clang*)
    echo "#include \"V${name}__Syms.h\"" > headers.h
    # shellcheck disable=SC2016  # make expands them
    make -s -f "V$name.mk" CXX="$cxx" "$@" \
      --eval='headers.pch: headers.h; $(CXX) $(CXXFLAGS) $(CPPFLAGS) $(OPT_FAST) -x c++-header -o $@ $<' headers.pch
    cxx="$cxx -include-pch headers.pch" ;;
esac
# What writes waves compares and copies: more optimisation makes it no faster, but takes half of a traced chip's time.
# shellcheck disable=SC2016  # make expands it
echo '$(addsuffix .o, $(VM_SUPPORT_FAST)): override OPT_FAST = -O1' > support.mk
exec make -s -f "V$name.mk" -f support.mk -j 2 CXX="$cxx" LINK="$cxx" "$@"
