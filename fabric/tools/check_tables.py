#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks table sets against their certificate. Shares nothing with the program that writes them.

A set is good if, over the cables that it names, every member reaches every other by exactly one route,
no longer than the shortest (+ DETOUR), and along every route the ranks of its channels rise: then no
chain of waiting packets can close. The claimed loads must be the real ones."""

import argparse
import collections
import sys


class Bad(Exception):
    pass


def read(path):
    """The lines of a set by keyword."""
    lines = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] not in ("chips", "ports", "cable", "members", "source", "route", "load", "rank"):
                raise Bad(f"{path}:{number}: {words[0]}: unknown keyword")
            lines[words[0]].append((number, words[1:]))
    for key in ("chips", "ports", "members", "load"):
        if len(lines[key]) != 1:
            raise Bad(f"{path}: {key}: {len(lines[key])} lines, one is needed")
    return lines


def end(text):
    chip, port = text.split(".")
    return int(chip), int(port)


def wires(path, lines):
    """Chip at the other end of (chip, port)."""
    far = {}
    for number, words in lines["cable"]:
        a, b = map(end, words)
        for here, there in ((a, b), (b, a)):
            if here in far:
                raise Bad(f"{path}:{number}: cable: port {here[0]}.{here[1]} has two cables")
            far[here] = there[0]
    return far


def shortest(far, start):
    hops, queue = {start: 0}, collections.deque([start])
    while queue:
        at = queue.popleft()
        for (chip, _), to in far.items():
            if chip == at and to not in hops:
                hops[to] = hops[at] + 1
                queue.append(to)
    return hops


def check(path, detour):
    lines = read(path)
    try:
        far = wires(path, lines)
        members = [int(word) for word in lines["members"][0][1]]
        source = {int(words[0]): words[1:] for _, words in lines["source"]}
        route = {(int(words[0]), int(words[1])): words[2:] for _, words in lines["route"]}
        rank = {(*end(words[0]), int(words[1])): int(words[2]) for _, words in lines["rank"]}
        claimed = [int(word) for word in lines["load"][0][1]]
    except (ValueError, IndexError) as error:
        raise Bad(f"{path}: {error}") from error
    if len(rank) != len(lines["rank"]) or len(set(rank.values())) != len(rank):
        raise Bad(f"{path}: rank: a channel or a rank is there twice")

    if not members or len(members) != len(set(members)):
        raise Bad(f"{path}: members: {members}: one or more are needed, each once")

    ways, by_class, entries = collections.Counter(), collections.Counter(), set()
    for src in members:
        least = shortest(far, src)
        for dst in members:
            if src == dst:
                continue
            pair = f"{path}: from chip {src} to chip {dst}"
            try:
                cls, at, channels = int(source[src][dst]), src, []
                while at != dst and len(channels) <= len(rank):
                    entries.add((at, cls, dst))
                    port, cls = map(int, route[at, cls][dst].split("/"))
                    channels.append((at, port, cls))
                    at = far[at, port]
            except (ValueError, KeyError, IndexError) as error:
                raise Bad(f"{pair}: no route: {error}") from error
            if at != dst:
                raise Bad(f"{pair}: the route is a circle")
            if dst not in least or len(channels) > least[dst] + detour:
                raise Bad(f"{pair}: {len(channels)} links, {least.get(dst)} would do")
            for channel in channels:
                if channel not in rank:
                    raise Bad(f"{pair}: channel {channel} has no rank")
                ways[channel[:2]] += 1
                by_class[channel[2]] += 1
            for before, behind in zip(channels, channels[1:]):
                if rank[before] >= rank[behind]:
                    raise Bad(f"{pair}: waits from channel {before} of rank {rank[before]} "
                              f"for {behind} of rank {rank[behind]}")
    real = [max(ways.values(), default=0), by_class[0], by_class[1]]
    if real != claimed:
        raise Bad(f"{path}: load: claimed {claimed}, counted {real}")
    for (chip, cls), words in route.items():
        for dst, word in enumerate(words):
            if word != "-" and (chip, cls, dst) not in entries:
                raise Bad(f"{path}: route {chip} {cls}: the entry for chip {dst} is on nobody's route")
    return len(members), real


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detour", type=int, default=0, help="links more than the shortest route")
    parser.add_argument("sets", nargs="+")
    arguments = parser.parse_args()
    for path in arguments.sets:
        try:
            members, (most, low, high) = check(path, arguments.detour)
        except (Bad, OSError, UnicodeDecodeError) as error:
            print(f"dodeca tables: {error}", file=sys.stderr)
            return 1 if isinstance(error, Bad) else 2
        print(f"{path}: {members} chips, busiest link {most} routes, hops by class {low} and {high}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
