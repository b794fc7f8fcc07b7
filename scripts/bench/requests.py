# SPDX-License-Identifier: Apache-2.0
"""Requests that come while the machine runs: latency against rate."""
import sys
import tempfile

from bench.programs import board

# Shares of what the machine serves when all requests are there at once.
LOADS = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2, 2.0)
AT_ONCE = 1_000_000_000  # a second: faster than any host hands them over
REQUESTS = 1000          # one of them is above p99.9


def bench_recommender(_args, config="mini", chips=12, requests=REQUESTS, loads=LOADS):
    """First what it serves at most, then rates below and above that."""
    def measure(rate):
        with tempfile.TemporaryDirectory() as out:
            metrics = board(config, out, "recommender", "--chips", chips, "--requests", requests, "--rate", rate,
                            "--load", "backdoor", "--no-debug")[1]["metrics"]
        print(f"bench: recommender, {rate} requests a second: done", file=sys.stderr, flush=True)
        return metrics

    most = measure(AT_ONCE)["answered_per_s"]
    rows = []
    for load in loads:
        rate = round(load * most)
        metrics = measure(rate)
        rows.append({"name": "recommender", "config": config, "chips": chips, "requests": metrics["answered"], "load": load,
                     "rate": rate, "offered_per_s": round(metrics["offered_per_s"]),
                     "answered_per_s": round(metrics["answered_per_s"])}
                    | {key: {name: round(value, 3) for name, value in metrics[key].items()}
                       for key in ("latency_us", "queue_us", "service_us")})
    return rows
