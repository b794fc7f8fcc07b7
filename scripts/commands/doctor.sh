# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

command_doctor() {
  local name status=0 version
  for name in $(wanted_packages); do
    version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$name" 2>/dev/null)
    case $version in
      "installed "*) printf '%-20s %s\n' "$name" "${version#installed }" ;;
      *) printf '%-20s %s\n' "$name" "MISSING"; status=3 ;;
    esac
  done
  printf '%-20s %s cores, %s MiB free\n' machine "$(nproc)" "$(awk '/MemAvailable/{print int($2/1024)}' /proc/meminfo)"
  [ $status = 0 ] || echo "scripts/dodeca build installs what is missing"
  exit $status
}
