#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes fabric/rtl/pkg/gen/crc_pkg.sv: CRC-32C over {payload, LCW, seq} as parity masks.

"""
import pathlib
import sys

from lib import options

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = "fabric/rtl/pkg/gen/crc_pkg.sv"
POLYNOMIAL, SEQ, LCW, PAYLOAD = 0x1EDC6F41, 10, 32, 512
HEAD = """// SPDX-License-Identifier: Apache-2.0
// Written by scripts/commands/gen_crc.py. CRC-32C (0x1EDC6F41, start 0, not inverted) of {payload 512, LCW 32,
// seq 10}, most significant bit first, one parity per check bit. It is linear: the CRC of a word is
// the exclusive or of its parts' CRCs, and zeros have CRC zero.
package crc_pkg;
"""


def masks():
    """For every check bit, the message bits that it is the parity of."""
    out, residue = [0] * 32, POLYNOMIAL
    for i in range(SEQ + LCW + PAYLOAD):
        for b in range(32):
            out[b] |= (residue >> b & 1) << i
        residue = (residue << 1 ^ (POLYNOMIAL if residue >> 31 else 0)) & 0xFFFFFFFF
    return out


def function(name, width, low):
    lines = [f"  function automatic logic [31:0] {name}(input logic [{width - 1}:0] bits);", f"    {name} = {{"]
    for b in reversed(range(32)):
        mask = masks()[b] >> low & ((1 << width) - 1)
        lines.append(f"      ^(bits & {width}'h{mask:0{(width + 3) // 4}x}){',' if b else ''}")
    return "\n".join([*lines, "    };", "  endfunction\n"])


def main():
    args = options.parse("gen", sys.argv[1:])
    out = args.out or ROOT
    text = "\n".join([HEAD.rstrip(), "", "  // The payload's part.", function("of_payload", PAYLOAD, SEQ + LCW),
                      "  // The part of {LCW, seq}.", function("of_control", SEQ + LCW, 0), "endpackage", ""])
    path = out / TARGET
    if path.exists() and path.read_text(encoding="ascii") == text:
        return 0
    if args.check:
        print(f"gen_crc: {TARGET} is stale, run scripts/dodeca gen", file=sys.stderr)
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    print(f"wrote {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
