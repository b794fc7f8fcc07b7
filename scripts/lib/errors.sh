# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# One line and the exit status of every rejection; commands are echoed before they run.

usage_error() { echo "dodeca${command:+ $command}: $1" >&2; exit 2; }
environment_error() { echo "dodeca${command:+ $command}: $1" >&2; exit 3; }

# The command, echoed as typed from the root of the repository.
echo_command() { echo "+ ${*//$root\//}" >&2; }

echo_run() {
  echo_command "$@"
  "$@"
}
