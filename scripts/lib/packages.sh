# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The packages of scripts/packages.txt.

wanted_packages() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$root/scripts/packages.txt" | awk '{print $1}'; }

missing_packages() {
  local name installed
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null)
  for name in "$@"; do
    grep -qx "installed $name" <<<"$installed" || echo "$name"
  done
}

# ensure_packages [NAME...]: installs what is missing (default: of packages.txt), as root or through sudo.
ensure_packages() {
  local missing apt log
  # shellcheck disable=SC2046
  [ $# -gt 0 ] || set -- $(wanted_packages)
  missing=$(missing_packages "$@" | tr '\n' ' ')
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null ||
    environment_error "missing: ${missing}(apt-get not found; Debian 12 or 13 is needed)"
  apt=(apt-get)
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      environment_error "missing: ${missing}(run as root once, or install them with apt-get)"
    apt=(sudo apt-get)
  fi
  echo "dodeca: installing $missing" >&2
  log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { DEBIAN_FRONTEND=noninteractive "${apt[@]}" update &&
         DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends $missing; } \
         </dev/null >"$log" 2>&1; then
    environment_error "cannot install ${missing}(apt-get failed, its output is in $log): is there a network?"
  fi
  rm -f "$log"
}
