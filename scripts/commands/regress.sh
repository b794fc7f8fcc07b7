# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_regress() {
  case " $* " in
    *" list "*) ;;
    *) ensure_packages; ! may_build || locked configure ;;
  esac
  script regress "$@"
}
