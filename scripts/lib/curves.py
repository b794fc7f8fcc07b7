# SPDX-License-Identifier: Apache-2.0
"""Curves of the fabric as SVG: a few panels with axes, lines with direct labels, nothing else."""
import math

INK, FAINT, GRID = "#1f2933", "#7b8794", "#e4e7eb"
BLUE, GREEN, ORANGE, RED, VIOLET = "#0072b2", "#009e73", "#e69f00", "#d55e00", "#7b4fa3"


class Panel:
    """One pair of axes. `log`: the y axis is logarithmic."""

    def __init__(self, x, y, width, height, title, x_range, y_range, x_label="", y_label="", log=False, ticks=5):
        self.box = (x, y, width, height)
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.x_range, self.y_range, self.log, self.ticks = x_range, y_range, log, ticks
        self.parts, self.labels = [], []

    def at(self, x, y):
        left, top, width, height = self.box
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        if self.log:
            y, y0, y1 = math.log10(max(y, 1e-9)), math.log10(y0), math.log10(y1)
        return left + width * (x - x0) / (x1 - x0), top + height * (1 - (y - y0) / (y1 - y0))

    def inside(self, points):
        """The part of a polyline below the top, cut where it leaves."""
        kept, top = [], self.y_range[1]
        for i, (x, y) in enumerate(points):
            if y <= top and x <= self.x_range[1] * 1.001:
                kept.append((x, y))
                continue
            if i and kept and y > top:
                px, py = points[i - 1]
                part = ((math.log(top) - math.log(py)) / (math.log(y) - math.log(py)) if self.log
                        else (top - py) / (y - py))
                kept.append((px + part * (x - px), top))
            break
        return kept

    def line(self, points, colour, label="", dash="", width=2, dots=True):
        points = self.inside(points)
        if not points:
            return
        pixels = [self.at(x, y) for x, y in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
                          f'stroke-linejoin="round" stroke-linecap="round"'
                          + (f' stroke-dasharray="{dash}"' if dash else "") + "/>")
        if dots:
            self.parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="white" stroke="{colour}" '
                           'stroke-width="1.5"/>' for x, y in pixels]
        if label:
            self.labels.append((label, colour, dash))

    def limit(self, x, text):
        """A vertical line at a closed-form limit."""
        left, top, _, height = self.box
        px = self.at(x, self.y_range[0])[0]
        self.parts.append(f'<line x1="{px:.1f}" x2="{px:.1f}" y1="{top}" y2="{top + height}" stroke="{FAINT}" '
                          'stroke-dasharray="2 4"/>')
        self.parts.append(f'<text x="{px - 5:.1f}" y="{top + 13}" fill="{FAINT}" font-size="11" '
                          f'text-anchor="end">{text}</text>')

    def round_ticks(self, high):
        """Multiples of a round step, at most `ticks` + 1 of them besides 0."""
        step = next(m * 10 ** e for e in range(-3, 6) for m in (1, 2, 2.5, 5)
                    if m * 10 ** e * (self.ticks + 1) >= high * 0.9999)
        return [step * i for i in range(int(high / step * 1.0001) + 1)]

    def y_ticks(self):
        low, high = self.y_range
        if self.log:
            return [m * 10 ** e for e in range(0, 6) for m in (1, 2, 5) if low <= m * 10 ** e <= high]
        return self.round_ticks(high)

    def svg(self, legend="below"):
        left, top, width, height = self.box
        out = [f'<text x="{left}" y="{top - 12}" font-weight="600" fill="{INK}">{self.title}</text>']
        for tick in self.y_ticks():
            y = self.at(self.x_range[0], tick)[1]
            out.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>')
            out.append(f'<text x="{left - 7}" y="{y + 4:.1f}" text-anchor="end" font-size="11" fill="{FAINT}">'
                       f"{tick:g}</text>")
        for value in self.round_ticks(self.x_range[1]):
            x = self.at(value, self.y_range[0])[0]
            out.append(f'<text x="{x:.1f}" y="{top + height + 16}" text-anchor="middle" font-size="11" '
                       f'fill="{FAINT}">{value:.3g}</text>')
        out.append(f'<path d="M{left} {top + height}h{width}" stroke="{INK}" fill="none"/>')
        if self.x_label:
            out.append(f'<text x="{left + width / 2}" y="{top + height + 34}" text-anchor="middle" font-size="12" '
                       f'fill="{INK}">{self.x_label}</text>')
        if self.y_label:
            out.append(f'<text transform="translate({left - 42} {top + height / 2}) rotate(-90)" '
                       f'text-anchor="middle" font-size="12" fill="{INK}">{self.y_label}</text>')
        out += self.parts
        for i, (label, colour, dash) in enumerate(self.labels if legend == "below" else []):
            y = top + height + 56 + 18 * i
            out.append(f'<line x1="{left}" x2="{left + 26}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" '
                       'stroke-width="2.5"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>")
            out.append(f'<text x="{left + 34}" y="{y}" font-size="12" fill="{INK}">{label}</text>')
        return out


def page(path, width, height, title, subtitle, panels, legend="below"):
    body = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
            f'height="{height}" font-family="Helvetica, Arial, sans-serif" font-size="13">',
            '<rect width="100%" height="100%" fill="white"/>',
            f'<text x="24" y="34" font-size="18" font-weight="600" fill="{INK}">{title}</text>',
            f'<text x="24" y="54" font-size="12" fill="{FAINT}">{subtitle}</text>']
    for panel in panels:
        body += panel.svg(legend)
    path.write_text("\n".join(body) + "\n</svg>\n", encoding="utf-8")


def column(points, key):
    return [(p["offered"], p[key]) for p in points]


def uniform(path, title, curve, single=None, reference=()):
    """Latency and accepted load of uniform traffic. `reference`: (offered, mean latency, accepted)."""
    limit, points = curve["limit"], curve["points"]
    right = math.ceil(max(p["offered"] for p in points) * 10) / 10
    top = math.ceil(limit * 1.15 * 5) / 5
    x_label = "offered, flits per fabric cycle and node"
    latency = Panel(76, 104, 400, 300, "Latency from creation to delivery", (0, right), (50, 5000), x_label,
                    "fabric cycles", log=True)
    accepted = Panel(576, 104, 400, 300, "Accepted load", (0, right), (0, top), x_label,
                     "flits per fabric cycle and node")
    for panel in (latency, accepted):
        panel.limit(limit, f"limit {limit:.3g}")
    latency.line(column(points, "p99"), ORANGE, "99th percentile")
    latency.line(column(points, "mean"), BLUE, "mean")
    latency.line(column(points, "p50"), GREEN, "median")
    accepted.line([(0, 0), (limit, limit), (right, limit)], FAINT, "closed form: min(offered, limit)", dash="5 4", dots=False)
    accepted.line(column(points, "accepted"), BLUE, "RTL, both cores send")
    if single:
        accepted.line(column(single["points"], "accepted"), VIOLET, "RTL, one core sends")
    if reference:
        whole = [(x, y) for x, y, accepted in reference if accepted >= 0.96 * x]
        latency.line(whole, RED, "reference simulator, mean, while stable: hop L + 3, here L + 7", dash="6 4")
        accepted.line([(x, y) for x, _, y in reference], RED,
                      "reference simulator: 4 VCs of 80 flits, two crossbar inputs per port", dash="6 4")
    page(path, 1020, 540, title, "Twelve chips, packets of 17 flits (1 KiB), L = 32 fabric cycles, Bernoulli "
         "sources with infinite queues, VN 1 and 2", [latency, accepted])


def patterns(path, curves):
    """Small multiples: accepted over offered, both in shares of the closed-form limit."""
    names = list(dict.fromkeys(c["pattern"] for c in curves if "," not in c["pattern"]))
    panels = []
    for row, (topology, title, colour) in enumerate((("ring", "ring", BLUE), ("c12", "C12(1,5)", VIOLET))):
        for place, name in enumerate(names):
            curve = next(c for c in curves if c["topology"] == topology and c["pattern"] == name)
            limit = curve["limit"]
            panel = Panel(64 + 244 * (place % 4), 110 + 470 * row + 224 * (place // 4), 180, 130,
                          f"{title}: {name}", (0, 1.2), (0, 1.2), ticks=3)
            panel.line([(0, 0), (1, 1), (1.2, 1)], FAINT, dash="5 4", dots=False, width=1.2)
            panel.line([(p["offered"] / limit, p["accepted"] / limit) for p in curve["points"]
                        if p["offered"] / limit < 1.3], colour)
            peak, worst = max(p["accepted"] for p in curve["points"]), min(p["jain"] for p in curve["points"])
            x, y = panel.at(1.2, 0.0)
            panel.parts.append(f'<text x="{x:.0f}" y="{y - 24:.0f}" text-anchor="end" font-size="11" fill="{INK}">'
                               f'{peak:.3f} of {limit:.3f}</text>')
            panel.parts.append(f'<text x="{x:.0f}" y="{y - 9:.0f}" text-anchor="end" font-size="11" fill="{FAINT}">'
                               f'fairness ≥ {worst:.3f}</text>')
            panels.append(panel)
    page(path, 1020, 980, "Accepted over offered load, in shares of the closed-form limit",
         "Dashed: min(offered, limit); limit: the first link is full, others may go on. Most accepted, flits per "
         "fabric cycle and source; least Jain index", panels, legend="")


def matched(path, curve):
    """Mean latency under the reference simulator's assumptions, beside its own."""
    points = curve["points"]
    panel = Panel(76, 104, 600, 360, curve["pattern"], (0, 0.6), (0, 500),
                  "offered, own node included, flits per fabric cycle and node", "mean latency, fabric cycles")
    panel.limit(curve["saturation"], f"RTL saturates at {curve['saturation']:.3g}")
    panel.line(column(points, "reference"), RED, "reference simulator", dash="6 4")
    panel.line(column(points, "mean"), BLUE, "RTL")
    beyond = [p for p in points if "one_sink" in p]
    panel.line(column(beyond, "one_sink"), GREEN, "RTL, packets held back at the exit as there")
    panel.line(column(beyond, "round_robin"), ORANGE, "RTL, arbiters in round robin as there")
    page(path, 720, 610, "Mean latency beside an independent simulator",
         "Hop of 35 cycles, uniform over all twelve, one flit in and one out per cycle and chip; constant of the ends aligned",
         [panel])
