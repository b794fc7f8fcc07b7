#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes Verilator's toggle counting fast: rewrites its C++ from bits to words; it counts the same.

Verilator 5.006 looks at every bit of every signal in every cycle, and counts with atomic operations:

    if ((2U & (now[3U] ^ before[3U]))) {
        vlSymsp->__Vcoverage[71].fetch_add(1, std::memory_order_relaxed);
        before[3U] = ((0xfffffffdU & before[3U]) | (2U & now[3U]));
    }

Neighbours of the same two words become one call (tb/observe/coverage/count_toggles.h), which finds most of
the time that nothing changed; one thread at a time steps a chip, so plain counters do:

    tb::count_toggles(vlSymsp->__Vcoverage, 70, 0xffffffffULL, now[3U], before[3U]);

A statement is taken only if both its halves are exactly of a known form; others stay as they are.
"""
import re
import sys
from pathlib import Path

STATEMENT = re.compile(
    r"\n *if \(([^{};]*?)\) \{\s*vlSymsp->__Vcoverage\[(\d+)\]\.fetch_add\(1, std::memory_order_relaxed\);"
    r"\s*(vlSelf->[^;={}]*?__Vtogcov__[^;={}]*?)\s*=\s([^;{}]*);\s*\}")
ONE_MORE = re.compile(r"(vlSymsp->__Vcoverage\[\d+\])\.fetch_add\(1, std::memory_order_relaxed\);")
NUMBER = r"(0x[0-9a-f]+|\d+)U"


def parse(condition, before, new):
    """(bit, the word that is watched) if the statement is one bit of it, else None. No white space in them."""
    for old in (f"(IData)({before})", before):
        # Words of up to 32 bits; the condition of their bit 31 is another.
        match = re.fullmatch(rf"\({NUMBER}&\((.+)\^{re.escape(old)}\)\)", condition)
        if match:
            mask, now = int(match[1], 0), match[2]
            if re.fullmatch(rf"\(\({NUMBER}&{re.escape(old)}\)\|\({match[1]}U&{re.escape(now)}\)\)", new):
                return mask.bit_length() - 1, now
        now = condition.removeprefix("((").removesuffix(f"^{old})>>0x1fU)")
        if new == f"((0x7fffffffU&{old})|(0x80000000U&{now}))":
            return 31, now
    # Words of up to 64 bits; bit 0 and the highest are special.
    kept = rf"\(\(0x[0-9a-f]+ULL&{re.escape(before)}\)\|"
    match = (re.fullmatch(rf"\(1U&\(\(IData\)\(\((.+)>>{NUMBER}\)\)\^\(IData\)\(\({re.escape(before)}>>\2U\)\)\)\)",
                          condition)
             or re.fullmatch(rf"\(IData\)\(\(\((.+)\^{re.escape(before)}\)>>{NUMBER}\)\)", condition))
    if match:
        now, shift = match[1], match[2] + "U"
        value = f"((QData)((IData)((1U&(IData)(({now}>>{shift})))))<<{shift}))"
        if re.fullmatch(kept + re.escape(value), new):
            return int(match[2], 0), now
    match = re.fullmatch(rf"\(1U&\(\(IData\)\((.+)\)\^\(IData\)\({re.escape(before)}\)\)\)", condition)
    if match and re.fullmatch(kept + re.escape(f"(IData)((IData)((1U&(IData)({match[1]})))))"), new):
        return 0, match[1]
    return None


class Rewrite:
    """Of one file's text."""

    def __init__(self, text):
        self.out, self.group, self.bits, self.words, self.kept = [], None, 0, 0, 0
        end = 0
        for match in STATEMENT.finditer(text):
            if match.start() != end:
                self.flush()
            self.out.append(text[end:match.start()])
            end = match.end()
            self.statement(match)
        self.flush()
        self.out.append(text[end:])
        self.text = ONE_MORE.sub(r"++\1;", "".join(self.out)).replace("std::atomic<uint32_t>", "uint32_t")

    def statement(self, match):
        condition, before, new = (re.sub(r"\s+", "", match[n]) for n in (1, 3, 4))
        found = parse(condition, before, new)
        if not found:
            self.flush()
            self.kept += 1
            self.out.append(match[0])
            return
        bit, now = found
        key = (int(match[2]) - bit, now, before)
        if self.group and self.group[0] != key:
            self.flush()
        self.group = (key, (self.group[1] if self.group else 0) | 1 << bit)
        self.bits += 1

    def flush(self):
        if not self.group:
            return
        (first, now, before), bits = self.group
        self.out.append(f"\n    tb::count_toggles(vlSymsp->__Vcoverage, {first}, {bits:#x}ULL,\n"
                        f"        {now}, {before});")
        self.words += 1
        self.group = None


def main(folder):
    bits = words = kept = 0
    for file in sorted([*Path(folder).glob("*.cpp"), *Path(folder).glob("*.h")]):
        text = file.read_text(encoding="utf-8")
        done = Rewrite(text)
        bits, words, kept = bits + done.bits, words + done.words, kept + done.kept
        if done.text != text:
            file.write_text(done.text, encoding="utf-8")
    print(f"{folder}: {bits} bits counted in {words} words, {kept} alone")


if __name__ == "__main__":
    main(sys.argv[1])
