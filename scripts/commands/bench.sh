# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_bench() {
  case " $* " in
    *" fabric "* | *" fabric-speed "*) ensure_packages; build fabric_bench ;;
    *" shrink "*) ensure_packages; build shrink board_mini ;;
    *" gemm "* | *" collectives "*) ensure_packages; build board_inf2 ;;
    *" dma "*) ensure_packages; build dma_test dma_rate_test ;;
    *" snapshots "*) ensure_packages; build board_mini board_inf2 ;;
    *" planted "* | *" museum "*) ensure_packages ;;
    *) ensure_packages; build bench_programs ;;
  esac
  script bench "$@"
}
