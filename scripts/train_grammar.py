#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the tagger of the scenario `grammar` and writes its weights.

    train_grammar.py TEXT WEIGHTS [--steps N]

tb/scenarios/README.md has the network, the task and the format of the file. One thread and a fixed seed, as in
train_lm.py. Prints how many characters and lines of the held-out text are marked rightly.
"""

import argparse
import gzip
import pathlib
import struct
import zlib

import torch
from torch import nn
from torch.nn import functional

WINDOW, HIDDEN, LINE = 9, 32, 64
HELD_OUT = 20  # the last 1 / 20 of the text
LINES, RATE = 64, 8e-3


def tokens_of(path):
    """Characters are the bytes of UTF-8, in the order of their codes; line ends are spaces."""
    opened = gzip.open if path.suffix == ".gz" else open
    text = opened(path, "rb").read().replace(b"\n", b" ")
    characters = bytes(sorted(set(text)))
    return characters, torch.tensor(list(text.translate(bytes(characters.find(c) % 256 for c in range(256)))))


def lines(tokens, count):
    """Lines with what is around them, one character of each replaced by one from elsewhere; which one."""
    at = torch.randint(len(tokens) - LINE - WINDOW, (count,))
    text = tokens[at[:, None] + torch.arange(LINE + WINDOW - 1)]
    wrong = torch.randint(LINE, (count,))
    row, place = torch.arange(count), wrong + WINDOW // 2
    other = tokens[torch.randint(len(tokens), (count, 8))]
    differs = other != text[row, place][:, None]
    text[row, place] = other[row, differs.float().argmax(1)]
    return text[differs.any(1)], wrong[differs.any(1)]


class Tagger(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.table = nn.Parameter(torch.randn(WINDOW, characters, HIDDEN) * 0.1)
        self.out = nn.Parameter(torch.randn(HIDDEN) * HIDDEN**-0.5)
        self.bias = nn.Parameter(torch.tensor([-4.0]))

    def forward(self, text):
        """Logits [lines, LINE] of text [lines, LINE + WINDOW - 1]."""
        hidden = sum(functional.embedding(text[:, o : o + LINE], self.table[o]) for o in range(WINDOW))
        return hidden.relu() @ self.out + self.bias


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=4000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    characters, tokens = tokens_of(args.text)
    border = len(tokens) - len(tokens) // HELD_OUT
    model = Tagger(len(characters))
    adam = torch.optim.Adam(model.parameters())
    for step in range(args.steps):
        for group in adam.param_groups:
            group["lr"] = RATE * (1 - step / args.steps)
        text, wrong = lines(tokens[:border], LINES)
        logits = model(text)
        loss = functional.binary_cross_entropy_with_logits(logits, functional.one_hot(wrong, LINE).float())
        adam.zero_grad()
        loss.backward()
        adam.step()
        if step % 200 == 199:
            print(f"step {step + 1} of {args.steps}, loss {loss.item():.4f}", flush=True)
    with torch.no_grad():
        text, wrong = lines(tokens[border:], 4000)
        logits = model(text)
        right = ((logits > 0) == functional.one_hot(wrong, LINE).bool()).float().mean().item()
        found = (logits.argmax(1) == wrong).float().mean().item()
    print(f"held out: {right:.4f} of characters marked rightly, the wrong one ranked first in {found:.4f} of lines")
    # The bias of the hidden units is in the table; that of the output is the last word.
    weights = b"".join(t.detach().numpy().astype("<f4").tobytes() for t in (model.table, model.out, model.bias))
    body = characters + weights
    shape = (WINDOW, HIDDEN, LINE, len(characters))
    args.weights.write_bytes(b"DODECAGR" + struct.pack("<6I", 1, *shape, zlib.crc32(body)) + body)


if __name__ == "__main__":
    main()
