# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Value of an option (without --), both spellings.
value_of() {
  local option=$1 value=
  shift
  while [ $# -gt 0 ]; do
    case $1 in
      "--$option") value=${2-} ;;
      "--$option="*) value=${1#*=} ;;
    esac
    shift
  done
  printf '%s\n' "$value"
}

# What a program file says its configuration is: cmodel/program/program.h, cmodel/README.md.
config_in() {
  case $1 in
    *.dasm) head -c 65536 -- "$1" 2>/dev/null | sed -nE 's/^[ \t]*config[ \t]+([a-z0-9]+).*/\1/p' | head -n 1 ;;
    *) head -c 28 -- "$1" 2>/dev/null | tail -c 16 | tr -d '\0' ;;
  esac
}

# That of --config, else of the program file, else inf2. What else a file may say is the board's to refuse.
config_of() {
  local config= program
  case " $* " in
    *" --config "* | *" --config="*) value_of config "$@"; return ;;
  esac
  program=$(value_of program "$@")
  [ -n "$program" ] || program=$(scenario_of "$@")
  if [ -f "$program" ]; then config=$(config_in "$program"); fi
  [ "$config" = mini ] || config=inf2
  echo "$config"
}

# What `run` is to run: the first word that is no option and no value of one.
scenario_of() {
  while [ $# -gt 0 ]; do
    case $1 in
      --json | --races | --coverage | --wave-arrays | --waves | --model-only | --timeline | --npy | --once | --order-independent | --no-debug | --no-failure-waves | -h | --help | --*=*) ;;
      -*) shift ;;
      *) echo "$1"; return ;;
    esac
    shift
  done
}

# The board program of a configuration; with waves it hands over to a sibling built with tracing.
command_run() {
  local config boards
  config=$(config_of "$@")
  case $config in
    inf2 | mini) boards=("board_$config") ;;
    *) usage_error "--config is '$config'; allowed inf2, mini" ;;
  esac
  if [ "$(scenario_of "$@")" = faults ]; then
    build "faults_$config"
    exec "$build/bin/faults_$config" "$@"
  fi
  # The golden model alone needs no RTL: a program of its own, for both sizes.
  case " $* " in
    *" --model-only "*)
      build board_model
      exec "$build/bin/board_model" "$@" ;;
  esac
  case " $* " in
    *" --wave-arrays"*) boards+=("board_${config}_arrays") ;;
  esac
  build "${boards[@]}"
  if [ "$(scenario_of "$@")" = list ]; then
    "$build/bin/board_$config" "$@" || exit $?
    printf '%-10s %s\n' faults "a fabric of twelve nodes, damaged event by event (a program of its own, with its own options)"
    exit 0
  fi
  exec "$build/bin/board_$config" "$@"
}
