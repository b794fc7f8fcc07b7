# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_fmt() {
  ensure_packages
  cd "$root" && git ls-files -zco --exclude-standard '*.h' '*.cc' | grep -zv '/gen/' | xargs -0 clang-format-19 -i ||
    environment_error "the sources cannot be formatted, see above"
}
