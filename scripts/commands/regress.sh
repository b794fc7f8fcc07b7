# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_regress() {
  case " $* " in
    *" list "*) ;;
    *) prepare ;;
  esac
  script regress "$@"
}
