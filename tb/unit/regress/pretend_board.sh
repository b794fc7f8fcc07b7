#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A board's command line and result, and the end that its scenario says: the runner cannot tell it from a board.
scenario=$1
seed=1
[ "$scenario" != list ] || { sed -n 's/^  \([a-z_]*\)) *# \(.*\)$/\1 \2/p' "$0"; exit; }
while [ $# -gt 0 ]; do
  case $1 in
    --seed) seed=$2 ;;
    --out) out=$2 ;;
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
  caused)  # fails, knows why, and leaves waves; each seed sees something else of it
    mkdir -p "$out/run/waves" && echo '{}' > "$out/run/result.json" && : > "$out/run/waves/chip05.gtkw"
    case $((seed % 3)) in 0) seen="hang: nothing has moved" ;; 1) seen="RTL and golden differ" ;; *) seen="[7] %Error: Assertion failed" ;; esac
    printf '%s\nearliest cause: chip %d core 0 psum (chip.gen_core[0].u_core.u_psum), core cycle 16588\n  changed: %s\n' \
      "$seen" $((seed % 12)) "$seen" >&2
    result failed 5; exit 1 ;;
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
  signalled)  # is ended by a signal without a name
    kill -41 $$ ;;
  nested)  # its result has no end of brackets
    head -c 200000 /dev/zero | tr '\0' '[' ;;
  odd_number)  # has a result with a number beyond 64 bits
    result passed 9 | sed 's/"cycles": [0-9]*/"cycles": 99999999999999999999/' ;;
  odd_hash)  # has a list for a hash
    result passed 9 | sed 's/"program_hash": [^,]*/"program_hash": [1]/' ;;
  half_character)  # has half a pair of UTF-16
    result passed 9 | sed 's/"commit_hash": "c"/"commit_hash": "\\ud800"/' ;;
  not_a_number)  # has no speed
    result passed 9 | sed 's/1\.0/NaN/' ;;
  talks)  # fails with a word of 15 million letters
    head -c 15000000 /dev/zero | tr '\0' 'x' >&2; exit 1 ;;
  floods)  # does not stop talking
    yes ;;
  fifo)  # leaves files that nobody writes
    mkdir -p "$out/run" && mkfifo "$out/run/divergence.json" "$out/run/timeline.json" "$out/run/result.json"
    result passed 9 ;;
  escapes)  # leaves a child in a session of its own, that leaves another
    setsid sh -c 'sleep 73.125 & setsid sleep 73.125' & sleep 0.2; result passed 9 ;;
  wide)  # passes, and writes much
    head -c 50000 /dev/zero | tr '\0' ' '; result passed 9 ;;
esac
