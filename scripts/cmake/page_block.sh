#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# page_block.sh PAGE KIND > FILE: the block of a Markdown page that opens with ```KIND, for a test that compiles it.
set -euo pipefail
awk -v open="\`\`\`$2" '$0 == "```" { on = 0 } on { print } $0 == open { on = 1; found = 1 } END { exit !found }' "$1"
