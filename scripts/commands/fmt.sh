# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_fmt() {
  ensure_packages
  cd "$root" && git ls-files -co --exclude-standard '*.h' '*.cc' | grep -v '/gen/' | xargs clang-format-19 -i
}
