# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A fresh Debian in a folder, and in it what README.md tells a newcomer to call.

# Lines of sources.list for release $1: this machine's, its own release replaced; or of the archive $2 alone.
debian_sources() {
  local own
  [ -z "$2" ] || { printf 'deb %s %s main\n' "$2" "$1" "$2" "$1-updates"; return; }
  own=$(. /etc/os-release; echo "${VERSION_CODENAME-}")
  # shellcheck disable=SC2016  # apt expands them
  apt-get indextargets --format '$(CREATED_BY) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 2>/dev/null |
    awk -v own="$own" -v release="$1" '$1 == "Packages" && $5 == "main" && sub("^" own, release, $4)' |
    cut -d ' ' -f 2- | sort -u -k 3,3
}

# How this machine's apt reaches the archive: proxies, passwords, certificates.
copy_apt_settings() {
  local debian=$1
  apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-Valid-Until)[: ].*"..*"' \
    >"$debian/etc/apt/apt.conf.d/90host"
  cp -rp /etc/apt/auth.conf /etc/apt/auth.conf.d "$debian/etc/apt/" 2>/dev/null
  cp -r /usr/local/share/ca-certificates "$debian/usr/local/share/" 2>/dev/null &&
    chroot "$debian" update-ca-certificates
  cp /etc/resolv.conf /etc/hosts "$debian/etc/"
}

# make_debian RELEASE FOLDER MIRROR: mounts, too.
make_debian() {
  local release=$1 debian=$2 sources archive
  sources=$(debian_sources "$release" "$3")
  read -r _ archive _ <<<"$sources"
  [ -n "$archive" ] || { echo "apt knows no archive of this machine's release; give one with --mirror"; return 1; }
  rm -rf --one-file-system "$debian" && mkdir -p "$debian" || return
  http_proxy=${http_proxy-$(apt-config dump --format '%v' Acquire::http::Proxy)} \
    debootstrap --variant=minbase --include=ca-certificates "$release" "$debian" "$archive" || return
  copy_apt_settings "$debian"
  echo "$sources" >"$debian/etc/apt/sources.list"
  # No daemon starts because its package is installed.
  printf '#!/bin/sh\nexit 101\n' >"$debian/usr/sbin/policy-rc.d" && chmod +x "$debian/usr/sbin/policy-rc.d" &&
    mount -t proc proc "$debian/proc" && mount --rbind /dev "$debian/dev" && mount --rbind /sys "$debian/sys"
}

# in_debian DEBIAN FOLDER COMMAND...
in_debian() {
  local debian=$1 folder=$2
  shift 2
  chroot "$debian" /usr/bin/env -i --chdir="$folder" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    "$@" </dev/null
}

newcomer_row() { printf '%-20s %s\n' "$1" "$2"; }

# newcomer_call VERB DEBIAN LOG: one call of the README; its row says how it ended, and when.
newcomer_call() {
  local status minutes
  in_debian "$2" /root/dodeca scripts/dodeca "$1" >>"$3" 2>&1
  status=$?
  [ $status -le 3 ] || status=3
  minutes=$(awk -v s="$SECONDS" 'BEGIN { printf "%.1f", s / 60 }')
  case $status in
    0) newcomer_row "$1" "passed, $minutes minutes from nothing" ;;
    *) newcomer_row "$1" "exit status $status, $minutes minutes from nothing; see ${3#"$root"/}" ;;
  esac
  return $status
}

command_newcomer() {
  local given=("$@") release="" mirror="" verbs=(run test) debian log verb status=0 ended
  while [ $# -gt 0 ]; do
    case $1 in
      --run-only) verbs=(run) ;;
      --mirror=*) mirror=${1#*=} ;;
      --mirror) mirror=$2; shift ;;
      *) release=$1 ;;
    esac
    shift
  done
  [ "$(id -u)" = 0 ] || environment_error "newcomer must be root (it makes a chroot)"
  # Mounts and processes of its own: however it ends, the kernel takes them away.
  if [ -z "${DODECA_OWN_MOUNTS-}" ]; then
    unshare --mount --pid --fork true 2>/dev/null ||
      environment_error "newcomer must be allowed to mount (unshare failed)"
    ensure_packages debootstrap
    DODECA_OWN_MOUNTS=1 exec unshare --mount --pid --fork --kill-child --mount-proc \
      "$root/scripts/dodeca" newcomer "${given[@]}"
  fi

  debian=$root/out/newcomer/$release
  log=$debian.log
  mkdir -p "$root/out/newcomer" && : >"$log" || environment_error "$log: cannot be written"
  SECONDS=0
  make_debian "$release" "$debian" "$mirror" >>"$log" 2>&1 ||
    environment_error "no Debian in $debian: $(tail -n 1 "$log")"
  git clone -q "$root" "$debian/root/dodeca" >>"$log" 2>&1 ||
    environment_error "$root cannot be cloned: $(tail -n 1 "$log")"
  newcomer_row release "$release, Debian $(cat "$debian/etc/debian_version"), made in $((SECONDS / 60)) minutes"
  newcomer_row revision "$(git -C "$debian/root/dodeca" rev-parse HEAD)"
  for verb in "${verbs[@]}"; do
    newcomer_call "$verb" "$debian" "$log"
    ended=$?
    [ $ended -le $status ] || status=$ended
    [ $ended -le 1 ] || break
    [ "$verb" != run ] ||
      sed -nE 's/^  "(cycles|commit_hash|link_hash)": "?([^",]*).*/\1 \2/p' "$debian/root/dodeca/out/latest/result.json" |
      while read -r name value; do newcomer_row "$name" "$value"; done
  done
  in_debian "$debian" /root/dodeca scripts/dodeca doctor
  exit $status
}
