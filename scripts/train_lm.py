#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the language model of the scenario `lm` and writes its weights.

    OPENBLAS_NUM_THREADS=1 train_lm.py TEXT WEIGHTS [--steps N] [--resume FILE]

tb/scenarios/README.md has the decisions and the format of the file.

One thread and a fixed seed: the same weights from the same torch (1.13) on the same kind of processor.
Learning rates rise, stay, and fall along a cosine over the last twelfth of the steps, so runs of
different length share their beginning: --resume FILE keeps its state there now and then.
"""

import argparse
import gzip
import math
import os
import pathlib
import struct
import time
import zlib

import torch
from torch import nn
from torch.nn import functional

WIDTH, HEADS, LAYERS, HIDDEN, CONTEXT = 192, 12, 4, 768, 256
HELD_OUT = 20  # the last 1 / 20 of the text
EPSILON = 2.0**-17
BATCH_TOKENS, SHORT, WARM_UP, TAIL, KEEP = 2048, 64, 30, 1 / 12, 25
RATE_MATRIX, RATE_OTHER, MOMENTUM = 0.02, 4e-3, 0.95


def norm(x):
    """x over its root mean square: no gain, which the next matrix can have as well."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)


def linear(x, w):
    return functional.linear(x.bfloat16(), w.bfloat16()).float()


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Parameter(torch.randn(3 * WIDTH, WIDTH) * WIDTH**-0.5)
        self.out = nn.Parameter(torch.zeros(WIDTH, WIDTH))
        self.up = nn.Parameter(torch.randn(HIDDEN, WIDTH) * WIDTH**-0.5)
        self.down = nn.Parameter(torch.zeros(WIDTH, HIDDEN))

    def forward(self, x, mask):
        n, t, _ = x.shape
        q, k, v = (
            part.view(n, t, HEADS, -1).transpose(1, 2).bfloat16()
            for part in linear(norm(x), self.qkv).split(WIDTH, -1)
        )
        scores = (q @ k.transpose(-1, -2)).float() * (WIDTH // HEADS) ** -0.5 + mask
        o = (scores.softmax(-1).bfloat16() @ v).transpose(1, 2).reshape(n, t, WIDTH)
        x = x + linear(o, self.out)
        return x + linear(functional.gelu(linear(norm(x), self.up)), self.down)


class Decoder(nn.Module):
    def __init__(self, characters):
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(characters, WIDTH) * 0.5)
        self.position = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.logits = nn.Parameter(torch.zeros(characters, WIDTH))

    def forward(self, tokens, first=0):
        t = tokens.shape[1]
        mask = torch.full((t, t), -math.inf).triu(1)
        x = functional.embedding(tokens, self.embedding) + self.position[first : first + t]
        for layer in self.layers:
            x = layer(x, mask)
        return linear(norm(x), self.logits)


def orthogonal(g):
    """The nearest orthogonal matrix to each of g [n, rows <= columns], roughly (Newton-Schulz)."""
    x = g.bfloat16()
    x = x / (x.float().norm(dim=(1, 2), keepdim=True) + 1e-7).bfloat16()
    for _ in range(5):
        a = x @ x.transpose(1, 2)
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * (a @ a)) @ x
    return x.float()


class Muon:
    """Momentum whose steps are made orthogonal (K. Jordan, 2024); for matrices, all of a shape at once."""

    def __init__(self, model):
        square = [p for l in model.layers for p in (*l.qkv.split(WIDTH), l.out)]
        self.groups = [
            lambda f: [m for l in model.layers for m in (*f(l.qkv).split(WIDTH), f(l.out))],
            lambda f: [f(l.up).t() for l in model.layers],
            lambda f: [f(l.down) for l in model.layers],
        ]
        self.momentum = [torch.zeros(len(square), WIDTH, WIDTH)]
        self.momentum += [torch.zeros(LAYERS, WIDTH, HIDDEN) for _ in range(2)]

    @torch.no_grad()
    def step(self, rate):
        for group, momentum in zip(self.groups, self.momentum):
            g = torch.stack(group(lambda p: p.grad))
            momentum.lerp_(g, 1 - MOMENTUM)
            update = orthogonal(g.lerp(momentum, MOMENTUM))
            for p, u in zip(group(lambda p: p.data), update):
                p.sub_(u, alpha=rate)


def rates(step, steps):
    """Share of the full learning rate."""
    tail = max(1, int(steps * TAIL))
    left = min(1, (steps - step) / tail)
    return min(1, (step + 1) / WARM_UP) * (1 - math.cos(math.pi * left)) / 2


@torch.no_grad()
def held_out_loss(model, tokens):
    """Nats per character, of pieces of the whole context side by side."""
    n = (len(tokens) - 1) // CONTEXT
    x, y = (tokens[i : i + n * CONTEXT].view(n, CONTEXT) for i in (0, 1))
    losses = [
        functional.cross_entropy(model(x[i : i + 8]).flatten(0, 1), y[i : i + 8].flatten(), reduction="sum")
        for i in range(0, n, 8)
    ]
    return (sum(losses) / (n * CONTEXT)).item()


def write(path, model, characters):
    """Format: tb/scenarios/README.md."""
    tensors = [model.embedding, model.position]
    for layer in model.layers:
        tensors += [layer.qkv, layer.out, layer.up, layer.down]
    tensors.append(model.logits)
    text = "".join(characters).encode()
    weights = b"".join(t.detach().bfloat16().view(torch.int16).numpy().tobytes() for t in tensors)
    body = text + weights
    shape = (WIDTH, HEADS, LAYERS, HIDDEN, CONTEXT, len(characters), len(text))
    path.write_bytes(b"DODECALM" + struct.pack("<9I", 1, *shape, zlib.crc32(body)) + body)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("weights", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=682)
    parser.add_argument("--resume", type=pathlib.Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    opened = gzip.open if args.text.suffix == ".gz" else open
    text = opened(args.text, "rt", encoding="utf-8").read()
    characters = sorted(set(text))
    code = {c: i for i, c in enumerate(characters)}
    tokens = torch.tensor([code[c] for c in text])
    border = len(tokens) - len(tokens) // HELD_OUT
    train, held_out = tokens[:border], tokens[border:]

    model = Decoder(len(characters))
    matrices = Muon(model)
    others = torch.optim.Adam([model.embedding, model.position, model.logits], betas=(0.9, 0.95), eps=1e-10)
    step = 0
    if args.resume and args.resume.exists():
        state = torch.load(args.resume)
        step, matrices.momentum = state["step"], state["momentum"]
        model.load_state_dict(state["model"])
        others.load_state_dict(state["others"])
        torch.set_rng_state(state["random"])
    start = time.time()
    while step < args.steps:
        rate = rates(step, args.steps)
        length = SHORT if rate == 1 or step < WARM_UP else CONTEXT
        if args.resume and length == SHORT and step % KEEP == 0:
            torch.save(
                dict(step=step, momentum=matrices.momentum, model=model.state_dict(),
                     others=others.state_dict(), random=torch.get_rng_state()), f"{args.resume}.new")
            os.replace(f"{args.resume}.new", args.resume)
        at = torch.randint(len(train) - length, (BATCH_TOKENS // length,))
        first = torch.randint(CONTEXT - length + 1, ()).item()
        batch = torch.stack([train[i : i + length + 1] for i in at])
        loss = functional.cross_entropy(model(batch[:, :-1], first).flatten(0, 1), batch[:, 1:].flatten())
        model.zero_grad(set_to_none=True)
        loss.backward()
        matrices.step(RATE_MATRIX * rate)
        for group in others.param_groups:
            group["lr"] = RATE_OTHER * rate
        others.step()
        step += 1
        if step % 10 == 0:
            print(f"step {step} of {args.steps}, loss {loss.item():.3f}, {time.time() - start:.0f} s", flush=True)
    with torch.no_grad():
        for p in model.parameters():
            p.copy_(p.bfloat16())
    loss = held_out_loss(model, held_out)
    print(f"held out: {loss:.4f} nats per character, perplexity {math.exp(loss):.3f}")
    write(args.weights, model, characters)


if __name__ == "__main__":
    main()
