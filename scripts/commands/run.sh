# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

# Value of --config, both spellings; inf2 if absent.
config_of() {
  while [ $# -gt 0 ]; do
    case $1 in
      --config) echo "${2-}"; return ;;
      --config=*) echo "${1#*=}"; return ;;
    esac
    shift
  done
  echo inf2
}

# What `run` is to run: the first word that is no option and no value of one.
scenario_of() {
  while [ $# -gt 0 ]; do
    case $1 in
      --json | --races | --coverage | --wave-arrays | --waves | --model-only | --timeline | --npy | --no-debug | --no-failure-waves | -h | --help | --*=*) ;;
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
