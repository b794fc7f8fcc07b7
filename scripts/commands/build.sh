# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_build() {
  case " $* " in
    *" -h "* | *" --help "*)
      echo "usage: scripts/dodeca build [TARGET...]   (targets: ninja -C build -t targets)"
      exit 0 ;;
  esac
  build "${@:-all}"
}
