# SPDX-License-Identifier: Apache-2.0
"""Two .npy files, element by element, in the number formats of the machine."""
import array
import ast
import math
import struct

from compare import BadInput

MAGIC = b"\x93NUMPY"

# name: bits, exponent bits, fraction bits; integers have no exponent. Every float is as in IEEE 754:
# the top exponent is infinity and NaN, exponent 0 is subnormal.
FORMATS = {"fp64": (64, 11, 52), "fp32": (32, 8, 23), "tf32": (32, 8, 23), "bf16": (16, 8, 7), "fp16": (16, 5, 10),
           "fp8e5m2": (8, 5, 2), "fp8e4m3": (8, 4, 3), "fp8e3m4": (8, 3, 4), "int8": (8, 0, 7), "int32": (32, 0, 31),
           "uint8": (8, 0, 8), "uint16": (16, 0, 16), "uint32": (32, 0, 32)}
# numpy has no bf16: others write it as two bytes without a meaning.
NATIVE = {"<f8": "fp64", "<f4": "fp32", "<f2": "fp16", "|i1": "int8", "<i4": "int32", "|u1": "uint8",
          "<u2": "uint16", "<u4": "uint32", "<V2": "bf16", "|V2": "bf16", "bfloat16": "bf16"}
CODES = {8: "B", 16: "H", 32: "I", 64: "Q"}


def load(path):
    """(descr, shape, bytes); only C order."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    try:
        wide = data[6] > 1
        length = struct.unpack_from("<I" if wide else "<H", data, 8)[0]
        start = (12 if wide else 10) + length
        header = ast.literal_eval(data[start - length:start].decode("latin-1"))
        descr, shape, fortran = header["descr"], header["shape"], header["fortran_order"]
    except (IndexError, KeyError, TypeError, ValueError, SyntaxError, struct.error):
        raise BadInput(f"{path}: the header is not that of a .npy file") from None
    if descr not in NATIVE:
        raise BadInput(f"{path}: descr is {descr!r}; allowed {', '.join(NATIVE)}")
    if fortran:
        raise BadInput(f"{path}: fortran_order is True; allowed False")
    want = math.prod(shape) * FORMATS[NATIVE[descr]][0] // 8
    if len(data) - start != want:
        raise BadInput(f"{path}: holds {len(data) - start} bytes of data; its shape {shape} needs {want}")
    return descr, shape, data[start:]


def value(bits, form):
    """The number that the bits stand for."""
    width, exponent_bits, fraction_bits = FORMATS[form]
    if exponent_bits == 0:
        return bits - (1 << width) if fraction_bits < width and bits >> (width - 1) else bits
    sign = -1.0 if bits >> (width - 1) else 1.0
    top, fraction = (1 << exponent_bits) - 1, bits & ((1 << fraction_bits) - 1)
    exponent = bits >> fraction_bits & top
    if exponent == top:
        return math.nan if fraction else sign * math.inf
    bias = top >> 1
    if exponent == 0:
        return sign * math.ldexp(fraction, 1 - bias - fraction_bits)
    return sign * math.ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits)


def rank(bits, form):
    """Neighbouring numbers have neighbouring ranks; both zeros 0."""
    width, exponent_bits, _ = FORMATS[form]
    if exponent_bits == 0:
        return value(bits, form)
    magnitude = bits & ((1 << (width - 1)) - 1)
    return -magnitude if bits >> (width - 1) else magnitude


def distance(a, b, form):
    """(ulp, relative) between two bit patterns; two NaNs are 0 apart, a NaN and a number for ever."""
    x, y = value(a, form), value(b, form)
    if x != x or y != y:
        apart = 0 if x != x and y != y else math.inf
        return apart, apart
    if math.isinf(x) or math.isinf(y):
        return abs(rank(a, form) - rank(b, form)), 0.0 if x == y else math.inf
    larger = max(abs(x), abs(y))
    return abs(rank(a, form) - rank(b, form)), abs(x - y) / larger if larger else 0.0


def index_of(flat, shape):
    places = []
    for size in reversed(shape):
        places.append(flat % size)
        flat //= size
    return "[" + ", ".join(map(str, reversed(places))) + "]"


def compare(path_a, path_b, args):
    (descr_a, shape_a, a), (descr_b, shape_b, b) = load(path_a), load(path_b)
    as_said = args.format or NATIVE[descr_a] != NATIVE[descr_b] and a == b  # the bytes are all that counts
    for name, x, y in (("bytes", len(a), len(b)),) if as_said else (("descr", NATIVE[descr_a], NATIVE[descr_b]),
                                                                    ("shape", shape_a, shape_b)):
        if x != y:
            return [{"field": name, "a": str(x), "b": str(y), "text": f"{name}: {x} and {y}"}]
    form = args.format or NATIVE[descr_a]
    width = FORMATS[form][0]
    if len(a) * 8 % width:
        raise BadInput(f"{path_a}: {len(a)} bytes are no whole number of {form}; allowed {width // 8} bytes each")
    if width != FORMATS[NATIVE[descr_a]][0]:
        shape_a = (len(a) * 8 // width,)
    if a == b:
        return []
    x, y = array.array(CODES[width], a), array.array(CODES[width], b)
    first, count, worst_ulp, worst_rel = None, 0, (-1, 0), (-1.0, 0)
    for i, (p, q) in enumerate(zip(x, y)):
        if p == q:
            continue
        ulp, rel = distance(p, q, form)
        if (args.ulp or args.rel) and (ulp <= args.ulp or rel <= args.rel):
            continue
        first = i if first is None else first
        count += 1
        worst_ulp, worst_rel = max(worst_ulp, (ulp, i)), max(worst_rel, (rel, i))
    if first is None:
        return []
    p, q = x[first], y[first]
    ulp, rel = distance(p, q, form)
    text = (f"{count} of {len(x)} elements ({form}) differ\n"
            f"  first at {index_of(first, shape_a)}: 0x{p:0{width // 4}x} = {value(p, form):.9g} and "
            f"0x{q:0{width // 4}x} = {value(q, form):.9g}, {ulp} ulp, relative {rel:.3g}\n"
            f"  worst: {worst_ulp[0]} ulp at {index_of(worst_ulp[1], shape_a)}, "
            f"relative {worst_rel[0]:.3g} at {index_of(worst_rel[1], shape_a)}")
    return [{"field": "elements", "count": count, "of": len(x), "format": form, "first": first,
             "a": f"0x{p:0{width // 4}x}", "b": f"0x{q:0{width // 4}x}", "ulp": str(ulp), "relative": str(rel),
             "worst_ulp": str(worst_ulp[0]), "worst_relative": str(worst_rel[0]), "text": text}]
