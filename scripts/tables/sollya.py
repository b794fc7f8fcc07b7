# SPDX-License-Identifier: Apache-2.0
"""Questions to sollya: Taylor coefficients and constants, correctly rounded to double."""
import math
import struct
import subprocess

ORDER = 7


def ask(lines):
    """What sollya prints for each line."""
    script = "\n".join(["prec = 200!;", "display = hexadecimal!;", *lines, "quit;", ""])
    done = subprocess.run(["sollya", "--warnonstderr"], input=script, capture_output=True, text=True, check=True)
    out = done.stdout.split("\n")[:-1]
    return [line for line in out if line]


def taylor(requests):
    """Taylor coefficients 0 .. ORDER of `expression` (in x) at `point`, a double, for each (expression, point)."""
    lines = []
    for expression, point in requests:
        m, e = math.frexp(point)
        lines.append(f"for i in autodiff({expression}, {ORDER}, {int(m * 2**53)} * 2^({e - 53})) do print(mid(i));")
    words = ask(lines)
    assert len(words) == len(requests) * (ORDER + 1), (len(words), len(requests))
    factorials = [math.factorial(n) for n in range(ORDER + 1)]
    values = [number(w) for w in words]
    return [[values[i * (ORDER + 1) + n] / factorials[n] for n in range(ORDER + 1)] for i in range(len(requests))]


def number(word):
    return float("nan") if "nan" in word.lower() else float.fromhex(word)


def fp32(value):
    """Bits of the nearest fp32 number."""
    return struct.unpack("<I", struct.pack("<f", value))[0]


def value_of(bits):
    return struct.unpack("<f", struct.pack("<I", bits))[0]


def constants(expressions):
    """fp32 bits of each expression: nearest; with "up ..." rounded up."""
    special = {"nan": 0x7FC00000, "infinity": 0x7F800000, "-infinity": 0xFF800000, "-0": 0x80000000, "up infinity": 0x7F800000}
    asked = [e for e in expressions if e not in special]
    lines = [f"print(round({e.removeprefix('up ')}, 200, RN));" for e in asked]
    answers = {}
    for expression, word in zip(asked, ask(lines)):
        value = number(word)
        bits = fp32(value)
        if expression.startswith("up ") and value_of(bits) < value:
            bits += 1
        answers[expression] = bits
    return [special[e] if e in special else answers[e] for e in expressions]
