# SPDX-License-Identifier: Apache-2.0
"""Rows: cubics in fp32 over segments of a binade."""
import math
import re

from tables.sollya import ORDER, fp32, taylor, value_of

# The low bits of c3's word hold where x0 is: in the middle half of its segment, 2^13 parts a segment.
PLACE_BITS = 12
QUARTER_BITS = 2  # each quarter of a binade has rows as fine as it needs
MOST_SHIFT, LEAST_SHIFT = 23, PLACE_BITS + 1  # log2 of the ulps in a segment
# In a sum with k * ln 2, c0 and the upper part of ln 2 are multiples of this: their sum is exact.
SUM_GRID = 2.0**-17
SUM_ULP = 2.0**-25  # of the least |k ln 2 + ln(1 + u)|

# Chebyshev coefficients of v^n: T_j's factor.
CHEBYSHEV = [{n - 2 * i: math.comb(n, i) * (2.0 if n - 2 * i else 1.0) / 2.0**n for i in range(n // 2 + 1)} for n in range(ORDER + 1)]
# T_0 .. T_3 as polynomials.
POWERS = [[1, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 2, 0], [0, -3, 0, 4]]


def economised(coefficients, half):
    """(cubic about the same point, bound of its error) on [-half, half]."""
    series = [0.0] * (ORDER + 1)
    for n, c in enumerate(coefficients):
        for j, factor in CHEBYSHEV[n].items():
            series[j] += c * half**n * factor
    cubic = [sum(series[j] * POWERS[j][i] for j in range(4)) / half**i for i in range(4)]
    terms = [abs(c) * half**n for n, c in enumerate(coefficients)]
    # Terms that do not get smaller say nothing about those that are left out.
    if max(terms[-2:]) > max(terms[-4:-2]) / 4:
        return cubic, math.inf
    return cubic, sum(map(abs, series[4:])) + terms[-1]


def moved(cubic, by):
    """The same cubic about another point."""
    a, b, c, d = cubic
    return [a + by * (b + by * (c + by * d)), b + by * (2 * c + by * 3 * d), c + 3 * d * by, d]


def with_place(c3, place):
    """The fp32 word nearest to c3 whose low bits are `place`."""
    word, low = fp32(c3), 1 << PLACE_BITS
    near = (word & -low) | place
    return min((w for w in (near - low, near, near + low) if w >= 0), key=lambda w: abs(value_of(w) - c3))


def row(cubic, half, kind):
    """Words c0 .. c3, with x0 where c0 is almost an fp32 number: then one rounding is left, the last."""
    middle, unit = 1 << (PLACE_BITS - 1), half / (1 << PLACE_BITS)
    best = (math.inf, 0, 0.0)
    for step in range(1 << PLACE_BITS):
        place = (step + 1) // 2 * (-1 if step % 2 else 1)
        if not -middle <= place < middle:
            continue
        value = moved(cubic, place * unit)[0]
        if kind == "sum":
            grid = round(value / SUM_GRID) * SUM_GRID
            far = abs(value - grid) * 2.0**32
        else:
            grid = value_of(fp32(value))
            far = abs(value - grid) * 2.0**33 / (abs(value) + 2.0**-100)
        best = min(best, (far, step, place))
        if far < 1.0:
            break
    place = best[2]
    c0, c1, c2, c3 = moved(cubic, place * unit)
    if kind == "sum":
        c0 = round(c0 / SUM_GRID) * SUM_GRID
    word3 = with_place(c3, place + middle)
    c1 += (c3 - value_of(word3)) * 0.75 * half * half
    return [fp32(c0), fp32(c1), fp32(c2), word3]


def ulp_of(value):
    """In fp32, as if there were no subnormals."""
    return 2.0**(math.frexp(value)[1] - 24)


class Part:
    """A binade of |u| of a side, or a quarter of one: the coarsest rows that are close enough, 2^m a binade."""

    def __init__(self, side, exponent, ulp, quarter=None):
        self.side, self.exponent, self.ulp, self.quarter = side, exponent, ulp, quarter
        self.kind = side.kind(exponent)
        self.expression = expression(side, self.kind)
        self.m, self.rows = 0 if quarter is None else QUARTER_BITS, None

    def shift(self):
        return MOST_SHIFT - self.m

    def first(self):
        """Of the rows of its binade, were it as fine everywhere."""
        return 0 if self.quarter is None else self.quarter << (self.m - QUARTER_BITS)

    def points(self):
        half, first = 2.0**(self.exponent - self.m - 1), self.first()
        count = 1 << (self.m if self.quarter is None else self.m - QUARTER_BITS)
        return [(self.expression, 2.0**self.exponent + half * (2 * i + 1)) for i in range(first, first + count)]

    def allowed(self, cubic, point, half):
        """Error that a row may have: in ulps of the result, or `absolute`."""
        function = self.side.function
        if self.kind == "sum":
            return self.ulp * SUM_ULP
        apart = {"linear": 2.0**(function.slope or 0), "beside": point, "rest": function.rest_number()}.get(self.kind, 0.0)
        weight = point if self.kind == "linear" else 1.0
        results = [abs(apart + moved(cubic, by)[0]) * weight for by in (-half, 0.0, half)]
        least = self.ulp * ulp_of(min(results)) / weight
        if function.absolute is not None:
            least = max(least, 2.0**function.absolute / weight / 2)
        return least

    def settle(self, coefficients):
        """Makes the rows of the present m. What is to be tried next, if one is not close enough: finer, or quarters."""
        half = 2.0**(self.exponent - self.m - 1)
        cubics = []
        for (_, point), taylor_row in zip(self.points(), coefficients):
            cubic, error = economised(taylor_row, half)
            if not error <= self.allowed(cubic, point, half):
                self.m += 1
                assert self.shift() >= LEAST_SHIFT, f"{self.side.function.name}: rows of 2^{self.exponent} get too short"
                if self.quarter is None and self.m == QUARTER_BITS:
                    return [Part(self.side, self.exponent, self.ulp, q) for q in range(1 << QUARTER_BITS)]
                return [self]
            cubics.append(cubic)
        self.rows = [row(cubic, half, self.kind) for cubic in cubics]
        return []


def expression(side, kind):
    """What rows of this kind hold, in x = |u|, for sollya."""
    function = side.function
    u = "(-x)" if side.minus else "x"
    f = re.sub(r"\bx\b", u, function.table)
    if kind == "linear":
        return f"({f}) / {u} - 2^({function.slope})"
    if kind == "beside":
        return f"({f}) - {u}"
    if kind == "rest":
        return f"({f}) - ({function.rest})"
    return f


def zero_row(side, ulp):
    """(first exponent above it, words) of the row for |u| below that: the Taylor cubic at 0, x0 = 0."""
    function = side.function
    about_zero = taylor([(expression(side, "plain"), 0.0)])[0]
    if side.near == "linear":
        sign = -1.0 if side.minus else 1.0
        terms = [sign * c for c in about_zero[1:]]
        terms[0] -= 2.0**function.slope
        size = 2.0**function.slope + terms[0]
    else:
        terms = list(about_zero)
        size = abs(terms[0])
        if side.near == "rest":
            terms[0] -= function.rest_number()
    allowed = SUM_ULP if side.near == "sum" else abs(size) * 2.0**-24
    exponent = 0
    while abs(terms[4]) * 2.0**(4 * exponent) + abs(terms[5]) * 2.0**(5 * exponent) > ulp * allowed:
        exponent -= 1
    return exponent, [fp32(c) for c in terms[:4]]
