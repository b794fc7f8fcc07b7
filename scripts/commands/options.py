# SPDX-License-Identifier: Apache-2.0
"""Is a command line allowed? options COMMAND [WORD...]: nothing, one line, or its --help (scripts/options.toml)."""
import sys

from lib import options

command, *words = sys.argv[1:]
try:
    options.parse(command, words)
except options.Usage as usage:
    print(f"dodeca {command}: {usage}", file=sys.stderr)
    sys.exit(usage.status)
