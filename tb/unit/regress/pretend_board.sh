#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A board's command line and result, and the end that its scenario says: the runner cannot tell it from a board.
scenario=$1
seed=1
[ "$scenario" != list ] || { sed -n 's/^  \([a-z_]*\)) *# \(.*\)$/\1 \2/p' "$0"; exit; }
while [ $# -gt 0 ]; do
  case $1 in
    --seed) seed=$2 ;;
    --inject) scenario=injected ;;
  esac
  shift
done

result() {  # STATUS CHECKS
  printf '{"status": "%s", "commits_checked": %d, "cycles": %d, "program_hash": "%016x", "config": "mini", ' "$1" "$2" \
    "$((1000 + seed % 7))" "$seed"
  printf '"commit_hash": "c", "link_hash": "l", "cycles_per_s": 1.0, "metrics": {"inject": {"outcome": "detected"}}}\n'
}

diverge() {
  echo "chip 3 core 1 tensor pc 17: matmul element (2, $seed): expected 0x3f80, got 0x3f81" >&2
  result failed 5
  exit 1
}

case $scenario in
  good)  # passes
    result passed 9 ;;
  short)  # passes after a while
    sleep 0.1; result passed 9 ;;
  odd)  # fails if its seed is odd
    [ $((seed % 2)) = 0 ] || diverge; result passed 9 ;;
  bad)  # fails
    diverge ;;
  injected)  # fails, as a canary has to
    diverge ;;
  same)  # passes, whatever the seed with the same program
    seed=1; result passed 9 ;;
  slow)  # does not end, and neither does its child
    sleep 73.125 & sleep 73.125 ;;
  killed)  # is killed
    kill -KILL $$ ;;
  crash)  # has a wild pointer
    kill -SEGV $$ ;;
  hungry)  # wants more memory than there may be
    exec python3 -c 'bytearray(1 << 45)' ;;
  unchecked)  # says that it passed, and has checked nothing
    result passed 0 ;;
  silent)  # ends well and says nothing
    exit 0 ;;
  contrary)  # says that it failed, and ends well
    result failed 9 ;;
  dishonest)  # says that it passed, and ends badly
    result passed 9; exit 1 ;;
  wide)  # passes, and writes much
    head -c 50000 /dev/zero | tr '\0' ' '; result passed 9 ;;
esac
