# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_mutate() {
  ensure_packages
  script mutate "$@"
}
