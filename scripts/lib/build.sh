# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The build folder: configured for this tree and no other, one build in it at a time.

# Is the folder configured, and for this tree? A copy of a checkout brings that of the original along.
configured_for() { sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt" 2>/dev/null; }
is_configured() { [ -f "$build/build.ninja" ] && [ "$(configured_for)" -ef "$root" ]; }

may_build() {
  if [ -e "$build" ]; then [ -w "$build" ]; else [ -w "$root" ]; fi
}

configure() {
  local log=$build/configure.log other
  local command=(cmake --fresh -S "$root" -B "$build" -G Ninja -DCMAKE_CXX_COMPILER=clang++-19)
  ! is_configured || return 0
  other=$(configured_for)
  if [ -n "$other" ] && ! [ "$other" -ef "$root" ]; then
    echo "dodeca: ${build} was configured for $other: all is built again" >&2
    rm -f "$build"/.ninja_*
  fi
  echo_command "${command[@]}"
  "${command[@]}" >"$log" 2>&1 || environment_error "configuration failed: $(
    awk '/^CMake Error/ { said = 1; next } said && NF { $1 = $1; line = line $0 " " } said && !NF && line { exit }
         END { print line }' "$log")(all of it: $log)"
}

# locked COMMAND...: alone in the build folder; whoever comes second waits.
locked() {
  mkdir -p "$build" || environment_error "$build: cannot be made"
  (
    flock -n 9 || { echo "dodeca: waiting for another build in $build" >&2; flock 9; }
    "$@"
  ) 9>"$build/.lock" || exit
}

make_targets() {
  configure
  echo_run cmake --build "$build" -j "$(nproc)" --target "$@" >&2 || environment_error "build failed, see above"
}

# What is built already, for a user who may not build: nothing may be left to do. (-f: another name for the
# same file keeps ninja from looking at CMake's own files first.)
use_built() {
  local left
  is_configured || environment_error "$build cannot be written, and is not built from this tree"
  left=$(ninja -C "$build" -f "$build/build.ninja" -n "$@" 2>&1 | tail -n 1)
  case $left in
    *"no work to do"*) echo "dodeca: $build cannot be written: nothing is built, what is there is used" >&2 ;;
    *) environment_error "$build cannot be written, and $* would have to be built ($left)" ;;
  esac
}

# Packages, and a configured folder if this user may have one: what the targets and tests are can be asked.
prepare() { ensure_packages; ! may_build || locked configure; }

# build TARGET...: built from this tree when it returns; errors of the compiler are shown, exit 3.
build() {
  ensure_packages
  if may_build; then locked make_targets "$@"; else use_built "$@"; fi
}
