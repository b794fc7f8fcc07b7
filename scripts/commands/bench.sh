# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_bench() {
  local -a programs=(bench_programs)
  case " $* " in
    *" array "*) programs=(array_bench) ;;
    *" lanes "*) programs=(lanes_bench) ;;
    *" matmul "*) programs=(matmul_bench) ;;
    *" instructions "*) programs=(vector_engine_test act_engine_test matmul_bench) ;;
    *" fabric-speed "*) programs=(fabric_bench) ;;
    *" fabric "*) programs=(fabric_bench faults_mini) ;;
    *" shrink "*) programs=(shrink board_mini) ;;
    *" inject "* | *" collective-faults "* | *" recommender "*) programs=(board_mini) ;;
    *" lm "*) programs=(board_inf2 board_model) ;;
    *" gemm "* | *" collectives "*) programs=(board_inf2) ;;
    *" board "*) programs=(thread_gain board_inf2) ;;
    *" dma "*) programs=(dma_test dma_rate_test) ;;
    *" snapshots "*) programs=(board_mini board_inf2) ;;
    *" planted "* | *" museum "* | *" lines "*) programs=() ;;
  esac
  ensure_packages
  [ ${#programs[@]} = 0 ] || build "${programs[@]}"
  script bench "$@"
}
