# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_regress() {
  case " $* " in
    *" -h "* | *" --help "* | *" list "*) ;;
    *) ensure_packages; configure ;;
  esac
  cd "$root" && PYTHONPATH=$root/scripts exec python3 -m regress "$@"
}
